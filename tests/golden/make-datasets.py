"""Makes datasets.json (what TRL takes as question and answers of preference rows without a question) and messages.parquet
(a table of conversations as pyarrow writes it: lists of structures, dictionaries, Zstandard, several row groups).

Run with trl 1.16, pyarrow 26: python tests/golden/make-datasets.py
The tests import the same rows and expect the same questions and answers. Rows whose answers are equal, or where one is the
beginning of the other, are left out: TRL cuts them at an accidental place, and Temper refuses them.
"""
import json, pathlib, random
import pyarrow as pa, pyarrow.parquet as pq
import trl
from trl.data_utils import extract_prompt

here = pathlib.Path(__file__).parent
random.seed(11)
WORDS = "the sky  is blue green 雪 naïve 😀 and\n then".split(" ")

def text(n):
    return " ".join(random.choice(WORDS) for _ in range(n))

def fits(a, b):
    return a[:1] == b[:1] and a != b and not a.startswith(b) and not b.startswith(a)

strings = []
while len(strings) < 60:
    start = text(random.randint(1, 6)) + random.choice(["", " ", "\n"])
    chosen, rejected = start + text(random.randint(1, 4)), start + text(random.randint(1, 4))
    # TRL cuts between characters, we too; a row that differs from its first character on has no question.
    if fits(chosen, rejected):
        row = {"chosen": chosen, "rejected": rejected}
        strings.append({"row": row, "wanted": extract_prompt(row)})

turns = []
while len(turns) < 30:
    def turn(i):
        return {"role": "user" if i % 2 == 0 else "assistant", "content": random.choice(["yes", "no", "why"])}
    start = [turn(i) for i in range(random.choice([1, 3, 5]))]
    n = len(start)
    chosen, rejected = start + [turn(n)], start + [turn(n)]
    if chosen != rejected:
        row = {"chosen": chosen, "rejected": rejected}
        turns.append({"row": row, "wanted": extract_prompt(row)})

(here / "datasets.json").write_text(
    json.dumps({"trl": trl.__version__, "strings": strings, "turns": turns}, ensure_ascii=False, separators=(",", ":")) + "\n"
)

rows = [
    {"messages": [{"role": "user", "content": f"Question {i}, “é”?"}, {"role": "assistant", "content": f"Answer {i}." * (i % 3)}], "score": i / 2, "n": i, "tags": ["a"] * (i % 2)}
    for i in range(40)
]
pq.write_table(pa.Table.from_pylist(rows), here / "messages.parquet", compression="zstd", row_group_size=16)
