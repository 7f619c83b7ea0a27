"""Frames of a waveform, and what is measured in each."""

from __future__ import annotations

from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn.functional import pad
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["frame", "rms", "zero_crossing_rate"]

SILENT = 1e-10  # librosa: smaller samples have no sign


def _extended(waveform: Tensor, n: int, mode: str) -> Tensor:
    if not n or not waveform.numel():
        return waveform
    rows = waveform.reshape(1, -1, waveform.shape[-1])
    return pad(rows, (n, n), mode=mode).reshape(*waveform.shape[:-1], -1)


@same_kind
def frame(
    waveform: Tensor,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = False,
    pad_mode: str = "constant",
) -> Tensor:
    """Overlapping pieces of a waveform.

    Args:
        waveform: (..., t) samples.
        frame_length: in samples.
        hop_length: step between frames in samples.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "constant", "reflect", "replicate", "circular".

    Returns:
        (..., frames, frame_length); a view where nothing had to be added.

    Raises:
        ShapeError: the waveform is shorter than a frame, or a length is not positive.

    Example:
        >>> import triptych as tp
        >>> frame(tp.arange(5.0), 3, 2).tolist()
        [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    if frame_length < 1 or hop_length < 1:
        raise ShapeError(
            "frame: wanted frame_length > 0 and hop_length > 0, got "
            f"{frame_length} and {hop_length}"
        )
    longer = _extended(waveform, frame_length // 2 if center else 0, pad_mode)
    if longer.shape[-1] < frame_length:
        raise ShapeError(
            f"frame: wanted at least {frame_length} samples, got {longer.shape[-1]}; pad the "
            "waveform, or use shorter frames"
        )
    return longer.unfold(-1, frame_length, hop_length)


@same_kind
def rms(
    waveform: Tensor,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
) -> Tensor:
    """The root of the mean square of each frame: how loud it is.

    Args:
        waveform: (..., t) samples, floating.
        frame_length: in samples.
        hop_length: step between frames in samples.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.

    Returns:
        (..., frames) in units of the waveform.

    Raises:
        DTypeError: samples are integers.
        ShapeError: the waveform is empty, or shorter than a frame.

    Example:
        >>> import triptych as tp
        >>> rms(tp.ones(4), 2, 2, center=False).tolist()
        [1.0, 1.0]
    """
    floating_samples("rms", waveform, 1)
    frames = frame(waveform, frame_length, hop_length, center, pad_mode)
    loudness: Tensor = frames.square().mean(-1).sqrt()
    return loudness


@same_kind
def zero_crossing_rate(
    waveform: Tensor,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "replicate",
) -> Tensor:
    """How often the sign changes, as a share of the samples of a frame.

    Args:
        waveform: (..., t) samples, floating.
        frame_length: in samples.
        hop_length: step between frames in samples.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.

    Returns:
        (..., frames) from 0 to 1, in the dtype of the waveform.

    Raises:
        DTypeError: samples are integers.
        ShapeError: the waveform is empty, or shorter than a frame.

    Example:
        >>> import triptych as tp
        >>> zero_crossing_rate(tp.tensor([1.0, -1.0, 1.0, -1.0]), 4, 4, center=False).tolist()
        [0.75]
    """
    floating_samples("zero_crossing_rate", waveform, 1)
    frames = frame(waveform, frame_length, hop_length, center, pad_mode)
    negative = frames < -SILENT
    changes = (negative[..., 1:] != negative[..., :-1]).to(waveform.dtype)
    rate: Tensor = changes.sum(-1) / frame_length
    return rate
