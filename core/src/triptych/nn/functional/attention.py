"""Attention."""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Iterator
from typing import Any

from ... import dtypes
from ...avals import broadcast_shapes
from ...errors import DTypeError, ShapeError
from ...ops.named import keeps_names
from ...prims import composite, create
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.attention import attention
from ...prims.contract import matmul
from ...random import Generator, default_generator
from ...tensor import Tensor
from .dropout import dropout

__all__ = ["scaled_dot_product_attention"]

# Whether attention goes block by block; False holds all scores at once. See nn.attention.
_in_blocks: contextvars.ContextVar[bool] = contextvars.ContextVar("in_blocks", default=True)


@contextlib.contextmanager
def in_blocks(wanted: bool) -> Iterator[None]:
    """Inside this context attention goes block by block, or not."""
    before = _in_blocks.set(wanted)
    try:
        yield
    finally:
        _in_blocks.reset(before)


@keeps_names
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

    It goes block by block, forward and backward, so memory grows with l + s and not with l * s.

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
        ShapeError: shapes do not fit, dropout_p is no probability, or mask and is_causal are both
            given.
        DTypeError: dtypes differ, or the mask holds integers.

    Source: Vaswani et al. 2017, eq. 1.
    """
    _check(query, key, value, dropout_p)
    if is_causal and attn_mask is not None:
        raise ShapeError("scaled_dot_product_attention: give attn_mask or is_causal, not both")
    if attn_mask is not None and attn_mask._data.dtype.kind in "iu":
        raise DTypeError(
            "scaled_dot_product_attention: wanted a boolean mask or floating numbers to add, got "
            f"{attn_mask.dtype}; convert with .bool()"
        )
    shared = enable_gqa and query.shape[-3:-2] != key.shape[-3:-2]
    if shared:
        query, key, value = _by_group(query, key, value)
        attn_mask = None if attn_mask is None else _mask_by_group(attn_mask, query)
    factor = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    attend = _blockwise if _in_blocks.get() else _at_once
    out = attend(query, key, value, attn_mask, dropout_p, is_causal, factor, generator)
    if not shared:
        return out
    heads = out.shape[-4] * out.shape[-3]
    return mv.reshape(out, shape=(*out.shape[:-4], heads, *out.shape[-2:]))


def _check(query: Tensor, key: Tensor, value: Tensor, dropout_p: float) -> None:
    low = min(query.ndim, key.ndim, value.ndim) < 2
    if low or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            "scaled_dot_product_attention: wanted query (..., l, e), key (..., s, e) and value "
            f"(..., s, e'), got {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    if not 0 <= dropout_p <= 1:
        raise ShapeError(
            f"scaled_dot_product_attention: dropout_p is a probability, 0 to 1, got {dropout_p}"
        )


def _by_group(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query as (..., key heads, group, l, e), and key and value with one in place of the group."""
    if min(query.ndim, key.ndim, value.ndim) < 3:
        raise ShapeError(
            "scaled_dot_product_attention: enable_gqa wants an axis of heads before (l, e), got "
            f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    heads, own = query.shape[-3], key.shape[-3]
    if not own or heads % own or value.shape[-3] != own:
        raise ShapeError(
            f"scaled_dot_product_attention: {heads} query heads are no multiple of {own} key and "
            f"{value.shape[-3]} value heads"
        )
    query = mv.reshape(query, shape=(*query.shape[:-3], own, heads // own, *query.shape[-2:]))
    key, value = (mv.reshape(t, shape=(*t.shape[:-2], 1, *t.shape[-2:])) for t in (key, value))
    return query, key, value


def _mask_by_group(mask: Tensor, query: Tensor) -> Tensor:
    if mask.ndim < 3:
        return mask
    split = (1, 1) if mask.shape[-3] == 1 else query.shape[-4:-2]
    return mv.reshape(mask, shape=(*mask.shape[:-3], *split, *mask.shape[-2:]))


def _blockwise(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    drop: float,
    causal: bool,
    scale: float,
    generator: Generator | None,
) -> Tensor:
    shapes = [t.shape[:-2] for t in (query, key, value)]
    if mask is not None:
        shapes.append(mask.shape[:-2])
    lead = broadcast_shapes("scaled_dot_product_attention", *shapes)
    query, key, value = (_led(t, lead) for t in (query, key, value))
    rest: list[Tensor] = [] if mask is None else [mask]
    if drop:
        rest.append(
            create.integers(
                shape=(2,),
                dtype=dtypes.INT64,
                device=query.device,
                generator=generator or default_generator,
                low=0,
                high=2**32,
            )
        )
    offset: Any = 0 if causal else None
    options: Any = {"scale": float(scale), "causal": offset, "masked": mask is not None}
    return attention(query, key, value, *rest, drop=float(drop), **options)[0]


def _led(t: Tensor, lead: tuple[int, ...]) -> Tensor:
    return t if t.shape[:-2] == lead else mv.expand(t, shape=(*lead, *t.shape[-2:]))


def _at_once(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    drop: float,
    causal: bool,
    scale: float,
    generator: Generator | None,
) -> Tensor:
    """The plain formula, which holds all scores and weights."""
    turned = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    scores = matmul(ew.mul(query, scale), mv.permute(key, axes=turned))
    blind = None
    if causal:
        scores = ew.where(_causal(query, key), scores, -math.inf)
    elif mask is not None:
        scores, blind = _masked(scores, mask)
    weights = composite.softmax(scores, axis=scores.ndim - 1)
    if drop:
        weights = dropout(weights, drop, generator=generator)
    out = matmul(weights, value)
    return out if blind is None else ew.where(blind, 0.0, out)


def _steps(count: int, like: Tensor) -> Tensor:
    return create.arange(shape=(count,), dtype=dtypes.INT64, device=like.device, start=0, step=1)


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """(l, s), True on and below the diagonal."""
    rows = mv.reshape(_steps(query.shape[-2], query), shape=(query.shape[-2], 1))
    return ew.ge(rows, _steps(key.shape[-2], query))


def _masked(scores: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Scores under the mask, and (..., l, 1) the rows that may look nowhere.

    The scores of such rows are left as they are: a softmax over nothing but -inf would be NaN.
    """
    boolean = mask._data.dtype == dtypes.BOOL
    seen = mask if boolean else ew.ne(mask, -math.inf)
    blind = ew.logical_not(rd.any(seen, axes=(mask.ndim - 1,), keepdim=True))
    if boolean:
        return ew.where(ew.logical_or(mask, blind), scores, -math.inf), blind
    return ew.add(scores, ew.where(blind, 0.0, mask)), blind
