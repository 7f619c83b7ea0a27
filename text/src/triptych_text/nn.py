"""Attention from parts that can be exchanged, with torchtext's names."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError, ShapeError

__all__ = [
    "InProjContainer",
    "MultiheadAttentionContainer",
    "ScaledDotProduct",
    "generate_square_subsequent_mask",
]

MASKED = -1e8  # score of a masked place, as in torchtext: a row that is masked whole stays finite


class _ShapeRuntimeError(ShapeError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


class _MaskTypeError(DTypeError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


class InProjContainer(nn.Module):
    """Projections of query, key and value.

    Args:
        query_proj: module from (..., e) to (..., e).
        key_proj: likewise.
        value_proj: likewise.
    """

    def __init__(self, query_proj: nn.Module, key_proj: nn.Module, value_proj: nn.Module) -> None:
        super().__init__()
        self.query_proj = query_proj
        self.key_proj = key_proj
        self.value_proj = value_proj

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three, each through its projection."""
        return self.query_proj(query), self.key_proj(key), self.value_proj(value)


class ScaledDotProduct(nn.Module):
    """Softmax of scaled products of queries and keys, times the values.

    Args:
        dropout: probability that a weight is dropped in training.
        batch_first: inputs are (..., n, l, e) rather than (..., l, n, e).

    Source: Vaswani et al. 2017, eq. 1.
    """

    def __init__(self, dropout: float = 0.0, batch_first: bool = False) -> None:
        super().__init__()
        self.dropout = dropout
        self.batch_first = batch_first

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        bias_k: Tensor | None = None,
        bias_v: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            query: (..., l, n, e), n being batch times heads.
            key: (..., s, n, e).
            value: (..., s, n, e).
            attn_mask: (n or 1, l, s) bool, true where attention is forbidden.
            bias_k: (1, n, e), one more key; needs bias_v.
            bias_v: (1, n, e), one more value.

        Returns:
            (..., l, n, e) and the weights (..., n, l, s).

        Raises:
            ShapeError: shapes do not fit.
            DTypeError: the mask is not bool.
        """
        if self.batch_first:
            query, key, value = (x.transpose(-3, -2) for x in (query, key, value))
        if bias_k is not None and bias_v is not None:
            key, value = _extended("bias_k", key, bias_k), _extended("bias_v", value, bias_v)
            if attn_mask is not None:
                attn_mask = nn.functional.pad(attn_mask, (0, 1))
        if key.shape != value.shape or query.shape[-1] != key.shape[-1]:
            raise ShapeError(
                f"ScaledDotProduct: query {tuple(query.shape)}, key {tuple(key.shape)} and value "
                f"{tuple(value.shape)} do not fit"
            )
        scale = float(query.shape[-1]) ** -0.5
        q, k, v = (x.transpose(-2, -3) for x in (query * scale, key, value))  # (..., n, l, e)
        scores = q @ k.transpose(-2, -1)
        if attn_mask is not None:
            _check_mask(attn_mask, scores)
            scores = scores.masked_fill(attn_mask, MASKED)
        weights = nn.functional.dropout(scores.softmax(-1), p=self.dropout, training=self.training)
        output = weights @ v
        return (output if self.batch_first else output.transpose(-3, -2)), weights


def _extended(name: str, rows: Tensor, bias: Tensor) -> Tensor:
    if tuple(bias.shape[-3:]) != (1, *rows.shape[-2:]):
        raise ShapeError(
            f"ScaledDotProduct: {name} should be {(1, *rows.shape[-2:])}, got {tuple(bias.shape)}"
        )
    return tp.cat([rows, bias])


def _check_mask(mask: Tensor, scores: Tensor) -> None:
    n, length, source = scores.shape[-3:]
    if mask.ndim != 3 or tuple(mask.shape[1:]) != (length, source) or mask.shape[0] not in (1, n):
        raise _ShapeRuntimeError(
            f"ScaledDotProduct: attn_mask should be (1 or {n}, {length}, {source}), got "
            f"{tuple(mask.shape)}"
        )
    if mask.dtype != tp.bool:
        raise _MaskTypeError(f"ScaledDotProduct: attn_mask should be bool, got {mask.dtype}")


class MultiheadAttentionContainer(nn.Module):
    """Multi-head attention from three parts.

    Args:
        nhead: number of heads.
        in_proj_container: projects query, key and value, such as `InProjContainer`.
        attention_layer: from (l, n * heads, e / heads) to the same, such as `ScaledDotProduct`.
        out_proj: module from (l, n, e) to (l, n, e).
        batch_first: inputs and outputs are (n, l, e) rather than (l, n, e).

    Example:
        >>> parts = InProjContainer(nn.Linear(10, 10), nn.Linear(10, 10), nn.Linear(10, 10))
        >>> mha = MultiheadAttentionContainer(5, parts, ScaledDotProduct(), nn.Linear(10, 10))
        >>> source = tp.ones(16, 3, 10)
        >>> output, weights = mha(tp.ones(21, 3, 10), source, source)
        >>> tuple(output.shape), tuple(weights.shape)
        ((21, 3, 10), (15, 21, 16))
    """

    def __init__(
        self,
        nhead: int,
        in_proj_container: nn.Module,
        attention_layer: nn.Module,
        out_proj: nn.Module,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self.nhead = nhead
        self.in_proj_container = in_proj_container
        self.attention_layer = attention_layer
        self.out_proj = out_proj
        self.batch_first = batch_first

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        bias_k: Tensor | None = None,
        bias_v: Tensor | None = None,
    ) -> tuple[Tensor, Any]:
        """Attend with all heads.

        Args:
            query: (l, n, e), or (n, l, e) with batch_first.
            key: (s, n, e), likewise.
            value: (s, n, e), likewise.
            attn_mask: as in the attention layer.
            bias_k: as in the attention layer.
            bias_v: as in the attention layer.

        Returns:
            Output in the shape of the query, and the weights (n * heads, l, s).

        Raises:
            ShapeError: a width is no multiple of the number of heads.
        """
        if self.batch_first:
            query, key, value = (x.transpose(-3, -2) for x in (query, key, value))
        length, batch, width = query.shape[-3:]
        q, k, v = (self._headed(x) for x in self.in_proj_container(query, key, value))
        output, weights = self.attention_layer(
            q, k, v, attn_mask=attn_mask, bias_k=bias_k, bias_v=bias_v
        )
        output = self.out_proj(output.reshape(length, batch, width))
        return (output.transpose(-3, -2) if self.batch_first else output), weights

    def _headed(self, x: Tensor) -> Tensor:
        """(l, n, e) to (l, n * heads, e / heads)."""
        length, batch, width = x.shape[-3:]
        if width % self.nhead:
            raise ShapeError(
                f"MultiheadAttentionContainer: width {width} is no multiple of {self.nhead} heads"
            )
        return x.reshape(length, batch * self.nhead, width // self.nhead)


def generate_square_subsequent_mask(nbatch: int, sz: int) -> Tensor:
    """Lower triangles of true: each place and those before it.

    Args:
        nbatch: n, how many copies.
        sz: l, places.

    Returns:
        (n, l, l) bool.

    Note:
        The name and the result are torchtext's. `ScaledDotProduct` forbids where a mask is true:
        pass it the opposite, `~mask`.
    """
    return tp.ones(sz, sz, dtype=tp.bool).tril().repeat(nbatch, 1, 1)
