"""Attention of decoders: what each token may look at, groups of heads, biases and soft caps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .arrays import arrays_of

__all__ = ["Sight", "attend", "causal_sight", "join_heads", "padding_sight", "split_heads"]


@dataclass(frozen=True)
class Sight:
    """What queries may look at.

    Args:
        allowed: boolean, broadcasts to (n, 1, l, s); None when everything, or what `causal` says.
        causal: query i sees keys 0 to i alone, l = s.
    """

    allowed: Tensor | None = None
    causal: bool = False


def causal_sight(
    length: int, stored: int, window: int | None = None, attention_mask: Tensor | None = None
) -> Sight:
    """Sight of the newest tokens on themselves and on those before them.

    Args:
        length: l, new tokens.
        stored: keys of earlier tokens that a cache still has.
        window: how many tokens a query sees, itself included; None for all.
        attention_mask: (n, total) with total >= stored + l, 1 for tokens and 0 for padding; or
            (n, l, stored + l) to say it for each query.

    Returns:
        Sight of l queries on s = stored + l keys.

    Raises:
        ShapeError: the mask has other axes.
    """
    total = stored + length
    narrow = window is not None and total > window
    if attention_mask is None and not narrow:
        if length == 1:
            return Sight()
        if stored == 0:
            return Sight(causal=True)
    allowed = None
    if length > 1 or narrow:
        behind = tp.arange(stored, total)[:, None] - tp.arange(total)  # (l, s), 0 is itself
        allowed = behind >= 0
        if window is not None and narrow:
            allowed = allowed & (behind < window)
    if attention_mask is not None:
        real = _real_keys(attention_mask, total)
        allowed = real if allowed is None else real & allowed
    return Sight(allowed)


def _real_keys(attention_mask: Tensor, total: int) -> Tensor:
    """(n, 1, 1, s) or (n, 1, l, s): keys that are no padding."""
    if attention_mask.ndim not in (2, 3) or attention_mask.shape[-1] < total:
        raise ShapeError(
            f"attention_mask: wanted (n, s) with s >= {total}, earlier tokens included, got "
            f"{tuple(attention_mask.shape)}"
        )
    recent = attention_mask[..., attention_mask.shape[-1] - total :] != 0
    return recent[:, None, None, :] if recent.ndim == 2 else recent[:, None]


def padding_sight(attention_mask: Tensor | None) -> Sight:
    """Sight of an encoder, or of a decoder on an encoder: all but padding.

    Args:
        attention_mask: (n, s), 1 for tokens and 0 for padding; None when there is no padding.

    Raises:
        ShapeError: the mask is not (n, s).
    """
    if attention_mask is None:
        return Sight()
    return Sight(_real_keys(attention_mask, attention_mask.shape[-1]))


def split_heads(x: Tensor, width: int) -> Tensor:
    """(n, l, heads * width) to (n, heads, l, width)."""
    n, length, _ = x.shape
    return x.reshape(n, length, -1, width).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """(n, heads, l, width) to (n, l, heads * width)."""
    n, heads, length, width = x.shape
    return x.transpose(1, 2).reshape(n, length, heads * width)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    sight: Sight,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
    soft_cap: float | None = None,
    dropout_p: float = 0.0,
) -> Tensor:
    """Attention in heads.

    Args:
        query: (n, heads, l, e).
        key: (n, groups, s, e); groups divides heads, each serves heads / groups of them.
        value: (n, groups, s, e').
        sight: what may be looked at; a query that sees nothing gives zeros, or the mean of all.
        scale: of the scores; default 1 / sqrt(e).
        bias: added to the scores, broadcasts to (n, heads, l, s).
        soft_cap: scores are squeezed between minus this and this by tanh.
        dropout_p: share of weights set to zero.

    Returns:
        (n, l, heads * e').

    Source: Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 (groups); Gemma 2 report, section 2
        (soft cap).
    """
    if sight.causal and (bias is not None or soft_cap is not None):
        sight = Sight(tp.ones(query.shape[2], key.shape[2], dtype=tp.bool).tril())
    few = query.shape[2] == 1  # one query: scores are small, and blocks would only cost
    if soft_cap is None and not few:
        mask = _added(sight, bias)
        out = F.scaled_dot_product_attention(
            query, key, value, mask, dropout_p, sight.causal, scale, enable_gqa=True
        )
        return join_heads(out)
    arrays = arrays_of(query, key, value) if few and not dropout_p else None
    if arrays is not None:
        q, k, v = arrays
        return _attend_in_arrays(q, k, v, sight, scale, bias, soft_cap)
    return join_heads(_attend_at_once(query, key, value, sight, scale, bias, soft_cap, dropout_p))


def _added(sight: Sight, bias: Tensor | None) -> Tensor | None:
    if bias is None or sight.allowed is None:
        return sight.allowed if bias is None else bias
    return tp.where(sight.allowed, bias, tp.finfo(bias.dtype).min)


def _attend_in_arrays(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    sight: Sight,
    scale: float | None,
    bias: Tensor | None,
    soft_cap: float | None,
) -> Tensor:
    """As `_attend_at_once`, for one query, with its heads joined: (n, 1, heads * e')."""
    n, heads, _, width = query.shape
    groups, total = key.shape[1], key.shape[2]
    factor = query.dtype.type(1 / math.sqrt(width) if scale is None else scale)
    rows = query.reshape(n, groups, heads // groups, width) * factor
    scores = (rows @ key.swapaxes(2, 3)).reshape(n, heads, 1, total)
    if soft_cap is not None:
        cap = query.dtype.type(soft_cap)
        scores = np.tanh(scores / cap) * cap
    if bias is not None:
        scores += bias.numpy()
    if sight.allowed is not None:
        scores = np.where(sight.allowed.numpy(), scores, np.finfo(scores.dtype).min)
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    out = scores.reshape(n, groups, -1, total) @ value
    return tp.from_numpy(out.reshape(n, 1, -1))


def _attend_at_once(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    sight: Sight,
    scale: float | None,
    bias: Tensor | None,
    soft_cap: float | None,
    dropout_p: float,
) -> Tensor:
    n, heads, length, width = query.shape
    groups, total = key.shape[1], key.shape[2]
    factor = 1 / math.sqrt(width) if scale is None else scale
    rows = (query * factor).reshape(n, groups, heads // groups * length, width)
    scores = (rows @ key.mT).reshape(n, heads, length, total)
    if soft_cap is not None:
        scores = tp.tanh(scores / soft_cap) * soft_cap
    if bias is not None:
        scores = scores + bias
    if sight.allowed is not None:
        scores = tp.where(sight.allowed, scores, tp.finfo(scores.dtype).min)
    weights = F.softmax(scores, -1)
    if dropout_p:
        weights = F.dropout(weights, dropout_p)
    out = weights.reshape(n, groups, -1, total) @ value
    return out.reshape(n, heads, length, -1)
