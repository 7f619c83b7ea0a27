"""Whole networks on the CPU, forward and training steps, beside PyTorch and ONNX Runtime."""

from __future__ import annotations

import io
import os
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from comparison import OURS, Make, Workload, compare, library
from timing import Call, Table

# Of one image of 224 x 224: multiplications and additions, as the models' papers count them, twice.
FLOPS = {"resnet18": 3.64e9, "resnet50": 8.18e9, "mobilenet_v3_large": 0.44e9, "vit_b_16": 35.1e9}
WIDTH, LAYERS, HEADS, TOKENS = 384, 6, 12, 128


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call; quick leaves out batches and what torch takes long to compile."""
    batches = (1,) if quick else (1, 16)
    forward = [_images(name, batch) for batch in batches for name in FLOPS]
    forward.append(
        _both(f"encoder 6 x 384, {TOKENS} tokens, batch 16", encoder, _encoder_flops(16))
    )
    training = [
        _both("ResNet-18, batch 8", training_resnet, 3 * 8 * FLOPS["resnet18"]),
        _both("encoder 6 x 384, batch 16", training_encoder, 3 * _encoder_flops(16)),
        _both("MLP 784-512-256-10, batch 32", training_mlp, 3 * 2 * 32 * 535_040),
    ]
    if quick:
        for workload in (*forward, *training):
            del workload.makers["torch compiled"]
    return compare("Forward", forward, quick) + compare("Training step", training, quick)


def _encoder_flops(batch: int) -> float:
    per_token = 2 * 12 * WIDTH**2 + 2 * 2 * TOKENS * WIDTH
    return float(LAYERS * batch * TOKENS * per_token)


def _both(name: str, make: Any, flops: float) -> Workload:
    makers: dict[str, Make] = {lib: partial(make, lib) for lib in (OURS, "torch", "torch compiled")}
    return Workload(name, makers, flops=flops)


def _images(name: str, batch: int) -> Workload:
    makers: dict[str, Make] = {
        OURS: partial(vision, OURS, name, batch),
        "torch": partial(vision, "torch", name, batch),
        "torch compiled": partial(vision, "torch compiled", name, batch),
        "ONNX Runtime": partial(onnx, name, batch),
    }
    return Workload(f"{name}, batch {batch}", makers, flops=batch * FLOPS[name])


def _of(lib: str) -> Any:
    return library("torch" if lib == "torch compiled" else lib)


def _model(lib: str, name: str) -> Any:
    """The same numbers in both libraries: drawn by NumPy, in the order of the names."""
    import importlib

    models = importlib.import_module(
        "triptych_vision.models" if lib == OURS else "torchvision.models"
    )
    return filled(_of(lib), getattr(models, name)())


def filled(tensors: Any, model: Any) -> Any:
    """The model with weights drawn by NumPy, small enough that all layers stay in range."""
    rng = np.random.default_rng(0)
    state = {}
    for key, value in sorted(model.state_dict().items()):
        shape = tuple(value.shape)
        if key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1):
            drawn = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            drawn = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        else:
            drawn = rng.normal(0, 0.1, shape)
        if not str(value.dtype).endswith("int64"):
            state[key] = tensors.from_numpy(np.asarray(drawn, np.float32))
    model.load_state_dict(state, strict=False)
    return model


def _pixels(batch: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(batch, 3, 224, 224)).astype(np.float32)


def _inference(lib: str, model: Any, *inputs: np.ndarray) -> Call:
    tensors = _of(lib)
    model.eval()
    if lib == "torch compiled":
        model = tensors.compile(model)
    given = [tensors.from_numpy(x) for x in inputs]
    return tensors.inference_mode()(lambda: model(*given).numpy())


def vision(lib: str, name: str, batch: int) -> Call:
    """Forward of an image model."""
    return _inference(lib, _model(lib, name), _pixels(batch))


def onnx(name: str, batch: int) -> Call:
    """The same in ONNX Runtime, exported from torch."""
    import onnxruntime
    import torch

    buffer, x = io.BytesIO(), _pixels(batch)
    model = _model("torch", name).eval()
    torch.onnx.export(model, (torch.from_numpy(x),), buffer, input_names=["x"], dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    session = onnxruntime.InferenceSession(
        buffer.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {"x": x})[0]


def _encoder(lib: str) -> Any:
    nn = _of(lib).nn
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return filled(_of(lib), nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False))


def _embedded(batch: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(batch, TOKENS, WIDTH)).astype(np.float32)


def encoder(lib: str) -> Call:
    """Forward of a transformer's encoder."""
    return _inference(lib, _encoder(lib), _embedded(16))


def _training(lib: str, model: Any, x: np.ndarray, classes: int, optimizer: str) -> Call:
    tensors = _of(lib)
    model.train()
    labels = tensors.from_numpy(np.random.default_rng(2).integers(0, classes, len(x)))
    given = tensors.from_numpy(x)
    update = getattr(tensors.optim, optimizer)(model.parameters(), lr=1e-4)
    forward = tensors.compile(model) if lib == "torch compiled" else model

    def step() -> None:
        update.zero_grad()
        out = forward(given)
        out = out.mean(1) if out.ndim == 3 else out
        tensors.nn.functional.cross_entropy(out, labels).backward()
        update.step()

    return step


def training_resnet(lib: str) -> Call:
    """A step of ResNet-18 with SGD."""
    return _training(lib, _model(lib, "resnet18"), _pixels(8), 1000, "SGD")


def training_encoder(lib: str) -> Call:
    """A step of the encoder with AdamW; the mean over tokens is the prediction."""
    return _training(lib, _encoder(lib), _embedded(16), WIDTH, "AdamW")


def training_mlp(lib: str) -> Call:
    """A step of a small perceptron with Adam."""
    tensors = _of(lib)
    nn = tensors.nn
    widths = (784, 512, 256, 10)
    layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    x = np.random.default_rng(1).normal(size=(32, 784)).astype(np.float32)
    return _training(lib, filled(tensors, model), x, 10, "Adam")
