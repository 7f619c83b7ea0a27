"""Train the small language model that triptych_text ships on six novels, and let it write.

Usage: python examples/train_language_model.py [--steps N] [--save FOLDER]

The novels are by Jane Austen, out of Debian's package r-cran-janeaustenr. The last twentieth of
each is kept out of the training, and the model is measured on it in bits for each character, beside
a compressor that has seen the rest. With OPENBLAS_NUM_THREADS=1 and no options the shipped weights
come out; with more threads, or on another processor, sums round differently and so the weights
differ a little.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding
from r_data import read_r_data
from tqdm import tqdm

import triptych
from triptych import Tensor, nn, optim
from triptych.nn import functional as F
from triptych_text.models import from_config
from triptych_text.pipelines import AUSTEN_LM, TextGeneration
from triptych_text.tokenizers import Tokenizer, train_tokenizer

FILES = {  # of the R package janeaustenr, as Debian has it
    "Rdata.rdx": "cab8cbe4ce965d3b42b35c03383bafccc0eb78151f70e4748ead45270470c22f",
    "Rdata.rdb": "8fb5198960d0da724b1562f96e4221e5c1b41ff455000280b02c55980c3d8f21",
}
NOVELS = (
    *("sensesensibility", "prideprejudice", "mansfieldpark"),
    *("emma", "northangerabbey", "persuasion"),
)
KEPT_OUT = 20  # one paragraph of so many, the last ones of each novel
END = "<|endoftext|>"
CONFIG = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "vocab_size": 1024,
    "n_positions": 128,
    "n_embd": 128,
    "n_layer": 3,
    "n_head": 4,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
    "resid_pdrop": 0.0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
STEPS, BATCH = 1500, 24
PEAK_RATE, WARM_UP = 3e-3, 100
SAMPLING = {"max_new_tokens": 100, "do_sample": True, "temperature": 0.7, "top_k": 40}


def paragraphs(novel: Any) -> list[str]:
    """The paragraphs of a novel that comes in lines, an empty one between paragraphs."""
    text = "\n".join(str(line).strip() for line in novel)
    found = (" ".join(part.split()) for part in text.split("\n\n"))
    return [part for part in found if len(part) > 40]  # no headings


def novels() -> tuple[list[str], list[str]]:
    """Paragraphs to learn from, and those kept out."""
    known, others = [], []
    for novel in read_r_data("janeaustenr", FILES, *NOVELS):
        parts = paragraphs(novel)
        cut = len(parts) - len(parts) // KEPT_OUT
        known += parts[:cut]
        others += parts[cut:]
    return known, others


def encoded(tokenizer: Tokenizer, texts: list[str]) -> Tensor:
    """(n,) tokens of all texts one after the other, the end token behind each."""
    end = tokenizer.token_to_id(END)
    ids = [token for text in texts for token in (*tokenizer.encode(text).ids, end)]
    return triptych.tensor(ids)


def train(tokens: Tensor, steps: int) -> nn.Module:
    """A trained model."""
    triptych.manual_seed(0)
    model = from_config(CONFIG).train()
    length = CONFIG["n_positions"]
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.95))
    schedule = optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda k: min((k + 1) / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * k / steps) + 0.02),
    )
    window = triptych.arange(length + 1)
    with tqdm(total=steps, desc="training", unit="step", disable=None) as bar:
        for _ in range(steps):
            start = triptych.randint(0, len(tokens) - length - 1, (BATCH, 1))
            batch = tokens[start + window]
            scores = model(batch[:, :-1]).logits
            loss = F.cross_entropy(scores.flatten(0, 1), batch[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    return model.eval()


@triptych.inference_mode()
def bits(model: nn.Module, tokens: Tensor) -> float:
    """What the model needs for all tokens; each is foreseen from 64 to 127 before it."""
    step = CONFIG["n_positions"] // 2
    total = 0.0
    for start in tqdm(
        range(0, len(tokens) - 1, step), desc="measuring", unit="window", disable=None
    ):
        first = max(0, start - step)
        window = tokens[first : start + step + 1]
        scores = model(window[None, :-1]).logits[0, start - first :]
        total += F.cross_entropy(scores, window[start - first + 1 :], reduction="sum").item()
    return total / math.log(2)


def compressed(known: bytes, others: bytes) -> float:
    """Bits that xz needs for the others when it has just seen what is known."""
    options = {"preset": 9 | lzma.PRESET_EXTREME}
    return 8.0 * (
        len(lzma.compress(known + others, **options)) - len(lzma.compress(known, **options))
    )


def single_letters(known: str, others: str) -> float:
    """Bits for the others when each character is foreseen from its frequency alone."""
    counts = Counter(known)
    total, kinds = len(known), len(counts) + 1
    return -sum(math.log2((counts[c] + 1) / (total + kinds)) for c in others)


def save(model: nn.Module, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a folder that `from_pretrained` reads; kernels in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: t.half() for name, t in model.state_dict().items() if name != "lm_head.weight"}
    triptych.save(state, folder / "model.safetensors")
    tokenizer.save(folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n", encoding="utf-8")


def run(steps: int, save_to: Path | None = None) -> Finding:
    """Train, or take the shipped weights when there are no steps, and measure."""
    known, others = novels()
    start = time.perf_counter()
    if steps:
        tokenizer = train_tokenizer(
            known, "bpe", vocab_size=CONFIG["vocab_size"], special_tokens=[END]
        )
        model = train(encoded(tokenizer, known), steps)
        model.load_state_dict({n: t.half().float() for n, t in model.state_dict().items()})
        if save_to is not None:
            save(model, tokenizer, save_to)
    else:
        model, tokenizer = AUSTEN_LM.get_model(), AUSTEN_LM.get_tokenizer()
    seconds = time.perf_counter() - start
    old, new = "\n".join(known), "\n".join(others)
    squeezed = compressed(old.encode(), new.encode())
    tokens = encoded(tokenizer, others)
    triptych.manual_seed(0)
    writer = TextGeneration(model, tokenizer)
    return Finding(
        f"Train on six novels, {steps} steps" if steps else "Measure the shipped weights",
        f"{bits(model, tokens) / len(new):.3f} bits for a character kept out",
        seconds,
        facts=[
            (
                "xz, having seen the rest",
                f"{squeezed / len(new):.3f}",
            ),
            ("characters by frequency", f"{single_letters(old, new) / len(new):.3f}"),
            ("kept out", f"{len(new):,} characters, {len(tokens):,} tokens"),
            ("parameters", f"{sum(p.numel() for p in model.parameters()):,}"),
            ("It is a truth", writer("It is a truth", **SAMPLING)),
        ],
    )


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--steps", type=int, default=STEPS, help=f"default {STEPS}; 0: only measure"
    )
    parser.add_argument("--save", type=Path, help="keep the model in this folder")
    options = parser.parse_args()
    finding = run(options.steps, options.save)
    print(Finding.table([finding]))
    for name, fact in finding.facts:
        print(f"  {name:<24} {fact}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
