"""Attention."""

from __future__ import annotations

import math

from ... import dtypes
from ...errors import ShapeError
from ...ops.linalg import matmul
from ...prims import composite, create
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims import reduce as rd
from ...random import Generator
from ...tensor import Tensor
from .dropout import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """softmax(query @ key.mT * scale + mask) @ value.

    Args:
        query: (..., l, e).
        key: (..., s, e).
        value: (..., s, e').
        attn_mask: broadcasts to (..., l, s); boolean, True where attention may look, or numbers
            that are added to the scores.
        dropout_p: probability with which a weight becomes zero.
        is_causal: position i sees positions 0 to i alone; not together with a mask.
        scale: default 1 / sqrt(e).
        enable_gqa: heads (axis -3) of key and value are shared by groups of query heads.
        generator: source of the draws of dropout.

    Returns:
        (..., l, e'); rows that may look nowhere are zero.

    Raises:
        ShapeError: shapes do not fit, or mask and is_causal are both given.

    Source: Vaswani et al. 2017, eq. 1.
    """
    _check(query, key, value)
    if enable_gqa:
        key, value = (_shared_heads(query, t) for t in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None and query.shape[-1] else scale
    if is_causal:
        if attn_mask is not None:
            raise ShapeError("scaled_dot_product_attention: give attn_mask or is_causal, not both")
        attn_mask = _causal(query, key)
    turned = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    scores = matmul(ew.mul(query, factor), mv.permute(key, axes=turned))
    blind = None
    if attn_mask is not None:
        scores, blind = _masked(scores, attn_mask, is_causal)
    weights = composite.softmax(scores, axis=scores.ndim - 1)
    if dropout_p:
        weights = dropout(weights, dropout_p, generator=generator)
    out = matmul(weights, value)
    return out if blind is None else ew.where(blind, 0.0, out)


def _check(query: Tensor, key: Tensor, value: Tensor) -> None:
    low = min(query.ndim, key.ndim, value.ndim) < 2
    if low or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            "scaled_dot_product_attention: wanted query (..., l, e), key (..., s, e) and value "
            f"(..., s, e'), got {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )


def _shared_heads(query: Tensor, t: Tensor) -> Tensor:
    """Heads of key or value repeated so that they are as many as the query's."""
    heads, own = query.shape[-3], t.shape[-3]
    if own == heads:
        return t
    if not own or heads % own:
        raise ShapeError(
            f"scaled_dot_product_attention: {heads} query heads are no multiple of {own} key heads"
        )
    *lead, _, length, width = t.shape
    split = mv.reshape(t, shape=(*lead, own, 1, length, width))
    wide = mv.expand(split, shape=(*lead, own, heads // own, length, width))
    return mv.reshape(wide, shape=(*lead, heads, length, width))


def _steps(count: int, like: Tensor) -> Tensor:
    return create.arange(shape=(count,), dtype=dtypes.INT64, device=like.device, start=0, step=1)


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """(l, s), True on and below the diagonal."""
    rows = mv.reshape(_steps(query.shape[-2], query), shape=(query.shape[-2], 1))
    return ew.ge(rows, _steps(key.shape[-2], query))


def _masked(scores: Tensor, mask: Tensor, causal: bool) -> tuple[Tensor, Tensor | None]:
    """Scores under the mask, and (..., l, 1) the rows that may look nowhere.

    The scores of such rows are left as they are: a softmax over nothing but -inf would be NaN.
    """
    boolean = mask._data.dtype == dtypes.BOOL
    if causal:  # every row sees at least itself or position 0
        return ew.where(mask, scores, -math.inf), None
    seen = mask if boolean else ew.ne(mask, -math.inf)
    last = (mask.ndim - 1,)
    blind = ew.logical_not(rd.any(seen, axes=last, keepdim=True))
    if boolean:
        return ew.where(ew.logical_or(mask, blind), scores, -math.inf), blind
    return ew.add(scores, ew.where(blind, 0.0, mask)), blind
