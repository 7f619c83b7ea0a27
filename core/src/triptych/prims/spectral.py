"""Discrete Fourier transforms along one axis, unscaled forward and 1/n backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval
from ..backends import backend_for, backend_of
from ..dtypes import complex_of, real_of
from ..errors import DTypeError, ShapeError
from ..tensor import Symbol
from .elementwise import div, mul
from .forward import linear
from .kinds import primitive


def constant_like(values: np.ndarray, like: Any) -> Any:
    """A NumPy constant on the backend of another value, in that value's real precision."""
    raw = getattr(like, "_data", like)
    where = raw.device if isinstance(raw, Symbol) else backend_of(raw).device_of(raw)
    return backend_for(where).asarray(values.astype(real_of(raw.dtype)), where=where)


def _check(name: str, x: Any, kinds: str) -> None:
    if x.dtype.kind not in kinds:
        wanted = "complex" if kinds == "c" else "real floating"
        raise DTypeError(f"{name}: wanted {wanted} elements, got {x.dtype}; convert with .to()")


def _fft_aval(x: Any, *, axis: int, inverse: bool) -> Aval:
    _check("fft", x, "c")
    return Aval(x.shape, x.dtype)


def _fft(xp: Any, x: Any, *, axis: int, inverse: bool) -> Any:
    transform = xp.fft.ifft if inverse else xp.fft.fft
    return transform(x, axis=axis).astype(x.dtype, copy=False)


def _fft_vjp(g: Any, shape: Any, *, axis: int, inverse: bool) -> Any:
    n = shape[axis]
    back = fft(g, axis=axis, inverse=not inverse)
    return div(back, n) if inverse else mul(back, n)


fft = primitive("fft", "spectral", _fft, _fft_aval, (_fft_vjp,), jvp=linear)


def _half_weights(n: int, inner: float, ndim: int, axis: int) -> np.ndarray:
    """One for bins that stand alone (zero and Nyquist), `inner` for those with a mirror image."""
    weights = np.full(n // 2 + 1, inner)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights.reshape([-1 if i == axis else 1 for i in range(ndim)])


def _rfft_aval(x: Any, *, axis: int) -> Aval:
    _check("rfft", x, "f")
    shape = [n // 2 + 1 if i == axis else n for i, n in enumerate(x.shape)]
    return Aval(shape, complex_of(x.dtype))


def _rfft(xp: Any, x: Any, *, axis: int) -> Any:
    return xp.fft.rfft(x, axis=axis).astype(complex_of(x.dtype), copy=False)


def _rfft_vjp(g: Any, shape: Any, *, axis: int) -> Any:
    n = shape[axis]
    weights = constant_like(_half_weights(n, 0.5, len(shape), axis), g)
    return mul(irfft(mul(g, weights), axis=axis, n=n), n)


def _irfft_aval(x: Any, *, axis: int, n: int) -> Aval:
    _check("irfft", x, "c")
    if x.shape[axis] != n // 2 + 1:
        raise ShapeError(
            f"irfft: {n} samples need {n // 2 + 1} bins along axis {axis}, got {x.shape[axis]}"
        )
    return Aval([n if i == axis else m for i, m in enumerate(x.shape)], real_of(x.dtype))


def _irfft(xp: Any, x: Any, *, axis: int, n: int) -> Any:
    return xp.fft.irfft(x, n, axis=axis).astype(real_of(x.dtype), copy=False)


def _irfft_vjp(g: Any, shape: Any, *, axis: int, n: int) -> Any:
    weights = constant_like(_half_weights(n, 2.0, len(shape), axis) / n, g)
    return mul(rfft(g, axis=axis), weights)


rfft = primitive("rfft", "spectral", _rfft, _rfft_aval, (_rfft_vjp,), jvp=linear)
irfft = primitive("irfft", "spectral", _irfft, _irfft_aval, (_irfft_vjp,), jvp=linear)
