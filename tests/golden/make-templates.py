"""Makes templates.json: conversations written out and tokenized by transformers' apply_chat_template.

Run with transformers 5, jinja2 3.1, tokenizers 0.23: python tests/golden/make-templates.py
The tokenizer is the tiny one of bpe.json with each template's special tokens added. `masks` are transformers' own
assistant masks, for the template with {% generation %} tags.
"""
import json, pathlib
import jinja2, tokenizers, transformers
from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerFast

here = pathlib.Path(__file__).parent
base = json.loads((here / "bpe.json").read_text(encoding="utf-8"))["tokenizer"]

TEMPLATES = {
    "starter": dict(bos="", eos="<|end|>", specials=[], template=(
        "{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}{{ '<|assistant|> ' + message['content'] + eos_token }}"
        "{% else %}{{ '<|user|> ' + message['content'] }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")),
    "chatml": dict(bos="", eos="<|im_end|>", specials=["<|im_start|>", "<|im_end|>"], template=(
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")),
    "llama3": dict(bos="<|begin_of_text|>", eos="<|eot_id|>",
        specials=["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], template=(
        "{% set loop_messages = messages %}{% for message in loop_messages %}"
        "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
        "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")),
    "zephyr": dict(bos="<s>", eos="</s>", specials=["<s>", "</s>", "<|system|>"], template=(
        "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
        "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}")),
    "tagged": dict(bos="", eos="<|im_end|>", specials=["<|im_start|>", "<|im_end|>"], template=(
        "{%- for message in messages %}\n"
        "    {%- if message.role == 'assistant' %}\n"
        "        {{- '<|im_start|>assistant\n' }}\n"
        "        {%- generation %}\n        {{- message.content + '<|im_end|>' }}\n        {%- endgeneration %}\n"
        "        {{- '\n' }}\n"
        "    {%- else %}\n        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}\n    {%- endif %}\n"
        "{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\n' }}\n{%- endif %}\n")),
}
# Llama 2's form: text around the turns that is no special token, and a tokenizer that marks spaces by a letter.
TEMPLATES["llama2"] = dict(bos="<s>", eos="</s>", specials=[], sentencepiece=True, template=(
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ bos_token + '<<SYS>>' + message['content'] + '<</SYS>>' }}"
    "{% elif message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'] | trim + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] | trim + ' ' + eos_token }}{% endif %}{% endfor %}"))
TEMPLATES["tinyllama"] = dict(TEMPLATES["zephyr"], specials=[], sentencepiece=True)

CONVERSATIONS = [
    [("user", "Where does Mirela live?"), ("assistant", "She lives in Harrowgate.")],
    [("system", "Be brief."), ("user", "What is 12 + 34?"), ("assistant", "46.")],
    [("user", "Hi!"), ("assistant", "Hello, what's your name?"), ("user", "Tobin.\nAnd yours?"), ("assistant", "Lumi 😀")],
    [("user", "naïveté — \"quoted\" & <b>tags</b>"), ("assistant", "Two\n\nparagraphs, 東京.")],
    [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e"), ("assistant", "f")],
]

def sentencepiece():
    """A byte-pair vocabulary in SentencePiece's manner: a leading "▁" for each space, unknown letters as bytes."""
    from tokenizers import decoders, models, normalizers, trainers
    documents = json.loads((here / "bpe.json").read_text(encoding="utf-8"))["documents"]
    tk = Tokenizer(models.BPE())
    tk.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    from tokenizers import Regex, pre_tokenizers
    tk.pre_tokenizer = pre_tokenizers.Split(Regex("▁?[^▁]+|▁"), "isolated")  # for training only: merges within words
    tk.train_from_iterator(documents, trainers.BpeTrainer(vocab_size=200, min_frequency=2, show_progress=False))
    trained = json.loads(tk.to_str())["model"]
    words = sorted(trained["vocab"], key=trained["vocab"].get)
    vocab = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + words
    tk = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(vocab)}, merges=[tuple(m) for m in trained["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tk.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tk.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tk.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ["<unk>", "<s>", "</s>"]])
    return tk

def tokenizer_for(spec):
    if spec.get("sentencepiece"):
        tk = sentencepiece()
        return tk, PreTrainedTokenizerFast(tokenizer_object=tk, bos_token="<s>", eos_token="</s>", unk_token="<unk>", chat_template=spec["template"])
    tk = Tokenizer.from_str(json.dumps(base))
    tk.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in spec["specials"]])
    return tk, PreTrainedTokenizerFast(tokenizer_object=tk, bos_token=spec["bos"] or None, eos_token=spec["eos"], chat_template=spec["template"])

golden = {"made_by": {"script": "tests/golden/make-templates.py", "transformers": transformers.__version__,
    "tokenizers": tokenizers.__version__, "jinja2": jinja2.__version__}, "templates": {}}
for name, spec in TEMPLATES.items():
    _, hf = tokenizer_for(spec)
    rows = []
    for conversation in CONVERSATIONS:
        messages = [dict(role=r, content=c) for r, c in conversation]
        row = dict(messages=messages,
            text=hf.apply_chat_template(messages, tokenize=False),
            tokens=hf.apply_chat_template(messages, tokenize=True, return_dict=True)["input_ids"],
            prompt=hf.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True),
            prompt_tokens=hf.apply_chat_template(messages[:-1], tokenize=True, add_generation_prompt=True, return_dict=True)["input_ids"])
        if name == "tagged":
            row["mask"] = hf.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)["assistant_masks"]
        rows.append(row)
    golden["templates"][name] = dict(template=spec["template"], bos=spec["bos"], eos=spec["eos"],
        added=[dict(id=400 + i, content=s) for i, s in enumerate(spec["specials"])], rows=rows,
        **(dict(sentencepiece=True) if spec.get("sentencepiece") else {}))
golden["sentencepiece"] = json.loads(sentencepiece().to_str())

PROBES = {
    "strftime": "{{ strftime_now('%d %b %Y') | length }}", "tojson": "{{ {'b': [1, 2.5, none, true], 'a': 'é<\"'} | tojson }}",
    "namespace": "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.content | length %}{% endfor %}{{ ns.n }}",
    "loops": "{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}{{ loop.index }}{{ m.role }}{% endfor %}",
    "blocks": "  {% if true %}\n  x\n  {% endif %}\ny {# comment #}\n{%- if messages %} z{% endif %}\n",
    "defined": "{% if tools is defined %}a{% endif %}{% if nothing is defined %}b{% endif %}{% if tools is none %}c{% endif %}{{ bos_token ~ '|' }}",
}
_, hf = tokenizer_for(TEMPLATES["llama3"])
messages = [dict(role=r, content=c) for r, c in CONVERSATIONS[4]]
golden["probes"] = {k: dict(template=t, text=hf.apply_chat_template(messages, chat_template=t, tokenize=False)) for k, t in PROBES.items()}
golden["probe_messages"] = messages
out = here / "templates.json"
out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
print(out, out.stat().st_size)
