"""What is made of cepstral coefficients: slopes over time, and coefficients without their mean."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn.functional import pad
from triptych_audio.interop import same_kind

__all__ = ["compute_deltas", "sliding_window_cmn"]


@same_kind
def compute_deltas(specgram: Tensor, win_length: int = 5, mode: str = "replicate") -> Tensor:
    """Slopes over time, fitted by least squares in a window around each frame.

    Args:
        specgram: (..., f, frames).
        win_length: frames in the window, at least 3.
        mode: how both ends are extended: "replicate", "constant", "reflect", "circular".

    Returns:
        The same shape, change per frame.

    Raises:
        ShapeError: the window is too short.

    Example:
        >>> compute_deltas(tp.arange(6.0)[None] * 2)[0, 2:4].tolist()
        [2.0, 2.0]

    Source: Young et al., The HTK Book, section 5.9.
    """
    if win_length < 3:
        raise ShapeError(f"compute_deltas: a window has at least 3 frames, got {win_length}")
    n, frames = (win_length - 1) // 2, specgram.shape[-1]
    rows = pad(specgram.reshape(1, -1, frames), (n, n), mode=mode)
    slopes = rows[..., n + 1 : n + 1 + frames] - rows[..., n - 1 : n - 1 + frames]
    for i in range(2, n + 1):
        slopes = slopes + i * (rows[..., n + i :][..., :frames] - rows[..., n - i :][..., :frames])
    weights = n * (n + 1) * (2 * n + 1) / 3  # twice the sum of squares up to n
    return (slopes / weights).reshape(specgram.shape)


def _windows(
    frames: int, cmn_window: int, min_cmn_window: int, center: bool
) -> tuple[np.ndarray, np.ndarray]:
    """First frame of each frame's window, and the one after the last."""
    t = np.arange(frames)
    start = t - cmn_window // 2 if center else t - cmn_window
    end = start + cmn_window if center else t + 1
    end = end - np.minimum(start, 0)
    start = np.maximum(start, 0)
    if not center:
        end = np.where(end > t, np.maximum(t + 1, min_cmn_window), end)
    start = np.maximum(start - np.maximum(end - frames, 0), 0)
    return start, np.minimum(end, frames)


@same_kind
def sliding_window_cmn(
    specgram: Tensor,
    cmn_window: int = 600,
    min_cmn_window: int = 100,
    center: bool = False,
    norm_vars: bool = False,
) -> Tensor:
    """Subtract from each frame the mean of a window around or before it.

    Args:
        specgram: (..., frames, f); note that time comes first.
        cmn_window: frames in the window.
        min_cmn_window: frames at the start that share their mean, if not center.
        center: the window lies around the frame; else it ends there.
        norm_vars: also divide by the standard deviation; where that is zero, the result is zero.

    Returns:
        The same shape, also for one frame.

    Raises:
        ShapeError: fewer than two axes, or a window without frames.

    Source: Kaldi, apply-cmvn-sliding.
    """
    if specgram.ndim < 2 or cmn_window < 1:
        raise ShapeError(
            "sliding_window_cmn: wanted (..., frames, f) and cmn_window > 0, got "
            f"{tuple(specgram.shape)} and {cmn_window}"
        )
    start, end = _windows(specgram.shape[-2], cmn_window, min_cmn_window, center)
    device = specgram.device
    first, last = (tp.as_tensor(i, device=device) for i in (start, end))
    count = tp.as_tensor((end - start)[:, None].astype(np.float64), device=device)

    def mean(x: Tensor) -> Tensor:
        nothing = tp.zeros((*x.shape[:-2], 1, x.shape[-1]), dtype=x.dtype, device=device)
        sums = tp.cat([nothing, x.cumsum(-2)], -2)  # double precision: long sums cancel
        return (sums.index_select(-2, last) - sums.index_select(-2, first)) / count

    x = specgram.double()
    average = mean(x)
    centred = x - average
    if norm_vars:
        variance = mean(x * x) - average * average
        varies = (variance > 0) & (count > 1)
        safe = tp.where(varies, variance, tp.ones_like(variance))
        centred = tp.where(varies, centred * safe**-0.5, tp.zeros_like(centred))
    return centred.to(specgram.dtype)
