"""Multi-head attention."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import empty, zeros
from ...ops.linalg import matmul
from ...ops.pointwise import softmax, where
from ...ops.shape import cat
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..module import Module
from ..parameter import Parameter
from .linear import Linear

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in several heads side by side, with learned projections around it.

    Args:
        embed_dim: e, length of the queries and outputs.
        num_heads: h; each head works on e / h of the features.
        dropout: probability with which, in training, an attention weight becomes zero.
        bias: learn shifts in the projections.
        add_bias_kv: learn one more key and value that every query can look at.
        add_zero_attn: add one more key and value of zeros.
        kdim, vdim: lengths of keys and values; default e.
        batch_first: the batch is the first dim rather than the second.
        device, dtype: of the parameters.

    Attributes:
        in_proj_weight: (3 e, e) for queries, keys and values, or None with other kdim or vdim;
            then q_proj_weight (e, e), k_proj_weight (e, kdim), v_proj_weight (e, vdim) are there.
        in_proj_bias: (3 e,).
        out_proj: `Linear` (e, e).
        bias_k, bias_v: (1, 1, e) or None.

    Raises:
        ShapeError: embed_dim is no multiple of num_heads.

    Example:
        >>> attend = MultiheadAttention(16, 4, batch_first=True)
        >>> x = triptych.randn(2, 5, 16)
        >>> out, weights = attend(x, x, x)
        >>> out.shape, weights.shape
        (Size([2, 5, 16]), Size([2, 5, 5]))

    Source: Vaswani et al. 2017, section 3.2.2.
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ShapeError(
                f"MultiheadAttention: embed_dim {embed_dim} is no multiple of num_heads {num_heads}"
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        packed = self.kdim == self.vdim == embed_dim
        e, where_ = embed_dim, {"device": device, "dtype": dtype}
        shapes = {
            "in_proj_weight": (3 * e, e) if packed else None,
            "q_proj_weight": None if packed else (e, e),
            "k_proj_weight": None if packed else (e, self.kdim),
            "v_proj_weight": None if packed else (e, self.vdim),
            "in_proj_bias": (3 * e,) if bias else None,
            "bias_k": (1, 1, e) if add_bias_kv else None,
            "bias_v": (1, 1, e) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(
                name, None if shape is None else Parameter(empty(*shape, **where_))
            )
        self.out_proj = Linear(e, e, bias, **where_)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (l, n, e), with `batch_first` (n, l, e), or (l, e).
            key: (s, n, kdim), (n, s, kdim) or (s, kdim).
            value: (s, n, vdim), (n, s, vdim) or (s, vdim).
            key_padding_mask: (n, s) or (s,); True where a key is padding, or numbers to add.
            need_weights: also give the attention weights; False is faster.
            attn_mask: (l, s) or (n h, l, s); True where attention must not look, or numbers to add
                to the scores.
            average_attn_weights: give the mean of the weights over the heads.
            is_causal: attn_mask is the causal mask; lets it be left unread.

        Returns:
            The output, shaped as query, and the weights: None, (n, l, s) averaged, or (n, h, l, s);
            without the n for unbatched input. Queries that may look nowhere get zeros.

        Raises:
            ShapeError: shapes or masks do not fit.
        """
        batched = query.ndim == 3
        self._check(query, key, value, is_causal and attn_mask is None)
        turn = batched and not self.batch_first
        same = (key is query and value is query, value is key)
        q, k, v = (self._batch_first(t, batched, turn) for t in (query, key, value))
        q, k, v = self._project(q, k, v, *same)
        n, length, source = q.shape[0], q.shape[1], k.shape[1]
        if key_padding_mask is not None and not batched:
            key_padding_mask = key_padding_mask.unsqueeze(0)
        plain = key_padding_mask is None and self.bias_k is None and not self.add_zero_attn
        skip_mask = is_causal and plain and not need_weights and length == source
        mask = (
            None if skip_mask else self._mask(attn_mask, key_padding_mask, (n, length, source), q)
        )
        k, v, mask = self._extended(k, v, mask)
        q, k, v = self._split(q), self._split(k), self._split(v)
        drop = self.dropout if self.training else 0.0
        if need_weights:
            out, weights = _weighed(q, k, v, mask, drop)
        else:
            out, weights = F.scaled_dot_product_attention(q, k, v, mask, drop, skip_mask), None
        out = self.out_proj(out.permute(0, 2, 1, 3).reshape(n, length, self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return out.squeeze(0), None if weights is None else weights.squeeze(0)
        return (out.transpose(0, 1) if turn else out), weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor, lacks_mask: bool) -> None:
        if lacks_mask:
            raise ShapeError("MultiheadAttention: is_causal needs the causal attn_mask as well")
        ndims = {query.ndim, key.ndim, value.ndim}
        sizes = (query.shape[-1:], key.shape[-1:], value.shape[-1:])
        wanted = ((self.embed_dim,), (self.kdim,), (self.vdim,))
        if ndims not in ({2}, {3}) or sizes != wanted or key.shape[:-1] != value.shape[:-1]:
            raise ShapeError(
                f"MultiheadAttention: wanted query (..., {self.embed_dim}), key (..., "
                f"{self.kdim}) and "
                f"value (..., {self.vdim}) with 2 or 3 dims and key and value of one length, got "
                f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
            )
        batch = 0 if self.batch_first else 1
        if query.ndim == 3 and query.shape[batch] != key.shape[batch]:
            raise ShapeError(
                f"MultiheadAttention: batch sizes differ: query {tuple(query.shape)}, key "
                f"{tuple(key.shape)} with batch_first={self.batch_first}"
            )

    @staticmethod
    def _batch_first(t: Tensor, batched: bool, turn: bool) -> Tensor:
        if not batched:
            return t.unsqueeze(0)
        return t.transpose(0, 1) if turn else t

    def _project(
        self, query: Tensor, key: Tensor, value: Tensor, all_same: bool, kv_same: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        e = self.embed_dim
        weight: Any = self.in_proj_weight
        bias: Any = self.in_proj_bias
        if weight is not None and all_same:
            return F.linear(query, weight, bias).chunk(3, -1)
        biases = (None, None, None) if bias is None else bias.chunk(3)
        if weight is not None and kv_same:
            q = F.linear(query, weight[:e], biases[0])
            return q, *F.linear(key, weight[e:], None if bias is None else bias[e:]).chunk(2, -1)
        weights: Any = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        if weight is not None:
            weights = weight.chunk(3)
        q, k, v = (
            F.linear(t, w, b) for t, w, b in zip((query, key, value), weights, biases, strict=True)
        )
        return q, k, v

    def _mask(
        self,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        sizes: tuple[int, int, int],
        like: Tensor,
    ) -> Tensor | None:
        """One mask that broadcasts to (n, h, l, s): boolean, True where attention may look, or
        numbers to add.
        """
        n, length, source = sizes
        masks: list[Any] = []
        if attn_mask is not None:
            shapes = {
                (length, source): (1, 1),
                (n * self.num_heads, length, source): (n, self.num_heads),
            }
            lead = shapes.get(tuple(attn_mask.shape))
            if lead is None:
                raise ShapeError(
                    f"MultiheadAttention: attn_mask has shape {tuple(attn_mask.shape)}, wanted "
                    f"{' or '.join(map(str, shapes))}"
                )
            masks.append(attn_mask.reshape(*lead, length, source))
        if key_padding_mask is not None:
            if tuple(key_padding_mask.shape) != (n, source):
                raise ShapeError(
                    "MultiheadAttention: key_padding_mask has shape "
                    f"{tuple(key_padding_mask.shape)}, wanted {(n, source)}"
                )
            masks.append(key_padding_mask.reshape(n, 1, 1, source))
        if not masks:
            return None
        if all(m.dtype == dtypes.bool for m in masks):
            hidden: Tensor = masks[0] if len(masks) == 1 else masks[0] | masks[1]
            return ~hidden
        added: list[Any] = [_additive(m, like) for m in masks]
        return added[0] if len(added) == 1 else added[0] + added[1]

    def _extended(
        self, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keys and values with the learned one and the one of zeros, which no mask hides."""
        n, extra = k.shape[0], 0
        if self.bias_k is not None and self.bias_v is not None:
            k = cat([k, self.bias_k.expand(n, 1, self.embed_dim)], 1)
            v = cat([v, self.bias_v.expand(n, 1, self.embed_dim)], 1)
            extra += 1
        if self.add_zero_attn:
            row = zeros(n, 1, self.embed_dim, dtype=k.dtype, device=k.device)
            k, v = cat([k, row], 1), cat([v, row], 1)
            extra += 1
        if mask is not None and extra:
            free = mask.new_full((*mask.shape[:-1], extra), mask.dtype == dtypes.bool)
            mask = cat([mask, free], -1)
        return k, v, mask

    def _split(self, t: Tensor) -> Tensor:
        """(n, l, e) to (n, h, l, e / h)."""
        n, length, _ = t.shape
        return t.reshape(n, length, self.num_heads, self.head_dim).permute(0, 2, 1, 3)

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"


def _additive(mask: Tensor, like: Tensor) -> Tensor:
    if mask.dtype != dtypes.bool:
        return mask.to(like.dtype)
    return zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -math.inf)


def _weighed(q: Any, k: Tensor, v: Tensor, mask: Any, drop: float) -> tuple[Tensor, Tensor]:
    """Attention that also gives its weights (n, h, l, s)."""
    scores = matmul(q * (1 / math.sqrt(q.shape[-1])), k.transpose(-2, -1))
    if mask is None:
        weights = softmax(scores, -1)
    else:
        open_ = mask if mask.dtype == dtypes.bool else mask != -math.inf
        added = where(mask, scores, -math.inf) if mask.dtype == dtypes.bool else scores + mask
        blind = ~open_.any(-1, keepdim=True)  # softmax over -inf alone would be NaN
        weights = where(blind, 0.0, softmax(where(blind, 0.0, added), -1))
    weights = F.dropout(weights, drop) if drop else weights
    return matmul(weights, v), weights
