"""Operations on large tensors beside PyTorch: elementwise chains, norms, products, layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from comparison import OURS, Make, Workload, compare, library
from timing import Call, Table

MILLIONS = 1 << 24  # 16 M floats, 64 MB: far beyond the caches
# Layers of ResNet-50 and MobileNetV3: channels, side, filters, kernel, stride, groups
CONVOLUTIONS = {
    "7x7 / 2, 3 to 64 at 224": (3, 224, 64, 7, 2, 1),
    "3x3, 64 to 64 at 56": (64, 56, 64, 3, 1, 1),
    "1x1, 64 to 256 at 56": (64, 56, 256, 1, 1, 1),
    "3x3, 128 to 128 at 28": (128, 28, 128, 3, 1, 1),
    "3x3 / 2, 256 to 256 at 28": (256, 28, 256, 3, 2, 1),
    "3x3, 512 to 512 at 7": (512, 7, 512, 3, 1, 1),
    "depthwise 3x3, 64 at 112": (64, 112, 64, 3, 1, 64),
    "depthwise 5x5 / 2, 72 at 56": (72, 56, 72, 5, 2, 72),
}


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call."""
    size = 4 * MILLIONS
    elementwise = [
        Workload(
            "gelu(a * w + b) + a, one call that is fused",
            {OURS: partial(chain, OURS, True), "torch": partial(chain, "torch", False)}
            | ({} if quick else {"torch compiled": partial(chain, "torch", True)}),
            bytes=2 * size,
        ),
        _both("gelu(a * w + b) + a, op by op", partial(chain, fused=False), bytes=2 * size),
        _both("softmax over 1,024", softmax, bytes=2 * size),
        _both("layer norm over 1,024", layer_norm, bytes=2 * size),
        _both("sum of all", total, bytes=size),
    ]
    products = [
        _both(f"{m} x {k} @ {k} x {n}", partial(product, m=m, k=k, n=n), flops=2.0 * m * k * n)
        for m, k, n in ((2048, 384, 1536), (197, 768, 3072), (1024, 1024, 1024), (1, 2048, 1000))
    ]
    convolutions = [
        _both(name, partial(convolution, layer=layer), flops=_flops(*layer))
        for name, layer in CONVOLUTIONS.items()
    ]
    small = [_both("x * y + x, 4 floats", tiny), _both("scatter-add, 100,000 x 64", scatter)]
    return [
        *compare("Elementwise and norms, 16 M floats", elementwise, quick),
        *compare("Matrix products", products, quick),
        *compare("Convolution layers, batch 1", convolutions, quick),
        *compare("Small and indexed", small, quick),
    ]


def _both(name: str, make: Callable[[str], Call], **floor: float) -> Workload:
    makers: dict[str, Make] = {lib: partial(make, lib) for lib in (OURS, "torch")}
    return Workload(name, makers, **floor)


def _flops(c: int, side: int, o: int, k: int, stride: int, groups: int) -> float:
    return 2.0 * (side // stride) ** 2 * o * (c // groups) * k * k


def _normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _call(tensors: Any, fn: Callable[..., Any], *arrays: np.ndarray) -> Call:
    given = [tensors.from_numpy(a) for a in arrays]
    return tensors.inference_mode()(lambda: fn(*given).numpy())


def chain(lib: str, fused: bool) -> Call:
    """gelu(a * w + b) + a with a row of weights."""
    tensors = library(lib)
    gelu = tensors.nn.functional.gelu

    def expression(a: Any, w: Any, b: Any) -> Any:
        return gelu(a * w + b) + a

    fn = tensors.compile(expression) if fused else expression
    return _call(tensors, fn, _normal(MILLIONS // 1024, 1024), _normal(1024), _normal(1024))


def softmax(lib: str) -> Call:
    """Over the last axis."""
    tensors = library(lib)
    return _call(tensors, lambda x: tensors.softmax(x, -1), _normal(MILLIONS // 1024, 1024))


def layer_norm(lib: str) -> Call:
    """Over the last axis, with weight and bias."""
    tensors = library(lib)
    norm = tensors.nn.functional.layer_norm
    x = _normal(MILLIONS // 1024, 1024)
    return _call(tensors, lambda x, w, b: norm(x, (1024,), w, b), x, _normal(1024), _normal(1024))


def total(lib: str) -> Call:
    """Of all numbers."""
    return _call(library(lib), lambda x: x.sum().reshape(1), abs(_normal(MILLIONS)))


def product(lib: str, m: int, k: int, n: int) -> Call:
    """Of two matrices."""
    return _call(library(lib), lambda a, b: a @ b, _normal(m, k), _normal(k, n, seed=1))


def convolution(lib: str, layer: tuple[int, ...]) -> Call:
    """A layer of a network on one image."""
    tensors = library(lib)
    c, side, o, k, stride, groups = layer
    conv = partial(tensors.nn.functional.conv2d, stride=stride, padding=k // 2, groups=groups)
    return _call(tensors, conv, _normal(1, c, side, side), _normal(o, c // groups, k, k, seed=1))


def tiny(lib: str) -> Call:
    """What a call costs beside its arithmetic."""
    return _call(library(lib), lambda x, y: x * y + x, _normal(4), _normal(4))


def scatter(lib: str) -> Call:
    """Rows of gradients added where indices say."""
    tensors = library(lib)
    rows = tensors.from_numpy(np.random.default_rng(0).integers(0, 5000, 100_000))
    values = tensors.from_numpy(_normal(100_000, 64))
    zeros = tensors.zeros(5000, 64)
    return tensors.inference_mode()(lambda: zeros.index_add(0, rows, values).numpy())
