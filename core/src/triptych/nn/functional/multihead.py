"""Multi-head attention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import zeros
from ...ops.linalg import matmul
from ...ops.named import unnamed, with_names
from ...ops.pointwise import softmax, where
from ...ops.shape import cat
from ...tensor import Tensor
from .attention import scaled_dot_product_attention
from .dropout import dropout
from .linear import linear

__all__ = ["multi_head_attention_forward"]

Sizes = tuple[int, int, int]


@dataclass(slots=True)
class Heads:
    """What multi-head attention is made of; batches first.

    Attributes:
        name: of the caller, for its errors.
        count: number of heads, h.
        in_weight, in_bias: (3 e, e) and (3 e,) of the three projections, or None.
        weights: of the queries, keys and values, where in_weight is None.
        out_weight, out_bias: (e, e) and (e,).
        bias_k, bias_v: (1, 1, e), one more key and value; or None.
        add_zero: one more key and value of zeros.
        drop: probability with which a weight becomes zero.
        ready_k, ready_v: (n h, s, e / h), to take instead of projected keys and values; or None.
    """

    name: str
    count: int
    in_weight: Any
    in_bias: Any
    weights: tuple[Any, Any, Any]
    out_weight: Any
    out_bias: Any
    bias_k: Any = None
    bias_v: Any = None
    add_zero: bool = False
    drop: float = 0.0
    ready_k: Any = None
    ready_v: Any = None

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None,
        padding: Tensor | None,
        causal: bool,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """(n, l, e), and the weights (n, h, l, s) if they are needed."""
        n, length, width = query.shape
        q, k, v = self._projected(query, key, value)
        q, k, v = (self._split(t) for t in (q, k, v))
        k, v = self._given(self.ready_k, k), self._given(self.ready_v, v)
        source = k.shape[2]
        plain = padding is None and self.bias_k is None and not self.add_zero
        skip = causal and plain and not need_weights and length == source
        mask = None if skip else self._mask(attn_mask, padding, (n, length, source), q)
        k, v, mask = self._extended(k, v, mask)
        weights = None
        if need_weights:
            out, weights = _weighed(q, k, v, mask, self.drop)
        else:
            out = scaled_dot_product_attention(q, k, v, mask, self.drop, skip)
        joined: Any = out.permute(0, 2, 1, 3).reshape(n, length, width)
        return linear(joined, self.out_weight, self.out_bias), weights

    def _projected(self, query: Any, key: Any, value: Any) -> Any:
        e, weight, bias = query.shape[-1], self.in_weight, self.in_bias
        if weight is not None and query is key and key is value:
            return linear(query, weight, bias).chunk(3, -1)
        biases = (None, None, None) if bias is None else bias.chunk(3)
        if weight is not None and key is value and self.ready_k is self.ready_v is None:
            pair = linear(key, weight[e:], None if bias is None else bias[e:])
            return linear(query, weight[:e], biases[0]), *pair.chunk(2, -1)
        weights = self.weights if weight is None else weight.chunk(3)
        triples = zip((query, key, value), weights, biases, strict=True)
        return [linear(t, w, b) for t, w, b in triples]

    def _split(self, t: Any) -> Any:
        """(n, l, e) to (n, h, l, e / h)."""
        n, length, e = t.shape
        return t.reshape(n, length, self.count, e // self.count).permute(0, 2, 1, 3)

    def _given(self, ready: Any, t: Any) -> Any:
        if ready is None:
            return t
        n, heads, _, width = t.shape
        if ready.ndim != 3 or ready.shape[0] != n * heads or ready.shape[2] != width:
            raise ShapeError(
                f"{self.name}: static_k and static_v want ({n * heads}, s, {width}), got "
                f"{tuple(ready.shape)}"
            )
        return ready.reshape(n, heads, -1, width)

    def _mask(self, attn_mask: Any, padding: Any, sizes: Sizes, like: Tensor) -> Tensor | None:
        """One mask that broadcasts to (n, h, l, s): boolean, True where attention may look, or
        numbers to add.
        """
        n, length, source = sizes
        masks: list[Any] = []
        if attn_mask is not None:
            leads = {(length, source): (1, 1), (n * self.count, length, source): (n, self.count)}
            lead = leads.get(tuple(attn_mask.shape))
            if lead is None:
                raise ShapeError(
                    f"{self.name}: attn_mask has shape {tuple(attn_mask.shape)}, wanted "
                    f"{' or '.join(map(str, leads))}"
                )
            masks.append(attn_mask.reshape(*lead, length, source))
        if padding is not None:
            if tuple(padding.shape) != (n, source):
                raise ShapeError(
                    f"{self.name}: key_padding_mask has shape {tuple(padding.shape)}, wanted "
                    f"{(n, source)}"
                )
            masks.append(padding.reshape(n, 1, 1, source))
        if not masks:
            return None
        if all(m.dtype == dtypes.bool for m in masks):
            hidden: Tensor = masks[0] if len(masks) == 1 else masks[0] | masks[1]
            return ~hidden
        added = [_additive(m, like) for m in masks]
        return added[0] if len(added) == 1 else added[0] + added[1]

    def _extended(self, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Keys and values with the learned one and the one of zeros, which no mask hides."""
        n, heads, _, width = k.shape
        extra = 0
        if self.bias_k is not None and self.bias_v is not None:
            rows = (self._split(b).expand(n, -1, -1, -1) for b in (self.bias_k, self.bias_v))
            k, v = (cat([t, row], 2) for t, row in zip((k, v), rows, strict=True))
            extra += 1
        if self.add_zero:
            k, v = (
                cat([t, zeros(n, heads, 1, width, dtype=t.dtype, device=t.device)], 2)
                for t in (k, v)
            )
            extra += 1
        if mask is not None and extra:
            free = mask.new_full((*mask.shape[:-1], extra), mask.dtype == dtypes.bool)
            mask = cat([mask, free], -1)
        return k, v, mask


def _additive(mask: Any, like: Tensor) -> Any:
    if mask.dtype != dtypes.bool:
        return mask.to(like.dtype)
    return zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -math.inf)


def _weighed(q: Any, k: Any, v: Any, mask: Any, drop: float) -> tuple[Tensor, Tensor]:
    """Attention that also gives its weights (n, h, l, s)."""
    scores = matmul(q * (1 / math.sqrt(q.shape[-1])), k.transpose(-2, -1))
    if mask is None:
        weights = softmax(scores, -1)
    else:
        open_ = mask if mask.dtype == dtypes.bool else mask != -math.inf
        added = where(mask, scores, -math.inf) if mask.dtype == dtypes.bool else scores + mask
        blind = ~open_.any(-1, keepdim=True)  # softmax over -inf alone would be NaN
        weights = where(blind, 0.0, softmax(where(blind, 0.0, added), -1))
    weights = dropout(weights, drop) if drop else weights
    return matmul(weights, v), weights


def check_inputs(
    name: str, query: Tensor, key: Tensor, value: Tensor, widths: tuple[int, int, int], batch: int
) -> None:
    """Raise ShapeError unless the inputs of attention have their widths and go together.

    Args:
        name: of the caller.
        query, key, value: with 3 dims, or all with 2.
        widths: their last lengths.
        batch: which axis the batch is.
    """
    ndims = {query.ndim, key.ndim, value.ndim}
    sizes = tuple(t.shape[-1:] for t in (query, key, value))
    wanted = tuple((w,) for w in widths)
    if ndims not in ({2}, {3}) or sizes != wanted or key.shape[:-1] != value.shape[:-1]:
        raise ShapeError(
            f"{name}: wanted query (..., {widths[0]}), key (..., {widths[1]}) and value (..., "
            f"{widths[2]}) with 2 or 3 dims and key and value of one length, got "
            f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    if query.ndim == 3 and query.shape[batch] != key.shape[batch]:
        raise ShapeError(
            f"{name}: batch sizes differ: query {tuple(query.shape)}, key {tuple(key.shape)} with "
            f"batch_first={not batch}"
        )


def batch_first(tensors: tuple[Any, Any, Any], turn: bool) -> list[Any]:
    """(n, l, e) of all; one tensor given twice stays one, which saves a projection."""
    turned: dict[int, Any] = {}
    for t in tensors:
        if id(t) not in turned:
            turned[id(t)] = t.unsqueeze(0) if t.ndim == 2 else t.transpose(0, 1) if turn else t
    return [turned[id(t)] for t in tensors]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, of parameters given one by one.

    Args:
        query: (l, n, e) or (l, e).
        key, value: (s, n, ...) or (s, ...).
        embed_dim_to_check: e.
        num_heads: h, a divisor of e.
        in_proj_weight: (3 e, e), unless use_separate_proj_weight.
        in_proj_bias: (3 e,) or None.
        bias_k, bias_v: (1, 1, e) or None; one more key and value.
        add_zero_attn: one more key and value of zeros.
        dropout_p: probability with which, in training, a weight becomes zero.
        out_proj_weight, out_proj_bias: (e, e) and (e,) or None.
        training: whether dropout acts.
        key_padding_mask: (n, s) or (s,); True where a key is padding, or numbers to add.
        need_weights: also give the attention weights.
        attn_mask: (l, s) or (n h, l, s); True where attention must not look, or numbers to add.
        use_separate_proj_weight: take the three weights that follow.
        q_proj_weight, k_proj_weight, v_proj_weight: (e, e), (e, kdim), (e, vdim).
        static_k, static_v: (n h, s, e / h) to take in place of projected keys and values.
        average_attn_weights: give the mean of the weights over the heads.
        is_causal: attn_mask is the causal mask; lets it be left unread.

    Returns:
        The output, shaped as query, and the weights: None, (n, l, s) averaged, or (n, h, l, s);
        without the n for unbatched input.

    Raises:
        ShapeError: shapes or masks do not fit.
    """
    name = "multi_head_attention_forward"
    e = embed_dim_to_check
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    lacking = use_separate_proj_weight and any(w is None for w in separate)
    if e % num_heads or lacking or (in_proj_weight is None and not use_separate_proj_weight):
        raise ShapeError(
            f"{name}: wanted embed_dim {e} to be a multiple of num_heads {num_heads}, and either "
            "in_proj_weight or, with use_separate_proj_weight, q_, k_ and v_proj_weight"
        )
    widths = (e, key.shape[-1], value.shape[-1]) if use_separate_proj_weight else (e, e, e)
    check_inputs(name, query, key, value, widths, 1)
    if is_causal and attn_mask is None:
        raise ShapeError(f"{name}: is_causal needs the causal attn_mask as well")
    heads = Heads(
        name,
        num_heads,
        None if use_separate_proj_weight else in_proj_weight,
        in_proj_bias,
        separate,
        out_proj_weight,
        out_proj_bias,
        bias_k,
        bias_v,
        add_zero_attn,
        dropout_p if training else 0.0,
        static_k,
        static_v,
    )
    return in_heads(
        heads,
        (query, key, value),
        True,
        (attn_mask, key_padding_mask, is_causal),
        need_weights,
        average_attn_weights,
    )


def in_heads(
    heads: Heads,
    inputs: tuple[Any, Any, Any],
    turn: bool,
    masks: tuple[Any, Any, bool],
    need_weights: bool,
    average: bool,
) -> tuple[Tensor, Tensor | None]:
    """Attention of inputs in any layout.

    Args:
        heads: the parameters.
        inputs: query, key and value.
        turn: time comes before the batch.
        masks: attn_mask, key_padding_mask and whether attn_mask is the causal one.
        need_weights, average: as for `multi_head_attention_forward`.
    """
    batched = inputs[0].ndim == 3
    attn_mask, padding, causal = masks
    if padding is not None and not batched:
        padding = padding.unsqueeze(0)
    q, k, v = batch_first(unnamed(inputs), turn)
    result = heads.attend(q, k, v, attn_mask, padding, causal, need_weights)
    out: Any = result[0]
    weights: Any = result[1]
    if weights is not None and average:
        weights = weights.mean(1)
    if not batched:
        out, weights = out.squeeze(0), None if weights is None else weights.squeeze(0)
    elif turn:
        out = out.transpose(0, 1)
    return with_names(out, inputs[0]._names), weights
