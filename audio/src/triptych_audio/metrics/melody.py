"""How right a pitch track is."""

from __future__ import annotations

import numpy as np

from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = [
    "raw_chroma_accuracy",
    "raw_pitch_accuracy",
    "voicing_false_alarm",
    "voicing_recall",
]

CENTS_PER_OCTAVE = 1200.0


def _tracks(name: str, preds: Tensor, target: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Two tracks in Hz; zero where there is no pitch."""
    if preds.shape != target.shape:
        raise ShapeError(
            f"{name}: wanted two tracks of the same shape, got {tuple(preds.shape)} and "
            f"{tuple(target.shape)}"
        )
    got, wanted = (
        np.maximum(np.nan_to_num(v.detach().cpu().numpy().astype(np.float64)), 0)
        for v in (preds, target)
    )
    return got, wanted


def _mean(name: str, right: np.ndarray, among: np.ndarray, what: str) -> float:
    if not among.any():
        raise ShapeError(f"{name}: no frame of the target is {what}, so there is no share")
    return float(right[among].mean())


def _cents(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Distance in cents, infinite where one has no pitch."""
    both = (got > 0) & (wanted > 0)
    ratio = np.where(both, got, 1.0) / np.where(both, wanted, 1.0)
    return np.where(both, CENTS_PER_OCTAVE * np.log2(ratio), np.inf)


@same_kind
def raw_pitch_accuracy(preds: Tensor, target: Tensor, cents: float = 50.0) -> float:
    """The share of voiced frames whose pitch is right.

    Args:
        preds: any shape, Hz; zero, negative or NaN where there is no pitch.
        target: the same shape.
        cents: how far off is right, in hundredths of a semitone.

    Returns:
        From 0 to 1, over the frames where target has a pitch.

    Raises:
        ShapeError: shapes differ, or target has no pitch at all.

    Example:
        >>> raw_pitch_accuracy(np.array([440.0, 220.0]), np.array([441.0, 440.0]))
        0.5

    Source: Poliner et al. 2007, section IV; mir_eval.melody.
    """
    got, wanted = _tracks("raw_pitch_accuracy", preds, target)
    right = np.abs(_cents(got, wanted)) < cents
    return _mean("raw_pitch_accuracy", right, wanted > 0, "voiced")


@same_kind
def raw_chroma_accuracy(preds: Tensor, target: Tensor, cents: float = 50.0) -> float:
    """`raw_pitch_accuracy` where octaves off count as right.

    Args:
        preds: any shape, Hz; zero, negative or NaN where there is no pitch.
        target: the same shape.
        cents: how far off is right, in hundredths of a semitone.

    Returns:
        From 0 to 1, over the frames where target has a pitch.

    Raises:
        ShapeError: shapes differ, or target has no pitch at all.

    Example:
        >>> raw_chroma_accuracy(np.array([440.0, 220.0]), np.array([441.0, 440.0]))
        1.0
    """
    got, wanted = _tracks("raw_chroma_accuracy", preds, target)
    off = _cents(got, wanted)
    known = np.isfinite(off)
    octaves = np.floor(np.where(known, off, 0) / CENTS_PER_OCTAVE + 0.5)
    right = known & (np.abs(np.where(known, off, 0) - CENTS_PER_OCTAVE * octaves) < cents)
    return _mean("raw_chroma_accuracy", right, wanted > 0, "voiced")


@same_kind
def voicing_recall(preds: Tensor, target: Tensor) -> float:
    """The share of voiced frames that were found to be voiced.

    Args:
        preds: any shape, Hz; zero, negative or NaN where there is no pitch.
        target: the same shape.

    Returns:
        From 0 to 1.

    Raises:
        ShapeError: shapes differ, or target has no pitch at all.
    """
    got, wanted = _tracks("voicing_recall", preds, target)
    return _mean("voicing_recall", got > 0, wanted > 0, "voiced")


@same_kind
def voicing_false_alarm(preds: Tensor, target: Tensor) -> float:
    """The share of unvoiced frames that were found to be voiced.

    Args:
        preds: any shape, Hz; zero, negative or NaN where there is no pitch.
        target: the same shape.

    Returns:
        From 0 to 1.

    Raises:
        ShapeError: shapes differ, or target has a pitch everywhere.
    """
    got, wanted = _tracks("voicing_false_alarm", preds, target)
    return _mean("voicing_false_alarm", got > 0, wanted == 0, "unvoiced")
