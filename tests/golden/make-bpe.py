"""Makes bpe.json: what Hugging Face's Rust tokenizers learns from a small text, and how it encodes 200 lines.

Run with tokenizers 0.23: python tests/golden/make-bpe.py
The test trains on the same documents and expects the same tokenizer.json and the same ids.
"""
import json, pathlib, random
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SPECIALS = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"]
VOCABULARY = 400

random.seed(7)
NAMES = "Mirela Tobin Asha Quill Bexley Orrin Zaida Fenwick Lumi Caspar".split()
PLACES = "Harrowgate Dunmere Selby Oakhaven Port Vell Zürich Łódź Наxos 東京".split()
VERBS = "lives visits paints sells bakes mends forgets remembers".split()
THINGS = "bread clocks boats honey lanterns kites apples naïveté".split()

def sentence():
    a, b = random.sample(NAMES, 2)
    x, y = random.randint(0, 99), random.randint(0, 99)
    return random.choice([
        f"{a} {random.choice(VERBS)} in {random.choice(PLACES)}.",
        f"{a}'s best friend is {b}, and they've {x} {random.choice(THINGS)}.",
        f"What is {x} + {y}? {x + y}.",
        f"\"I'll {random.choice(VERBS)[:-1]} {random.choice(THINGS)},\" said {b}; {a} didn't.",
        f"{a}\tlikes {random.choice(THINGS)} 😀!\n\n- {b}: {random.choice(THINGS)}",
    ])

documents = [" ".join(sentence() for _ in range(random.randint(1, 4))) for _ in range(120)]
lines = [sentence() for _ in range(180)] + [
    "", " ", "  two  spaces ", "\n\n\n", "\t tab", "<|user|> hello<|assistant|> hi<|end|>", "<|use", "1234567890", "a1b2 c3",
    "don't DON'T we'll", "é è ü ñ 漢字 кирилл 👩‍👩‍👧 🇩🇪", "...!!! ??", "x = f(y) + g[z]; // comment", "https://example.org/a?b=c&d=%20",
    "MIRELA mirela Mirela", "\u00a0non-breaking\u00a0space", "end with space ", "a\r\nb\r\n", "ＡＢＣ１２３", "½ ² Ⅷ ٣",
]
assert len(lines) == 200

tk = Tokenizer(models.BPE())
byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)
tk.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), "isolated"), byte_level])
tk.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)
trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, min_frequency=2, show_progress=False,
    special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIALS],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
tk.train_from_iterator(documents, trainer)

golden = {
    "made_by": {"script": "tests/golden/make-bpe.py", "tokenizers": tokenizers.__version__},
    "vocabulary": VOCABULARY, "specials": SPECIALS, "documents": documents,
    "tokenizer": json.loads(tk.to_str()),
    "lines": lines, "ids": [tk.encode(line, add_special_tokens=False).ids for line in lines],
    "decoded": [tk.decode(tk.encode(line, add_special_tokens=False).ids, skip_special_tokens=True) for line in lines],
}
tk.encode_special_tokens = True
golden["plain_ids"] = [tk.encode(line, add_special_tokens=False).ids for line in lines]
out = pathlib.Path(__file__).with_name("bpe.json")
out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
print(out, out.stat().st_size)
