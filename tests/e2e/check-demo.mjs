// Holds the demo's printed figures to what the README claims. Reads the file that holds its JSON.
import { readFileSync } from 'node:fs'

const { sft, dpo, tookMs } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const claims = [
  ['facts before SFT below 20%', sft.before.ratio < 0.2, sft.before.ratio],
  ['facts after SFT at least 90%', sft.after.ratio >= 0.9, sft.after.ratio],
  [
    'implicit-reward accuracy after DPO at least 90%',
    dpo.after.rewardAccuracy.ratio >= 0.9,
    dpo.after.rewardAccuracy.ratio,
  ],
  ['margin grew', dpo.after.margin > dpo.before.margin, dpo.after.margin],
  ['polite answers after DPO at least 90%', dpo.after.preferredStyle.ratio >= 0.9, dpo.after.preferredStyle.ratio],
  ['facts after DPO at least 90%', dpo.after.facts.ratio >= 0.9, dpo.after.facts.ratio],
]
for (const [claim, holds, figure] of claims) console.log(`${holds ? 'ok    ' : 'NOT OK'} ${claim}: ${figure}`)
console.log(`The demo took ${(tookMs / 1000).toFixed(0)} s.`)
if (!claims.every(([, holds]) => holds)) process.exit(1)
