"""Spectra by the native kernels: NumPy's transforms in double precision are the reference."""

import numpy as np
import pytest

import triptych as tp

pytestmark = pytest.mark.native
LENGTHS = [2, 3, 4, 5, 6, 7, 15, 16, 30, 49, 61, 77, 122, 128, 200, 400, 512, 1000, 1025]


def reference(x, window, hop):
    """(..., bins, frames) in double precision."""
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(float), len(window), axis=-1)
    return np.fft.rfft(frames[..., ::hop, :] * window).swapaxes(-1, -2)


@pytest.mark.parametrize("n", LENGTHS)
def test_frames(n, taken):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 700 + 3 * n)).astype(np.float32)
    window = rng.standard_normal(n).astype(np.float32)
    for hop in {1, max(1, n // 3), n + 2}:
        want = reference(x, window, hop)
        got, count = taken(
            "stft",
            lambda hop=hop: tp.stft(
                tp.tensor(x), n, hop, window=tp.tensor(window), center=False, return_complex=True
            ),
        )
        assert count == 1
        assert got.shape == want.shape
        np.testing.assert_allclose(got.numpy(), want, atol=1e-6 * abs(want).max())
        got, count = taken(
            "stft_power",
            lambda hop=hop: tp.signal.power_spectrum(
                tp.tensor(x), n, hop, window=tp.tensor(window), center=False
            ),
        )
        assert count == 1
        power = abs(want) ** 2
        np.testing.assert_allclose(got.numpy(), power, atol=2e-6 * power.max())


@pytest.mark.parametrize("n", LENGTHS)
def test_rows(n, taken):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 101, n)).astype(np.float32)
    got, count = taken("rfft", lambda: tp.fft.rfft(tp.tensor(x)))
    assert count == (x.size >= 1024)
    want = np.fft.rfft(x.astype(float))
    np.testing.assert_allclose(got.numpy(), want, atol=1e-6 * abs(want).max())


def test_what_the_kernels_are_not_for(taken):
    x = tp.randn(20, 2000)
    window = tp.hann_window(67 * 2)  # a prime above the largest
    assert taken("stft", lambda: tp.stft(x, 134, window=window, return_complex=True))[1] == 0
    assert taken("rfft", lambda: tp.fft.rfft(x.double()))[1] == 0
    assert taken("rfft", lambda: tp.fft.rfft(x, dim=0))[1] == 0
    assert taken("rfft", lambda: tp.fft.rfft(x.t()))[1] == 0


def test_gradients_agree_with_numpys_path():
    x = tp.randn(2, 900, requires_grad=True)
    window = tp.hann_window(100)

    def gradient(x):
        tp.signal.power_spectrum(x, 100, 30, window=window).log1p().sum().backward()
        return x.grad

    got = gradient(x)
    want = gradient(x.detach().double().requires_grad_())
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=1e-4)


def test_threads_do_not_change_results():
    x, before = tp.randn(4, 30_000), tp.get_num_threads()
    try:
        tp.set_num_threads(1)
        one = tp.signal.power_spectrum(x, 400, 160)
        tp.set_num_threads(2)
        assert tp.equal(tp.signal.power_spectrum(x, 400, 160), one)
    finally:
        tp.set_num_threads(before)


def test_not_a_number_stays_in_its_frames():
    x = tp.zeros(5000)
    x[2000] = tp.nan
    power = tp.signal.power_spectrum(x, 400, 400, center=False)
    assert power.isnan().any(0).nonzero().flatten().tolist() == [5]
