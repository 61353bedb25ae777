"""Makes trl-rows.json: what TRL's SFTTrainer and DPOTrainer make of rows, token by token, before any training.

Run after make-templates.py and make-llama-folder.py, with trl 1.16, transformers 5.23: python tests/golden/make-trl-rows.py
Tokenizer: bpe.json's, with the starter's chat template. Rows are TRL's: standard (strings) and conversational (messages).
"""
import json, pathlib, tempfile
import tokenizers, transformers, trl
from datasets import Dataset
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

here = pathlib.Path(__file__).parent
template = json.loads((here / "templates.json").read_text(encoding="utf-8"))["templates"]["starter"]["template"]
tk = Tokenizer.from_str(json.dumps(json.loads((here / "bpe.json").read_text(encoding="utf-8"))["tokenizer"]))
hf = PreTrainedTokenizerFast(tokenizer_object=tk, eos_token="<|end|>", pad_token="<|pad|>", chat_template=template)
user = lambda text: dict(role="user", content=text)
bot = lambda text: dict(role="assistant", content=text)
quiet = dict(output_dir=tempfile.gettempdir(), use_cpu=True, bf16=False, report_to=[], gradient_checkpointing=False)

SFT = {
    "text": [dict(text="Mirela lives in Harrowgate."), dict(text="It ends already.<|end|>")],
    "completion": [dict(prompt="Question: where? Answer:", completion=" in Selby"), dict(prompt="2 + 2 =", completion=" 4.<|end|>")],
    "conversation": [dict(messages=[user("Hi"), bot("Hello."), user("Where?"), bot("In Selby.")])],
    "conversational completion": [dict(prompt=[user("Hi"), bot("Hello."), user("Where?")], completion=[bot("In Selby.")])],
    "truncated": [dict(prompt=[user("What is 12 + 34?")], completion=[bot("It is 46, and that is certain.")])],
}
DPO = {
    "standard": [dict(prompt="Where? Answer:", chosen=" in Selby", rejected=" I cannot say<|end|>")],
    "conversational": [dict(prompt=[user("Where does Asha live?")], chosen=[bot("In Selby.")], rejected=[bot("No idea, 東京?")])],
}
golden = {"made_by": {"script": "tests/golden/make-trl-rows.py", "trl": trl.__version__, "transformers": transformers.__version__,
    "tokenizers": tokenizers.__version__}, "template": template, "sft": {}, "dpo": {}}
model = LlamaForCausalLM.from_pretrained(here / "llama-tied")
for name, rows in SFT.items():
    length = 16 if name == "truncated" else 256
    trainer = SFTTrainer(model=model, args=SFTConfig(max_length=length, **quiet), train_dataset=Dataset.from_list(rows), processing_class=hf)
    out = []
    for row, done in zip(rows, trainer.train_dataset):
        batch = trainer.data_collator([done])
        out.append(dict(row=row, input_ids=batch["input_ids"][0].tolist(), learned=[int(x != -100) for x in batch["labels"][0].tolist()]))
    golden["sft"][name] = dict(max_length=length, rows=out)
for name, rows in DPO.items():
    trainer = DPOTrainer(model=str(here / "llama-tied"), args=DPOConfig(**quiet), train_dataset=Dataset.from_list(rows), processing_class=hf)
    golden["dpo"][name] = [dict(row=row, **{k: done[k] for k in ("prompt_ids", "chosen_ids", "rejected_ids")}) for row, done in zip(rows, trainer.train_dataset)]
(here / "trl-rows.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
