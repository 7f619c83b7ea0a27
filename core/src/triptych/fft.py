"""Discrete Fourier transforms in torch's spelling; ``norm``: "backward", "forward" or "ortho"."""

from __future__ import annotations

import math
from typing import Any

from . import dtypes
from .avals import normalize_axis
from .errors import DTypeError, ShapeError
from .ops.creation import arange, cast_to
from .ops.shape import cat, narrow, roll
from .prims import elementwise as ew
from .prims import movement as mv
from .prims import spectral
from .tensor import Tensor

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "irfft",
    "rfft",
    "rfftfreq",
]


def _scale(name: str, norm: str | None, n: int, inverse: bool) -> float:
    """What the unscaled forward or 1/n-scaled inverse transform is multiplied by."""
    if norm not in (None, "backward", "forward", "ortho"):
        raise DTypeError(f"{name}: norm is 'backward', 'forward' or 'ortho', got {norm!r}")
    if norm in (None, "backward"):
        return 1.0
    if norm == "ortho":
        return math.sqrt(n) if inverse else 1 / math.sqrt(n)
    return float(n) if inverse else 1 / n


def _floating(x: Tensor) -> Tensor:
    inexact = dtypes.is_inexact(x._data.dtype)
    return x if inexact else cast_to(x, dtypes.get_default_dtype().dtype)


def _complex(x: Tensor) -> Tensor:
    x = _floating(x)
    return cast_to(
        x, x._data.dtype if x._data.dtype.kind == "c" else dtypes.complex_of(x._data.dtype)
    )


def _resized(name: str, x: Tensor, n: int | None, axis: int) -> Tensor:
    """Cut or padded with zeros to n along an axis."""
    have = x.shape[axis]
    if n is None or n == have:
        return x
    if n < 1:
        raise ShapeError(f"{name}: wanted a positive length, got n = {n}")
    if n < have:
        return narrow(x, axis, 0, n)
    widths = tuple((0, n - have if i == axis else 0) for i in range(x.ndim))
    return mv.pad(x, widths=widths)


def _transform(
    name: str, x: Tensor, n: int | None, dim: int, norm: str | None, inverse: bool
) -> Tensor:
    axis = normalize_axis(name, dim, x.ndim)
    x = _resized(name, _complex(x), n, axis)
    out = spectral.fft(x, axis=axis, inverse=inverse)
    scale = _scale(name, norm, x.shape[axis], inverse)
    return out if scale == 1 else ew.mul(out, scale)


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform along dim, cut or zero-padded to n."""
    return _transform("fft", input, n, dim, norm, False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse transform along dim."""
    return _transform("ifft", input, n, dim, norm, True)


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform of real values: the n // 2 + 1 bins that are not mirror images."""
    axis = normalize_axis("rfft", dim, input.ndim)
    x = _resized("rfft", _floating(input), n, axis)
    out = spectral.rfft(x, axis=axis)
    scale = _scale("rfft", norm, x.shape[axis], False)
    return out if scale == 1 else ew.mul(out, scale)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`; n is the length of the real result, default 2 * (bins - 1)."""
    axis = normalize_axis("irfft", dim, input.ndim)
    n = 2 * (input.shape[axis] - 1) if n is None else n
    out = spectral.irfft(_resized("irfft", _complex(input), n // 2 + 1, axis), axis=axis, n=n)
    scale = _scale("irfft", norm, n, True)
    return out if scale == 1 else ew.mul(out, scale)


def _over_dims(one: Any, x: Tensor, s: Any, dim: Any, norm: str | None) -> Tensor:
    if dim is None:
        dim = tuple(range(-len(s), 0)) if s is not None else tuple(range(x.ndim))
    for i, d in enumerate((dim,) if isinstance(dim, int) else dim):
        x = one(x, None if s is None else s[i], d, norm)
    return x


def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The transform along several dims; all by default."""
    return _over_dims(fft, input, s, dim, norm)


def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse transform along several dims."""
    return _over_dims(ifft, input, s, dim, norm)


def fft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The transform along the last two dims."""
    return fftn(input, s, dim, norm)


def ifft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse transform along the last two dims."""
    return ifftn(input, s, dim, norm)


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the bins of `fft`, in cycles per unit of the sample spacing d."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    front = arange((n + 1) // 2, dtype=dtype, device=device)
    back = arange(-(n // 2), 0, dtype=dtype, device=device)
    return cat([front, back]) / (n * d)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the bins of `rfft`."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    return arange(n // 2 + 1, dtype=dtype, device=device) / (n * d)


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Bins reordered so that frequency zero stands in the middle."""
    dims = (
        tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    )
    return roll(input, [input.shape[d] // 2 for d in dims], dims)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`."""
    dims = (
        tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    )
    return roll(input, [-(input.shape[d] // 2) for d in dims], dims)
