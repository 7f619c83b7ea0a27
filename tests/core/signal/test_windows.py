"""triptych.signal.windows against scipy.signal.windows."""

import numpy as np
import pytest
from scipy.signal import windows as reference

import triptych as tp
from triptych.signal import windows

CALLS = {
    "bartlett": ({}, reference.bartlett),
    "blackman": ({}, reference.blackman),
    "cosine": ({}, reference.cosine),
    "exponential": ({"tau": 3.0}, lambda m, sym: reference.exponential(m, tau=3.0, sym=sym)),
    "gaussian": ({"std": 2.5}, lambda m, sym: reference.gaussian(m, 2.5, sym=sym)),
    "general_cosine": (
        {"a": [0.4, 0.3, 0.2, 0.1]},
        lambda m, sym: reference.general_cosine(m, [0.4, 0.3, 0.2, 0.1], sym=sym),
    ),
    "general_hamming": ({"alpha": 0.7}, lambda m, sym: reference.general_hamming(m, 0.7, sym=sym)),
    "hamming": ({}, reference.hamming),
    "hann": ({}, reference.hann),
    "kaiser": ({"beta": 8.6}, lambda m, sym: reference.kaiser(m, 8.6, sym=sym)),
    "nuttall": ({}, reference.nuttall),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("length", [0, 1, 2, 7, 64])
def test_windows(name, sym, length):
    options, expected = CALLS[name]
    found = getattr(windows, name)(length, sym=sym, dtype=tp.float64, **options)
    assert found.shape == (length,)
    np.testing.assert_allclose(found, expected(length, sym=sym), rtol=1e-13, atol=1e-15)


def test_an_exponential_window_may_have_its_peak_elsewhere():
    found = windows.exponential(9, center=2.0, tau=2.0, sym=False, dtype=tp.float64)
    np.testing.assert_allclose(found, reference.exponential(9, 2.0, 2.0, sym=False))
    with pytest.raises(tp.ShapeError, match="center in the middle"):
        windows.exponential(9, center=2.0)


def test_dtype_and_gradient():
    assert windows.hann(4).dtype is tp.float32 and windows.hann(4, dtype=tp.float16).sum() > 0
    assert windows.hann(4, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: windows.hann(-1), tp.ShapeError, "hann: M must be a whole number"),
        (lambda: windows.hann(2.5), tp.ShapeError, "got 2.5"),
        (lambda: windows.hann(3, dtype=tp.int64), tp.DTypeError, "real floating dtype"),
        (lambda: windows.hann(3, dtype=tp.complex64), tp.DTypeError, "real floating dtype"),
        (lambda: windows.hann(3, layout="sparse_coo"), tp.DTypeError, "strided layout"),
        (lambda: windows.gaussian(3, std=0.0), tp.ShapeError, "std > 0"),
        (lambda: windows.exponential(3, tau=-1.0), tp.ShapeError, "tau > 0"),
        (lambda: windows.kaiser(3, beta=-1.0), tp.ShapeError, "beta >= 0"),
        (lambda: windows.general_cosine(3, a=[]), tp.ShapeError, "at least one weight"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()
