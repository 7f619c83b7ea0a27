"""The loss of the recurrent neural network transducer."""

from __future__ import annotations

from typing import Any

from ... import dtypes
from ...autograd.function import Function
from ...autograd.modes import enable_grad
from ...errors import DTypeError, ShapeError
from ...ops.creation import arange, cast_to, full
from ...ops.pointwise import where
from ...ops.reduce import logsumexp
from ...ops.shape import cat
from ...prims.transducer import NEVER, transducer
from ...tensor import Tensor
from .arguments import check_range, reduced

__all__ = ["rnnt_loss"]


def rnnt_loss(
    logits: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = -1,
    clamp: float = -1,
    reduction: str = "mean",
    fused_log_softmax: bool = True,
) -> Tensor:
    """The negative log likelihood of label sequences under a transducer, summed over all
    alignments.

    Args:
        logits: (n, t, u + 1, v) scores of the joint network.
        targets: (n, u) class numbers, none of them blank.
        logit_lengths: (n,) how many of the t frames count.
        target_lengths: (n,) how many of the u labels count.
        blank: the class of "no label"; negative counts from the end.
        clamp: limit of each sample's gradient with respect to the logits, in absolute value; none
            if not positive.
        reduction: "mean" over the batch, "sum" or "none".
        fused_log_softmax: normalise the logits first; False takes log probabilities.

    Returns:
        A number, or (n,) with reduction "none".

    Raises:
        ShapeError: shapes or lengths do not fit.
        BoundsError: a target is no class.
        DTypeError: logits are not floating, or targets not integers.

    Source: Graves 2012, section 2.4; arguments as in torchaudio.
    """
    classes = _check(logits, targets, blank)
    given = (targets, logit_lengths, target_lengths)
    labels, frames, spans = (cast_to(t.to(logits.device), dtypes.INT64) for t in given)
    _check_lengths(logits, frames, spans)
    check_range("rnnt_loss", labels, classes)
    settings = (labels, frames, spans, blank % classes, fused_log_softmax)
    if clamp > 0:
        costs = _Clamped.apply(logits, settings, float(clamp))
    else:
        costs = _costs(logits, *settings)
    return reduced("rnnt_loss", costs, reduction)


def _check(logits: Tensor, targets: Tensor, blank: int) -> int:
    if not dtypes.is_floating(logits._data.dtype):
        raise DTypeError(f"rnnt_loss: wanted floating logits, got {logits.dtype}")
    shape = tuple(logits.shape)
    if logits.ndim != 4 or tuple(targets.shape) != (shape[0], shape[2] - 1):
        raise ShapeError(
            "rnnt_loss: wanted logits (n, t, u + 1, v) and targets (n, u), got "
            f"{shape} and {tuple(targets.shape)}"
        )
    if not -shape[3] <= blank < shape[3]:
        raise ShapeError(f"rnnt_loss: blank {blank} is none of the {shape[3]} classes")
    return shape[3]


def _check_lengths(logits: Any, frames: Any, spans: Any) -> None:
    n, t, u = logits.shape[:3]
    if tuple(frames.shape) != (n,) or tuple(spans.shape) != (n,):
        raise ShapeError(
            f"rnnt_loss: wanted {n} logit_lengths and target_lengths, got {tuple(frames.shape)} "
            f"and {tuple(spans.shape)}"
        )
    if n and not (int(frames.min()) >= 1 and int(frames.max()) <= t):
        raise ShapeError(f"rnnt_loss: logit_lengths want 1 to {t}, got {frames.tolist()}")
    if n and not (int(spans.min()) >= 0 and int(spans.max()) < u):
        raise ShapeError(f"rnnt_loss: target_lengths want 0 to {u - 1}, got {spans.tolist()}")


def _costs(logits: Any, labels: Any, frames: Any, spans: Any, blank: int, fused: bool) -> Tensor:
    """(n,) by the forward recursion over the anti-diagonals of the lattice."""
    home = logits.dtype
    logits = logits.float() if home.itemsize == 2 else logits
    n, t, u, _ = logits.shape
    stay = logits[..., blank]  # (n, t, u)
    places = labels.reshape(n, 1, u - 1, 1).expand(n, t, u - 1, 1)
    move = logits[:, :, : u - 1].gather(3, places).squeeze(3)
    if fused:
        level = logsumexp(logits, -1)
        stay, move = stay - level, move - level[:, :, : u - 1]
    move = cat([move, full((n, t, 1), NEVER, dtype=move.dtype, device=move.device)], 2)
    row = arange(t, device=logits.device).reshape(t, 1)
    column = arange(u, device=logits.device)
    frames, spans = frames.reshape(n, 1, 1), spans.reshape(n, 1, 1)
    inside = (row < frames) & (column <= spans)
    stay = where(inside, stay, NEVER).clamp(min=NEVER)
    move = where(inside & (column < spans), move, NEVER).clamp(min=NEVER)
    diagonal = arange(t + u, device=logits.device).reshape(t + u, 1)
    end = (diagonal.unsqueeze(1) == frames.reshape(n, 1) + spans.reshape(n, 1)) & (
        column == spans.reshape(n, 1)
    )
    return transducer(_skewed(stay), _skewed(move), end).to(home)


def _skewed(x: Any) -> Tensor:
    """(n, t, u) as (t + u - 1, n, u): cell (i, j) in row i + j."""
    n, t, u = x.shape
    row = arange(t + u - 1, device=x.device).reshape(-1, 1) - arange(u, device=x.device)
    known = (row >= 0) & (row < t)
    place = where(known, row * u + arange(u, device=x.device), t * u).reshape(1, -1)
    outside = full((n, 1), NEVER, dtype=x.dtype, device=x.device)
    flat: Any = cat([x.reshape(n, t * u), outside], 1)
    return flat.gather(1, place.expand(n, -1)).reshape(n, t + u - 1, u).permute(1, 0, 2)


class _Clamped(Function):
    """Costs whose gradient per sample is limited."""

    @staticmethod
    def forward(ctx: Any, logits: Any, settings: Any, limit: float) -> Any:
        with enable_grad():
            leaf = logits.detach().requires_grad_()
            costs = _costs(leaf, *settings)
            costs.sum().backward()
        ctx.save_for_backward(leaf.grad.clamp(-limit, limit))
        return costs.detach()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (slope,) = ctx.saved_tensors
        return slope * g.reshape(-1, 1, 1, 1), None, None
