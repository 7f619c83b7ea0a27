"""The transformer of wav2vec 2.0: attention over frames, with positions from a convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych.nn.utils import parametrizations

__all__ = [
    "ConvolutionalPositionalEmbedding",
    "Encoder",
    "EncoderLayer",
    "FeatureProjection",
    "FeedForward",
    "SelfAttention",
    "Transformer",
    "build_encoder",
    "padding_mask",
]

MASKED = -10000.0  # added to the attention of frames that are padding; as fairseq and torchaudio


class Attention(Protocol):
    """What a layer of the transformer needs of its attention."""

    embed_dim: int

    def __call__(self, x: Tensor, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
        """(n, frames, d) to the same shape, and position biases for the next layer."""
        ...


def padding_mask(lengths: Tensor, max_length: int) -> Tensor:
    """Which frames lie beyond the end of their recording.

    Args:
        lengths: (n,) valid frames.
        max_length: frames of the batch.

    Returns:
        (n, max_length) bool, True for padding.

    Example:
        >>> padding_mask(tp.tensor([1, 3]), 3)
        tensor([[False,  True,  True],
                [False, False, False]])
    """
    mask: Tensor = tp.arange(max_length, device=lengths.device) >= lengths.unsqueeze(1)
    return mask


class FeatureProjection(nn.Module):
    """From the features' width to the transformer's.

    Args:
        in_features: width before.
        out_features: width after.
        dropout: part of the outputs that are zeroed while training.
    """

    def __init__(self, in_features: int, out_features: int, dropout: float) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(in_features)
        self.projection = nn.Linear(in_features, out_features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, frames, in_features) to (n, frames, out_features)."""
        return self.dropout(self.projection(self.layer_norm(x)))


class ConvolutionalPositionalEmbedding(nn.Module):
    """What a frame's neighbours say about its place: a wide grouped convolution.

    Args:
        embed_dim: channels.
        kernel_size: frames it looks at.
        groups: of the channels.
    """

    def __init__(self, embed_dim: int, kernel_size: int, groups: int) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.kernel_size = kernel_size
        conv = nn.Conv1d(embed_dim, embed_dim, kernel_size, padding=kernel_size // 2, groups=groups)
        self.conv = parametrizations.weight_norm(conv, name="weight", dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, frames, embed_dim) to the same shape."""
        frames = x.shape[-2]
        x = self.conv(x.transpose(-2, -1))[..., :frames]  # an even kernel gives one frame more
        return nnF.gelu(x).transpose(-2, -1)


class SelfAttention(nn.Module):
    """Attention of every frame to all frames.

    Args:
        embed_dim: channels.
        num_heads: a divisor of embed_dim.
        dropout: part of the attention that is zeroed while training.

    Raises:
        DomainError: num_heads does not divide embed_dim.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise DomainError(
                f"SelfAttention: embed_dim ({embed_dim}) is no multiple of num_heads ({num_heads})"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def forward(
        self,
        x: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            x: (n, frames, embed_dim).
            attention_mask: (n, 1, frames, frames), added to the attention before softmax.
            position_bias: without effect; `WavLMSelfAttention` has one.
            key_padding_mask: without effect, as above.

        Returns:
            (n, frames, embed_dim), and None in place of a position bias.

        Raises:
            ShapeError: x or attention_mask has another shape.
        """
        if x.ndim != 3 or x.shape[2] != self.embed_dim:
            raise ShapeError(
                f"SelfAttention: wanted (n, frames, {self.embed_dim}), got {tuple(x.shape)}"
            )
        n, frames, _ = x.shape
        if attention_mask is not None and attention_mask.shape != (n, 1, frames, frames):
            raise ShapeError(
                f"SelfAttention: attention_mask is {(n, 1, frames, frames)} for this input, got "
                f"{tuple(attention_mask.shape)}"
            )
        heads = (n, frames, self.num_heads, self.head_dim)
        q, k, v = (
            projection(x).reshape(heads).transpose(1, 2)  # (n, heads, frames, head_dim)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        dropout = self.dropout if self.training else 0.0
        out = nnF.scaled_dot_product_attention(q, k, v, attention_mask, dropout)
        return self.out_proj(out.transpose(1, 2).reshape(n, frames, self.embed_dim)), None


class FeedForward(nn.Module):
    """Two linear layers on every frame.

    Args:
        io_features: channels before and after.
        intermediate_features: channels in the middle.
        intermediate_dropout: part of the middle that is zeroed while training.
        output_dropout: part of the output that is zeroed while training.
    """

    def __init__(
        self,
        io_features: int,
        intermediate_features: int,
        intermediate_dropout: float,
        output_dropout: float,
    ) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(io_features, intermediate_features)
        self.intermediate_dropout = nn.Dropout(intermediate_dropout)
        self.output_dense = nn.Linear(intermediate_features, io_features)
        self.output_dropout = nn.Dropout(output_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, frames, io_features) to the same shape."""
        x = self.intermediate_dropout(nnF.gelu(self.intermediate_dense(x)))
        return self.output_dropout(self.output_dense(x))


class EncoderLayer(nn.Module):
    """Attention, then two linear layers, both beside the way straight through.

    Args:
        attention: `SelfAttention` or `WavLMSelfAttention`.
        dropout: part of the attention's output that is zeroed while training.
        layer_norm_first: normalise before attention and linear layers, not after them.
        feed_forward: `FeedForward`.
    """

    def __init__(
        self,
        attention: Attention,
        dropout: float,
        layer_norm_first: bool,
        feed_forward: nn.Module,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(attention.embed_dim)
        self.layer_norm_first = layer_norm_first
        self.feed_forward = feed_forward
        self.final_layer_norm = nn.LayerNorm(attention.embed_dim)

    def forward(
        self,
        x: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """One layer.

        Args:
            x: (n, frames, d).
            attention_mask: (n, 1, frames, frames), added to the attention before softmax.
            position_bias: of the layer before; WavLM only.
            key_padding_mask: (n, frames) bool, True for padding; WavLM only.

        Returns:
            (n, frames, d), and the position bias for the next layer or None.
        """
        residual = x
        if self.layer_norm_first:
            x = self.layer_norm(x)
        x, position_bias = self.attention(
            x,
            attention_mask=attention_mask,
            position_bias=position_bias,
            key_padding_mask=key_padding_mask,
        )
        x = residual + self.dropout(x)
        if self.layer_norm_first:
            return x + self.feed_forward(self.final_layer_norm(x)), position_bias
        x = self.layer_norm(x)
        return self.final_layer_norm(x + self.feed_forward(x)), position_bias


class Transformer(nn.Module):
    """Positions, then the layers.

    Args:
        pos_conv_embed: `ConvolutionalPositionalEmbedding`.
        dropout: part of the input that is zeroed while training.
        layers: `EncoderLayer`s.
        layer_norm_first: normalise before the layers, not after them.
        layer_drop: probability of leaving a layer out while training.
    """

    def __init__(
        self,
        pos_conv_embed: ConvolutionalPositionalEmbedding,
        dropout: float,
        layers: nn.ModuleList,
        layer_norm_first: bool,
        layer_drop: float,
    ) -> None:
        super().__init__()
        self.pos_conv_embed = pos_conv_embed
        self.layer_norm = nn.LayerNorm(pos_conv_embed.embed_dim)
        self.layer_norm_first = layer_norm_first
        self.layer_drop = layer_drop
        self.dropout = nn.Dropout(dropout)
        self.layers = layers

    def _preprocess(self, x: Tensor) -> Tensor:
        x = x + self.pos_conv_embed(x)
        return self.dropout(self.layer_norm(x) if self.layer_norm_first else x)

    def forward(
        self,
        x: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
    ) -> Tensor:
        """All layers.

        Args:
            x: (n, frames, d).
            attention_mask: (n, 1, frames, frames), added to the attention before softmax.
            position_bias: for the first layer; WavLM only.

        Returns:
            (n, frames, d).
        """
        x = self._preprocess(x)
        kept = self._kept_layers()
        for layer in (layer for layer, keep in zip(self.layers, kept, strict=True) if keep):
            x, position_bias = layer(x, attention_mask, position_bias=position_bias)
        return x if self.layer_norm_first else self.layer_norm(x)

    def _kept_layers(self) -> list[bool]:
        if not self.training:
            return [True] * len(self.layers)
        kept: list[bool] = (tp.rand(len(self.layers)) > self.layer_drop).tolist()
        return kept

    def get_intermediate_outputs(
        self,
        x: Tensor,
        attention_mask: Tensor | None = None,
        num_layers: int | None = None,
    ) -> list[Tensor]:
        """What each layer gives; none is left out, in training neither.

        Args:
            x: (n, frames, d).
            attention_mask: (n, 1, frames, frames), added to the attention before softmax.
            num_layers: stop after so many layers.

        Returns:
            (n, frames, d) for each layer.

        Raises:
            DomainError: num_layers is not in [1, number of layers].
        """
        if num_layers is not None and not 0 < num_layers <= len(self.layers):
            raise DomainError(
                f"extract_features: num_layers is between 1 and {len(self.layers)}, got "
                f"{num_layers}"
            )
        outputs: list[Tensor] = []
        position_bias: Tensor | None = None
        x = self._preprocess(x)
        for layer in self.layers[:num_layers]:
            x, position_bias = layer(x, attention_mask, position_bias=position_bias)
            outputs.append(x)
        return outputs


class Encoder(nn.Module):
    """Projection and transformer.

    Args:
        feature_projection: `FeatureProjection`.
        transformer: `Transformer`.
    """

    def __init__(self, feature_projection: nn.Module, transformer: Transformer) -> None:
        super().__init__()
        self.feature_projection = feature_projection
        self.transformer = transformer

    def prepare(
        self, features: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What the transformer is given.

        Args:
            features: (n, frames, c).
            lengths: (n,) valid frames, or None.

        Returns:
            (n, frames, d) with zeros for padding, and what is added to the attention, (n, 1,
            frames, frames), or None without lengths.
        """
        x = self.feature_projection(features)
        if lengths is None:
            return x, None
        n, frames, _ = x.shape
        padded = padding_mask(lengths, frames)
        x = x.masked_fill(padded.unsqueeze(-1), 0.0)
        mask = MASKED * padded[:, None, None, :].to(features.dtype)
        return x, mask.expand(n, 1, frames, frames)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(n, frames, c) features and (n,) valid frames to (n, frames, d)."""
        x, mask = self.prepare(features, lengths)
        return self.transformer(x, attention_mask=mask)

    def extract_features(
        self, features: Tensor, lengths: Tensor | None = None, num_layers: int | None = None
    ) -> list[Tensor]:
        """(n, frames, c) features to (n, frames, d) of each of the first num_layers layers."""
        x, mask = self.prepare(features, lengths)
        return self.transformer.get_intermediate_outputs(x, mask, num_layers)


def build_encoder(
    attention: Callable[[int], nn.Module],
    *,
    in_features: int,
    embed_dim: int,
    dropout_input: float,
    pos_conv_kernel: int,
    pos_conv_groups: int,
    num_layers: int,
    ff_interm_features: int,
    ff_interm_dropout: float,
    dropout: float,
    layer_norm_first: bool,
    layer_drop: float,
) -> Encoder:
    """An encoder from its numbers; those of `wav2vec2_model`, and attention(k) for layer k."""
    layers = nn.ModuleList(
        EncoderLayer(
            attention(k),
            dropout,
            layer_norm_first,
            FeedForward(embed_dim, ff_interm_features, ff_interm_dropout, dropout),
        )
        for k in range(num_layers)
    )
    positions = ConvolutionalPositionalEmbedding(embed_dim, pos_conv_kernel, pos_conv_groups)
    # layers that normalise what comes in leave sums unnormalised: then the transformer ends with it
    transformer = Transformer(positions, dropout, layers, not layer_norm_first, layer_drop)
    return Encoder(FeatureProjection(in_features, embed_dim, dropout_input), transformer)
