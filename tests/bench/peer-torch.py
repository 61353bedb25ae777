"""PyTorch's side of `temper bench train`: the same model, batch and arithmetic, eager or compiled.

Speaks the bench's line protocol: reads "step" and answers {"ms", "loss"}; reads "end" and answers {"peakBytes", "version"}.
Model: Llama-like decoder, vocabulary 8192, width 256, 6 layers, 4 heads, feed-forward 688, 8 rows of 256 tokens, f32,
AdamW with clipping at 1.0; attention through scaled_dot_product_attention. LoRA: rank 8 on all seven linears, written out
as PEFT computes it (x A' B' alpha/r added to the frozen product).
"""
import argparse, json, resource, sys, time

arguments = argparse.ArgumentParser()
arguments.add_argument("--tune", choices=["full", "lora"], default="full")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--compile", action="store_true")
options = arguments.parse_args()

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(options.threads)
torch.manual_seed(0)
VOCABULARY, WIDTH, LAYERS, HEADS, FORWARD, TOKENS, ROWS, RANK = 8192, 256, 6, 4, 688, 256, 8, 8
HEAD = WIDTH // HEADS


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return F.rms_norm(x, (WIDTH,), self.weight, 1e-5)


class Adapted(nn.Module):
    """A frozen linear layer with a trained low-rank change."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.base = nn.Linear(inputs, outputs, bias=False).requires_grad_(False)
        self.a = nn.Parameter(torch.randn(RANK, inputs) * 0.02)
        self.b = nn.Parameter(torch.zeros(outputs, RANK))

    def forward(self, x):
        return self.base(x) + F.linear(F.linear(x, self.a), self.b) * 2.0


def linear(inputs, outputs):
    return Adapted(inputs, outputs) if options.tune == "lora" else nn.Linear(inputs, outputs, bias=False)


angles = torch.outer(torch.arange(TOKENS), 1 / 10000 ** (torch.arange(0, HEAD, 2) / HEAD))
COS, SIN = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)


def rotate(x):
    first, second = x.chunk(2, -1)
    return x * COS + torch.cat([-second, first], -1) * SIN


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = Norm(), Norm()
        self.q, self.k, self.v, self.o = (linear(WIDTH, WIDTH) for _ in range(4))
        self.gate, self.up, self.down = linear(WIDTH, FORWARD), linear(WIDTH, FORWARD), linear(FORWARD, WIDTH)

    def forward(self, x):
        h = self.norm1(x)
        q, k, v = (m(h).view(ROWS, TOKENS, HEADS, HEAD).transpose(1, 2) for m in (self.q, self.k, self.v))
        attended = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        x = x + self.o(attended.transpose(1, 2).reshape(ROWS, TOKENS, WIDTH))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = Norm()
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens, targets):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(self.norm(x)).view(-1, VOCABULARY), targets.view(-1))


model = Decoder()
if options.tune == "lora":
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.endswith((".a", ".b")))
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=3e-4)
tokens = torch.randint(0, VOCABULARY, (ROWS, TOKENS))
targets = torch.randint(0, VOCABULARY, (ROWS, TOKENS))
loss_of = torch.compile(model) if options.compile else model

for line in sys.stdin:
    if line.strip() == "end":
        break
    begun = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(tokens, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    print(json.dumps({"ms": (time.perf_counter() - begun) * 1000, "loss": loss.item()}), flush=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"peakBytes": peak, "version": "PyTorch " + torch.__version__}), flush=True)
