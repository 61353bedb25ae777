"""Makes dpo.json and dpo-gradients.safetensors: the loss and metrics of TRL's DPOTrainer on the tiny Llama.

Run after make-llama-folder.py, with trl 1.16, transformers 5.23, peft 0.21, torch 2.13 (CPU, float32): python tests/golden/make-dpo.py
The policy is llama-tied with llama-adapter; the reference is llama-tied alone (the adapter disabled, as TRL does it).
dpo.json
  rows      {prompt_ids, chosen_ids, rejected_ids}: six ragged preferences; sequences are prompt + answer
  beta, loss_types: settings; loss is TRL's, the mean over the six pairs
  losses    TRL's loss by loss type on the same rows (sigmoid is the one that `metrics` and gradients belong to)
  metrics   TRL's own: rewards/chosen, rewards/rejected, rewards/accuracies, rewards/margins, logps/*, entropy, ...
  pairs     per pair: log-probabilities of policy and reference, summed over the answer's tokens (nats)
  train     trainer.train() for four steps over all six rows: loss, grad_norm and metrics that TRL logged before each update
dpo-gradients.safetensors: gradients of the sigmoid loss by the adapter's tensors.
"""
import json, pathlib, tempfile
import peft, torch, transformers, trl
from datasets import Dataset
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM
from trl import DPOConfig, DPOTrainer

here = pathlib.Path(__file__).parent
torch.set_num_threads(1)
random = torch.Generator().manual_seed(11)
ids = lambda n: torch.randint(2, 64, (n,), generator=random).tolist()
SIZES = [(5, 4, 7), (1, 3, 1), (8, 2, 2), (3, 9, 5), (6, 1, 8), (2, 6, 6)]
ROWS = [dict(prompt_ids=ids(p), chosen_ids=ids(c) + [1], rejected_ids=ids(r) + [1]) for p, c, r in SIZES]
BETA = 0.1
TYPES = ["sigmoid", "hinge", "ipo", "apo_zero", "apo_down", "sigmoid_norm", "sft"]
adapter = load_file(here / "llama-adapter" / "adapter_model.safetensors")
settings = json.loads((here / "llama-adapter" / "adapter_config.json").read_text())
TRAIN = dict(learning_rate=5e-3, lr_scheduler_type="constant", max_steps=4, max_grad_norm=1.0, optim="adamw_torch", weight_decay=0.0,
    adam_beta1=0.9, adam_beta2=0.999, adam_epsilon=1e-8, warmup_steps=0)

class IdsTrainer(DPOTrainer):
    """The rows are token ids already: only the tokenization is left out, all else is TRL's."""
    def _prepare_dataset(self, dataset, *rest):
        return dataset

def trainer_for(loss_types, **more):
    model = LlamaForCausalLM.from_pretrained(here / "llama-tied", attn_implementation="eager", dtype=torch.float32)
    trainer = IdsTrainer(
        model=model,
        args=DPOConfig(output_dir=tempfile.mkdtemp(), beta=BETA, loss_type=loss_types, per_device_train_batch_size=len(ROWS), max_length=64,
            bf16=False, use_cpu=True, gradient_checkpointing=False, report_to=[], logging_steps=1, save_strategy="no", **{**TRAIN, **more}),
        train_dataset=Dataset.from_list(ROWS), processing_class=AutoTokenizer.from_pretrained(here / "llama-tied"),
        peft_config=LoraConfig(r=settings["r"], lora_alpha=settings["lora_alpha"], lora_dropout=0.0, target_modules=sorted(settings["target_modules"]), task_type="CAUSAL_LM"))
    set_peft_model_state_dict(trainer.model, adapter)
    return trainer

golden = {"made_by": {"script": "tests/golden/make-dpo.py", "trl": trl.__version__, "transformers": transformers.__version__,
    "peft": peft.__version__, "torch": torch.__version__}, "beta": BETA, "rows": ROWS, "losses": {}}
for kind in TYPES:
    trainer = trainer_for([kind])
    trainer.model.train()
    inputs = trainer._prepare_inputs(trainer.data_collator(ROWS))
    loss = trainer.compute_loss(trainer.model, inputs)
    golden["losses"][kind] = loss.item()
    if kind == "sigmoid":
        golden["metrics"] = {k: v[-1] for k, v in trainer._metrics["train"].items()}
        loss.backward()
        save_file({n.replace(".default.", "."): p.grad.float().contiguous() for n, p in trainer.model.named_parameters() if p.grad is not None},
            here / "dpo-gradients.safetensors", metadata={"format": "pt"})

def logp(model, prompt, answer):
    lp = model(torch.tensor([prompt + answer])).logits[0, :-1].log_softmax(-1)
    return lp[len(prompt) - 1:].gather(1, torch.tensor(answer)[:, None]).sum().item()

with torch.no_grad():
    model = trainer_for(["sigmoid"]).model.eval()
    both = [(logp(model, r["prompt_ids"], r["chosen_ids"]), logp(model, r["prompt_ids"], r["rejected_ids"])) for r in ROWS]
    with model.disable_adapter():
        reference = [(logp(model, r["prompt_ids"], r["chosen_ids"]), logp(model, r["prompt_ids"], r["rejected_ids"])) for r in ROWS]
golden["pairs"] = [dict(chosen=a, rejected=b, reference_chosen=c, reference_rejected=d) for (a, b), (c, d) in zip(both, reference)]

trainer = trainer_for(["sigmoid"])
trainer.train()
golden["train"] = {"settings": TRAIN, "log": [entry for entry in trainer.state.log_history if "loss" in entry]}
for entry in golden["train"]["log"]:
    for key in [k for k in entry if "time" in k or "per_second" in k]: del entry[key]
(here / "dpo.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(json.dumps(golden["losses"]), json.dumps(golden["metrics"]), golden["pairs"][0], golden["train"]["log"])
