"""Window functions against SciPy's."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp

ROWS = [
    (tp.hann_window, {}, "hann"),
    (tp.hamming_window, {}, "hamming"),
    (tp.blackman_window, {}, "blackman"),
    (tp.bartlett_window, {}, "bartlett"),
    (tp.kaiser_window, {"beta": 8.6}, ("kaiser", 8.6)),
    (tp.kaiser_window, {}, ("kaiser", 12.0)),
    (tp.hamming_window, {"alpha": 0.5, "beta": 0.5}, "hann"),
]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("length", [1, 2, 3, 16, 399, 400])
@pytest.mark.parametrize(("make", "options", "name"), ROWS)
def test_like_scipy(make, options, name, length, periodic):
    got = make(length, periodic=periodic, dtype=tp.float64, **options).numpy()
    want = scipy.signal.get_window(name, length, fftbins=periodic)
    np.testing.assert_allclose(got, want, atol=1e-14)


@pytest.mark.parametrize("make", sorted({row[0] for row in ROWS}, key=lambda f: f.__name__))
def test_empty_default_dtype_and_errors(make):
    assert make(0).shape == (0,)
    assert make(5).dtype == tp.float32
    assert make(5, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="must not be negative"):
        make(-1)
    with pytest.raises(TypeError, match="floating"):
        make(5, dtype=tp.int64)
