// Every sentence of the window, in English, one file a page under en/. Another language is another file of this shape.
import { chat } from './en/chat.ts'
import { data } from './en/data.ts'
import { frame } from './en/frame.ts'
import { home } from './en/home.ts'
import { label } from './en/label.ts'
import { models } from './en/models.ts'
import { parts } from './en/parts.ts'
import { runs } from './en/runs.ts'
import { settings } from './en/settings.ts'
import { train } from './en/train.ts'

export const words = { frame, parts, home, models, data, train, runs, label, chat, settings }
export type Words = typeof words
