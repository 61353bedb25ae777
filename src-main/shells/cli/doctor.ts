// temper doctor: what can run here, and what to do where it cannot.
import { bytes, read, table, type Terminal } from './terminal.ts'

export async function doctor(args: string[], terminal: Terminal): Promise<void> {
  read(args, {}, 'doctor', 0)
  const core = await terminal.core()
  const found = await core.call('app.doctor', {})
  terminal.result(found, () =>
    [
      `Temper ${found.version} on ${found.platform}, Node ${found.node}`,
      `Library ${found.home.path}, ${bytes(found.home.freeBytes)} free on its disk`,
      table(
        ['backend', 'can run', 'why', 'next'],
        found.backends.map((b) => [b.name, b.ok ? 'yes' : 'no', b.why, b.next]),
      ),
    ].join('\n'),
  )
}
