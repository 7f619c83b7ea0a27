"""Native elementwise operations against NumPy's: values, layouts, edges, when they are taken."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.backends.native.elementwise import LEAST, OTHER_NAMES
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
SIZE = 1 << 17  # from here on every kernel is taken
UNARY = sorted(name for name in LEAST if TABLE[name].kind in ("unary", "composite"))
BINARY = sorted(name for name in (*LEAST, *OTHER_NAMES) if TABLE[name].kind == "binary")
# Against NumPy's path in float64: 2 units in the last place, and where the formula has a zero away
# from 0, or NumPy's loses digits of a small result, as much of the terms.
RTOL = 3e-7
ATOL = {"gelu": 1e-13, "gelu_tanh": 1e-13, "tanh_dx": 2e-6}
ATOL |= dict.fromkeys(("gelu_dx", "gelu_tanh_dx", "hardswish_dx", "silu_dx"), 1e-6)


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request):
    before = tp.get_num_threads()
    tp.set_num_threads(request.param)
    yield request.param
    tp.set_num_threads(before)


def kernels(name):
    found = TABLE[name].kernel(np.ones(1, np.float32))
    return found.fast, found.plain


def samples(name, shape=(SIZE,)):
    x = RNG.normal(0, 3, shape).astype(np.float32)
    return np.abs(x) + np.float32(0.01) if name in ("log", "log1p", "sqrt", "rsqrt") else x


def wide(x):
    return x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype == np.float32 else x


def agree(name, *inputs):
    fast, plain = kernels(name)
    got = fast(*inputs)
    with np.errstate(all="ignore"):
        want = plain(*map(wide, inputs))
        assert got.dtype == plain(*inputs).dtype
        want = want.astype(got.dtype)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, RTOL, ATOL.get(name, 1e-44))


@pytest.fixture
def two_threads():
    before = tp.get_num_threads()
    tp.set_num_threads(2)
    yield
    tp.set_num_threads(before)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name, two_threads):
    for shape in ((1,), (7, 13), (3, 5, 7, 11), (SIZE,), (SIZE + 1,)):
        agree(name, samples(name, shape))


@pytest.mark.parametrize("name", UNARY)
def test_unary_at_the_edges(name, two_threads):
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-40, -1e-40, 3e38, -3e38, 100, -80]
    x = np.array(edges, np.float32)
    agree(name, x)
    if name in ("abs", "ceil", "floor", "neg", "round", "sin", "sqrt", "tanh", "trunc"):
        fast, plain = kernels(name)
        np.testing.assert_array_equal(np.signbit(fast(x[:2])), np.signbit(plain(x[:2])))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name, two_threads):
    x = samples(name, (6, 8, 40, 70))
    shapes = (x.shape, (70,), (8, 1, 1), (40, 70), (6, 1, 1, 1), (40, 1), (), (1,))
    for y in (*(samples(name, shape) for shape in shapes), 2.5, -3):
        agree(name, x, y)


@pytest.mark.parametrize("name", ["maximum", "minimum", "add", "eq", "lt", "relu_dx"])
def test_binary_with_nan(name, two_threads):
    fast, plain = kernels(name)
    x = np.array([np.nan, 1, np.nan, np.inf, -np.inf, -0.0, 2], np.float32)
    y = np.array([1, np.nan, np.nan, -np.inf, -np.inf, 0.0, -0.0], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(fast(x, y), plain(x, y))


def test_where():
    fast, plain = kernels("where")
    condition, a, b = RNG.random((40, 50)) > 0.5, samples("add", (40, 50)), samples("add", (40, 50))
    for x, y in ((a, b), (a, 0), (0.5, b), (a, b[0]), (a[:, :1].copy(), b)):
        np.testing.assert_array_equal(fast(condition, x, y), plain(condition, x, y))


@pytest.mark.parametrize("name", ["add", "div", "le", "sub", "relu_dx"])
def test_the_second_may_be_the_larger(name, two_threads):
    fast, plain = kernels(name)
    x = samples("add", (3, 40, 7, 7))
    taken = native.calls()[name]
    for small in (x[:1, :, :1, :1].copy(), x[0, 0, 0].copy(), 2.5, 3, x[:1, :1, :1, :1].copy()):
        np.testing.assert_allclose(fast(small, x), plain(small, x), RTOL, 1e-6)
    assert native.calls()[name] == taken + 5
    find = TABLE[name].kernel(x)
    big, scale = samples("add", (3, 40, 70, 70)), x[:1, :, :1, :1].copy()
    before = native.calls()[name]
    np.testing.assert_allclose(find(scale, big), plain(scale, big), RTOL, 1e-6)
    assert native.calls()[name] == before + 1


def test_what_does_not_fit_is_left_to_numpy(two_threads):
    x = samples("add", (400, 400))
    add, exp = native.native.add, native.native.exp
    refused = [
        exp(x.astype(np.float64)),
        exp(x.T),
        exp(x[:, ::2]),
        exp(x[:0]),
        exp(x.astype(">f4")),
        add(x, x.T),
        add(x[:, :1].copy(), x[0]),
        add(x[0, :10].copy(), x[None, None, :1, :5].copy()),
        native.native.add_(x[0], x),
        add(x, x.astype(np.float64)),
        add(x, 1e39),
        add(x, 10**400),
        add(x, 1j),
        add(x, True),
        add(x.reshape(20, 20, 400), x[:20].reshape(20, 1, 400)[:, :, :1].repeat(400, 2)[:, :, ::2]),
        add(x.reshape(8, 50, 400), x.reshape(8, 50, 400)[:, :1].copy()),  # two runs of axes
    ]
    assert all(y is NotImplemented for y in refused)


def test_taken_from_a_size_on(two_threads):
    before = native.calls()
    for size in (LEAST["gelu"] - 1, LEAST["gelu"]):
        F.gelu(tp.ones(size))
    tp.ones(SIZE) + tp.ones(SIZE)
    tp.ones(SIZE).add_(1)
    after = native.calls()
    assert after["gelu"] == before["gelu"] + 1
    assert after["add"] == before["add"] + 2


def test_one_thread_leaves_to_numpy_what_it_does_better():
    before = tp.get_num_threads()
    try:
        tp.set_num_threads(1)
        assert native.native.tanh(np.ones(SIZE, np.float32)) is NotImplemented
        tp.set_num_threads(2)
        assert native.native.tanh(np.ones(SIZE, np.float32)) is not NotImplemented
    finally:
        tp.set_num_threads(before)


def test_threads_do_not_change_results():
    x = samples("exp", (SIZE * 3 + 5,))
    before = tp.get_num_threads()
    try:
        tp.set_num_threads(1)
        one = native.native.gelu(x), native.native.add(x, x[::-1].copy())
        tp.set_num_threads(3)
        many = native.native.gelu(x), native.native.add(x, x[::-1].copy())
    finally:
        tp.set_num_threads(before)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


class TestInPlace:
    """Writing over the first input."""

    def test_values(self, threads):
        x, y = samples("add", (300, 400)), samples("add", (300, 400))
        for other in (y, y[0], y[:, :1].copy(), 2.0):
            memory = x.copy()
            assert native.native.mul_(memory, other) is memory
            np.testing.assert_array_equal(memory, x * other)

    def test_tensors(self, threads):
        x = tp.randn(100_000)
        y, z = x.clone(), tp.randn(100_000)
        before = native.calls()["add"]
        assert tp.equal(y.add_(z), x + z)
        assert native.calls()["add"] == before + 2
        assert y._version == 1

    def test_memory_that_overlaps_is_left_to_numpy(self):
        x = samples("add", (SIZE + 1,))
        assert native.native.add_(x[1:], x[:-1]) is NotImplemented
        assert native.native.add_(x[:-1], x[1:]) is NotImplemented
        assert native.native.add_(x, x[:1]) is NotImplemented
        want = x[1:] + x[1:]
        np.testing.assert_array_equal(native.native.add_(x[1:], x[1:]), want)

    def test_memory_that_may_not_be_written(self):
        x = samples("add", (SIZE,))
        x.flags.writeable = False
        assert native.native.add_(x, 1.0) is NotImplemented


@pytest.mark.parametrize(
    ("name", "approximate"),
    [*((name, "none") for name in ("gelu", "silu", "relu", "tanh", "sigmoid")), ("gelu", "tanh")],
)
def test_gradients(name, approximate, two_threads):
    function = getattr(F, name) if hasattr(F, name) else getattr(tp, name)
    options = {"approximate": "tanh"} if approximate == "tanh" else {}
    x = tp.randn(SIZE)
    fast, exact = x.clone().requires_grad_(), x.double().requires_grad_()
    weight = tp.randn(SIZE)
    (function(fast, **options) * weight).sum().backward()
    (function(exact, **options) * weight.double()).sum().backward()
    tp.testing.assert_close(fast.grad, exact.grad.float(), rtol=1e-5, atol=2e-6)
