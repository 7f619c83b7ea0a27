"""Connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops.creation import as_tensor, cast_to
from ...prims import create
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims.ctc import ctc
from ...tensor import Tensor
from .arguments import check_range, reduced

__all__ = ["ctc_loss"]

Lengths = Tensor | Sequence[int]


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """The negative log likelihood of label sequences, summed over all their alignments.

    Args:
        log_probs: (t, n, c) log probabilities, or (t, c) of one sample; from `log_softmax`.
        targets: (n, s) class numbers, or those of all samples one after the other.
        input_lengths: (n,) how many of the t steps count.
        target_lengths: (n,) how many of the s labels count.
        blank: the class of "no label".
        reduction: "mean" (of losses divided by their target lengths), "sum" or "none".
        zero_infinity: count samples without an alignment (targets too long) as zero, not infinity.

    Returns:
        A number, or (n,) with reduction "none".

    Raises:
        ShapeError: shapes or lengths do not fit.
        BoundsError: a target is no class.
        DTypeError: log_probs are not floating.

    Source: Graves et al. 2006, section 4.1.
    """
    if not dtypes.is_floating(log_probs._data.dtype):
        raise DTypeError(f"ctc_loss: wanted floating log_probs, got {log_probs.dtype}")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(
            f"ctc_loss: wanted log_probs (t, n, c) or (t, c), got {tuple(log_probs.shape)}"
        )
    single = log_probs.ndim == 2
    if single:
        steps, classes = log_probs.shape
        log_probs = mv.reshape(log_probs, shape=(steps, 1, classes))
    used = _counts("input_lengths", input_lengths, log_probs, log_probs.shape[0])
    spans = _counts("target_lengths", target_lengths, log_probs, None)
    labels = _labels(targets, spans, log_probs)
    check_range("ctc_loss", labels, log_probs.shape[2])
    loss = ctc(log_probs, labels, used, spans, blank=blank, logits=True)
    if zero_infinity:
        loss = ew.where(ew.isinf(loss), 0.0, loss)
    if reduction == "mean":
        loss = ew.div(loss, cast_to(ew.maximum(spans, 1), loss._data.dtype))
    loss = mv.reshape(loss, shape=()) if single else loss
    return reduced("ctc_loss", loss, reduction)


def _counts(label: str, lengths: Lengths, log_probs: Tensor, most: int | None) -> Tensor:
    """Lengths as an int64 (n,) tensor."""
    made = lengths if isinstance(lengths, Tensor) else as_tensor(list(lengths), dtype=dtypes.int64)
    made = cast_to(made.to(log_probs.device), dtypes.INT64)
    made = mv.reshape(made, shape=(made._data.size,))
    count = log_probs.shape[1]
    if made.shape[0] != count:
        raise ShapeError(f"ctc_loss: wanted {count} {label}, one per sample, got {made.shape[0]}")
    if most is not None and int(made.max()) > most:
        raise ShapeError(
            f"ctc_loss: {label} go up to {int(made.max())}, but log_probs has {most} steps"
        )
    return made


def _labels(targets: Tensor, spans: Tensor, log_probs: Tensor) -> Tensor:
    """(n, s) labels; zeros after the end of each."""
    targets, count = cast_to(targets, dtypes.INT64), log_probs.shape[1]
    lengths = spans.tolist()
    longest = max(lengths, default=0)
    if targets.ndim == 1:
        if sum(lengths) > targets.shape[0]:
            raise ShapeError(
                f"ctc_loss: target_lengths add up to {sum(lengths)}, but there are "
                f"{targets.shape[0]} targets"
            )
        starts = [sum(lengths[:i]) for i in range(count)]
        rows = [
            mv.slice_(targets, key=(slice(a, a + n),)) for a, n in zip(starts, lengths, strict=True)
        ]
        rows = [mv.pad(r, widths=((0, longest - r.shape[0]),)) for r in rows]
        return mv.reshape(mv.concat(*rows, axis=0), shape=(count, longest))
    if targets.ndim != 2 or targets.shape[0] != count or targets.shape[1] < longest:
        raise ShapeError(
            f"ctc_loss: wanted targets ({count}, at least {longest}) or 1-d, got "
            f"{tuple(targets.shape)}"
        )
    labels = mv.slice_(targets, key=(slice(None), slice(0, longest)))
    places = _range(longest, log_probs)
    return ew.where(ew.lt(places, mv.reshape(spans, shape=(count, 1))), labels, 0)


def _range(count: int, like: Tensor) -> Tensor:
    return create.arange(shape=(count,), dtype=dtypes.INT64, device=like.device, start=0, step=1)
