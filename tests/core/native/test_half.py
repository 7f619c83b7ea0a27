"""Halves in native kernels: conversions, functions computed tile by tile, and whole arrays."""

import contextlib

import ml_dtypes
import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
HALVES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
DIGITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8}  # half a unit in the last place
SINGLE = np.dtype(np.float32)


@pytest.fixture(params=HALVES)
def half(request):
    return HALVES[request.param]


@pytest.fixture
def threads():
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def numbers(half, *shape, scale=2.0):
    return (scale * RNG.standard_normal(shape)).astype(np.float32).astype(half)


def taken(name, call):
    """What the call gives, and whether the kernel of that name was taken."""
    before = native.calls()[name]
    found = call()
    return found, native.calls()[name] == before + 1


def assert_rounded(found, exact, half, slack=0.02):
    """found is what exact rounds to, or within `slack` of half a unit of it."""
    assert found.dtype == half
    exact = np.asarray(exact, np.float64)
    smallest = float(ml_dtypes.finfo(half).smallest_subnormal)
    bound = DIGITS[half.name] * np.abs(exact) * (1 + slack) + (0.5 + slack) * smallest
    wrong = ~(np.abs(found.astype(np.float64) - exact) <= bound) & np.isfinite(exact)
    assert not wrong.any(), (found[wrong], exact[wrong])


@pytest.mark.filterwarnings("ignore:overflow|invalid")
def test_all_halves_there_and_back(half):
    x = np.arange(1 << 16).astype(np.uint16).view(half)
    wide, was_taken = taken("cast", lambda: kernel("cast")(x, dtype=SINGLE))
    assert was_taken
    np.testing.assert_array_equal(wide, x.astype(np.float32))
    np.testing.assert_array_equal(np.signbit(wide), np.signbit(x))
    back = kernel("cast")(wide, dtype=half)
    sound = ~np.isnan(wide)
    np.testing.assert_array_equal(back.view(np.uint16)[sound], x.view(np.uint16)[sound])
    assert np.isnan(back[~sound].astype(np.float32)).all()


@pytest.mark.filterwarnings("ignore:overflow|invalid")
def test_any_single_is_rounded_as_numpy_does(half):
    x = RNG.integers(0, 1 << 32, 1 << 20, dtype=np.uint32).view(np.float32)
    x[::3] = RNG.standard_normal(x[::3].shape) * np.exp2(RNG.integers(-30, 20, x[::3].shape))
    middle = np.arange(0x7F00, dtype=np.uint16).view(half).astype(np.float32)
    ties = (middle[:-1] + middle[1:]) / 2
    x = np.concatenate([x, ties, -ties, np.nextafter(ties, np.float32(0))])
    found, want = kernel("cast")(x, dtype=half), x.astype(half)
    np.testing.assert_array_equal(found.astype(np.float32), want.astype(np.float32))


def test_what_is_no_conversion_of_halves_is_left_to_numpy():
    for x, dtype in (
        (np.zeros(999, np.float64), HALVES["float16"]),
        (numbers(HALVES["float16"], 40, 40)[:, ::2], SINGLE),
        (numbers(HALVES["float16"], 40, 40), HALVES["bfloat16"]),
    ):
        found, was_taken = taken("cast", lambda x=x, d=dtype: kernel("cast")(x, dtype=d))
        assert not was_taken
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, x.astype(dtype))


ONE = ["abs", "cos", "erf", "exp", "expm1", "gelu", "gelu_tanh", "neg", "relu", "round", "sigmoid"]
ONE += ["silu", "sin", "square", "tanh", "ceil", "floor", "trunc", "sign"]
TWO = ["add", "sub", "mul", "div", "maximum", "minimum", "gelu_dx", "silu_dx", "relu_dx"]


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("size", [(1 << 17) + 7, (3, 70001)])
def test_functions_of_one(name, size, half):
    x = np.maximum(numbers(half, *np.atleast_1d(size)), half.type(-5))  # NumPy's gelu ends there
    y, was_taken = taken(name, lambda: kernel(name)(x))
    assert was_taken
    assert_rounded(y, kernel(name).plain(x.astype(np.float64)), half)


@pytest.mark.parametrize("name", ["log", "log1p", "sqrt", "rsqrt", "reciprocal"])
def test_functions_of_positive_numbers(name, half):
    x = np.abs(numbers(half, 1 << 17)) + half.type(0.25)
    y, was_taken = taken(name, lambda: kernel(name)(x))
    assert was_taken
    assert_rounded(y, kernel(name).plain(x.astype(np.float64)), half)


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("other", [(300, 77), (77,), (300, 1), (1,)])
def test_functions_of_two(name, other, half):
    a, b = numbers(half, 300, 77), np.maximum(numbers(half, *other), half.type(-5))
    y, was_taken = taken(name, lambda: kernel(name)(a, b))
    assert was_taken
    want = kernel(name).plain(*np.broadcast_arrays(a.astype(np.float64), b.astype(np.float64)))
    assert_rounded(y, want, half)


@pytest.mark.parametrize("name", ["eq", "lt", "ge", "isnan", "isfinite"])
def test_tests(name, half):
    values = [numbers(half, 1 << 17)]
    values[0][5] = np.nan
    if not name.startswith("is"):
        values.append(numbers(half, 1 << 17))
    y, was_taken = taken(name, lambda: kernel(name)(*values))
    assert was_taken
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(y, kernel(name).plain(*values))


def test_where(half):
    a, b, mask = numbers(half, 99, 99), numbers(half, 99, 99), RNG.random((99, 99)) < 0.5
    y, was_taken = taken("where", lambda: kernel("where")(mask, a, b))
    assert was_taken
    np.testing.assert_array_equal(y, np.where(mask, a, b))


@pytest.mark.parametrize("shape", [(300, 300), (2, 3)])
def test_numbers_are_rounded_first(shape, half):
    x = tp.tensor(numbers(half, *shape).astype(np.float32)).to(getattr(tp, half.name))
    factor = float(half.type(0.1))
    want = x.numpy().astype(np.float64) * factor
    assert_rounded((x * 0.1).numpy(), want, half)
    assert_rounded((x.T * 0.1).numpy(), want.T, half)


def test_in_place(half):
    x, b = numbers(half, 300, 300), numbers(half, 300)
    t = tp.tensor(x.astype(np.float32)).to(getattr(tp, half.name))
    memory, want = t.data_ptr(), x.astype(np.float32) + b.astype(np.float32)
    _, was_taken = taken("add", lambda: t.add_(tp.tensor(b.astype(np.float32)).to(t.dtype)))
    assert was_taken
    assert t.data_ptr() == memory
    assert_rounded(t.numpy(), want, half)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(("shape", "axis"), [((7, 999), 1), ((3, 5, 10001), 2), ((300, 77), 0)])
def test_softmax(name, shape, axis, half):
    x = numbers(half, *shape)
    y, was_taken = taken(name, lambda: kernel(name)(x, axis=axis))
    assert was_taken
    assert_rounded(y, kernel(name).plain(x.astype(np.float64), axis=axis), half)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize(("shape", "dims"), [((64, 999), 1), ((5, 40, 301), 2)])
@pytest.mark.parametrize("affine", [0, 1, 2])
def test_norms(name, shape, dims, affine, half):
    if name == "rms_norm" and affine == 2:
        pytest.skip("rms_norm has no bias")
    x = numbers(half, *shape)
    weights = [numbers(half, *shape[-dims:]) for _ in range(affine)]
    y, was_taken = taken(name, lambda: kernel(name)(x, *weights, dims=dims, eps=1e-5))
    assert was_taken
    wide = [v.astype(np.float64) for v in (x, *weights)]
    want = kernel(name).plain(*wide, dims=dims, eps=1e-5)
    assert y.dtype == half
    np.testing.assert_allclose(y.astype(float), want, rtol=1.1 * DIGITS[half.name], atol=2e-6)


@pytest.mark.parametrize("name", ["sum", "amax", "amin"])
@pytest.mark.parametrize(
    ("shape", "axes"), [((99, 301), (1,)), ((7, 70000), (1,)), ((9, 9999), (0, 1))]
)
@pytest.mark.parametrize("keepdim", [True, False])
def test_reductions(name, shape, axes, keepdim, half):
    x = numbers(half, *shape)
    y, was_taken = taken(name, lambda: kernel(name)(x, axes=axes, keepdim=keepdim))
    assert was_taken
    wide = x.astype(np.float64)
    want = kernel(name).plain(wide, axes=axes, keepdim=keepdim)
    size = np.abs(wide).sum(axes, keepdims=keepdim)
    assert y.dtype == half
    bound = DIGITS[half.name] * np.abs(want) + 1e-6 * size
    assert (np.abs(y.astype(float) - want) <= bound).all()


def test_places(half):
    x = numbers(half, 99, 301)
    for name in ("argmax", "argmin"):
        y, was_taken = taken(name, lambda name=name: kernel(name)(x, axis=1, keepdim=False))
        assert was_taken
        np.testing.assert_array_equal(y, getattr(x.astype(np.float32), name)(1))


THROUGH = {
    "linear": lambda v: ((v(64, 100), v(30, 100), v(30)), {}),
    "matmul": lambda v: ((v(3, 40, 50), v(3, 20, 50).transpose(0, 2, 1)), {}),
    "conv": lambda v: (
        (v(2, 8, 15, 15), v(12, 8, 3, 3)),
        {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1},
    ),
    "softmax_dx": lambda v: ((v(30, 40), v(30, 40)), {"axis": 1}),
    "layer_norm_grad": lambda v: ((v(30, 40), v(30, 40), v(40)), {"dims": 1, "eps": 1e-5}),
}


@pytest.mark.parametrize("name", THROUGH)
def test_whole_arrays_are_computed_as_single_and_rounded_once(name, half):
    arrays, params = THROUGH[name](lambda *shape: numbers(half, *shape))
    found, was_taken = taken(name, lambda: kernel(name)(*arrays, **params))
    assert was_taken
    want = kernel(name)(*(x.astype(np.float32) for x in arrays), **params)
    for y, exact in zip(
        *((v if isinstance(v, tuple) else (v,)) for v in (found, want)), strict=True
    ):
        assert y.dtype == half
        assert y.shape == exact.shape
        np.testing.assert_allclose(
            y.astype(float), exact, rtol=1.05 * DIGITS[half.name], atol=1e-5 * np.abs(exact).max()
        )


def test_mixed_kinds_are_left_to_numpy():
    a, b = (numbers(h, 64, 100) for h in HALVES.values())
    for other in (b, a.astype(np.float32), a.astype(np.float64)):
        before = native.calls()
        with contextlib.suppress(TypeError):  # NumPy has no sum of float16 and bfloat16
            kernel("add")(a, other)
        after = native.calls()
        assert {k: after[k] for k in ("add", "half")} == {k: before[k] for k in ("add", "half")}


def test_nan_and_infinities(half):
    x = numbers(half, 1 << 12)
    x[3], x[7], x[11], x[12] = np.nan, np.inf, -np.inf, -0.0
    for name in ("gelu", "exp", "sigmoid", "silu", "relu", "add"):
        values = (x, x) if name == "add" else (x,)
        with np.errstate(all="ignore"):
            want = kernel(name).plain(*(v.astype(np.float32) for v in values))
        y = kernel(name)(*values).astype(np.float32)
        np.testing.assert_array_equal(np.isnan(y), np.isnan(want), name)
        special = ~np.isfinite(x.astype(np.float32)) & ~np.isnan(want)
        np.testing.assert_array_equal(y[special], want[special], name)


def test_threads_change_nothing(half, threads):
    x = numbers(half, 300, 999)
    found = []
    for count in (1, 2):
        threads(count)
        y = kernel("softmax")(x, axis=1), kernel("gelu")(x), kernel("sum")(x, axes=(0, 1))
        found.append((*y, kernel("cast")(x, dtype=SINGLE)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_gradients_of_a_layer(half):
    tp.manual_seed(0)
    layer = tp.nn.Sequential(tp.nn.Linear(64, 32), tp.nn.GELU(), tp.nn.LayerNorm(32))
    x, weights = tp.randn(40, 64), tp.randn(40, 32)
    grads = []
    for dtype in (tp.float32, getattr(tp, half.name)):
        layer.to(dtype).zero_grad()
        (layer(x.to(dtype)) * weights.to(dtype)).sum().backward()
        grads.append([p.grad.float().numpy().copy() for p in layer.parameters()])
    for exact, rounded in zip(*grads, strict=True):
        np.testing.assert_allclose(rounded, exact, atol=8 * DIGITS[half.name] * np.abs(exact).max())
