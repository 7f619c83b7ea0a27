"""Convolutions against loops and SciPy."""

import itertools

import numpy as np
import pytest
from scipy import signal

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def naive(x, w, stride, padding, dilation, groups):
    """Every output by itself."""
    dims = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(padding, padding)] * dims])
    out = [
        (n - dilation * (k - 1) - 1) // stride + 1
        for n, k in zip(x.shape[2:], w.shape[2:], strict=True)
    ]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per_in, per_out = w.shape[1], w.shape[0] // groups
    for n, o, *at in itertools.product(*map(range, y.shape)):
        start = o // per_out * per_in
        window = tuple(
            slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation)
            for i, k in zip(at, w.shape[2:], strict=True)
        )
        y[(n, o, *at)] = (x[(n, slice(start, start + per_in), *window)] * w[o]).sum()
    return y


def transposed(x, w, stride, padding, dilation, groups, extra):
    """Every input spread by itself."""
    space = [
        (n - 1) * stride + dilation * (k - 1) + extra + 1
        for n, k in zip(x.shape[2:], w.shape[2:], strict=True)
    ]
    per_in, per_out = x.shape[1] // groups, w.shape[1]
    y = np.zeros((x.shape[0], per_out * groups, *space))
    for n, c, *at in itertools.product(*map(range, x.shape)):
        start = c // per_in * per_out
        window = tuple(
            slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation)
            for i, k in zip(at, w.shape[2:], strict=True)
        )
        y[(n, slice(start, start + per_out), *window)] += x[(n, c, *at)] * w[c]
    inner = tuple(slice(padding, s - padding) for s in space)
    return y[(Ellipsis, *inner)]


OPTIONS = [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 1), (1, 1, 1, 2), (2, 1, 2, 4), (3, 0, 1, 2)]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), OPTIONS)
def test_conv(dims, stride, padding, dilation, groups):
    space = (7, 6, 5)[:dims]
    x = RNG.standard_normal((2, 4, *space))
    w = RNG.standard_normal((8, 4 // groups, *(3, 2, 2)[:dims]))
    b = RNG.standard_normal(8)
    want = naive(x, w, stride, padding, dilation, groups) + b.reshape(-1, *[1] * dims)
    tx, tw, tb = map(tp.tensor, (x, w, b))
    got = CONV[dims](tx, tw, tb, stride, padding, dilation, groups)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)
    single = CONV[dims](tx[0], tw, tb, stride, padding, dilation, groups)
    np.testing.assert_allclose(single.numpy(), want[0], atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups", "extra"),
    [(1, 0, 1, 1, 0), (2, 1, 1, 1, 1), (1, 1, 2, 2, 0), (3, 0, 1, 2, 2), (2, 1, 3, 4, 2)],
)
def test_conv_transpose(dims, stride, padding, dilation, groups, extra):
    x = RNG.standard_normal((2, 4, *(4, 3, 3)[:dims]))
    w = RNG.standard_normal((4, 6 // max(groups // 2, 1), *(3, 2, 2)[:dims]))
    want = transposed(x, w, stride, padding, dilation, groups, extra)
    got = TRANSPOSED[dims](
        tp.tensor(x), tp.tensor(w), None, stride, padding, extra, groups, dilation
    )
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), OPTIONS[:5])
def test_conv_derivatives(stride, padding, dilation, groups):
    inputs = (
        tp.tensor(RNG.standard_normal((1, 4, 5, 4)), requires_grad=True),
        tp.tensor(RNG.standard_normal((4, 4 // groups, 2, 2)), requires_grad=True),
        tp.tensor(RNG.standard_normal(4), requires_grad=True),
    )

    def run(x, w, b):
        return F.conv2d(x, w, b, stride, padding, dilation, groups)

    assert gradcheck(run, inputs)
    assert gradgradcheck(run, inputs)


@pytest.mark.parametrize(("stride", "extra", "dilation", "groups"), [(2, 1, 1, 1), (2, 2, 3, 2)])
def test_conv_transpose_derivatives(stride, extra, dilation, groups):
    inputs = (
        tp.tensor(RNG.standard_normal((1, 2, 3, 2)), requires_grad=True),
        tp.tensor(RNG.standard_normal((2, 2, 2, 2)), requires_grad=True),
    )

    def run(x, w):
        return F.conv_transpose2d(x, w, None, stride, 1, extra, groups, dilation)

    assert gradcheck(run, inputs)
    assert gradgradcheck(run, inputs)


@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (1, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_keeps_lengths(kernel, dilation):
    x, w = RNG.standard_normal((1, 1, 9, 10)), RNG.standard_normal((1, 1, *kernel))
    got = F.conv2d(tp.tensor(x), tp.tensor(w), padding="same", dilation=dilation).numpy()
    spread = np.zeros([dilation * (k - 1) + 1 for k in kernel])
    spread[::dilation, ::dilation] = w[0, 0]
    full = signal.correlate2d(x[0, 0], spread, "full")
    starts = [(k - 1) - (k - 1) // 2 for k in spread.shape]  # the odd zero goes after
    want = full[starts[0] : starts[0] + 9, starts[1] : starts[1] + 10]
    np.testing.assert_allclose(got[0, 0], want, atol=1e-12)
    valid = F.conv2d(tp.tensor(x), tp.tensor(w), padding="valid", dilation=dilation)
    assert valid.shape[2:] == tuple(n - s + 1 for n, s in zip((9, 10), spread.shape, strict=True))


def test_complex_conv():
    x, w = (RNG.standard_normal((1, 2, 6)) + 1j * RNG.standard_normal((1, 2, 6)) for _ in range(2))
    w = w[..., :3]
    want = sum(np.correlate(x[0, c], w[0, c].conj(), "valid") for c in range(2))
    np.testing.assert_allclose(F.conv1d(tp.tensor(x), tp.tensor(w)).numpy()[0, 0], want)


def test_unfold_gives_what_conv_sees_and_fold_puts_it_back():
    x, w = RNG.standard_normal((2, 3, 7, 6)), RNG.standard_normal((4, 3, 3, 2))
    options = {"dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)}
    columns = F.unfold(tp.tensor(x), (3, 2), **options)
    product = tp.tensor(w.reshape(4, -1)) @ columns
    direct = F.conv2d(tp.tensor(x), tp.tensor(w), **options)
    np.testing.assert_allclose(product.numpy().reshape(direct.shape), direct.numpy(), atol=1e-12)
    ones = F.fold(F.unfold(tp.ones(2, 3, 7, 6), (3, 2), **options), (7, 6), (3, 2), **options)
    back = F.fold(columns, (7, 6), (3, 2), **options)
    np.testing.assert_allclose(back.numpy(), x * ones.numpy(), atol=1e-6)
    assert gradgradcheck(
        lambda x: F.unfold(x, 2, padding=1), (tp.tensor(x[:1, :1, :3, :3], requires_grad=True),)
    )


def test_errors_say_what_fits():
    x, w = tp.ones(1, 3, 8, 8), tp.ones(4, 3, 3, 3)
    with pytest.raises(tp.ShapeError, match=r"conv2d: weight expects 3 input channels .* NHWC"):
        F.conv2d(tp.ones(1, 8, 8, 3), w)
    with pytest.raises(tp.ShapeError, match="conv2d: wanted input"):
        F.conv2d(tp.ones(8, 8), w)
    with pytest.raises(tp.ShapeError, match="does not fit"):
        F.conv2d(tp.ones(1, 3, 2, 2), w)
    with pytest.raises(tp.ShapeError, match="stride 1"):
        F.conv2d(x, w, padding="same", stride=2)
    with pytest.raises(tp.ShapeError, match="'valid' or 'same'"):
        F.conv2d(x, w, padding="full")
    with pytest.raises(tp.ShapeError, match=r"bias of shape \(4,\)"):
        F.conv2d(x, w, tp.ones(3))
    with pytest.raises(tp.ShapeError, match="one int or 2"):
        F.conv2d(x, w, stride=(1, 1, 1))
    with pytest.raises(tp.ShapeError, match="output_padding"):
        F.conv_transpose2d(tp.ones(1, 4, 3, 3), w, output_padding=1)
    with pytest.raises(tp.ShapeError, match="c = 3"):
        F.conv_transpose2d(x, w)
    with pytest.raises(tp.ShapeError, match="leaves nothing"):
        F.conv_transpose2d(tp.ones(1, 4, 1, 1), w, padding=3)
    with pytest.raises(tp.ShapeError, match="fold: wanted"):
        F.fold(tp.ones(1, 8, 5), (4, 4), 2)


@pytest.mark.parametrize("dtype", [tp.float32, tp.float64, tp.float16])
@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_no_samples_and_no_outputs(dtype, groups, stride):
    x = tp.zeros(0, 8, 9, 7, dtype=dtype, requires_grad=True)
    w = tp.ones(8, 8 // groups, 3, 3, dtype=dtype, requires_grad=True)
    y = F.conv2d(x, w, tp.ones(8, dtype=dtype), stride, 1, groups=groups)
    assert y.shape == (0, 8, -(-9 // stride), -(-7 // stride))
    y.sum().backward()
    assert x.grad.shape == x.shape and not w.grad.any()
    with tp.no_grad():
        assert F.conv2d(x, w, None, stride, 1, groups=groups).shape == y.shape
    if groups < 8:
        images, none = tp.ones(2, 8, 9, 7, dtype=dtype), w.detach()[:0]
        assert F.conv2d(images, none, None, stride, 1, groups=groups).shape == (2, 0, *y.shape[2:])
