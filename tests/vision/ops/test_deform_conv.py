"""Deformable convolution."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych.nn import functional as F
from triptych_vision.ops import DeformConv2d, deform_conv2d

CONFIGS = [
    {"groups": 1, "offset_groups": 1, "stride": 1, "padding": 0, "dilation": 1},
    {"groups": 2, "offset_groups": 1, "stride": 2, "padding": 1, "dilation": 1},
    {"groups": 1, "offset_groups": 2, "stride": (1, 2), "padding": (2, 1), "dilation": (2, 1)},
    {"groups": 2, "offset_groups": 4, "stride": 1, "padding": 1, "dilation": 2},
]


def tensors(config: dict, masked: bool) -> dict[str, tp.Tensor | None]:
    tp.manual_seed(0)
    x = tp.randn(2, 4, 7, 6, dtype=tp.float64)
    weight = tp.randn(6, 4 // config["groups"], 3, 2, dtype=tp.float64)
    where = {name: config[name] for name in ("stride", "padding", "dilation")}
    size = F.conv2d(x, weight, groups=config["groups"], **where).shape[2:]
    taps = 6 * config["offset_groups"]
    return {
        "input": x,
        "offset": tp.randn(2, 2 * taps, *size, dtype=tp.float64) * 2,
        "weight": weight,
        "bias": tp.randn(6, dtype=tp.float64),
        "mask": tp.rand(2, taps, *size, dtype=tp.float64) if masked else None,
    }


def read(plane: np.ndarray, y: float, x: float) -> float:
    """Bilinear, zero outside."""
    top, left = int(np.floor(y)), int(np.floor(x))
    total = 0.0
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
            total += plane[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def naive(config: dict, **given: tp.Tensor | None) -> np.ndarray:
    x, offset, weight, bias = (
        given[name].numpy()
        for name in ("input", "offset", "weight", "bias")  # type: ignore[union-attr]
    )
    mask = None if given["mask"] is None else given["mask"].numpy()
    steps = [
        (value, value) if isinstance(value, int) else value
        for value in (config["stride"], config["padding"], config["dilation"])
    ]
    out = np.zeros((x.shape[0], weight.shape[0], *offset.shape[2:])) + bias[:, None, None]
    per_group, per_offset = weight.shape[1], x.shape[1] // config["offset_groups"]
    kernel = weight.shape[2:]
    for n, o, i, j, c, a, b in np.ndindex(*out.shape, per_group, *kernel):
        channel = o // (weight.shape[0] // config["groups"]) * per_group + c
        tap = channel // per_offset * kernel[0] * kernel[1] + a * kernel[1] + b
        at = [
            place * stride - padding + k * dilation + offset[n, 2 * tap + axis, i, j]
            for axis, (place, k, stride, padding, dilation) in enumerate(
                zip((i, j), (a, b), *steps, strict=True)
            )
        ]
        factor = 1.0 if mask is None else mask[n, tap, i, j]
        out[n, o, i, j] += weight[o, c, a, b] * factor * read(x[n, channel], *at)
    return out


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("masked", [False, True])
def test_against_a_loop(config: dict, masked: bool) -> None:
    given = tensors(config, masked)
    where = {name: config[name] for name in ("stride", "padding", "dilation")}
    got = deform_conv2d(**given, **where)  # type: ignore[arg-type]
    np.testing.assert_allclose(got.numpy(), naive(config, **given), atol=1e-10)


def test_without_offsets_it_is_a_convolution() -> None:
    x, weight = tp.rand(1, 3, 8, 9), tp.rand(5, 3, 3, 3)
    plain = F.conv2d(x, weight, padding=1)
    moved = deform_conv2d(x, tp.zeros(1, 18, 8, 9), weight, padding=1)
    np.testing.assert_allclose(moved.numpy(), plain.numpy(), rtol=1e-5, atol=1e-5)


def test_gradients() -> None:
    tp.manual_seed(0)
    given = [
        tp.randn(1, 2, 4, 4, dtype=tp.float64),
        tp.rand(1, 16, 3, 3, dtype=tp.float64) * 0.8 + 0.1,  # away from the kinks
        tp.randn(2, 2, 2, 2, dtype=tp.float64),
        tp.randn(2, dtype=tp.float64),
        tp.rand(1, 8, 3, 3, dtype=tp.float64),
    ]
    for tensor in given:
        tensor.requires_grad_()
    assert gradcheck(lambda x, o, w, b, m: deform_conv2d(x, o, w, b, mask=m), given)


def test_layer() -> None:
    layer = DeformConv2d(4, 6, 3, padding=1, groups=2)
    assert layer(tp.rand(1, 4, 5, 5), tp.zeros(1, 18, 5, 5)).shape == (1, 6, 5, 5)
    assert {k: tuple(v.shape) for k, v in layer.state_dict().items()} == {
        "weight": (6, 2, 3, 3),
        "bias": (6,),
    }
    assert "padding=(1, 1), groups=2" in repr(layer)
    assert DeformConv2d(2, 2, 1, bias=False).bias is None
    with pytest.raises(ValueError, match="groups=3 divides"):
        DeformConv2d(4, 6, 3, groups=3)


@pytest.mark.parametrize(
    ("offset", "mask", "text"),
    [
        ((1, 17, 3, 3), None, "offset has 2 \\* 9 channels"),
        ((1, 18, 2, 3), None, r"offset is \(1, 18, 3, 3\), got \(1, 18, 2, 3\)"),
        ((1, 18, 3, 3), (1, 8, 3, 3), r"mask is \(1, 9, 3, 3\)"),
    ],
)
def test_wrong_shapes(offset: tuple, mask: tuple | None, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        deform_conv2d(
            tp.zeros(1, 2, 5, 5),
            tp.zeros(*offset),
            tp.zeros(2, 2, 3, 3),
            mask=None if mask is None else tp.zeros(*mask),
        )


def test_no_images() -> None:
    weight = tp.rand(6, 2, 3, 3, requires_grad=True)
    mask = tp.rand(0, 18, 5, 5)
    got = deform_conv2d(tp.rand(0, 4, 7, 7), tp.rand(0, 36, 5, 5), weight, mask=mask)
    assert got.shape == (0, 6, 5, 5)
    got.sum().backward()
    assert weight.grad is not None and not weight.grad.any().item()
