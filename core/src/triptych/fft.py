"""Discrete Fourier transforms in torch's spelling; ``norm``: "backward", "forward" or "ortho"."""

from __future__ import annotations

import math
from typing import Any

from . import dtypes
from .avals import normalize_axis
from .errors import DTypeError, ShapeError
from .ops.creation import arange, cast_to
from .ops.shape import cat, narrow, proper_axis, roll
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
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
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
    n = have if n is None else n
    if n < 1:
        raise ShapeError(f"{name}: wanted a positive length, got n = {n}")
    if n == have:
        return x
    if n < have:
        return narrow(x, axis, 0, n)
    widths = tuple((0, n - have if i == axis else 0) for i in range(x.ndim))
    return mv.pad(x, widths=widths)


def _transform(
    name: str, x: Tensor, n: int | None, dim: int, norm: str | None, inverse: bool
) -> Tensor:
    axis = proper_axis(name, dim, x)
    x = _resized(name, _complex(x), n, axis)
    out = spectral.fft(x, axis=axis, inverse=inverse)
    scale = _scale(name, norm, x.shape[axis], inverse)
    return out if scale == 1 else ew.mul(out, scale)


def _to_half(name: str, x: Tensor, n: int | None, dim: int, norm: str | None) -> Tensor:
    """Real values to bins."""
    axis = proper_axis(name, dim, x)
    if x._data.dtype.kind == "c":
        raise DTypeError(f"{name}: wanted real elements, got {x.dtype}; use .real, or fft")
    x = _resized(name, _floating(x), n, axis)
    out = spectral.rfft(x, axis=axis)
    scale = _scale(name, norm, x.shape[axis], False)
    return out if scale == 1 else ew.mul(out, scale)


def _from_half(name: str, x: Tensor, n: int | None, dim: int, norm: str | None) -> Tensor:
    """Bins to real values."""
    axis = proper_axis(name, dim, x)
    n = 2 * (x.shape[axis] - 1) if n is None else n
    if n < 1:
        raise ShapeError(f"{name}: wanted a positive length, got n = {n}; name n")
    out = spectral.irfft(_resized(name, _complex(x), n // 2 + 1, axis), axis=axis, n=n)
    scale = _scale(name, norm, n, True)
    return out if scale == 1 else ew.mul(out, scale)


# One dim


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform along dim, cut or zero-padded to n.

    Args:
        input: real or complex; integers become the default floating dtype.
        n: length of the transform; default that of the input.
        dim: along which.
        norm: "backward" (default): no scale; "forward": 1 / n; "ortho": 1 / sqrt(n).

    Returns:
        Complex, n bins along dim.
    """
    return _transform("fft", input, n, dim, norm, False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse transform along dim; norm scales so that it undoes `fft` with the same norm."""
    return _transform("ifft", input, n, dim, norm, True)


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform of real values: the n // 2 + 1 bins that are not mirror images.

    Raises:
        DTypeError: complex elements.
    """
    return _to_half("rfft", input, n, dim, norm)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`; n is the length of the real result, default 2 * (bins - 1)."""
    return _from_half("irfft", input, n, dim, norm)


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform of a signal that mirrors in time: x[-t] = conj(x[t]), half of which is given.

    Args:
        input: (..., n // 2 + 1, ...) complex samples from time zero on.
        n: length of the real result; default 2 * (samples - 1).
        dim: along which.
        norm: as for `fft`.
    """
    mirrored = ew.conj_if_complex(_complex(input))
    return _from_half("hfft", mirrored, n, dim, _opposite("hfft", norm))


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: n // 2 + 1 complex samples of real bins.

    Raises:
        DTypeError: complex elements.
    """
    return ew.conj_if_complex(_to_half("ihfft", input, n, dim, _opposite("ihfft", norm)))


def _opposite(name: str, norm: str | None) -> str:
    """The norm under which a transform has the scale that its inverse has under `norm`."""
    _scale(name, norm, 1, False)
    return {"forward": "backward", "ortho": "ortho"}.get(norm or "", "forward")


# Several dims


def _sizes_and_dims(
    name: str, x: Tensor, s: Any, dim: Any
) -> tuple[list[int | None], tuple[int, ...]]:
    """A length (or None to keep it) and an axis for each transform."""
    sizes = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is None:
        start = 0 if sizes is None else x.ndim - len(sizes)
        if start < 0:
            raise ShapeError(f"{name}: {len(sizes or ())} lengths for {x.ndim} dims")
        dim = range(start, x.ndim)
    listed = (dim,) if isinstance(dim, (int, str)) else tuple(dim)
    axes = tuple(normalize_axis(name, d, x.ndim, x) for d in listed)
    sizes = [None] * len(axes) if sizes is None else sizes
    if len(sizes) != len(axes) or len(set(axes)) != len(axes):
        raise ShapeError(
            f"{name}: wanted different dims and a length for each, got s={s} and dim={dim}"
        )
    return [None if n == -1 else n for n in sizes], axes


def _needs_dims(name: str, axes: tuple[int, ...]) -> None:
    if not axes:
        raise ShapeError(f"{name}: wanted at least one dim")


def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The transform along several dims.

    Args:
        input: real or complex.
        s: lengths to cut or zero-pad to, -1 to keep one; default those of the input.
        dim: dims; default the last len(s), or all.
        norm: as for `fft`, for each dim.
    """
    x, (sizes, axes) = _complex(input), _sizes_and_dims("fftn", input, s, dim)
    for n, axis in zip(sizes, axes, strict=True):
        x = _transform("fftn", x, n, axis, norm, False)
    return x


def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse transform along several dims; the arguments are those of `fftn`."""
    x, (sizes, axes) = _complex(input), _sizes_and_dims("ifftn", input, s, dim)
    for n, axis in zip(sizes, axes, strict=True):
        x = _transform("ifftn", x, n, axis, norm, True)
    return x


def rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The transform of real values along several dims; the last has s[-1] // 2 + 1 bins.

    The arguments are those of `fftn`.

    Raises:
        DTypeError: complex elements.
    """
    sizes, axes = _sizes_and_dims("rfftn", input, s, dim)
    _needs_dims("rfftn", axes)
    x = _to_half("rfftn", input, sizes[-1], axes[-1], norm)
    return fftn(x, [-1 if n is None else n for n in sizes[:-1]], axes[:-1], norm)


def irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`; the last dim becomes s[-1], default 2 * (bins - 1), real values."""
    sizes, axes = _sizes_and_dims("irfftn", input, s, dim)
    _needs_dims("irfftn", axes)
    x = ifftn(input, [-1 if n is None else n for n in sizes[:-1]], axes[:-1], norm)
    return _from_half("irfftn", x, sizes[-1], axes[-1], norm)


def hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """`fftn` of a signal that mirrors in time, half of which is given along the last dim.

    The arguments are those of `irfftn`; the result is real.
    """
    mirrored = ew.conj_if_complex(_complex(input))
    return irfftn(mirrored, s, dim, _opposite("hfftn", norm))


def ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`; the arguments are those of `rfftn`."""
    return ew.conj_if_complex(rfftn(input, s, dim, _opposite("ihfftn", norm)))


LAST_TWO = (-2, -1)


def fft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """The transform along the last two dims; see `fftn`."""
    return fftn(input, s, dim, norm)


def ifft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """The inverse transform along the last two dims; see `ifftn`."""
    return ifftn(input, s, dim, norm)


def rfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """The transform of real values along the last two dims; see `rfftn`."""
    return rfftn(input, s, dim, norm)


def irfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """The inverse of `rfft2`; see `irfftn`."""
    return irfftn(input, s, dim, norm)


def hfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """`hfftn` along the last two dims."""
    return hfftn(input, s, dim, norm)


def ihfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
    """`ihfftn` along the last two dims."""
    return ihfftn(input, s, dim, norm)


# Frequencies


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
        range(input.ndim) if dim is None else (dim,) if isinstance(dim, (int, str)) else tuple(dim)
    )
    return roll(input, [input.size(d) // 2 for d in dims], dims)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`."""
    dims = (
        range(input.ndim) if dim is None else (dim,) if isinstance(dim, (int, str)) else tuple(dim)
    )
    return roll(input, [-(input.size(d) // 2) for d in dims], dims)
