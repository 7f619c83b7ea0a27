"""Recurrent layers, alignment losses, embeddings and indexing beside PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from comparison import OURS, Make, Workload, compare, library
from timing import Call, Table

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
LAYERS = {
    "batch 32, 100 steps, 128 to 256": (100, 32, 128, 256),
    "batch 1, 200 steps, 64 to 128": (200, 1, 64, 128),
}
# Steps, batch, classes, labels
ALIGNMENTS = {
    "8 x 200 frames, 40 classes": (200, 8, 40, 30),
    "32 x 400 frames, 1,000 classes": (400, 32, 1000, 80),
}
TABLE_ROWS, FEATURES, TOKENS = 30_000, 384, (16, 512)


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call."""
    layers = [
        _both(
            f"{kind}, {name}{', training' if train else ''}",
            partial(layer, kind=kind, shape=shape, train=train),
            flops=_flops(kind, train, *shape),
        )
        for kind in GATES
        for name, shape in LAYERS.items()
        for train in (False, True)
    ]
    losses = [
        _both(f"CTC loss and gradient, {name}", partial(ctc, shape=shape), bytes=_bytes(shape))
        for name, shape in ALIGNMENTS.items()
    ]
    rows = 4.0 * math.prod(TOKENS) * FEATURES
    table = 4.0 * TABLE_ROWS * FEATURES
    picked = 1 << 20
    indexed = [
        _both("embedding of 8,192 tokens", partial(embedding, train=False), bytes=2 * rows),
        _both("its gradient", partial(embedding, train=True), bytes=rows + table),
        _both("gather along the last axis, 1 M", partial(gather, axis=1), bytes=16 * picked),
        _both("gather along the first axis, 1 M", partial(gather, axis=0), bytes=16 * picked),
        _both("scatter-add along the last axis, 1 M", partial(scatter, axis=1), bytes=20 * picked),
        _both("scatter-add along the first axis, 1 M", partial(scatter, axis=0), bytes=20 * picked),
    ]
    return [
        *compare("Recurrent layers", layers, quick),
        *compare("Alignment losses", losses, quick),
        *compare("Embeddings and indices", indexed, quick),
    ]


def _both(name: str, make: Callable[[str], Call], **floor: float) -> Workload:
    makers: dict[str, Make] = {lib: partial(make, lib) for lib in (OURS, "torch")}
    return Workload(name, makers, **floor)


def _flops(kind: str, train: bool, t: int, n: int, d: int, h: int) -> float:
    """Of the products with both weights; on the way back those of states and of weights."""
    width = 2.0 * t * n * GATES[kind] * h
    return width * (d + h) if not train else width * (2 * d + 3 * h)


def _bytes(shape: tuple[int, ...]) -> float:
    """Logits and scores read and written once each, and so their gradients."""
    t, n, c, _ = shape
    return 4.0 * t * n * c * 6


def _normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def layer(lib: str, kind: str, shape: tuple[int, ...], train: bool) -> Call:
    """One layer over whole sequences, or with its gradients."""
    tensors = library(lib)
    t, n, d, h = shape
    net = getattr(tensors.nn, kind)(d, h)
    with tensors.no_grad():
        for seed, param in enumerate(net.parameters()):
            param.copy_(tensors.from_numpy(_normal(*param.shape, seed=seed) / h**0.5))
    x = tensors.from_numpy(_normal(t, n, d))
    if not train:
        return tensors.inference_mode()(lambda: net(x)[0].numpy())
    weight = tensors.from_numpy(_normal(t, n, h, seed=9))

    def step() -> np.ndarray:
        net.zero_grad()
        (net(x)[0] * weight).sum().backward()
        return net.weight_hh_l0.grad.numpy()

    return step


def ctc(lib: str, shape: tuple[int, ...]) -> Call:
    """Loss and gradient of the logits."""
    tensors = library(lib)
    t, n, c, s = shape
    logits = tensors.from_numpy(_normal(t, n, c)).requires_grad_()
    labels = tensors.from_numpy(np.random.default_rng(0).integers(1, c, (n, s)))
    lengths = tensors.tensor([t] * n), tensors.tensor([s] * n)

    def step() -> np.ndarray:
        logits.grad = None
        scores = tensors.nn.functional.log_softmax(logits, -1)
        tensors.nn.functional.ctc_loss(scores, labels, *lengths).backward()
        return logits.grad.numpy()

    return step


def embedding(lib: str, train: bool) -> Call:
    """Rows of a table, or its gradient."""
    tensors = library(lib)
    tokens = tensors.from_numpy(np.random.default_rng(0).integers(0, TABLE_ROWS, TOKENS))
    weight = tensors.from_numpy(_normal(TABLE_ROWS, FEATURES))
    look_up = partial(tensors.nn.functional.embedding, tokens)
    if not train:
        return tensors.inference_mode()(lambda: look_up(weight).numpy())
    leaf, slope = weight.requires_grad_(), tensors.from_numpy(_normal(*TOKENS, FEATURES))
    rows = look_up(leaf)
    return lambda: tensors.autograd.grad(rows, [leaf], slope, retain_graph=True)[0].numpy()


def _indexed(lib: str, axis: int) -> tuple[Any, Any, Any]:
    """A matrix of 1 M numbers and indices along an axis."""
    tensors = library(lib)
    places = np.random.default_rng(0).integers(0, 1024, (1024, 1024))
    return tensors, tensors.from_numpy(_normal(1024, 1024)), tensors.from_numpy(places)


def gather(lib: str, axis: int) -> Call:
    """One number for each index."""
    tensors, x, places = _indexed(lib, axis)
    return tensors.inference_mode()(lambda: x.gather(axis, places).numpy())


def scatter(lib: str, axis: int) -> Call:
    """Each number added where its index points."""
    tensors, x, places = _indexed(lib, axis)
    zeros = tensors.zeros(1024, 1024)
    return tensors.inference_mode()(lambda: zeros.scatter_add(axis, places, x).numpy())
