"""Multi-head attention."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...ops.creation import empty
from ...tensor import Tensor
from .. import init
from ..functional.multihead import Heads, check_inputs, in_heads
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
        name = type(self).__name__
        widths = (self.embed_dim, self.kdim, self.vdim)
        check_inputs(name, query, key, value, widths, 0 if self.batch_first else 1)
        if is_causal and attn_mask is None:
            raise ShapeError(f"{name}: is_causal needs the causal attn_mask as well")
        heads = Heads(
            name,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight),
            self.out_proj.weight,
            self.out_proj.bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout if self.training else 0.0,
        )
        return in_heads(
            heads,
            (query, key, value),
            not self.batch_first,
            (attn_mask, key_padding_mask, is_causal),
            need_weights,
            average_attn_weights,
        )

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
