"""The three ways of depthwise convolution against a sum over taps."""

import numpy as np
import pytest

import triptych as tp
from triptych.prims import depthwise as dw


def naive(x, w, out, stride, dilation):
    y = np.zeros((*x.shape[:2], *out))
    for tap in np.ndindex(*w.shape[2:]):
        for at in np.ndindex(*out):
            place = tuple(
                a * s + t * d for a, s, t, d in zip(at, stride, tap, dilation, strict=True)
            )
            y[(..., *at)] += x[(..., *place)] * w[(slice(None), 0, *tap)]
    return y


def cases():
    rng = np.random.default_rng(0)
    for number in range(24):
        dims = number % 3 + 1
        kernel, stride, dilation = (
            tuple(int(v) for v in rng.integers(1, top, dims)) for top in (4, 3, 3)
        )
        stride = (1,) * dims if number % 2 else stride
        space = tuple(int(v) for v in rng.integers(6, 9, dims))
        yield number, dims, kernel, stride, dilation, space


@pytest.mark.parametrize(("number", "dims", "kernel", "stride", "dilation", "space"), list(cases()))
@pytest.mark.parametrize("block", [dw.BLOCK, 20])
def test_all_ways_agree(number, dims, kernel, stride, dilation, space, block, monkeypatch):
    monkeypatch.setattr(dw, "BLOCK", block)
    rng = np.random.default_rng(number)
    x, w = rng.standard_normal((2, 3, *space)), rng.standard_normal((3, 1, *kernel))
    sides = zip(space, kernel, stride, dilation, strict=True)
    out = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in sides)
    expected = naive(x, w, out, stride, dilation)
    ways = {"blocks": dw._by_blocks(np, x, w, out, stride, dilation)}
    if dims > 1:
        ways["bands"] = dw._banded(np, x, w, out, stride, dilation)
    if max(stride) == 1:
        ways["rows"] = dw._by_rows(np, x, w, out, dilation)
    for found in ways.values():
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("space", [(60, 50), (7, 6)], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "options", [{}, {"padding": 1}, {"stride": 2, "padding": 1}, {"dilation": 2}]
)
def test_gradients_equal_those_of_groups_one_by_one(space, options):
    rng = np.random.default_rng(0)
    x, w = (
        tp.tensor(rng.standard_normal(s)).requires_grad_() for s in ((2, 3, *space), (3, 1, 3, 3))
    )
    conv = tp.nn.functional.conv2d
    conv(x, w, groups=3, **options).square().sum().backward()
    grads = x.grad.numpy(), w.grad.numpy()
    x.grad = w.grad = None
    for c in range(3):
        conv(x[:, c : c + 1], w[c : c + 1], **options).square().sum().backward()
    np.testing.assert_allclose(grads[0], x.grad.numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(grads[1], w.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_batches_of_none(groups):
    x = tp.zeros(0, 4, 5, 5, requires_grad=True)
    w = tp.ones(4, 4 // groups, 3, 3, requires_grad=True)
    out = tp.nn.functional.conv2d(x, w, groups=groups)
    out.sum().backward()
    assert out.shape == (0, 4, 3, 3) and x.grad.shape == x.shape
    assert not w.grad.numpy().any()
    up = tp.nn.functional.conv_transpose2d(x, w, groups=groups)
    assert up.shape == (0, 4 // groups * groups, 7, 7)
