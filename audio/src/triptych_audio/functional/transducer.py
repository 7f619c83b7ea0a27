"""The loss of recurrent neural network transducers."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["rnnt_loss"]

REDUCTIONS = ("none", "mean", "sum")


@same_kind
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
    """How unlikely label sequences are to a transducer, over all ways to place them in time.

    Args:
        logits: (n, t, u + 1, v) scores of the joint network, floating.
        targets: (n, u) int32 labels, filled up with any label.
        logit_lengths: (n,) int32, how many of the t frames count; the longest is t.
        target_lengths: (n,) int32, how many of the u labels count; the longest is u.
        blank: label that stands for none; negative counts from the end.
        clamp: limit of the gradient of each sample's loss with respect to the logits, in absolute
            value; none if not positive.
        reduction: "mean" over the batch, "sum" or "none".
        fused_log_softmax: normalise the logits; False if they are log probabilities already.

    Returns:
        A number, or (n,) with reduction "none"; natural logarithms.

    Raises:
        DTypeError: logits are not floating, or the others not int32.
        ShapeError: shapes and lengths do not fit each other.
        DomainError: an unknown reduction, or blank is no label.
        BoundsError: a target is no label.

    Example:
        >>> logits = tp.zeros(1, 2, 2, 3)
        >>> one, two = tp.tensor([1], dtype=tp.int32), tp.tensor([2], dtype=tp.int32)
        >>> round(rnnt_loss(logits, tp.tensor([[1]], dtype=tp.int32), two, one).exp().item(), 3)
        13.5

    Source: Graves 2012, section 2.4; arguments and checks of torchaudio.
    """
    if reduction not in REDUCTIONS:
        raise DomainError(f"rnnt_loss: reduction is one of {REDUCTIONS}, got {reduction!r}")
    _check(logits, targets, logit_lengths, target_lengths)
    if not -logits.shape[-1] <= blank < logits.shape[-1]:
        raise DomainError(f"rnnt_loss: blank {blank} is none of the {logits.shape[-1]} labels")
    return tp.nn.functional.rnnt_loss(
        logits,
        targets,
        logit_lengths,
        target_lengths,
        blank,
        clamp,
        reduction,
        fused_log_softmax,
    )


def _check(logits: Tensor, targets: Tensor, logit_lengths: Tensor, target_lengths: Tensor) -> None:
    integers = {
        "targets": targets,
        "logit_lengths": logit_lengths,
        "target_lengths": target_lengths,
    }
    for name, value in integers.items():
        if value.dtype != tp.int32:
            raise DTypeError(
                f"rnnt_loss: {name} must be int32, got {value.dtype}; use .to(triptych.int32)"
            )
    n = logits.shape[0] if logits.ndim else 0
    sizes = [tuple(v.shape) for v in integers.values()]
    if logits.ndim != 4 or sizes != [(n, logits.shape[2] - 1), (n,), (n,)]:
        raise ShapeError(
            "rnnt_loss: wanted logits (n, t, u + 1, v), targets (n, u) and n lengths each, got "
            f"{tuple(logits.shape)}, {sizes[0]}, {sizes[1]} and {sizes[2]}"
        )
    longest = (int(logit_lengths.max()), int(target_lengths.max()) + 1) if n else (0, 0)
    if n and longest != tuple(logits.shape[1:3]):
        raise ShapeError(
            f"rnnt_loss: the longest of logit_lengths and target_lengths are {longest[0]} and "
            f"{longest[1] - 1}, so logits want (n, {longest[0]}, {longest[1]}, v), got "
            f"{tuple(logits.shape)}"
        )
