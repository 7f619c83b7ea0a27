"""Banks of filters that change the sample rate: tap by tap, and by Fourier transforms."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.backends.native import resample

pytestmark = pytest.mark.native


@pytest.mark.parametrize(
    ("filters", "taps", "step"), [(1, 1, 1), (3, 7, 2), (160, 475, 441), (2, 30, 50), (17, 16, 1)]
)
def test_banks(filters, taps, step):
    rng = np.random.default_rng(0)
    w = rng.standard_normal((filters, taps)).astype(np.float32)
    w[:, : taps // 3] = 0
    w[0] = 0
    for samples in (taps, taps + 3, taps + 40 * step, max(taps, 3000)):
        x = rng.standard_normal((2, 700, samples) if samples < 1000 else (2, samples)).astype("f4")
        before = native.calls()["filter_bank"]
        got = tp.signal.filter_bank(tp.tensor(x), tp.tensor(w), step).numpy()
        assert native.calls()["filter_bank"] == before + 1
        frames = np.lib.stride_tricks.sliding_window_view(x, taps, -1)[..., ::step, :]
        want = frames.astype(float) @ w.T.astype(float)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_gradients_of_a_bank():
    x, w = tp.randn(2, 2000), tp.randn(4, 9)
    grads = []
    for dtype in (tp.float32, tp.float64):
        leaves = [v.detach().to(dtype).requires_grad_() for v in (x, w)]
        tp.signal.filter_bank(*leaves, 3).square().sum().backward()
        grads.append([v.grad.numpy() for v in leaves])
    for got, want in zip(*grads, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
    with pytest.raises(tp.ShapeError, match="step of at least 1"):
        tp.signal.filter_bank(x, w, 0)
    with pytest.raises(tp.ShapeError, match=r"filters \(f, k\)"):
        tp.signal.filter_bank(x[:, :5], w)


def low_pass(step, phases, crossings=48, loss=0.94):
    """The filters of a windowed sinc that damps by 140 dB what the lower rate cannot hold."""
    cutoff = min(step, phases) * loss
    width = int(np.ceil(crossings * step / cutoff))
    at = (np.arange(-width, width + step) / step - np.arange(phases)[:, None] / phases) * cutoff
    inside = np.abs(at) < crossings
    at = np.where(inside, at, 0)
    window = np.i0(14.0 * np.sqrt(1 - (at / crossings) ** 2)) / np.i0(14.0)
    return np.where(inside, np.sinc(at) * window * cutoff / step, 0).astype(np.float32)


def banked(x, w, step):
    """By the kernels, and by a product in float64; which kernel was taken."""
    before = native.calls()
    got = tp.signal.filter_bank(tp.tensor(x), tp.tensor(w), step).numpy()
    taken = {name for name, n in native.calls().items() if n > before[name] and "bank" in name}
    frames = np.lib.stride_tricks.sliding_window_view(x, w.shape[1], -1)[..., ::step, :]
    return got, frames.astype(float) @ w.T.astype(float), taken


@pytest.fixture
def by_transforms(monkeypatch):
    """Calls of any size, with nothing designed before."""
    monkeypatch.setattr(resample, "LEAST_WORK", 0)
    monkeypatch.setattr(resample, "_known", ())


@pytest.mark.usefixtures("by_transforms")
@pytest.mark.parametrize("shape", [(20_000,), (1, 2500), (3, 5003), (2, 0, 3000)])
@pytest.mark.parametrize(
    ("step", "phases"),
    [(441, 160), (160, 441), (147, 160), (3, 1), (1, 3), (2, 1), (80, 147), (7, 11), (26, 33)],
)
def test_banks_by_transforms(shape, step, phases):
    w = low_pass(step, phases)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    got, want, taken = banked(x, w, step)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=5e-6)
    assert taken == ({"filter_bank_fourier"} if x.size else taken)


@pytest.mark.usefixtures("by_transforms")
def test_lanes_end_where_signals_do():
    w = low_pass(3, 2)
    rng = np.random.default_rng(0)
    for groups in range(1, 80):
        x = rng.standard_normal((9, w.shape[1] + 3 * (groups - 1) + groups % 3)).astype(np.float32)
        got, want, taken = banked(x, w, 3)
        np.testing.assert_allclose(got, want, rtol=0, atol=5e-6)
        assert taken == {"filter_bank_fourier"}


@pytest.mark.usefixtures("by_transforms")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e31])
def test_a_sample_that_transforms_cannot_take_reaches_its_own_outputs_only(value):
    w = low_pass(441, 160)
    x = np.zeros((1, 200_000), np.float32)
    x[0, 100_000] = value
    with np.errstate(invalid="ignore"):
        got, want, taken = banked(x, w, 441)
    assert taken == {"filter_bank"}
    touched = ~np.isfinite(want) | (want != 0)
    assert 0 < touched.sum() < 1000
    assert np.all(got[~touched] == 0)


@pytest.mark.usefixtures("by_transforms")
def test_transforms_do_not_depend_on_the_threads(threads):
    w = low_pass(441, 160)
    x = np.random.default_rng(0).standard_normal((3, 300_000)).astype(np.float32)
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(tp.signal.filter_bank(tp.tensor(x), tp.tensor(w), 441).numpy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.usefixtures("by_transforms")
def test_banks_that_transforms_do_not_pay_for():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 20_000)).astype(np.float32)
    short = low_pass(441, 160, crossings=4)
    everything = rng.standard_normal((160, 815)).astype(np.float32)  # stops nothing
    common = low_pass(441, 160)[:147]  # 441 and 147 have a common divisor
    broken = low_pass(441, 160)
    broken[3, 400] = np.nan
    for w in (short, everything, common, broken, np.zeros_like(broken)):
        for _ in range(2):  # designed, and remembered
            got, want, taken = banked(x, w, 441)
            assert taken == {"filter_bank"}
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("by_transforms")
def test_a_tone_where_the_filter_is_weak():
    """One bin of the band that is stopped, 100 dB below the rest: it is not left out."""
    step, phases = 441, 160
    w = low_pass(step, phases).astype(float)
    n, k = np.arange(phases)[:, None], np.arange(w.shape[1])
    w += np.abs(w).max() * 1e-5 * np.cos(2 * np.pi * 0.31 * (k - n * step / phases))
    w = w.astype(np.float32)
    x = np.cos(2 * np.pi * 0.31 * np.arange(100_000)).astype(np.float32)
    got, want, _ = banked(x, w, step)
    assert np.abs(want).max() > 1e-4
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-6)


@pytest.mark.usefixtures("by_transforms")
def test_designs_are_kept_for_a_few_banks(monkeypatch):
    designed = []
    monkeypatch.setattr(
        resample, "_design", lambda w, step, f=resample._design: designed.append(step) or f(w, step)
    )
    x = tp.randn(1, 3000)
    banks = [(tp.tensor(low_pass(step, 1)), step) for step in range(2, 12)]
    for w, step in [*banks, banks[-1], banks[-8], banks[0]]:
        tp.signal.filter_bank(x, w, step)
    assert designed == [*range(2, 12), 2]
    w = banks[-1][0].clone()
    w[0, 100] += 1e-3
    assert tp.signal.filter_bank(x, w, 11).ne(tp.signal.filter_bank(x, *banks[-1])).any()
