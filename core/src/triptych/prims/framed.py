"""Overlapping frames of a signal: their spectra, and their products with filters and bands."""

from __future__ import annotations

import math
from typing import Any

from ..avals import Aval
from ..dtypes import complex_of
from ..errors import ShapeError
from . import naming
from .batching import Flags, Params, batched
from .composite import composite, pulled_back
from .contract import check_dtypes, matmul
from .elementwise import add, imag, mul, real, square
from .kinds import half_as_single
from .movement import permute, reshape
from .spectral import rfft
from .window import windows


def _shape(name: str, x: Any, w: Any, step: int) -> tuple[int, ...]:
    check_dtypes(name, signal=x, window=w)
    if w.ndim < 1 or x.ndim < 1 or x.shape[-1] < w.shape[-1]:
        raise ShapeError(
            f"{name}: a window {tuple(w.shape)} does not fit a signal {tuple(x.shape)}"
        )
    n = w.shape[-1]
    return (*x.shape[:-1], n // 2 + 1, (x.shape[-1] - n) // step + 1)


def _stft_aval(x: Any, w: Any, *, step: int) -> Aval:
    return Aval(_shape("stft", x, w, step), complex_of(x.dtype))


def _stft_decomp(x: Any, w: Any, *, step: int) -> Any:
    if len(w.shape) > 1:  # one for each signal
        w = reshape(w, shape=(*w.shape[:-1], *[1] * (len(x.shape) - len(w.shape)), 1, w.shape[-1]))
    frames = mul(windows(x, size=(w.shape[-1],), stride=(step,), dilation=(1,)), w)
    spectrum = rfft(frames, axis=len(frames.shape) - 1)
    axes = tuple(range(len(frames.shape)))
    return permute(spectrum, axes=(*axes[:-2], axes[-1], axes[-2]))


def _power_aval(x: Any, w: Any, *, step: int) -> Aval:
    return Aval(_shape("stft_power", x, w, step), x.dtype)


def _power_decomp(x: Any, w: Any, *, step: int) -> Any:
    spectrum = _stft_decomp(x, w, step=step)
    return add(square(real(spectrum)), square(imag(spectrum)))


# Filters


def _bank_aval(x: Any, w: Any, *, step: int) -> Aval:
    check_dtypes("filter_bank", signal=x, filters=w)
    if w.ndim < 2 or x.ndim < 1 or x.shape[-1] < w.shape[-1]:
        raise ShapeError(
            f"filter_bank: wanted filters (f, k) and a signal (..., t) with t >= k, got "
            f"{tuple(w.shape)} and {tuple(x.shape)}"
        )
    groups = (x.shape[-1] - w.shape[-1]) // step + 1
    return Aval((*x.shape[:-1], groups, w.shape[-2]), x.dtype)


def _bank_decomp(x: Any, w: Any, *, step: int) -> Any:
    if len(w.shape) > 2:  # a bank for each signal
        w = reshape(
            w, shape=(*w.shape[:-2], *[1] * (len(x.shape) - len(w.shape) + 1), *w.shape[-2:])
        )
    frames = windows(x, size=(w.shape[-1],), stride=(step,), dilation=(1,))
    axes = tuple(range(len(w.shape)))
    return matmul(_matrix(frames), permute(w, axes=(*axes[:-2], axes[-1], axes[-2])))


def _matrix(frames: Any) -> Any:
    """At least two axes, which a product wants."""
    return frames if len(frames.shape) > 1 else reshape(frames, shape=(1, *frames.shape))


@half_as_single
def _bank(xp: Any, x: Any, w: Any, *, step: int) -> Any:
    """Several groups of outputs by one product: they share most of their samples, and the frames
    that are copied for it are fewer.
    """
    filters, taps = w.shape
    groups = (x.shape[-1] - taps) // step + 1
    # The filters of many groups take time to put together, which only long signals pay back.
    many = max(1, min((taps - step) // step, groups, 8 + math.isqrt(groups) // 8))
    if many == 1:
        return _bank_decomp(x, w, step=step)
    wide = xp.zeros((many, filters, taps + (many - 1) * step), w.dtype)
    for i in range(many):
        wide[i, :, i * step : i * step + taps] = w
    count = -(-groups // many)
    short = (count - 1) * many * step + wide.shape[-1] - x.shape[-1]
    if short > 0:
        x = xp.concatenate([x, xp.zeros((*x.shape[:-1], short), x.dtype)], -1)
    frames = windows(x, size=(wide.shape[-1],), stride=(many * step,), dilation=(1,))
    y = xp.matmul(xp.ascontiguousarray(frames), wide.reshape(many * filters, -1).T)
    return y.reshape(*x.shape[:-1], count * many, filters)[..., :groups, :]


def _record(name: str, decomp: Any, aval: Any, names: str, impl: Any = None) -> Any:
    """A composite of a signal and weights, without a derivative of its own."""

    def plain(xp: Any, x: Any, w: Any, **params: Any) -> Any:
        return decomp(x, w, **params)

    def vjp(g: Any, xs: Any, *, step: int) -> list[Any]:
        return pulled_back(lambda *inputs: (decomp(*inputs, step=step),), xs, (g,))

    def vmap(prim: Any, size: int, xs: Any, on: Flags, params: Params) -> Any:
        if not on[1]:
            return prim.call(*xs, **params)
        return decomp(batched(xs[0], size, on[0]), xs[1], **params)

    return composite(
        name,
        decomp,
        impl or plain,
        vjp,
        aval=aval,
        vmap=vmap,
        names=naming.axes(name, names),
        amp="single",
    )


stft = _record("stft", _stft_decomp, _stft_aval, "t,n->fm")
"""signal (..., t), window (n,) to (..., n // 2 + 1, frames) complex; frame k starts at k * step."""
stft_power = _record("stft_power", _power_decomp, _power_aval, "t,n->fm")
"""The squared magnitude of `stft`."""
filter_bank = _record("filter_bank", _bank_decomp, _bank_aval, "t,fk->mf", _bank)
"""signal (..., t), filters (f, k) to (..., m, f): the products of the filters with the k samples
from each multiple of `step` on."""


# Bands


def _sums_aval(x: Any, w: Any) -> Aval:
    check_dtypes("band_sums", spectrum=x, bands=w)
    if w.ndim != 2 or x.ndim < 2 or x.shape[-2] != w.shape[-1]:
        raise ShapeError(
            f"band_sums: wanted bands (m, f) and a spectrum (..., f, t), got {tuple(w.shape)} and "
            f"{tuple(x.shape)}; transpose one with .mT?"
        )
    return Aval((*x.shape[:-2], w.shape[0], x.shape[-1]), x.dtype)


def _sums_decomp(x: Any, w: Any) -> Any:
    return matmul(w, x)


@half_as_single
def _sums(xp: Any, x: Any, w: Any) -> Any:
    return xp.matmul(w, x)


def _sums_vjp(g: Any, xs: Any) -> list[Any]:
    return pulled_back(lambda *inputs: (_sums_decomp(*inputs),), xs, (g,))


def _sums_vmap(prim: Any, size: int, xs: Any, on: Flags, params: Params) -> Any:
    if not on[1]:
        return prim.call(*xs)
    x = batched(xs[0], size, on[0])
    between = [1] * (len(x.shape) - 3)
    return matmul(reshape(xs[1], shape=(size, *between, *xs[1].shape[1:])), x)


band_sums = composite(
    "band_sums",
    _sums_decomp,
    _sums,
    _sums_vjp,
    aval=_sums_aval,
    vmap=_sums_vmap,
    names=naming.axes("band_sums", "jn,mi->mn"),
    amp="low",
)
"""spectrum (..., f, t), bands (m, f) to (..., m, t): their product, where bands are mostly zeros
and a zero may take nothing, not even NaN."""
