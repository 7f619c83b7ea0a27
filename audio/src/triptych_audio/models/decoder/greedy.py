"""The likeliest label of every frame, without a search."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.alignment import TokenSpan, merge_tokens
from triptych_audio.interop import same_kind

__all__ = ["greedy_ctc_decode"]


@same_kind
def greedy_ctc_decode(
    log_probs: Tensor, lengths: Tensor | None = None, blank: int = 0
) -> list[list[TokenSpan]]:
    """The likeliest label of every frame, with blanks and repeats left out.

    Args:
        log_probs: (n, t, v) or (t, v) log probabilities of a CTC model.
        lengths: (n,) how many of the t frames count; default all.
        blank: the label that stands for none.

    Returns:
        For each sequence its labels, each with its frames and their mean log probability.
        `functional.merge_words` makes words of them.

    Raises:
        ShapeError: another shape, or lengths that do not fit.
        DTypeError: log_probs are not floating.

    Example:
        >>> frames = tp.tensor([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]]).log()
        >>> [(s.token, s.start, s.end) for s in greedy_ctc_decode(frames)[0]]
        [(1, 0, 2), (1, 3, 4)]

    Source: Graves et al. 2006, section 3.2, best path decoding.
    """
    if not log_probs.is_floating_point():
        raise DTypeError(f"greedy_ctc_decode: wanted floating log_probs, got {log_probs.dtype}")
    batch = log_probs.unsqueeze(0) if log_probs.ndim == 2 else log_probs
    if batch.ndim != 3:
        raise ShapeError(
            f"greedy_ctc_decode: wanted (n, t, v) or (t, v), got {tuple(log_probs.shape)}"
        )
    n, t, _ = batch.shape
    counts = [t] * n if lengths is None else lengths.tolist()
    if len(counts) != n or not all(0 <= count <= t for count in counts):
        raise ShapeError(f"greedy_ctc_decode: wanted {n} lengths from 0 to {t}, got {counts}")
    scores, labels = tp.max(batch, -1) if t else (batch.sum(-1), batch.sum(-1))
    return [
        merge_tokens(labels[i, :count], scores[i, :count], blank) for i, count in enumerate(counts)
    ]
