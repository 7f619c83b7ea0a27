"""Connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops.creation import as_tensor, cast_to
from ...prims import create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...tensor import Tensor
from .arguments import check_range, reduced

__all__ = ["ctc_loss"]

# Stands for log 0: finite, so that differences of two of them are no NaN.
NEVER = -1e30

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
    loss = _losses(log_probs, _with_blanks(labels, blank), used, spans, blank)
    loss = ew.add(loss, _level(log_probs, used))
    lost = ew.gt(loss, -NEVER / 2)
    loss = ew.where(lost, 0.0 if zero_infinity else float("inf"), loss)
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


def _with_blanks(labels: Tensor, blank: int) -> Tensor:
    """(n, 2 s + 1): a blank before, between and after labels."""
    count, length = labels.shape
    spaced = mv.reshape(labels, shape=(count, length, 1))
    pairs = mv.pad(spaced, widths=((0, 0), (0, 0), (1, 0)), value=blank)
    flat = mv.reshape(pairs, shape=(count, 2 * length))
    return mv.pad(flat, widths=((0, 0), (0, 1)), value=blank)


def _level(log_probs: Tensor, used: Tensor) -> Tensor:
    """(n,) zeros with the gradient exp(log_probs), as torch has it: the gradient is then that of
    the logits, and a `log_softmax` before it changes nothing.
    """
    steps, count = log_probs.shape[:2]
    counts = ew.lt(mv.reshape(_range(steps, log_probs), shape=(steps, 1)), used)
    p = ew.exp(log_probs)
    flat = ew.sub(p, p.detach())
    return rd.sum(ew.where(mv.reshape(counts, shape=(steps, count, 1)), flat, 0.0), axes=(0, 2))


def _losses(log_probs: Tensor, path: Tensor, used: Tensor, spans: Tensor, blank: int) -> Tensor:
    """(n,) losses by the forward recursion over time."""
    steps, count = log_probs.shape[:2]
    width = path.shape[1]
    wide = mv.expand(mv.reshape(path, shape=(1, count, width)), shape=(steps, count, width))
    scores = ew.maximum(ix.gather(log_probs, wide, axis=2), NEVER)  # (t, n, 2 s + 1)
    # A label may be reached from the label before it, without a blank, if they differ.
    before = mv.slice_(
        mv.pad(path, widths=((0, 0), (2, 0)), value=blank), key=(slice(None), slice(0, width))
    )
    jump = ew.where(ew.logical_and(ew.ne(path, blank), ew.ne(path, before)), 0.0, NEVER)
    jump = cast_to(jump, log_probs._data.dtype)
    start = ew.where(ew.lt(_range(width, path), 2), 0.0, NEVER)
    alpha = ew.add(mv.slice_(scores, key=(0,)), cast_to(start, log_probs._data.dtype))
    alpha = ew.maximum(alpha, NEVER)
    limit = mv.reshape(used, shape=(count, 1))
    for t in range(1, steps):
        step = ew.add(_reach(alpha, jump), mv.slice_(scores, key=(t,)))
        alpha = ew.where(ew.gt(limit, t), ew.maximum(step, NEVER), alpha)
    return _ends(alpha, spans)


def _reach(alpha: Tensor, jump: Tensor) -> Tensor:
    """log of the sum over the places an alignment may come from: the same, one and two before."""
    width = alpha.shape[1]
    wide = mv.pad(alpha, widths=((0, 0), (2, 0)), value=NEVER)
    one = mv.slice_(wide, key=(slice(None), slice(1, width + 1)))
    two = ew.add(mv.slice_(wide, key=(slice(None), slice(0, width))), jump)
    top = ew.maximum(ew.maximum(alpha, one), two).detach()
    total: Any = None
    for part in (alpha, one, two):
        share = ew.exp(ew.sub(part, top))
        total = share if total is None else ew.add(total, share)
    return ew.add(ew.log(total), top)


def _ends(alpha: Tensor, spans: Tensor) -> Tensor:
    """The two ways an alignment may end: after the last label, or after the blank behind it."""
    count = alpha.shape[0]
    last = mv.reshape(ew.mul(spans, 2), shape=(count, 1))
    places = mv.concat(last, ew.maximum(ew.sub(last, 1), 0), axis=1)
    ends = ix.gather(alpha, places, axis=1)
    empty = mv.reshape(ew.eq(spans, 0), shape=(count, 1))
    second = ew.eq(_range(2, alpha), 1)
    ends = ew.where(ew.logical_and(empty, second), NEVER, ends)
    top = rd.amax(ends, axes=(1,), keepdim=True).detach()
    total = ew.log(rd.sum(ew.exp(ew.sub(ends, top)), axes=(1,), keepdim=True))
    return ew.neg(mv.reshape(ew.add(total, top), shape=(count,)))
