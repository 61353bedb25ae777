// `npm start` where Electron cannot be had.
import { parseArgs } from 'node:util'
import { toWire } from '../../contract/errors.ts'
import { defaultHome } from '../../store/files.ts'
import { serveHere } from './open.ts'

const { values } = parseArgs({
  options: { home: { type: 'string' }, port: { type: 'string' }, open: { type: 'boolean' } },
  allowPositionals: true,
})

serveHere({
  home: values.home ?? defaultHome(),
  ...(values.port !== undefined && { port: Number(values.port) }),
  open: values.open === true,
}).catch((thrown: unknown) => {
  const { message, where, next } = toWire(thrown)
  console.error([message, where, next].filter(Boolean).join('\n'))
  process.exit(1)
})
