# Loads what `temper export` wrote into PEFT and transformers and compares their log-probabilities with those that
# `temper logprobs --json` printed for the same checkpoint and rows. Run with torch 2.13, transformers, peft:
#   python tests/golden/check-export.py --base resources/starter/model --adapter DIR --merged DIR --ours ROWS.jsonl
import argparse
import json
import sys

import peft
import torch
import transformers

parser = argparse.ArgumentParser()
for name in ("base", "adapter", "merged", "ours"):
    parser.add_argument(f"--{name}", required=True)
given = parser.parse_args()
rows = [json.loads(line) for line in open(given.ours)]


def load(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def worst(model):
    """The largest difference of any log-probability, in nats."""
    largest = 0.0
    for row in rows:
        tokens = torch.tensor([row["tokens"]])
        with torch.no_grad():
            logprobs = torch.log_softmax(model(tokens).logits[0, :-1], dim=-1)
        theirs = logprobs.gather(1, tokens[0, 1:, None])[:, 0]
        ours = torch.tensor(row["logprobs"][1:])
        largest = max(largest, (theirs - ours).abs().max().item())
    return largest


print(f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, {len(rows)} rows")
found = {
    "base, without the adapter": worst(load(given.base)),
    "adapter in PEFT": worst(peft.PeftModel.from_pretrained(load(given.base), given.adapter).eval()),
    "merged in transformers": worst(load(given.merged)),
}
for name, difference in found.items():
    print(f"{name}: {difference:.2e} nats")
wrong = [name for name, difference in list(found.items())[1:] if not difference < 1e-4]
if wrong or found["base, without the adapter"] < 1e-2:
    sys.exit("They do not agree within 1e-4, or the adapter changes nothing.")
