// Our side of `temper bench train`, in a process of its own so that its memory can be measured: the model of
// tests/bench/peer-torch.py, stepped at each line "step", ended by "end".
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { BackendName } from '../../engine/backend.ts'
import { openBackend } from '../../engine/backends/choose.ts'
import { clipByGlobalNorm } from '../../engine/clip.ts'
import { createRandom } from '../../engine/random.ts'
import { readConfig } from '../../models/config.ts'
import { parameterShapes } from '../../models/families.ts'
import { createTransformer } from '../../models/transformer.ts'
import { createOptimizer } from '../../training/optimizer.ts'

const { values } = parseArgs({
  options: { backend: { type: 'string' }, tune: { type: 'string' }, threads: { type: 'string' } },
})
const [rows, tokens, vocabulary] = [8, 256, 8192]
const N = rows * (tokens + 1) // one more a row: its last token is only a target, its first only read

const config = readConfig(
  {
    ...{ model_type: 'llama', vocab_size: vocabulary, hidden_size: 256, intermediate_size: 688 },
    ...{ num_hidden_layers: 6, num_attention_heads: 4, max_position_embeddings: 512, rms_norm_eps: 1e-5 },
    ...{ rope_theta: 10000, tie_word_embeddings: false, bos_token_id: 1, eos_token_id: 2 },
  },
  'the bench model',
)
const backend = await openBackend((values.backend ?? 'auto') as 'auto' | BackendName, {
  ...(values.threads !== undefined && { threads: Number(values.threads) }),
})
const random = createRandom(0)
const shapes = new Map(parameterShapes(config).map(({ name, shape }) => [name, shape]))
const tune = values.tune === 'lora' ? 'lora' : 'full'
const model = createTransformer(
  backend,
  config,
  (name) => {
    const shape = shapes.get(name)!
    const size = shape.reduce((a, b) => a * b, 1)
    return Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : 0.02 * random.normal()))
  },
  { tune, ...(tune === 'lora' && { lora: { rank: 8, alpha: 16, targets: 'all-linear', seed: 1 } }) },
)
const optimizer = createOptimizer(backend, model.parameters)
const batch = {
  tokens: Int32Array.from({ length: N }, () => Math.floor(random.uniform() * vocabulary)),
  offsets: Int32Array.from({ length: rows + 1 }, (_, b) => b * (tokens + 1)),
  scored: Uint8Array.from({ length: N }, (_, n) => (n % (tokens + 1) === 0 ? 0 : 1)),
}
const weight = rows * tokens
const dLogprobs = Float32Array.from(batch.scored, (s) => -s)

let step = 0
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === 'end') break
  const begun = performance.now()
  model.zeroGradients()
  const { logprobs } = await model.forward(batch, { keep: true })
  model.backward(dLogprobs)
  const squares = await backend.sumSquares(model.parameters.map((p) => p.grad!))
  const { gradientScale } = clipByGlobalNorm(squares, 1 / weight, 1)
  optimizer.update({
    learningRate: 3e-4,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    step: ++step,
    gradientScale,
  })
  const loss = -logprobs.reduce((a, b) => a + b, 0) / weight
  console.log(JSON.stringify({ ms: performance.now() - begun, loss }))
}
console.log(JSON.stringify({ peakBytes: process.resourceUsage().maxRSS * 1024, version: backend.summary }))
backend.close()
process.stdin.destroy()
