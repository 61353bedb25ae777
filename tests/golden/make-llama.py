# Writes llama.json beside itself: small random Llamas, the log-probabilities that transformers gives their tokens and the
# gradients that PyTorch finds, for every tensor, and for an adapter through PEFT. Run again only to change the cases.
# Made with torch 2.13.0, transformers 5.23.0, peft 0.21.2, numpy 2.4.6 (also named in the file).
import base64, json, os
import numpy as np, peft, torch, transformers
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(20)
torch.set_num_threads(1)


def packed(t):
    return base64.b64encode(t.detach().float().contiguous().numpy().astype("<f4").tobytes()).decode()


def build(tied, **more):
    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=tied,
        bos_token_id=1, eos_token_id=2, attn_implementation="eager", **more,
    )
    model = LlamaForCausalLM(config).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if p.dim() == 1 else torch.randn_like(p) * (0.7 if "embed" in name else p.shape[1] ** -0.5))
    return config, model


lengths = [9, 1, 14, 5]
sequences = [torch.randint(0, 32, (n,)) for n in lengths]
scored = [torch.cat([torch.zeros(1, dtype=torch.long), (torch.rand(n - 1) < 0.6).long()]) for n in lengths]
coefficients = [torch.randn(n) for n in lengths]


def run(model):
    """Each sequence by itself, unpadded; the loss is sum_n c_n logprob_n over scored tokens."""
    model.zero_grad()
    logprobs, loss = [], torch.zeros(())
    for ids, wanted, c in zip(sequences, scored, coefficients):
        rows = torch.log_softmax(model(ids[None]).logits[0].float(), -1)
        found = torch.cat([torch.zeros(1), rows[:-1].gather(-1, ids[1:, None])[:, 0]]) * wanted
        logprobs.append(found)
        loss = loss + (found * c).sum()
    loss.backward()
    return torch.cat(logprobs)


def case(name, model, config, named, weights, adapter=None):
    logprobs = run(model)
    return {
        "name": name, "tied": config.tie_word_embeddings, "weights": weights, "logprobs": packed(logprobs),
        "gradients": {n: packed(p.grad) for n, p in named}, **({"adapter": adapter} if adapter else {}),
    }


cases = []
for tied in (False, True):
    config, model = build(tied)
    named = list(model.named_parameters())
    weights = {n: packed(p) for n, p in named}
    cases.append(case("tied" if tied else "untied", model, config, named, weights))

config, model = build(True)
weights = {n: packed(p) for n, p in model.named_parameters()}
lora = peft.get_peft_model(model, peft.LoraConfig(r=3, lora_alpha=6, lora_dropout=0.0, target_modules="all-linear"))
lora.train()
with torch.no_grad():
    for n, p in lora.named_parameters():
        if "lora_" in n:
            p.copy_(0.3 * torch.randn_like(p))
named = [(n.replace(".default", ""), p) for n, p in lora.named_parameters() if p.requires_grad]
cases.append(case("lora", lora, config, named, weights, {n: packed(p) for n, p in named}))

for scaling in (
    {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 3.0, "original_max_position_embeddings": 16},
    {"rope_type": "linear", "factor": 2.5},
):
    scaled, model = build(True, rope_parameters={"rope_theta": 10000.0, **scaling})
    weights = {n: packed(p) for n, p in model.named_parameters()}
    named = [(n, p) for n, p in model.named_parameters() if n.endswith(("q_proj.weight", "k_proj.weight"))]
    one = case(scaling["rope_type"], model, scaled, named, weights)
    cases.append({**one, "rope_parameters": json.loads(scaled.to_json_string())["rope_parameters"]})

file = {
    "made_with": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "numpy": np.__version__},
    "config": json.loads(config.to_json_string()),
    "tokens": torch.cat(sequences).tolist(), "lengths": lengths, "scored": torch.cat(scored).tolist(),
    "coefficients": packed(torch.cat(coefficients)), "cases": cases,
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "llama.json"), "w") as out:
    json.dump(file, out, sort_keys=True, indent=1)
    out.write("\n")
