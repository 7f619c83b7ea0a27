"""stft and istft: naive twins, SciPy, round trips and gradients."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp

RNG = np.random.default_rng(5)


def naive_stft(x, n_fft, hop, window):
    """One frame and one bin at a time; x is already padded."""
    frames = range(0, len(x) - n_fft + 1, hop)
    bins = np.arange(n_fft // 2 + 1)
    out = np.empty((len(bins), len(frames)), complex)
    for j, start in enumerate(frames):
        for k in bins:
            turn = np.exp(-2j * np.pi * k * np.arange(n_fft) / n_fft)
            out[k, j] = (x[start : start + n_fft] * window * turn).sum()
    return out


@pytest.mark.parametrize(
    ("pad_mode", "numpy_mode"),
    [("reflect", "reflect"), ("constant", "constant"), ("replicate", "edge"), ("circular", "wrap")],
)
@pytest.mark.parametrize(
    ("n_fft", "hop", "win"), [(16, 4, 16), (15, 7, 11), (16, 20, 9), (1, 1, 1)]
)
def test_naive_twin(n_fft, hop, win, pad_mode, numpy_mode):
    x = RNG.standard_normal(61)
    window = RNG.random(win)
    left = (n_fft - win) // 2
    full = np.pad(window, (left, n_fft - win - left))
    want = naive_stft(np.pad(x, n_fft // 2, numpy_mode), n_fft, hop, full)
    got = tp.stft(
        tp.tensor(x), n_fft, hop, win, tp.tensor(window), pad_mode=pad_mode, return_complex=True
    )
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


def test_like_scipy():
    x = RNG.standard_normal((2, 3, 500))
    window = scipy.signal.get_window("hann", 64)
    transform = scipy.signal.ShortTimeFFT(window, 16, fs=1.0)
    want = transform.stft(x, p0=2, p1=2 + (500 - 64) // 16 + 1)
    got = tp.stft(tp.tensor(x), 64, 16, window=tp.tensor(window), center=False).numpy()
    # SciPy puts the phase of a frame at its start as we do, but counts frames by their middle.
    np.testing.assert_allclose(np.abs(got), np.abs(want), atol=1e-12)


def test_two_sided_mirrors_one_sided():
    x = tp.tensor(RNG.standard_normal((2, 100)))
    one, two = (tp.stft(x, 16, 4, onesided=side).numpy() for side in (True, False))
    np.testing.assert_allclose(two[:, :9], one, atol=1e-12)
    np.testing.assert_allclose(two[:, 9:], np.conj(one[:, 7:0:-1]), atol=1e-12)


def test_normalized_keeps_the_energy_of_a_frame():
    x = RNG.standard_normal(32)
    spectrum = tp.stft(tp.tensor(x), 32, 32, center=False, normalized=True, onesided=False)
    np.testing.assert_allclose((spectrum.abs() ** 2).sum().item(), (x**2).sum())


def test_parts_instead_of_complex():
    x = tp.tensor(RNG.standard_normal(50))
    parts = tp.stft(x, 16, return_complex=False)
    whole = tp.stft(x, 16)
    assert parts.shape == (*whole.shape, 2)
    np.testing.assert_array_equal(parts[..., 1].numpy(), whole.imag.numpy())


@pytest.mark.parametrize("options", [{}, {"normalized": True}, {"onesided": False}])
@pytest.mark.parametrize("win", [400, 320])
def test_round_trip(options, win):
    x = tp.tensor(RNG.standard_normal((2, 3, 4001)))
    frame = {"n_fft": 400, "hop_length": 100, "win_length": win}
    frame["window"] = tp.hann_window(win, dtype=tp.float64)
    back = tp.istft(tp.stft(x, **frame, **options), **frame, **options, length=4001)
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-12)


def test_round_trip_of_complex_values():
    x = tp.tensor(RNG.standard_normal(100) + 1j * RNG.standard_normal(100))
    window = tp.hann_window(16, dtype=tp.float64)
    spectrum = tp.stft(x, 16, 4, window=window, onesided=False)
    back = tp.istft(spectrum, 16, 4, window=window, onesided=False, return_complex=True)
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-12)


def test_istft_length_cuts_and_fills():
    x = tp.tensor(RNG.standard_normal(64))
    window = tp.hann_window(16, dtype=tp.float64)
    spectrum = tp.stft(x, 16, 4, window=window)
    assert tp.istft(spectrum, 16, 4, window=window).shape == (64,)
    assert tp.istft(spectrum, 16, 4, window=window, length=50).shape == (50,)
    longer = tp.istft(spectrum, 16, 4, window=window, length=100).numpy()
    np.testing.assert_allclose(longer[:64], x.numpy(), atol=1e-12)
    assert not longer[80:].any()


def test_gradients():
    x = tp.tensor(RNG.standard_normal((2, 40)), requires_grad=True)
    window = tp.hann_window(16, dtype=tp.float64) + 0.1
    window = window.detach().requires_grad_()

    def there_and_back(x, window):
        spectrum = tp.stft(x, 16, 5, window=window)
        return tp.istft(spectrum * (1 + 0.5j), 16, 5, window=window)

    assert tp.autograd.gradcheck(there_and_back, (x, window))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tp.stft(tp.zeros(5), 16), ValueError, "reflecting 8 samples"),
        (lambda: tp.stft(tp.zeros(5), 16, center=False), ValueError, "does not fit 5 samples"),
        (lambda: tp.stft(tp.zeros(50), 16, pad_mode="odd"), ValueError, "pad_mode is one of"),
        (lambda: tp.stft(tp.zeros(50), 16, 0), ValueError, "hop_length > 0"),
        (lambda: tp.stft(tp.zeros(50), 16, window=tp.ones(8)), ValueError, r"\(16,\), got \(8,\)"),
        (lambda: tp.stft(tp.arange(50), 16), TypeError, "floating samples"),
        (lambda: tp.stft(tp.zeros(50) + 0j, 16, onesided=True), TypeError, "onesided=False"),
        (lambda: tp.istft(tp.zeros(9, 5), 16), TypeError, "complex spectra"),
        (lambda: tp.istft(tp.zeros(8, 5) + 0j, 16), ValueError, "wants"),
        (
            lambda: tp.istft(tp.ones(9, 5) + 0j, 16, 32, center=False),
            ValueError,
            "no window reaches",
        ),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_istft_of_all_bins_reads_the_first_half():
    spectrum = tp.complex(*tp.randn(2, 8, 5, dtype=tp.float64))
    options = {"window": tp.ones(8, dtype=tp.float64)}
    whole = tp.istft(spectrum, 8, onesided=False, **options)
    half = tp.istft(spectrum[:5], 8, onesided=True, **options)
    np.testing.assert_allclose(whole.numpy(), half.numpy())
