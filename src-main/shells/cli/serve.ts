// temper serve: the window in a browser, on this machine only.
import { serveHere } from '../web/open.ts'
import { read, whenInterrupted, whole, type Terminal } from './terminal.ts'

export async function serve(args: string[], terminal: Terminal): Promise<void> {
  const usage = 'serve [--port N] [--open]'
  const { values } = read(args, { port: { type: 'string' }, open: { type: 'boolean' } }, usage, 0)
  const port = whole(values.port, '--port')
  whenInterrupted(() => {}) // serveHere ends by itself
  await serveHere({
    home: terminal.home,
    ...(port !== undefined && { port }),
    open: values.open === true,
    json: terminal.json,
  })
  await new Promise<never>(() => {})
}
