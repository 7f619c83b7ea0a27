"""Half types and bytes beside PyTorch: elementwise functions, norms, affine maps, convolution."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from comparison import OURS, Workload, compare, library
from timing import Call, Table

ROWS, WIDTH = 4096, 1024
HALVES = {"bfloat16": 1e-2, "float16": 2e-3}  # and how far results may lie apart


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call."""
    halves = [
        Workload(
            f"{name}, {dtype}",
            {lib: partial(of_halves, lib, dtype, name) for lib in (OURS, "torch")},
            bytes=2 * ROWS * WIDTH * (3 if name == "add" else 1 if name == "sum" else 2),
            tolerance=tolerance,
        )
        for dtype, tolerance in HALVES.items()
        for name in ("gelu", "add", "softmax", "layer norm", "sum")
    ]
    halves += [
        Workload(
            f"linear 1,024 to 1,024, {rows} rows, {dtype}",
            {lib: partial(linear_of_halves, lib, dtype, rows) for lib in (OURS, "torch")},
            flops=2.0 * rows * WIDTH * WIDTH,
            tolerance=tolerance,
        )
        for dtype, tolerance in HALVES.items()
        for rows in (64, 1024)
    ]
    bytes_ = [
        Workload(
            f"linear {k:,} to {n:,}, {rows} rows",
            {lib: partial(dynamic, lib, rows, k, n) for lib in (OURS, "torch")},
            flops=2.0 * rows * k * n,
            tolerance=0.05,
        )
        for rows, k, n in ((1, 1024, 1024), (64, 1024, 1024), (512, 384, 1536))
    ]
    bytes_ += [
        Workload(
            f"convolution {kernel}x{kernel}, {c} to {o} at 56",
            {lib: partial(convolution, lib, c, o, kernel) for lib in (OURS, "torch")},
            flops=2.0 * 56 * 56 * c * o * kernel * kernel,
            tolerance=0.05,
        )
        for c, o, kernel in ((64, 64, 3), (256, 64, 1))
    ]
    return [
        *compare("Half types, 4 M numbers", halves, quick),
        *compare("Weights of int8", bytes_, quick),
    ]


def _normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def of_halves(lib: str, dtype: str, name: str) -> Call:
    """A function of 4,096 rows."""
    tensors = library(lib)
    functional = tensors.nn.functional
    x, y = (tensors.from_numpy(_normal(ROWS, WIDTH, seed=i)) for i in (0, 1))
    x, y = (v.to(getattr(tensors, dtype)) for v in (x, y))
    weight, squares = y[0], x * x
    functions: dict[str, Any] = {
        "gelu": lambda: functional.gelu(x),
        "add": lambda: x + y,
        "softmax": lambda: tensors.softmax(x, -1),
        "layer norm": lambda: functional.layer_norm(x, (WIDTH,), weight, weight),
        "sum": lambda: squares.sum(-1),
    }
    return _shown(tensors, functions[name])


def _shown(tensors: Any, call: Any) -> Call:
    """Some of the results, as the whole would take longer to convert than to compute."""
    return tensors.inference_mode()(lambda: call().reshape(-1)[:WIDTH].float().numpy())


def linear_of_halves(lib: str, dtype: str, rows: int) -> Call:
    """An affine map."""
    tensors = library(lib)
    arrays = _normal(rows, WIDTH), _normal(WIDTH, WIDTH, seed=1), _normal(WIDTH, seed=2)
    x, w, b = (tensors.from_numpy(a).to(getattr(tensors, dtype)) for a in arrays)
    return _shown(tensors, lambda: tensors.nn.functional.linear(x, w, b))


def dynamic(lib: str, rows: int, k: int, n: int) -> Call:
    """A layer with int8 weights, of float32 to float32."""
    tensors = library(lib)
    layer = tensors.nn.Linear(k, n)
    with tensors.no_grad():
        layer.weight.copy_(tensors.from_numpy(_normal(n, k, seed=1)))
        layer.bias.copy_(tensors.from_numpy(_normal(n, seed=2)))
    model = tensors.nn.Sequential(layer)
    if lib == OURS:
        model = tensors.quantization.quantize_dynamic(model)
    else:
        with warnings.catch_warnings(action="ignore"):  # of its later removal
            model = tensors.ao.quantization.quantize_dynamic(model, {tensors.nn.Linear})
    return _shown(tensors, partial(model, tensors.from_numpy(_normal(rows, k))))


def convolution(lib: str, c: int, o: int, kernel: int) -> Call:
    """A layer of bytes to bytes, on one image."""
    tensors = library(lib)
    x, w = (tensors.from_numpy(a) for a in (_normal(1, c, 56, 56), _normal(o, c, kernel, kernel)))
    x_scale, w_scale, y_scale, zero = 0.05, 0.04, 0.05 * (c * kernel * kernel) ** 0.5, 128
    if lib == OURS:
        of = tensors.quantization
        q = of.quantize(x, x_scale, zero, dtype=tensors.uint8)
        result = {"dtype": tensors.uint8, "scale": y_scale, "zero_point": zero}
        call = partial(of.quantized_conv, q, x_scale, zero, of.quantize(w, w_scale), w_scale)
        conv = partial(call, padding=kernel // 2, **result)
        return _shown(tensors, lambda: of.dequantize(conv()[:, :1, :18], y_scale, zero))
    q = tensors.quantize_per_tensor(x, x_scale, zero, tensors.quint8)
    layer = tensors.ao.nn.quantized.Conv2d(c, o, kernel, padding=kernel // 2, bias=False)
    layer.set_weight_bias(tensors.quantize_per_tensor(w, w_scale, 0, tensors.qint8), None)
    layer.scale, layer.zero_point = y_scale, zero
    return _shown(tensors, lambda: layer(q)[:, :1, :18].dequantize())
