"""Sample inputs for composites: norms, attention, frames, recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.creation import tensor
from ..prims import TABLE
from .samples import SAMPLES, Sample, reals, sampled


def _register_composites() -> None:
    for name in ("softmax", "log_softmax"):
        SAMPLES.register(
            name, lambda rng: [Sample((reals(rng, 3, 4),), {"axis": a}) for a in (0, 1)]
        )
        SAMPLES.register(
            name + "_dx",
            lambda rng: [Sample((reals(rng, 3, 4), reals(rng, 3, 4)), {"axis": a}) for a in (0, 1)],
        )
    for name in ("gelu", "gelu_tanh", "hardsigmoid", "hardswish", "relu6", "silu"):
        SAMPLES.register(name, lambda rng: [Sample((reals(rng, 3, 4),))])


@sampled("linear")
def _linear(rng: np.random.Generator) -> list[Sample]:
    w, b = reals(rng, 4, 3), reals(rng, 4)
    return [
        Sample((reals(rng, 2, 3), w, b)),
        Sample((reals(rng, 2, 2, 3), w)),
        Sample((reals(rng, 3), w, b)),
    ]


@sampled("fused_linear")
def _fused_linear(rng: np.random.Generator) -> list[Sample]:
    x, w, b = reals(rng, 2, 2, 3), reals(rng, 4, 3), reals(rng, 4)
    residual = reals(rng, 2, 2, 4)
    kinds = [((b,), "gelu"), ((), "relu"), ((b, residual), "none"), ((residual,), "gelu")]
    return [
        Sample(
            (x, w, *rest),
            {
                "shifted": any(t is b for t in rest),
                "added": any(t is residual for t in rest),
                "activation": activation,
            },
        )
        for rest, activation in kinds
    ]


@sampled("layer_norm")
def _layer_norm(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 3, 2, 4)
    return [
        Sample((x,), {"dims": 1, "eps": 1e-5}),
        Sample((x, reals(rng, 4), reals(rng, 4)), {"dims": 1, "eps": 1e-5}),
        Sample((x, reals(rng, 2, 4)), {"dims": 2, "eps": 1e-3}),
    ]


@sampled("layer_norm_grad")
def _layer_norm_grad(rng: np.random.Generator) -> list[Sample]:
    g, x = reals(rng, 3, 2, 4), reals(rng, 3, 2, 4)
    return [
        Sample((g, x), {"dims": 1, "eps": 1e-2}),
        Sample((g, x, reals(rng, 2, 4)), {"dims": 2, "eps": 1e-2}),
    ]


@sampled("rms_norm")
def _rms_norm(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 3, 2, 4)
    return [
        Sample((x,), {"dims": 1, "eps": 1e-5}),
        Sample((x, reals(rng, 2, 4)), {"dims": 2, "eps": 1e-3}),
    ]


@sampled("rms_norm_grad")
def _rms_norm_grad(rng: np.random.Generator) -> list[Sample]:
    return _layer_norm_grad(rng)


@sampled("group_norm")
def _group_norm(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 2, 4, 3)
    return [
        Sample((x,), {"groups": 4, "eps": 1e-2}),
        Sample((x, reals(rng, 4), reals(rng, 4)), {"groups": 2, "eps": 1e-2}),
    ]


@sampled("group_norm_grad")
def _group_norm_grad(rng: np.random.Generator) -> list[Sample]:
    g, x = reals(rng, 2, 4, 3), reals(rng, 2, 4, 3)
    return [
        Sample((g, x), {"groups": 4, "eps": 1e-2}),
        Sample((g, x, reals(rng, 4)), {"groups": 2, "eps": 1e-2}),
    ]


@sampled("batch_norm")
def _batch_norm(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 3, 2, 4)
    return [Sample((x,), {"eps": 1e-2}), Sample((x, reals(rng, 2), reals(rng, 2)), {"eps": 1e-2})]


@sampled("batch_norm_grad")
def _batch_norm_grad(rng: np.random.Generator) -> list[Sample]:
    of_stats, stats = [reals(rng, 2) for _ in range(2)], [reals(rng, 2), reals(rng, 2, low=0.5)]
    g, x = reals(rng, 3, 2, 4), reals(rng, 3, 2, 4)
    return [Sample((g, *of_stats, x, *stats, *w), {"eps": 1e-2}) for w in ((), (reals(rng, 2),))]


@sampled("batch_norm_eval")
def _batch_norm_eval(rng: np.random.Generator) -> list[Sample]:
    x, mean, var = reals(rng, 3, 2, 4), reals(rng, 2), reals(rng, 2, low=0.5)
    affine = reals(rng, 2), reals(rng, 2)
    return [Sample((x, mean, var, *vs), {"eps": 1e-2}) for vs in ((), affine)]


@sampled("conv_norm")
def _conv_norm(rng: np.random.Generator) -> list[Sample]:
    x, w = reals(rng, 2, 2, 4, 5), reals(rng, 4, 1, 3, 3)
    vectors = reals(rng, 4), reals(rng, 4, low=0.5), reals(rng, 4), reals(rng, 4)
    options = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 1), "groups": 2}
    names = ("identity", "hardswish", "silu")
    return [Sample((x, w, *vectors), {**options, "eps": 1e-2, "then": then}) for then in names]


@sampled("conv_bias")
def _conv_bias(rng: np.random.Generator) -> list[Sample]:
    x, w, bias = reals(rng, 2, 2, 4, 5), reals(rng, 4, 1, 3, 3), reals(rng, 4)
    options = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 1), "groups": 2}
    return [Sample((x, w, bias), {**options, "then": then}) for then in ("identity", "silu")]


@sampled("attention")
def _attention(rng: np.random.Generator) -> list[Sample]:
    q, k, v = (reals(rng, 2, n, e) for n, e in ((3, 2), (4, 2), (4, 3)))
    plain = {"scale": 0.7, "causal": None, "masked": False, "drop": 0.0}
    seen = tensor(rng.random((3, 4)) > 0.3)
    seed = tensor([12345, 67890])
    return [
        Sample((q, k, v), plain),
        Sample((q, k, v), {**plain, "causal": 0}),
        Sample((q, k, v, reals(rng, 2, 1, 4)), {**plain, "masked": True}),
        Sample((q, k, v, seen), {**plain, "masked": True}),
        Sample((q, k, v, reals(rng, 3, 4), seed), {**plain, "masked": True, "drop": 0.4}),
    ]


@sampled("attention_grad")
def _attention_grad(rng: np.random.Generator) -> list[Sample]:
    found = []
    for s in _attention(rng):
        outs = TABLE["attention"].call(*s.inputs, **s.params)
        grads = (reals(rng, 2, 3, 3), reals(rng, 2, 3))
        found.append(Sample((*grads, *s.inputs[:3], *outs, *s.inputs[3:]), s.params))
    return found


@sampled("stft_power")
@sampled("stft")
def _stft(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 2, 9), reals(rng, 4)), {"step": 2}),
        Sample((reals(rng, 7), reals(rng, 5)), {"step": 1}),
    ]


@sampled("band_sums")
def _band_sums(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 2, 5, 3), reals(rng, 4, 5)), {}),
        Sample((reals(rng, 5, 3), reals(rng, 2, 5)), {}),
    ]


@sampled("filter_bank")
def _filter_bank(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 2, 11), reals(rng, 2, 5)), {"step": 2}),
        Sample((reals(rng, 9), reals(rng, 3, 4)), {"step": 1}),
    ]


def _grids(rng: np.random.Generator) -> list[Sample]:
    x, grid = reals(rng, 2, 2, 3, 4), reals(rng, 2, 2, 3, 2, low=-0.9, high=0.9)
    ways = (
        ("bilinear", "zeros", False),
        ("bilinear", "border", True),
        ("bilinear", "reflection", False),
        ("bicubic", "zeros", True),
        ("nearest", "zeros", False),
    )
    return [Sample((x, grid), {"mode": m, "padding": p, "align": a}) for m, p, a in ways]


SAMPLES.register("grid_sample", _grids)


@sampled("grid_sample_dx")
def _grid_gradients(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 2, 2, 2, 3), *sample.inputs), sample.params) for sample in _grids(rng)
    ]


@sampled("grid_sample_dgrid")
def _smooth_grid_gradients(rng: np.random.Generator) -> list[Sample]:
    return [s for s in _grid_gradients(rng) if s.params["mode"] != "nearest"]  # zero, without more


@sampled("transducer")
def _transducer(rng: np.random.Generator) -> list[Sample]:
    steps = [reals(rng, 5, 2, 3) for _ in range(2)]
    end = np.zeros((6, 2, 3), bool)
    end[5, 0, 2] = end[3, 1, 1] = True
    return [Sample((*steps, tensor(end)))]


def _ctc_inputs(rng: np.random.Generator, last: int) -> tuple[Any, ...]:
    """Two labels the same, lengths that differ, no labels at all, and `last` labels in one step."""
    labels, used, spans = [[1, 1], [2, 0], [0, 0], [1, 3]], [5, 4, 2, 1], [2, 1, 0, last]
    x = reals(rng, 5, 4, 4, low=-3.0, high=-0.5)
    return (x, *(tensor(v) for v in (labels, used, spans)))


@sampled("ctc")
def _ctc(rng: np.random.Generator) -> list[Sample]:
    return [Sample(_ctc_inputs(rng, 1), {"blank": 0, "logits": False})]


@sampled("ctc_grad")
def _ctc_grad(rng: np.random.Generator) -> list[Sample]:
    inputs = (reals(rng, 4), *_ctc_inputs(rng, 2))
    return [Sample(inputs, {"blank": 0, "logits": logits}) for logits in (False, True)]


@sampled("rnn")
def _rnn(rng: np.random.Generator) -> list[Sample]:
    inputs = tuple(reals(rng, *s, low=-1.0, high=1.0) for s in ((3, 2, 4), (4, 4), (2, 4)))
    return [Sample(inputs, {"relu": relu}) for relu in (False, True)]


@sampled("lstm")
def _lstm(rng: np.random.Generator) -> list[Sample]:
    shapes = ((3, 2, 12), (12, 3), (2, 3), (2, 3)), ((3, 2, 12), (12, 2), (2, 2), (2, 3), (2, 3))
    return [Sample(tuple(reals(rng, *s, low=-1.0, high=1.0) for s in call)) for call in shapes]


@sampled("gru")
def _gru(rng: np.random.Generator) -> list[Sample]:
    shapes = (3, 2, 12), (12, 4), (2, 4), (4,)
    return [Sample(tuple(reals(rng, *s, low=-1.0, high=1.0) for s in shapes))]


def _small(rng: np.random.Generator, *shapes: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(reals(rng, *s, low=-1.0, high=1.0) for s in shapes)


@sampled("rnn_grad")
def _rnn_grad(rng: np.random.Generator) -> list[Sample]:
    inputs = _small(rng, (3, 2, 4), (2, 4), (4, 4), (3, 2, 4))
    return [Sample(inputs, {"relu": relu}) for relu in (False, True)]


@sampled("lstm_grad")
def _lstm_grad(rng: np.random.Generator) -> list[Sample]:
    seq, state = (3, 2, 3), (2, 3)
    return [Sample(_small(rng, seq, seq, (3, 2, 12), (12, 3), state, state, seq, seq))]


@sampled("gru_grad")
def _gru_grad(rng: np.random.Generator) -> list[Sample]:
    return [Sample(_small(rng, (3, 2, 4), (2, 4), (3, 2, 12), (12, 4), (2, 4), (4,), (3, 2, 4)))]


_register_composites()
