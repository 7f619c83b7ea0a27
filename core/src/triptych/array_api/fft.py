"""The standard's Fourier transforms: ours, with the standard's names of arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import fft as ours
from ..errors import ShapeError
from ..fft import fftfreq, rfftfreq
from ..tensor import Tensor

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def _along_axis(transform: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def along(
        x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward"
    ) -> Tensor:
        return transform(x, n, axis, norm)

    return _described(along, transform)


def _along_axes(transform: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def along(
        x: Tensor,
        /,
        *,
        s: Sequence[int] | None = None,
        axes: Sequence[int] | None = None,
        norm: str = "backward",
    ) -> Tensor:
        if s is not None and axes is None:
            raise ShapeError(
                f"{transform.__name__}: s says how long axes are; name them with axes="
            )
        return transform(x, s, axes, norm)

    return _described(along, transform)


def _shifted(shift: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def shifted(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
        return shift(x, axes)

    return _described(shifted, shift)


def _described(function: Any, original: Any) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = original.__doc__
    return function


fft, ifft = _along_axis(ours.fft), _along_axis(ours.ifft)
rfft, irfft = _along_axis(ours.rfft), _along_axis(ours.irfft)
hfft, ihfft = _along_axis(ours.hfft), _along_axis(ours.ihfft)
fftn, ifftn = _along_axes(ours.fftn), _along_axes(ours.ifftn)
rfftn, irfftn = _along_axes(ours.rfftn), _along_axes(ours.irfftn)
fftshift, ifftshift = _shifted(ours.fftshift), _shifted(ours.ifftshift)
