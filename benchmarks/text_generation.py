"""Tokens per second of generation with a decoder like GPT-2, beside transformers on PyTorch."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from timing import Call, Table, median_seconds_apart

import triptych as tp

THREADS = os.cpu_count() or 1  # NumPy's BLAS takes as many by itself
PROMPT, NEW = 16, 32  # tokens
SIZES = {"n_embd": 512, "n_layer": 6, "n_head": 8, "n_positions": 256, "vocab_size": 8000}
MODEL = "6 layers, 512 wide, 8,000 tokens"
SEARCHES: dict[str, dict[str, Any]] = {
    "one text, greedy": {"batch": 1},
    "eight texts, greedy": {"batch": 8},
    "one text, four beams": {"batch": 1, "num_beams": 4},
}


def run(quick: bool) -> list[Table]:
    """New tokens per second; the floor is the time of the matrix products alone."""
    table = Table(
        f"Generation on the CPU, new tokens per second, {THREADS} threads; {MODEL}",
        ("Triptych", "floor", "ratio", "transformers", "ratio"),
        notes=[
            f"{NEW} tokens after {PROMPT}, with a cache of keys and values; a process for each",
            "floor: NumPy's products of the weights with as many rows; attention is left out",
            "ratio: Triptych's time, to that of the column before it",
        ],
    )
    peers = [name for name in ("torch", "transformers") if not importlib.util.find_spec(name)]
    if peers:
        table.notes.append(f"transformers is left out, no {', '.join(peers)} here")
    for name, makers in WORKLOADS.items():
        used = {key: make for key, make in makers.items() if not (peers and key == "peer")}
        seconds, results = median_seconds_apart(used, rounds=3 if quick else 9)
        if "peer" in results and not np.array_equal(results["ours"], results["peer"]):
            raise ValueError(f"{name}: our tokens differ from those of transformers")
        table.add(name, *_cells(seconds, SEARCHES[name]["batch"] * NEW))
    return [table]


def _cells(seconds: dict[str, float], tokens: int) -> list[float | str | None]:
    cells: list[float | str | None] = [tokens / seconds["ours"]]
    for key in ("floor", "peer"):
        theirs = seconds.get(key)
        cells.append(None if theirs is None else tokens / theirs)
        cells.append(None if theirs is None else f"{seconds['ours'] / theirs:.2f}x")
    return cells


def _prompts(batch: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, SIZES["vocab_size"], (batch, PROMPT))


def _weights() -> dict[str, np.ndarray]:
    """By name, the same for both libraries; wide enough that tokens are told from each other."""
    from triptych_text.models import GPT2Config, GPT2LMHeadModel

    tp.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**SIZES, initializer_range=0.05))
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def _options(name: str) -> dict[str, Any]:
    beams = SEARCHES[name].get("num_beams", 1)
    return {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": False, "num_beams": beams}


def _ours(name: str) -> Call:
    from triptych_text.models import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(**SIZES)).eval()
    model.load_state_dict({key: tp.from_numpy(value) for key, value in _weights().items()})
    ids = tp.from_numpy(_prompts(SEARCHES[name]["batch"]))
    return lambda: model.generate(ids, eos_token_id=[], **_options(name)).numpy()


def _peer(name: str) -> Call:
    import torch
    import transformers

    torch.set_num_threads(THREADS)
    transformers.logging.set_verbosity_error()
    config = transformers.GPT2Config(**SIZES, bos_token_id=None, eos_token_id=None)
    model = transformers.GPT2LMHeadModel(config).eval()
    state = {key: torch.from_numpy(value.copy()) for key, value in _weights().items()}
    model.load_state_dict(state)
    ids = torch.from_numpy(_prompts(SEARCHES[name]["batch"]))
    mask = torch.ones_like(ids)

    @torch.inference_mode()
    def generate() -> Any:
        out = model.generate(ids, attention_mask=mask, pad_token_id=0, **_options(name))
        return out.numpy()

    return generate


def _floor(name: str) -> Call:
    matrices = [value for key, value in _weights().items() if value.ndim == 2 and "wpe" not in key]
    matrices = [m if m.shape[0] < SIZES["vocab_size"] else m.T for m in matrices][1:]
    rows = SEARCHES[name]["batch"] * SEARCHES[name].get("num_beams", 1)
    prompt = SEARCHES[name]["batch"] * PROMPT
    inputs = {n: {m.shape[0]: np.ones((n, m.shape[0]), np.float32) for m in matrices}
              for n in (rows, prompt)}  # fmt: skip

    def products() -> None:
        for matrix in matrices:
            inputs[prompt][matrix.shape[0]] @ matrix
        for _ in range(NEW - 1):
            for matrix in matrices:
                inputs[rows][matrix.shape[0]] @ matrix

    return products


# Partial functions of this module's are what a spawned process can take over.
WORKLOADS: dict[str, dict[str, Callable[[], Call]]] = {
    name: {
        "ours": partial(_ours, name),
        "floor": partial(_floor, name),
        "peer": partial(_peer, name),
    }
    for name in SEARCHES
}
