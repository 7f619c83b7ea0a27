"""Sums over bands of a spectrum, such as mel filters."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native

pytestmark = pytest.mark.native


def mel_like(bands, bins):
    """Triangles that overlap, the last band empty."""
    edges = np.linspace(0, bins - 1, bands + 2) ** 2 / (bins - 1)
    rise = (np.arange(bins) - edges[:-2, None]) / np.maximum(np.diff(edges)[:-1, None], 1e-3)
    fall = (edges[2:, None] - np.arange(bins)) / np.maximum(np.diff(edges)[1:, None], 1e-3)
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[-1] = 0
    return weights.astype("f4")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(201, 6001), (2, 3, 65, 50), (33, 1000), (40, 1, 257, 17)])
def test_sums(shape, threads):
    rng = np.random.default_rng(0)
    x, bands = rng.standard_normal(shape).astype("f4"), mel_like(24, shape[-2])
    before, found = native.calls()["band_sums"], []
    old = tp.get_num_threads()
    tp.set_num_threads(threads)
    try:
        for w in (tp.tensor(bands), tp.tensor(np.ascontiguousarray(bands.T)).mT):
            found.append(tp.signal.band_sums(tp.tensor(x), w).numpy())
    finally:
        tp.set_num_threads(old)
    assert native.calls()["band_sums"] == before + 2
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0], bands.astype(float) @ x, rtol=1e-5, atol=1e-5)


def test_a_bank_that_is_no_band_is_a_product():
    rng = np.random.default_rng(0)
    x, full = rng.standard_normal((80, 100)).astype("f4"), rng.standard_normal((24, 80))
    before = native.calls()["band_sums"]
    got = tp.signal.band_sums(tp.tensor(x), tp.tensor(full.astype("f4"))).numpy()
    assert native.calls()["band_sums"] == before
    np.testing.assert_allclose(got, full @ x, rtol=1e-4, atol=1e-4)


def test_gradients_and_batches():
    rng = np.random.default_rng(0)
    x, bands = rng.standard_normal((3, 65, 50)), mel_like(24, 65).astype(float)
    grads = []
    for dtype in (tp.float32, tp.float64):
        leaves = [tp.tensor(v, dtype=dtype, requires_grad=True) for v in (x, bands)]
        tp.signal.band_sums(*leaves).square().sum().backward()
        grads.append([v.grad.numpy() for v in leaves])
    for got, want in zip(*grads, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
    both = tp.tensor(np.stack([bands, 2 * bands, bands]))
    for axes, w in (((0, None), both[0]), ((0, 0), both), ((None, 0), both)):
        one = tp.tensor(x) if axes[0] == 0 else tp.tensor(x[0])
        got = tp.func.vmap(tp.signal.band_sums, axes)(one, w).numpy()
        np.testing.assert_allclose(got, tp.matmul(w, one).numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
def test_halves_are_rounded_once(dtype):
    x, bands = tp.rand(65, 100).to(dtype), tp.tensor(mel_like(24, 65)).to(dtype)
    want = tp.signal.band_sums(x.float(), bands.float()).to(dtype)
    got = tp.signal.band_sums(x, bands)
    assert got.dtype is dtype
    assert tp.equal(got, want)


def test_what_is_not_finite_stays_in_its_bands():
    x, bands = tp.rand(65, 100), tp.tensor(mel_like(24, 65))
    x[10, 7] = float("nan")
    got = tp.signal.band_sums(x, bands).isnan()
    seen = bands[:, 10] != 0
    assert tp.equal(got[:, 7], seen)
    assert got.sum() == seen.sum()


def test_clear_errors():
    with pytest.raises(tp.ShapeError, match=r"bands \(m, f\) and a spectrum"):
        tp.signal.band_sums(tp.rand(65, 100), tp.rand(65, 24))
    with pytest.raises(tp.ShapeError, match=r"bands \(m, f\) and a spectrum"):
        tp.signal.band_sums(tp.rand(65), tp.rand(24, 65))
    with pytest.raises(tp.DTypeError, match=r"band_sums.*one dtype"):
        tp.signal.band_sums(tp.rand(65, 100), tp.rand(24, 65).double())
