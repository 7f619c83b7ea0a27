"""Transformers: layers of attention and feed-forward blocks, stacked."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from ... import dtypes
from ...errors import ShapeError, UnknownNameError
from ...ops.creation import full
from ...prims.fused_linear import fused_linear
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..functional.arguments import recorded
from ..module import Module
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


def _activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise UnknownNameError(
            f"transformer layer: activation is 'relu', 'gelu' or a function, got {activation!r}"
        )
    return getattr(F, activation)


_FUSED: dict[int, str] = {id(F.relu): "relu", id(F.gelu): "gelu"}


def _fused(x: Tensor, layer: Linear, residual: Tensor | None, activation: str) -> Tensor:
    rest = [t for t in (layer.bias, residual) if t is not None]
    return fused_linear(
        x,
        layer.weight,
        *rest,
        shifted=layer.bias is not None,
        added=residual is not None,
        activation=activation,
    )


class _Layer(Module):
    """The blocks that encoder and decoder layers share."""

    num_norms: int

    def _build(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        **where: Any,
    ) -> None:
        def attention() -> MultiheadAttention:
            return MultiheadAttention(
                d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
            )

        self.self_attn = attention()
        if self.num_norms == 3:
            self.multihead_attn = attention()
        self.linear1 = Linear(d_model, dim_feedforward, bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **where)
        self.norm_first = norm_first
        for i in range(self.num_norms):
            setattr(self, f"norm{i + 1}", LayerNorm(d_model, layer_norm_eps, bias=bias, **where))
        for i in range(self.num_norms):
            setattr(self, f"dropout{i + 1}", Dropout(dropout))
        self.activation = _activation(activation)

    def _around(self, index: int, x: Tensor, block: Callable[[Tensor], Tensor]) -> Tensor:
        """A block with its residual connection and its norm, before the block or after the sum."""
        norm, dropout = getattr(self, f"norm{index}"), getattr(self, f"dropout{index}")
        if self.norm_first:
            return x + dropout(block(norm(x)))
        return norm(x + dropout(block(x)))

    def _around_feed_forward(self, x: Tensor) -> Tensor:
        """The last block; in inference in two passes."""
        index = self.num_norms
        activation = _FUSED.get(id(self.activation))
        if activation is None or not self._plain_feed_forward(x):
            return self._around(index, x, self._feed_forward)
        norm = getattr(self, f"norm{index}")
        y = norm(x) if self.norm_first else x
        out = _fused(_fused(y, self.linear1, None, activation), self.linear2, x, "none")
        return out if self.norm_first else norm(out)

    def _plain_feed_forward(self, x: Tensor) -> bool:
        """Whether nothing is recorded, dropped or watched between the two linear layers."""
        parts = (
            self.linear1,
            self.dropout,
            self.linear2,
            getattr(self, f"dropout{self.num_norms}"),
        )
        weights = (p for part in parts for p in part._parameters.values() if p is not None)
        return (
            not any(recorded(t) for t in (x, *weights))
            and all(type(part) in (Linear, Dropout) and not part._is_watched() for part in parts)
            and not any(part.training and part.p for part in parts if isinstance(part, Dropout))
        )

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _self_attention(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, causal: bool
    ) -> Tensor:
        return self.self_attn(
            x, x, x, key_padding_mask=padding, need_weights=False, attn_mask=mask, is_causal=causal
        )[0]


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a feed-forward block, each with a residual connection and a norm.

    Args:
        d_model: e, features of the input and output.
        nhead: heads of the attention.
        dim_feedforward: features inside the feed-forward block.
        dropout: probability of zeros in training.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: of the norms.
        batch_first: sequences are (n, l, e) rather than (l, n, e).
        norm_first: norm before each block rather than after its sum.
        bias: learn shifts in linear layers and norms.
        device, dtype: of the parameters.

    Example:
        >>> layer = TransformerEncoderLayer(16, 4, batch_first=True)
        >>> layer(triptych.randn(2, 5, 16)).shape
        Size([2, 5, 16])

    Source: Vaswani et al. 2017, section 3.1; norm first: Xiong et al. 2020.
    """

    num_norms = 2

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            device=device,
            dtype=dtype,
        )

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode src; masks as for `MultiheadAttention`."""
        x = self._around(
            1, src, lambda x: self._self_attention(x, src_mask, src_key_padding_mask, is_causal)
        )
        return self._around_feed_forward(x)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, then a feed-forward block.

    Arguments as for `TransformerEncoderLayer`.

    Source: Vaswani et al. 2017, section 3.1.
    """

    num_norms = 3

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            device=device,
            dtype=dtype,
        )

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode tgt with the encoder's output, memory; masks as for `MultiheadAttention`."""

        def attend_to_memory(x: Tensor) -> Tensor:
            return self.multihead_attn(
                x,
                memory,
                memory,
                key_padding_mask=memory_key_padding_mask,
                need_weights=False,
                attn_mask=memory_mask,
                is_causal=memory_is_causal,
            )[0]

        x = self._around(
            1, tgt, lambda x: self._self_attention(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        )
        x = self._around(2, x, attend_to_memory)
        return self._around_feed_forward(x)


def _copies(layer: Module, num_layers: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other.

    Args:
        encoder_layer: the layer to copy; all copies start with its numbers.
        num_layers: how many.
        norm: a module for the end, or None.
        enable_nested_tensor, mask_check: accepted and without effect.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Encode src; masks as for `MultiheadAttention`."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other.

    Args:
        decoder_layer: the layer to copy; all copies start with its numbers.
        num_layers: how many.
        norm: a module for the end, or None.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode tgt with the encoder's output, memory; masks as for `MultiheadAttention`."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask,
                memory_mask,
                tgt_key_padding_mask,
                memory_key_padding_mask,
                bool(tgt_is_causal),
                memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder over the source and a decoder over the target.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype: as for `TransformerEncoderLayer`.
        num_encoder_layers, num_decoder_layers: depth of the two stacks.
        custom_encoder, custom_decoder: modules to use instead.

    Source: Vaswani et al. 2017, section 3.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        settings: tuple[Any, ...] = (d_model, nhead, dim_feedforward, dropout, activation)
        settings += (layer_norm_eps, batch_first, norm_first, bias, device, dtype)
        norm = (d_model, layer_norm_eps, True, bias, device, dtype)
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*settings)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, LayerNorm(*norm))
        if custom_decoder is None:
            last = TransformerDecoderLayer(*settings)
            custom_decoder = TransformerDecoder(last, num_decoder_layers, LayerNorm(*norm))
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for param in self.parameters():
            if param.ndim > 1:
                init.xavier_uniform_(param)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode src and decode tgt; masks as for `MultiheadAttention`.

        Raises:
            ShapeError: src and tgt have not d_model features.
        """
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"Transformer: wanted {self.d_model} features, got src {tuple(src.shape)} and tgt "
                f"{tuple(tgt.shape)}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal,
            memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz) to add to scores: -inf above the diagonal, 0 elsewhere.

        Example:
            >>> Transformer.generate_square_subsequent_mask(2)
            tensor([[  0., -inf],
                    [  0.,   0.]])
        """
        dtype = dtypes.get_default_dtype() if dtype is None else dtype
        return full((sz, sz), -math.inf, device=device, dtype=dtype).triu(1)
