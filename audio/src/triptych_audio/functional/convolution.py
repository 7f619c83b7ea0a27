"""Convolution along time: reverberation, filters."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych.nn.functional import conv1d
from triptych_audio.interop import same_kind

__all__ = ["check_mode", "convolve", "fftconvolve"]

MODES = ("full", "same", "valid")


def check_mode(name: str, mode: str) -> None:
    """Raise for an unknown mode.

    Args:
        name: of the caller, for errors.
        mode: "full", "valid" or "same".

    Raises:
        DomainError: it is none of these.
    """
    if mode not in MODES:
        raise DomainError(f"{name}: mode is one of {MODES}, got {mode!r}")


def _check(name: str, x: Tensor, y: Tensor, mode: str) -> None:
    check_mode(name, mode)
    leading = zip(x.shape[:-1], y.shape[:-1], strict=False)
    if x.ndim != y.ndim or any(i != j and 1 not in (i, j) for i, j in leading):
        raise ShapeError(
            f"{name}: wanted x and y with as many axes, and leading ones alike or 1, got "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    if not (x.numel() and y.numel()):
        raise ShapeError(f"{name}: there is nothing in x {tuple(x.shape)} or y {tuple(y.shape)}")


def _cut(full: Tensor, n: int, m: int, mode: str) -> Tensor:
    if mode == "full":
        return full
    length = n if mode == "same" else abs(n - m) + 1
    start = (full.shape[-1] - length) // 2
    return full[..., start : start + length]


@same_kind
def convolve(x: Tensor, y: Tensor, mode: str = "full") -> Tensor:
    """Convolution, sample by sample; for a y of many samples see `fftconvolve`.

    Args:
        x: (..., n) samples.
        y: (..., m) samples; leading axes alike or 1.
        mode: "full", all n + m - 1 samples; "valid", those where both overlap wholly,
            max(n, m) - min(n, m) + 1; "same", the middle n.

    Returns:
        (..., length by mode).

    Raises:
        DomainError: another mode.
        ShapeError: the leading axes do not fit.

    Example:
        >>> convolve(tp.tensor([1.0, 2.0]), tp.tensor([1.0, 1.0])).tolist()
        [1.0, 3.0, 2.0]
    """
    _check("convolve", x, y, mode)
    n, m = x.shape[-1], y.shape[-1]
    leading = tp.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    long, short = (x, y) if n >= m else (y, x)
    rows, kernels = (
        v.expand(*leading, v.shape[-1]).reshape(-1, v.shape[-1]) for v in (long, short)
    )
    full = conv1d(
        rows[None], kernels.flip(-1)[:, None], padding=min(n, m) - 1, groups=rows.shape[0]
    )
    return _cut(full.reshape(*leading, n + m - 1), n, m, mode)


@same_kind
def fftconvolve(x: Tensor, y: Tensor, mode: str = "full") -> Tensor:
    """Convolution by way of spectra, fast for a y of many samples.

    Args:
        x: (..., n) samples.
        y: (..., m) samples; leading axes alike or 1.
        mode: "full", "valid" or "same", see `convolve`.

    Returns:
        (..., length by mode), floating.

    Raises:
        DomainError: another mode.
        ShapeError: the leading axes do not fit.

    Example:
        >>> fftconvolve(tp.tensor([1.0, 2.0]), tp.tensor([1.0, 1.0])).round(decimals=4).tolist()
        [1.0, 3.0, 2.0]
    """
    _check("fftconvolve", x, y, mode)
    n, m = x.shape[-1], y.shape[-1]
    size = _fast_size(n + m - 1)
    product = tp.fft.rfft(x, n=size) * tp.fft.rfft(y, n=size)
    return _cut(tp.fft.irfft(product, n=size)[..., : n + m - 1], n, m, mode)


def _fast_size(n: int) -> int:
    """The next length that a fast Fourier transform likes."""
    from scipy.fft import next_fast_len

    return int(next_fast_len(n, real=True))
