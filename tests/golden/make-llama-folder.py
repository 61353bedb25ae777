"""Makes llama-tied/, llama-untied/, llama-adapter/ and llama-folder.json, llama-*.safetensors: a tiny random Llama in Hugging Face
form, with what transformers, PEFT and PyTorch compute on it.

Run with torch 2.13, transformers 5.23, peft 0.21, safetensors 0.8 (CPU, float32): python tests/golden/make-llama-folder.py
llama-folder.json
  rows          token ids of ragged sequences; `mask` says which tokens count in the loss (never a first token)
  logprobs      by model: log p(token t | tokens before) in nats, null for a first token
  entropy       by model: entropy in nats of the distribution that token t is drawn from, null for a first token
  full, lora    a training of five AdamW steps on all rows: loss before each step, gradient norm before clipping to 1
  loss          = -sum of log p over masked tokens / number of masked tokens, over all rows together
llama-gradients-full.safetensors, llama-gradients-lora.safetensors: gradients of that loss at the start, by tensor.
llama-adapter is a PEFT LoRA (r 4, alpha 8, on all linears) for llama-tied, with B not zero.
"""
import json, pathlib, shutil
import peft, safetensors, tokenizers, torch, transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

here = pathlib.Path(__file__).parent
torch.manual_seed(5)
torch.set_num_threads(1)
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
MADE_BY = {"script": "tests/golden/make-llama-folder.py", "torch": torch.__version__, "transformers": transformers.__version__,
    "peft": peft.__version__, "safetensors": safetensors.__version__}

def tokenizer():
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789 .,?!'-\n") + ["th", "he", "in", "er", "an", "the"]
    vocab = {t: i for i, t in enumerate(["<pad>", "<end>", "<user>", "<bot>", "<unk>"] + letters)}
    merges = [("t", "h"), ("h", "e"), ("i", "n"), ("e", "r"), ("a", "n"), ("th", "e")]
    tk = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>"))
    tk.pre_tokenizer = pre_tokenizers.Split(Regex(" ?[a-z]+|.|\n"), "isolated")
    tk.decoder = decoders.Fuse()
    tk.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ["<pad>", "<end>", "<user>", "<bot>"]])
    return PreTrainedTokenizerFast(tokenizer_object=tk, eos_token="<end>", pad_token="<pad>", unk_token="<unk>", chat_template=(
        "{% for m in messages %}{% if m.role == 'assistant' %}<bot>{{ m.content }}<end>{% else %}<user>{{ m.content }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"))

def build(tied):
    model = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=tied,
        bos_token_id=None, eos_token_id=1, pad_token_id=0, rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        attn_implementation="eager", dtype="float32"))
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if p.dim() == 1 else 0.25 * torch.randn_like(p))
    return model.eval()

def save(model, path):
    shutil.rmtree(path, ignore_errors=True)
    model.save_pretrained(path)
    tokenizer().save_pretrained(path)

ROWS = [torch.randint(0, 64, (n,)).tolist() for n in (12, 5, 2, 17, 9)]
MASKS = [[0] + (torch.rand(len(r) - 1) < 0.6).int().tolist() for r in ROWS]
MASKS[2] = [0, 1]

def score(model, row):
    logp = model(torch.tensor([row])).logits[0].float().log_softmax(-1)  # [T, V]
    return logp[:-1].gather(1, torch.tensor(row[1:])[:, None])[:, 0], -(logp.exp() * logp).sum(-1)[:-1]

def loss_of(model):
    total, count = 0.0, 0
    for row, mask in zip(ROWS, MASKS):
        m = torch.tensor(mask[1:])
        total, count = total - (score(model, row)[0] * m).sum(), count + m.sum()
    return total / count

def curve(model, lr):
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses, norms = [], []
    for _ in range(5):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(params, 1.0).item())
        optimizer.step()
    with torch.no_grad():
        losses.append(loss_of(model).item())
    return {"learning_rate": lr, "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "clip": 1.0, "losses": losses, "gradient_norms": norms}

golden = {"made_by": MADE_BY, "rows": ROWS, "masks": MASKS, "logprobs": {}, "entropy": {}}
def record(name, model):
    with torch.no_grad():
        scored = [score(model, row) for row in ROWS]
    golden["logprobs"][name] = [[None] + a.tolist() for a, _ in scored]
    golden["entropy"][name] = [[None] + b.tolist() for _, b in scored]

untied = build(False); save(untied, here / "llama-untied"); record("untied", untied)
tied = build(True); save(tied, here / "llama-tied"); record("tied", tied)
loss = loss_of(untied); loss.backward()
save_file({n: p.grad.contiguous() for n, p in untied.named_parameters()}, here / "llama-gradients-full.safetensors", metadata={"format": "pt"})
loss = loss_of(tied); loss.backward()
save_file({n: p.grad.contiguous() for n, p in tied.named_parameters()}, here / "llama-gradients-tied.safetensors", metadata={"format": "pt"})
golden["full"] = curve(tied, 2e-3)

base = LlamaForCausalLM.from_pretrained(here / "llama-tied", attn_implementation="eager", dtype=torch.float32).eval()
adapted = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM"))
with torch.no_grad():
    for name, p in adapted.named_parameters():
        if "lora_B" in name: p.copy_(0.3 * torch.randn_like(p))
shutil.rmtree(here / "llama-adapter", ignore_errors=True)
adapted.peft_config["default"].base_model_name_or_path = "llama-tied"
adapted.save_pretrained(here / "llama-adapter")
(here / "llama-adapter" / "README.md").unlink(missing_ok=True)
settings = json.loads((here / "llama-adapter" / "adapter_config.json").read_text())
settings["target_modules"] = sorted(settings["target_modules"])  # a set: its order changes from run to run
(here / "llama-adapter" / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
adapted.eval()
record("adapter", adapted)
loss = loss_of(adapted); loss.backward()
save_file({n.replace(".default.", "."): p.grad.contiguous() for n, p in adapted.named_parameters() if p.grad is not None},
    here / "llama-gradients-lora.safetensors", metadata={"format": "pt"})
golden["lora"] = curve(adapted, 1e-2)
golden["words"] = [dict(text=t, ids=tokenizer()(t)["input_ids"]) for t in ["the cat, the hen.", "<user>hi there<bot>1 + 1?<end>"]]
(here / "llama-folder.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
