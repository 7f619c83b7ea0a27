"""Fourier transforms against NumPy: lengths, norms, dims, gradients."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(3, 5, 6))
COMPLEX = REAL + 1j * RNG.normal(size=REAL.shape)
NORMS = [None, "backward", "forward", "ortho"]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 3, 6, 8, 9])
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dim(name, dim, n, norm):
    array = REAL if name in ("rfft", "ihfft") else COMPLEX
    expected = getattr(np.fft, name)(array, n, dim, norm)
    got = getattr(tp.fft, name)(tp.tensor(array, dtype=array.dtype), n, dim, norm)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)
    assert got.dtype is tp.from_numpy(expected).dtype


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("n", [5, 6])
def test_derivatives(name, n):
    array = REAL[0, :, :4] if name in ("rfft", "ihfft") else COMPLEX[0, :, :4]
    x = tp.tensor(array, dtype=array.dtype, requires_grad=True)
    assert gradcheck(lambda x: getattr(tp.fft, name)(x, n, norm="ortho"), [x])
    assert gradgradcheck(lambda x: getattr(tp.fft, name)(x, n), [x])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fftn", {}),
        ("ifftn", {}),
        ("fftn", {"dim": (0, 2), "norm": "ortho"}),
        ("fftn", {"s": (4, 7)}),
        ("fftn", {"s": (2, 3), "dim": (2, 0)}),
        ("fft2", {}),
        ("ifft2", {"norm": "forward"}),
        ("fft2", {"dim": (0, 1)}),
    ],
)
def test_several_dims(name, options):
    ours = {k: v for k, v in options.items() if k != "dim"}
    theirs = dict(ours)
    if "dim" in options:
        ours["dim"] = theirs["axes"] = options["dim"]
    elif "s" in options:
        theirs["axes"] = tuple(range(-len(options["s"]), 0))
    got = getattr(tp.fft, name)(tp.tensor(COMPLEX, dtype=tp.complex128), **ours)
    expected = getattr(np.fft, name)(COMPLEX, **theirs)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


OF_REALS = ("rfft2", "rfftn", "ihfft2", "ihfftn")
TO_REALS = ("irfft2", "irfftn", "hfft2", "hfftn")


@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
@pytest.mark.parametrize("name", [*OF_REALS, *TO_REALS])
@pytest.mark.parametrize(
    ("s", "dim"), [(None, None), ((4, 7), (0, 2)), ((3, 6), None), ((-1, 5), (2, 1)), (None, (1,))]
)
def test_half_spectra_of_several_dims(name, s, dim, norm):
    import scipy.fft

    array = REAL if name in OF_REALS else COMPLEX
    got = getattr(tp.fft, name)(
        tp.tensor(array, dtype=array.dtype),
        s,
        **({} if dim is None and name.endswith("2") else {"dim": dim}),
        norm=norm,
    )
    axes = (-2, -1) if dim is None and (s is not None or name.endswith("2")) else dim
    lengths = s
    if s is not None and -1 in s:
        lengths = tuple(array.shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True))
    reference = getattr(scipy.fft, f"{name[:-1]}n")(array, lengths, axes, norm)
    np.testing.assert_allclose(got.numpy(), reference, atol=1e-12)


@pytest.mark.parametrize("name", [*OF_REALS, *TO_REALS])
def test_derivatives_of_several_dims(name):
    array = REAL[:2, :2, :3] if name in OF_REALS else COMPLEX[:2, :2, :3]
    x = tp.tensor(array, dtype=array.dtype, requires_grad=True)
    assert gradcheck(getattr(tp.fft, name), [x])
    assert gradgradcheck(getattr(tp.fft, name), [x])


def test_inverses_undo_transforms():
    x = tp.tensor(REAL)
    assert tp.allclose(tp.fft.irfft(tp.fft.rfft(x), 6), x)
    assert tp.allclose(tp.fft.ifftn(tp.fft.fftn(x)).real, x)
    for norm in NORMS:
        assert tp.allclose(tp.fft.irfftn(tp.fft.rfftn(x, norm=norm), x.shape, norm=norm), x)
        assert tp.allclose(tp.fft.hfftn(tp.fft.ihfftn(x, norm=norm), x.shape, norm=norm), x)


@pytest.mark.parametrize("kind", [tp.float32, tp.complex64, tp.int64, tp.bool])
def test_precision_stays_and_integers_become_the_default(kind):
    x = tp.ones(4).to(kind)
    assert tp.fft.fft(x).dtype is tp.complex64
    if not x.is_complex():
        assert tp.fft.rfft(x).dtype is tp.complex64
    assert tp.fft.irfft(x).dtype is tp.float32


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies_and_shifts(n):
    np.testing.assert_allclose(tp.fft.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5))
    np.testing.assert_allclose(tp.fft.rfftfreq(n, 0.5).numpy(), np.fft.rfftfreq(n, 0.5))
    array = np.arange(3 * n).reshape(3, n)
    for dim in (None, 0, (1,), -1):
        np.testing.assert_array_equal(
            tp.fft.fftshift(tp.tensor(array), dim).numpy(), np.fft.fftshift(array, dim)
        )
        np.testing.assert_array_equal(
            tp.fft.ifftshift(tp.tensor(array), dim).numpy(), np.fft.ifftshift(array, dim)
        )


def test_transforms_of_strided_memory():
    x = tp.tensor(COMPLEX, dtype=tp.complex128)
    np.testing.assert_allclose(
        tp.fft.fft(x.T[::-1, ::2]).numpy(), np.fft.fft(COMPLEX.T[::-1, ::2]), atol=1e-12
    )


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.fft.fft(tp.ones(3), norm="up"), tp.DTypeError, "norm is 'backward', 'forward'"),
        (lambda: tp.fft.fft(tp.ones(3), 0), tp.ShapeError, "positive length, got n = 0"),
        (lambda: tp.fft.fft(tp.ones(3), dim=1), tp.ShapeError, "fft: dim 1 is out of range"),
        (lambda: tp.fft.fft(tp.ones(0)), tp.ShapeError, "positive length, got n = 0"),
        (lambda: tp.fft.irfft(tp.ones(1)), tp.ShapeError, "positive length, got n = 0"),
        (lambda: tp.fft.ihfftn(tp.ones(3) * 1j), tp.DTypeError, "rfftn: wanted real elements"),
        (lambda: tp.fft.hfft(tp.ones(3), norm="up"), tp.DTypeError, "hfft: norm is"),
        (lambda: tp.fft.fftn(tp.ones(3, 3), dim=(0, 0)), tp.ShapeError, "different dims"),
        (lambda: tp.fft.fftn(tp.ones(3, 3), (3,), (0, 1)), tp.ShapeError, "a length for each"),
        (lambda: tp.fft.fftn(tp.ones(3), (3, 3)), tp.ShapeError, "2 lengths for 1 dims"),
        (lambda: tp.fft.rfftn(tp.ones(3), dim=()), tp.ShapeError, "at least one dim"),
        (lambda: tp.fft.rfft(tp.ones(3) * 1j), tp.DTypeError, "rfft: wanted real elements"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
