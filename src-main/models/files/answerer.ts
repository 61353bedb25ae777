// From a model and the checkpoints trained upon it to the one set of weights that answers: a full checkpoint takes the
// model's place, an adapter is folded into what came before it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../contract/errors.ts'
import { templateHash } from '../../text/templates.ts'
import { mergedWeights } from '../adapters.ts'
import { readJson, readModelFolder, type ModelFolder } from './folder.ts'
import { readAdapterFolder } from './peft.ts'

/** Where an answerer's numbers lie: the model's folder, then the checkpoints to apply, in order. */
export interface AnswererFiles {
  readonly modelPath: string
  readonly checkpoints: readonly { readonly path: string; readonly tune: 'lora' | 'full' }[]
}

/**
 * Opens all the folders and checks that they fit together; `close` closes whatever is open of them. Throws BadFile,
 * ModelMismatch, NotFound, and leaves nothing open then.
 */
export function readAnswerer({ modelPath, checkpoints }: AnswererFiles): ModelFolder {
  let base = readModelFolder(modelPath)
  try {
    for (const { path, tune } of checkpoints) {
      if (tune === 'full') {
        const whole = readModelFolder(path)
        base.close()
        base = whole
      } else {
        const adapter = readAdapterFolder(path, base.config)
        base = { ...base, weights: mergedWeights(base.config, base.weights, adapter, adapter.weights) }
      }
      checkTemplate(path, base)
    }
    return base
  } catch (error) {
    base.close()
    throw error
  }
}

/** A checkpoint remembers the template that it learned with: other words around a question would be another question. */
function checkTemplate(checkpoint: string, { text }: ModelFolder): void {
  const card = join(checkpoint, 'checkpoint.json')
  if (!existsSync(card)) return // an adapter from elsewhere says nothing of it
  const learned = (readJson(card) as { templateHash?: unknown }).templateHash
  if (learned === undefined || learned === templateHash(text.template ?? '')) return
  throw new Failure('ModelMismatch', 'This checkpoint was trained with another chat template than its model has now.', {
    where: checkpoint,
    next: 'Put the model’s chat template back as it was, or train again with the new one.',
  })
}
