"""From several channels to one, and back."""

from __future__ import annotations

from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["to_mono", "to_stereo"]


def _check(name: str, waveform: Tensor) -> None:
    if waveform.ndim < 2:
        raise ShapeError(
            f"{name}: wanted (..., channels, t), got {tuple(waveform.shape)}; one channel without "
            "an axis for it is waveform[None]"
        )


@same_kind
def to_mono(waveform: Tensor) -> Tensor:
    """The mean of all channels.

    Args:
        waveform: (..., channels, t) samples, floating.

    Returns:
        (..., 1, t) samples.

    Raises:
        ShapeError: there is no axis of channels.

    Example:
        >>> import triptych as tp
        >>> to_mono(tp.tensor([[1.0, 0.0], [0.0, 0.0]])).tolist()
        [[0.5, 0.0]]
    """
    _check("to_mono", waveform)
    mean: Tensor = waveform.mean(-2, keepdim=True)
    return mean


@same_kind
def to_stereo(waveform: Tensor) -> Tensor:
    """One channel on both sides; two channels as they are.

    Args:
        waveform: (..., channels, t) samples, one or two channels.

    Returns:
        (..., 2, t) samples; for one channel a view that must not be written to.

    Raises:
        ShapeError: there are more than two channels, or no axis for them.
    """
    _check("to_stereo", waveform)
    if waveform.shape[-2] > 2:
        raise ShapeError(
            f"to_stereo: wanted 1 or 2 channels, got {waveform.shape[-2]}; choose two, or use "
            "to_mono first"
        )
    wide: Tensor = waveform.expand(*waveform.shape[:-2], 2, waveform.shape[-1])
    return wide
