"""Where in time labels are: the best path of a known label sequence through CTC probabilities."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["TokenSpan", "forced_align", "merge_tokens"]

Ints = npt.NDArray[np.int64]
Array = npt.NDArray[Any]


@same_kind
def forced_align(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | None = None,
    target_lengths: Tensor | None = None,
    blank: int = 0,
) -> tuple[Tensor, Tensor]:
    """The likeliest label of every frame, given that the frames spell the targets.

    Args:
        log_probs: (n, t, v) log probabilities, floating, from `log_softmax`.
        targets: (n, l) int32 or int64 labels, none of them blank. torchaudio takes n = 1 only.
        input_lengths: (n,) how many of the t frames count; default all.
        target_lengths: (n,) how many of the l labels count; default all.
        blank: the label that stands for none.

    Returns:
        (n, t) labels in the targets' dtype, blank where a sequence has ended; (n, t) their log
        probabilities, zero there. Gradients flow through the latter.

    Raises:
        ShapeError: shapes or lengths do not fit, or there are too few frames for the targets: a
            label needs one, and a repeated label a blank before it.
        DTypeError: log_probs are not floating, or targets not int32 or int64.
        DomainError: blank among the targets, or labels that do not exist.

    Example:
        >>> frames = tp.tensor([[[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.1, 0.7]]]).log()
        >>> forced_align(frames, tp.tensor([[1, 2]]))[0].tolist()
        [[1, 0, 2]]

    Source: Graves et al. 2006, section 4.1, with maxima for sums.
    """
    _check(log_probs, targets, blank)
    n, t, _ = log_probs.shape
    labels = targets.numpy(force=True).astype(np.int64)
    frames = _lengths("input_lengths", input_lengths, n, t)
    spans = _lengths("target_lengths", target_lengths, n, labels.shape[1])
    labels = np.where(np.arange(labels.shape[1]) < spans[:, None], labels, -1)
    _check_labels(labels, spans, frames, blank, log_probs.shape[2])
    paths = _best_paths(log_probs.numpy(force=True), labels, frames, spans, blank)
    places = tp.as_tensor(paths).to(log_probs.device)
    scores = log_probs.gather(2, places.unsqueeze(2)).squeeze(2)
    known = tp.as_tensor(np.arange(t) < frames[:, None]).to(log_probs.device)
    return places.to(targets.dtype), tp.where(known, scores, tp.zeros_like(scores))


def _check(log_probs: Tensor, targets: Tensor, blank: int) -> None:
    if not log_probs.is_floating_point() or targets.dtype not in (tp.int32, tp.int64):
        raise DTypeError(
            "forced_align: wanted floating log_probs and int32 or int64 targets, got "
            f"{log_probs.dtype} and {targets.dtype}"
        )
    if log_probs.ndim != 3 or targets.ndim != 2 or targets.shape[0] != log_probs.shape[0]:
        raise ShapeError(
            "forced_align: wanted log_probs (n, t, v) and targets (n, l), got "
            f"{tuple(log_probs.shape)} and {tuple(targets.shape)}; a single sequence needs "
            "unsqueeze(0)"
        )
    if not 0 <= blank < log_probs.shape[2]:
        raise DomainError(f"forced_align: blank {blank} is none of {log_probs.shape[2]} labels")


def _lengths(name: str, lengths: Tensor | None, n: int, most: int) -> Ints:
    if lengths is None:
        return np.full(n, most)
    made = lengths.numpy(force=True).astype(np.int64)
    if made.shape != (n,) or not ((made >= 0) & (made <= most)).all():
        raise ShapeError(f"forced_align: wanted {n} {name} from 0 to {most}, got {made.tolist()}")
    return made


def _check_labels(labels: Ints, spans: Ints, frames: Ints, blank: int, classes: int) -> None:
    used = labels[np.arange(labels.shape[1]) < spans[:, None]]
    if (used == blank).any() or ((used < 0) | (used >= classes)).any():
        raise DomainError(
            f"forced_align: targets are labels from 0 to {classes - 1} except the blank {blank}, "
            f"got {used.tolist()}"
        )
    repeats = ((labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] >= 0)).sum(1)
    if (frames < spans + repeats).any():
        raise ShapeError(
            f"forced_align: {spans.tolist()} labels with {repeats.tolist()} repeats want at least "
            f"{(spans + repeats).tolist()} frames, got {frames.tolist()}"
        )


def _best_paths(log_probs: Array, labels: Ints, frames: Ints, spans: Ints, blank: int) -> Ints:
    """(n, t) by the Viterbi recursion over places: blank, first label, blank, second label, ..."""
    n, t, _ = log_probs.shape
    if not t:
        return np.zeros((n, 0), np.int64)
    places = np.full((n, 2 * labels.shape[1] + 1), blank)
    places[:, 1::2] = np.where(labels < 0, blank, labels)
    width = places.shape[1]
    jump = np.full(places.shape, -np.inf, log_probs.dtype)  # over the blank to another label
    jump[:, 3::2] = np.where(labels[:, 1:] != labels[:, :-1], 0.0, -np.inf)
    best = np.full((n, 2 + width), -np.inf, log_probs.dtype)
    best[:, 2] = 0.0  # before the first frame, which is then the first blank or the first label
    moves = np.zeros((t, n, width), np.int8)
    scores = np.take_along_axis(log_probs, places[:, None, :], axis=2)  # (n, t, width)
    for k in range(t):
        steps = np.stack([best[:, 2:], best[:, 1:-1], best[:, :-2] + jump])
        moves[k] = steps.argmax(0)
        reached = steps.max(0) + scores[:, k]
        best[:, 2:] = np.where((frames > k)[:, None], reached, best[:, 2:])
    return _traced(best[:, 2:], moves, places, frames, spans, blank)


def _traced(best: Array, moves: Array, places: Ints, frames: Ints, spans: Ints, blank: int) -> Ints:
    """Labels of the path, from its end backwards."""
    t, n, _ = moves.shape
    each = np.arange(n)
    at = 2 * spans
    before = np.maximum(at - 1, 0)
    at = np.where(best[each, at] > best[each, before], at, before)
    paths = np.full((n, t), blank)
    for k in range(t - 1, -1, -1):
        inside = frames > k
        paths[:, k] = np.where(inside, places[each, at], blank)
        at = np.where(inside, at - moves[k, each, at], at)
    return paths


@dataclass
class TokenSpan:
    """A label and the frames it was heard in.

    Args:
        token: the label.
        start: first frame.
        end: the frame after the last.
        score: mean of the scores of its frames.

    Example:
        >>> len(TokenSpan(token=5, start=3, end=7, score=-0.1))
        4
    """

    token: int
    start: int
    end: int
    score: float

    def __len__(self) -> int:
        """Number of frames."""
        return self.end - self.start


@same_kind
def merge_tokens(tokens: Tensor, scores: Tensor, blank: int = 0) -> list[TokenSpan]:
    """The labels of a path, each with its frames; blanks and repeats are left out.

    Args:
        tokens: (t,) labels of frames, as `forced_align` gives them for one sequence.
        scores: (t,) their scores.
        blank: the label that stands for none.

    Returns:
        One span per label, in order.

    Raises:
        ShapeError: tokens and scores are not 1-d, or not of the same length.

    Example:
        >>> spans = merge_tokens(tp.tensor([0, 7, 7, 9]), tp.tensor([-1.0, -2.0, -4.0, -1.0]))
        >>> spans[0]
        TokenSpan(token=7, start=1, end=3, score=-3.0)
    """
    if tokens.ndim != 1 or scores.ndim != 1 or len(tokens) != len(scores):
        raise ShapeError(
            "merge_tokens: wanted tokens and scores (t,), got "
            f"{tuple(tokens.shape)} and {tuple(scores.shape)}"
        )
    labels, values = tokens.numpy(force=True), scores.numpy(force=True)
    if not len(labels):
        return []
    changes = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [
        TokenSpan(int(labels[start]), start, end, float(values[start:end].mean()))
        for start, end in itertools.pairwise(changes)
        if labels[start] != blank
    ]
