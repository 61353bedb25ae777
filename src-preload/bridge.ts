// The only door between the Electron window and the core. It runs sandboxed: no Node, no file system.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { Answered, Bridge } from '../src-main/contract/commands.ts'
import type { AnswerFrame, EventFrame } from '../src-main/contract/events.ts'

let last = 0

const bridge = {
  shell: 'electron',
  call: async (name, input) => {
    const frame = (await ipcRenderer.invoke('temper:call', { id: ++last, name, input })) as AnswerFrame
    return (frame.ok ? { ok: true, output: frame.output } : { ok: false, failure: frame.failure }) as Answered<never>
  },
  on: (event, handler) => {
    const listener = (_: unknown, frame: EventFrame): void => {
      if (frame.event === event) handler(frame.payload as never)
    }
    ipcRenderer.on('temper:event', listener)
    return () => void ipcRenderer.off('temper:event', listener)
  },
  pathOf: (file) => Promise.resolve(webUtils.getPathForFile(file)),
} satisfies Bridge

contextBridge.exposeInMainWorld('temper', bridge)
