// The ways to learn that there are, by name.
import type { Method as MethodName } from '../contract/records.ts'
import { dpo } from './dpo.ts'
import type { Method } from './method.ts'
import { sft } from './sft.ts'

export const allMethods: Readonly<Record<MethodName, Method>> = { sft, dpo }
