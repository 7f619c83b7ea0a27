"""Layers with unusual settings, and how to run them under either library.

`tools/record_layers.py` runs them under torch and keeps the results; `test_references.py` runs them
here. This file imports neither.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Case:
    """One layer.

    Attributes:
        layer, args, options: how it is made, in `nn`.
        inputs: a shape (standard normal), an int array, or a tuple of such for a pair of states.
        call: keyword arguments of the call, arrays and flags.
        modes: "train" and "eval", or one of them where the other draws random numbers.
    """

    layer: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    call: dict[str, Any] = field(default_factory=dict)
    modes: tuple[str, ...] = ("train",)
    name: str = ""


def whole(*values: Any) -> np.ndarray:
    return np.array(values)


def triangle(n: int) -> np.ndarray:
    return np.triu(np.ones((n, n), bool), 1)


BOTH = ("train", "eval")
IMG, SEQ = (2, 4, 7, 6), (2, 4, 9)
PADDED = np.array([[False] * 5, [False, False, False, True, True]])
WORDS = np.array([[0, 3, 1, 6], [6, 6, 2, 0]])
ODD = {"stride": 2, "padding": 1, "ceil_mode": True}

CASES = [
    Case("Conv1d", (4, 6, 4), {"padding": "same", "dilation": 2, "groups": 2}, (SEQ,)),
    Case("Conv2d", (4, 6, (3, 2)), {"padding": "same", "padding_mode": "reflect"}, (IMG,)),
    Case("Conv2d", (4, 4, 3), {"stride": 2, "padding": 1, "groups": 4}, (IMG,)),
    Case("Conv2d", (4, 6, 3), {"padding": (2, 1), "padding_mode": "circular"}, (IMG[1:],)),
    Case("Conv3d", (2, 2, 2), {"dilation": (1, 2, 1), "padding": 1}, ((1, 2, 3, 4, 3),)),
    Case("ConvTranspose1d", (4, 6, 3), {"stride": 3, "output_padding": 2, "groups": 2}, (SEQ,)),
    Case(
        "ConvTranspose2d",
        (4, 6, 3),
        {"stride": 2, "padding": 1, "output_padding": 1, "dilation": 2},
        (IMG,),
    ),
    Case("MaxPool1d", (3,), {**ODD, "return_indices": True}, (SEQ,)),
    Case("MaxPool2d", (3,), {**ODD, "dilation": 2, "return_indices": True}, (IMG,)),
    Case("MaxPool3d", (2,), ODD, ((2, 4, 5, 5),)),
    Case("AvgPool1d", (3,), {**ODD, "count_include_pad": False}, (SEQ,)),
    Case("AvgPool2d", (3,), {**ODD, "divisor_override": 5}, (IMG,)),
    Case("AvgPool3d", (2,), ODD, ((2, 4, 5, 5),)),
    Case("LPPool2d", (3.0, 2), {"ceil_mode": True}, (IMG,)),
    Case("AdaptiveAvgPool2d", ((5, None),), {}, (IMG,)),
    Case("AdaptiveMaxPool2d", ((3, 4),), {"return_indices": True}, (IMG,)),
    Case("BatchNorm1d", (4,), {"momentum": None}, (SEQ,), modes=BOTH),
    Case("BatchNorm2d", (4,), {"eps": 0.1, "momentum": 0.3}, (IMG,), modes=BOTH),
    Case("BatchNorm2d", (4,), {"track_running_stats": False, "affine": False}, (IMG,), modes=BOTH),
    Case(
        "InstanceNorm1d",
        (4,),
        {"affine": True, "track_running_stats": True},
        (SEQ[1:],),
        modes=BOTH,
    ),
    Case("GroupNorm", (2, 4), {"eps": 0.1}, (IMG,)),
    Case("LayerNorm", ((7, 6),), {"bias": False}, (IMG,)),
    Case("RMSNorm", ((7, 6),), {}, (IMG,)),
    Case("LocalResponseNorm", (2,), {"alpha": 0.5, "beta": 0.3, "k": 2.0}, (IMG,)),
    Case("Embedding", (7, 3), {"padding_idx": -1, "scale_grad_by_freq": True}, (WORDS,)),
    Case("Embedding", (7, 3), {"max_norm": 0.5, "norm_type": 1.0}, (WORDS,)),
    Case("EmbeddingBag", (7, 3), {"mode": "max", "padding_idx": 6}, (WORDS,)),
    Case(
        "EmbeddingBag",
        (7, 3),
        {"mode": "mean", "include_last_offset": True},
        (whole(0, 3, 1, 6, 6), whole(0, 2, 2, 5)),
    ),
    Case("Bilinear", (3, 4, 5), {}, ((2, 3), (2, 4))),
    Case("Fold", ((5, 6), (2, 3)), {"dilation": (1, 2), "padding": (1, 0)}, ((2, 12, 12),)),
    Case("Unfold", ((2, 3),), {"dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}, (IMG,)),
    Case("Upsample", (), {"scale_factor": 1.7, "mode": "bicubic"}, (IMG,)),
    Case(
        "Upsample",
        (),
        {"scale_factor": (1.5, 2.3), "mode": "bilinear", "align_corners": True},
        (IMG,),
    ),
    Case("RNN", (3, 4), {"nonlinearity": "relu", "bidirectional": True}, ((5, 2, 3),)),
    Case(
        "LSTM",
        (3, 4),
        {"num_layers": 2, "bidirectional": True, "proj_size": 2, "batch_first": True},
        ((2, 5, 3),),
    ),
    Case("GRU", (3, 4), {"bias": False, "num_layers": 2}, ((5, 3),)),
    Case("LSTMCell", (3, 4), {}, ((2, 3), ((2, 4), (2, 4)))),
    Case(
        "MultiheadAttention",
        (8, 2),
        {"kdim": 6, "vdim": 5, "add_bias_kv": True, "add_zero_attn": True},
        ((3, 2, 8), (5, 2, 6), (5, 2, 5)),
        {"key_padding_mask": PADDED, "average_attn_weights": False},
    ),
    Case(
        "TransformerEncoderLayer",
        (8, 2, 12, 0.0),
        {"activation": "gelu", "norm_first": True, "batch_first": True},
        ((2, 5, 8),),
        {"src_mask": triangle(5), "is_causal": True},
    ),
    Case(
        "TransformerDecoderLayer",
        (8, 2, 12, 0.0),
        {},
        ((3, 2, 8), (5, 2, 8)),
        {"tgt_mask": triangle(3), "memory_key_padding_mask": PADDED},
    ),
    Case("GaussianNLLLoss", (), {"full": True, "eps": 0.5}, ((3, 4), (3, 4), (3, 1))),
    Case(
        "CTCLoss",
        (2,),
        {"zero_infinity": True, "reduction": "none"},
        ((7, 3, 5), whole(1, 1, 3, 3, 1, 4, 1), whole(7, 6, 2), whole(3, 2, 2)),
    ),
    Case("MultiLabelMarginLoss", (), {}, ((2, 4), whole([3, 0, -1, 1], [1, 2, -1, -1]))),
    Case(
        "AdaptiveLogSoftmaxWithLoss",
        (8, 12, [3, 6]),
        {"div_value": 2.0, "head_bias": True},
        ((5, 8), whole(0, 4, 11, 2, 6)),
    ),
]
for _number, _case in enumerate(CASES):
    _case.name = f"{_number:02d}-{_case.layer}"


def _made(lib: Any, rng: np.random.Generator, given: Any, leaves: list[Any]) -> Any:
    if isinstance(given, np.ndarray):
        return lib.tensor(given)
    if isinstance(given[0], tuple):
        return tuple(_made(lib, rng, part, leaves) for part in given)
    leaf = lib.tensor(rng.standard_normal(given)).requires_grad_()
    leaves.append(leaf)
    return leaf


def _flat(out: Any) -> list[Any]:
    if isinstance(out, (tuple, list)):
        return [t for part in out for t in _flat(part)]
    return [] if out is None else [out]


def run(lib: Any, case: Case, mode: str) -> dict[str, np.ndarray]:
    """Outputs, gradients and the state after one call of a layer in float64.

    Args:
        lib: torch or triptych.
        case: what to run.
        mode: "train" or "eval".
    """
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    layer = getattr(lib.nn, case.layer)(*case.args, **case.options).double()
    numbers = {
        name: lib.tensor(np.array(3) if "num_batches" in name else _numbers(rng, name, value))
        for name, value in sorted(layer.state_dict().items())
    }
    layer.load_state_dict(numbers)
    layer.train(mode == "train")
    leaves: list[Any] = []
    inputs = [_made(lib, rng, given, leaves) for given in case.inputs]
    if case.layer == "GaussianNLLLoss":
        inputs[2] = inputs[2].square()
    if case.layer == "CTCLoss":
        inputs[0] = lib.nn.functional.log_softmax(inputs[0], -1)
    call = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    outs = _flat(layer(*inputs, **call))
    total = sum(
        (t * lib.tensor(np.cos(np.arange(t.numel())).reshape(tuple(t.shape)))).sum()
        for t in outs
        if t.requires_grad
    )
    total.backward()  # type: ignore[union-attr]
    found = {f"out{i}": t.detach().numpy() for i, t in enumerate(outs)}
    found |= {f"grad{i}": t.grad.numpy() for i, t in enumerate(leaves) if t.grad is not None}
    found |= {f"of {n}": p.grad.numpy() for n, p in layer.named_parameters()}
    found |= {f"after {n}": b.detach().numpy() for n, b in layer.named_buffers()}
    return found | {"keys": np.array(list(layer.state_dict()), dtype="U")}


def _numbers(rng: np.random.Generator, name: str, value: Any) -> np.ndarray:
    shape = tuple(value.shape)
    return rng.uniform(0.5, 2, shape) if "var" in name else rng.standard_normal(shape) * 0.5
