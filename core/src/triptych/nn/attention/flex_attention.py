"""Attention whose scores and masks are given as formulas of the places."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import ShapeError
from ...ops.creation import arange
from ...ops.linalg import matmul
from ...ops.pointwise import softmax, where
from ...ops.reduce import logsumexp
from ...tensor import Tensor

__all__ = [
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

Mask = Callable[[Any, Any, Any, Any], Tensor]


class BlockMask(NamedTuple):
    """Which places attention may look at.

    Attributes:
        mask: (n or 1, heads or 1, l, s) boolean.
        mask_mod: the formula it came from.
    """

    mask: Tensor
    mask_mod: Mask

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the mask."""
        return tuple(self.mask.shape)

    def to_dense(self) -> Tensor:
        """The mask as a boolean tensor."""
        return self.mask

    def sparsity(self) -> float:
        """The percentage of places that are hidden."""
        return 100 * (1 - float(self.mask.float().mean()))


def _places(shape: tuple[int, ...], device: Any) -> list[Any]:
    """Index tensors that broadcast to a shape, one per axis."""
    return [
        arange(n, device=device).reshape(*(-1 if i == axis else 1 for i in range(len(shape))))
        for axis, n in enumerate(shape)
    ]


def create_mask(
    mod_fn: Mask, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = "cpu"
) -> Tensor:
    """The boolean mask (B or 1, H or 1, Q_LEN, KV_LEN) of a formula.

    Args:
        mod_fn: called once as ``mod_fn(b, h, q_idx, kv_idx)`` with index tensors that broadcast
            against each other; True where attention may look.
        B, H: batch size and heads; None if the formula does not depend on them.
        Q_LEN, KV_LEN: l and s.
        device: of the mask.

    Example:
        >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 2)[0, 0].tolist()
        [[True, False], [True, True]]
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    return mod_fn(*_places(shape, device)).bool().expand(shape)


def create_block_mask(
    mask_mod: Mask,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = "cpu",
    BLOCK_SIZE: Any = 128,
    _compile: bool = False,
) -> BlockMask:
    """The mask of a formula, for `flex_attention`.

    Args:
        mask_mod, B, H, Q_LEN, KV_LEN, device: as for `create_mask`.
        BLOCK_SIZE: accepted for torch's sake and without effect.
    """
    return BlockMask(create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device), mask_mod)


def noop_mask(batch: Any, head: Any, token_q: Any, token_kv: Any) -> Tensor:
    """Hides nothing."""
    return (token_q >= 0) | (token_kv >= 0)


def and_masks(*mask_mods: Mask) -> Mask:
    """Shows what all formulas show."""

    def both(b: Any, h: Any, q: Any, kv: Any) -> Tensor:
        shown = noop_mask(b, h, q, kv)
        for mod in mask_mods:
            shown = shown & mod(b, h, q, kv)
        return shown

    return both


def or_masks(*mask_mods: Mask) -> Mask:
    """Shows what any formula shows."""

    def either(b: Any, h: Any, q: Any, kv: Any) -> Tensor:
        shown = ~noop_mask(b, h, q, kv)
        for mod in mask_mods:
            shown = shown | mod(b, h, q, kv)
        return shown

    return either


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[[Any, Any, Any, Any, Any], Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
) -> Any:
    """Attention with its scores changed by a formula; all scores are held at once.

    Args:
        query: (n, h, l, e).
        key, value: (n, h, s, e) and (n, h, s, e'); with enable_gqa fewer heads, shared by groups.
        score_mod: called once as ``score_mod(score, b, h, q_idx, kv_idx)`` with all scores
            (n, h, l, s) and index tensors that broadcast to them; gives the new scores.
        block_mask: from `create_block_mask`.
        scale: default 1 / sqrt(e).
        enable_gqa: see key.
        return_lse: also give the logarithm of the sum of each row, (n, h, l).
        kernel_options: accepted for torch's sake and without effect.

    Returns:
        (n, h, l, e'), rows that may look nowhere zero; or that and the logarithms.

    Raises:
        ShapeError: shapes do not fit.

    Example:
        >>> q = triptych.ones(1, 1, 2, 4)
        >>> flex_attention(q, q, q, lambda score, b, h, i, j: score + (i - j)).shape
        Size([1, 1, 2, 4])
    """
    heads = key.shape[-3] if key.ndim == 4 else 0
    fits = query.ndim == value.ndim == 4 and heads and query.shape[1] % heads == 0
    if not fits or (query.shape[1] != heads and not enable_gqa):
        raise ShapeError(
            "flex_attention: wanted query (n, h, l, e), key (n, h, s, e) and value (n, h, s, e'), "
            f"got {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}; fewer heads "
            "of key and value want enable_gqa=True"
        )
    if query.shape[1] != heads:
        key, value = (t.repeat_interleave(query.shape[1] // heads, 1) for t in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores: Any = matmul(query * factor, key.transpose(-2, -1))
    if score_mod is not None:
        scores = score_mod(scores, *_places(tuple(scores.shape), query.device))
    if block_mask is not None:
        scores = where(block_mask.mask, scores, -math.inf)
    blind = (scores == -math.inf).all(-1, keepdim=True)
    weights = where(blind, 0.0, softmax(where(blind, 0.0, scores), -1))
    out = matmul(weights, value)
    return (out, logsumexp(scores, -1)) if return_lse else out
