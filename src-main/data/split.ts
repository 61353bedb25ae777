// Which rows are held out from training. Decided for each row by what it says and the seed alone: so the split does not
// change when rows are added, sorted or imported again, and equal rows never stand on both sides.
import type { Example, Split } from '../contract/records.ts'
import { exampleText, hashNumber, hashNumbers } from './example-key.ts'

/**
 * The side of one example. `heldOutRatio` (0 to 1) of all distinct examples are held out on average; a small data set
 * may come out with none, and a larger ratio holds out those of a smaller one too.
 */
export function splitOf(example: Example, seed: number, heldOutRatio: number): Split {
  return hashNumber(`${seed}\n${exampleText(example)}`) / hashNumbers < heldOutRatio ? 'held-out' : 'train'
}
