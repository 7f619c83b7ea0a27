"""Native attention against NumPy's in double precision."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
PLAIN = {"scale": 0.4, "causal": None, "masked": False, "drop": 0.0}
# Leading axes, queries, keys, features of keys and of values.
SIZES = [
    ((1,), 1, 1, 1, 1),
    ((2, 3), 5, 7, 3, 4),
    ((), 65, 64, 8, 8),
    ((2,), 130, 300, 16, 33),
    ((1, 2), 70, 513, 32, 16),
]


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def heads(lead, queries, keys, e, f):
    return numbers(*lead, queries, e), numbers(*lead, keys, e), numbers(*lead, keys, f)


def compare(name, arrays, params, taken=True):
    override = TABLE[name].kernel(arrays[0])
    before = native.calls()[name]
    found = override(*arrays, **params)
    assert (native.calls()[name] == before + 1) == taken
    wide = [a if a.dtype == bool else a.astype(np.float64) for a in arrays]
    with np.errstate(divide="ignore"):  # rows that see nothing
        want = override.plain(*wide, **params)
    for one, two in zip(found, want, strict=True):
        assert one.shape == two.shape
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=2e-5)
    return found


@pytest.mark.parametrize("causal", [None, 0, -3, 20])
@pytest.mark.parametrize("size", SIZES)
def test_as_numpy(size, causal):
    q, k, v = heads(*size)
    params = {**PLAIN, "causal": causal}
    out, level = compare("attention", (q, k, v), params)
    grads = (numbers(*out.shape), numbers(*level.shape))
    compare("attention_grad", (*grads, q, k, v, out, level), params)


@pytest.mark.parametrize("shape", [(1, 1, 90), (3, 70, 90), (70, 90), (3, 70, 1)])
def test_masks(shape):
    q, k, v = heads((2, 3), 70, 90, 16, 16)
    params = {**PLAIN, "masked": True}
    seen = RNG.random(shape) > 0.4
    out, level = compare("attention", (q, k, v, seen), params)
    grads = (numbers(*out.shape), numbers(*level.shape))
    compare("attention_grad", (*grads, q, k, v, out, level, seen), params)
    compare("attention", (q, k, v, numbers(*shape)), params)


def test_rows_that_see_nothing_are_zeros():
    q, k, v = heads((2,), 20, 30, 8, 8)
    seen = np.ones((20, 30), bool)
    seen[3] = False
    out, level = compare("attention", (q, k, v, seen), {**PLAIN, "masked": True})
    assert (out[:, 3] == 0).all()
    assert (level[:, 3] == np.inf).all()


def test_heads_of_one_projection():
    """(n, l, 3, h, e) as three views whose heads are not packed."""
    q, k, v = (x.swapaxes(1, 2) for x in np.moveaxis(numbers(2, 40, 3, 4, 16), 2, 0))
    out, level = compare("attention", (q, k, v), PLAIN)
    grads = (numbers(2, 40, 4, 16).swapaxes(1, 2), numbers(*level.shape))
    compare("attention_grad", (*grads, q, k, v, out, level), PLAIN)


def test_a_stride_of_two_along_features():
    q, k, v = (numbers(2, 20, 16)[..., ::2] for _ in range(3))
    compare("attention", (q, k, v), PLAIN)


def test_dropout_and_added_masks_that_learn_go_to_numpy():
    q, k, v = heads((2,), 20, 30, 8, 8)
    kernel, before = TABLE["attention"].kernel(q), native.calls()
    kernel(q, k, v, np.array([1, 2]), **{**PLAIN, "drop": 0.3})
    kernel(*(x.astype(np.float64) for x in (q, k, v)), **PLAIN)
    assert native.calls()["attention"] == before["attention"]
    mask, params = numbers(20, 30), {**PLAIN, "masked": True}
    out, level = kernel(q, k, v, mask, **params)
    arrays = (numbers(2, 20, 8), numbers(2, 20), q, k, v, out, level, mask)
    compare("attention_grad", arrays, params, taken=False)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_stays_in_its_row():
    q, k, v = heads((1,), 70, 30, 8, 8)
    q[0, 5, 2] = np.nan
    out, level = TABLE["attention"].kernel(q)(q, k, v, **PLAIN)
    assert np.isnan(out[0, 5]).all()
    assert np.isnan(level).sum() == 1
    assert np.isnan(out).sum() == 8


@pytest.mark.parametrize("lead", [(1,), (12,)])
def test_threads_change_nothing(lead, threads):
    q, k, v = heads(lead, 300, 280, 32, 32)
    g, h = numbers(*lead, 300, 32), numbers(*lead, 300)
    found = []
    for count in (1, 2):
        threads(count)
        out, level = TABLE["attention"].kernel(q)(q, k, v, **PLAIN)
        grads = TABLE["attention_grad"].kernel(q)(g, h, q, k, v, out, level, **PLAIN)
        found.append((out, level, *grads))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_gradient_through_tensors():
    from triptych.nn.functional import scaled_dot_product_attention

    arrays, up, grads = heads((2, 3), 33, 47, 8, 8), numbers(2, 3, 33, 8), []
    for dtype in (tp.float32, tp.float64):
        leaves = [tp.tensor(a).to(dtype).requires_grad_() for a in arrays]
        (scaled_dot_product_attention(*leaves) * tp.tensor(up).to(dtype)).sum().backward()
        grads.append([x.grad.numpy() for x in leaves])
    for one, two in zip(*grads, strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("spread", [1, 10])
def test_gradients_of_halves_with_large_scores(dtype, spread):
    """The level of a query of score 300 has more digits than halves."""
    from triptych.nn.functional import scaled_dot_product_attention

    half = getattr(tp, dtype)
    q, k, v = heads((2, 3), 33, 47, 8, 8)
    arrays = [tp.tensor(a).to(half) for a in (spread * q, spread * k, v, numbers(2, 3, 33, 8))]
    grads, before = [], native.calls()
    for to in (half, tp.float64):
        *leaves, up = (a.clone().to(to).requires_grad_() for a in arrays)
        (scaled_dot_product_attention(*leaves) * up).sum().backward()
        grads.append([x.grad.to(tp.float64).numpy() for x in leaves])
    for name in ("attention", "attention_grad"):
        assert native.calls()[name] == before[name] + 1
    for got, want in zip(*grads, strict=True):
        assert np.abs(got - want).max() <= 0.01 * np.abs(want).max()
