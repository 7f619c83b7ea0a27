"""Conformer: attention for what is far away in time, convolution for what is near.

Source: Gulati et al. 2020, "Conformer: Convolution-augmented Transformer for Speech Recognition";
parameter names, arguments and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.lengths import check_lengths
from triptych_audio.models.wav2vec2.encoder import padding_mask

__all__ = ["Conformer", "ConformerLayer", "ConvolutionModule", "FeedForwardModule"]


class ConvolutionModule(nn.Module):
    """A gate, a depthwise convolution over time, and the way back to the channels.

    Args:
        input_dim: channels before and after.
        num_channels: channels of the depthwise convolution.
        depthwise_kernel_size: frames it looks at, an odd number.
        dropout: part of the outputs that are zeroed while training.
        bias: whether the convolutions have one.
        use_group_norm: normalise over channels and time of each recording, in place of batch
            normalisation.

    Raises:
        DomainError: depthwise_kernel_size is even.
    """

    def __init__(
        self,
        input_dim: int,
        num_channels: int,
        depthwise_kernel_size: int,
        dropout: float = 0.0,
        bias: bool = False,
        use_group_norm: bool = False,
    ) -> None:
        super().__init__()
        if depthwise_kernel_size % 2 == 0:
            raise DomainError(
                "Conformer: the kernel of the depthwise convolution is odd, so that as many "
                f"frames come out as go in; got {depthwise_kernel_size}"
            )
        self.layer_norm = nn.LayerNorm(input_dim)
        norm = nn.GroupNorm(1, num_channels) if use_group_norm else nn.BatchNorm1d(num_channels)
        self.sequential = nn.Sequential(
            nn.Conv1d(input_dim, 2 * num_channels, 1, bias=bias),
            nn.GLU(dim=1),
            nn.Conv1d(
                num_channels,
                num_channels,
                depthwise_kernel_size,
                padding=depthwise_kernel_size // 2,
                groups=num_channels,
                bias=bias,
            ),
            norm,
            nn.SiLU(),
            nn.Conv1d(num_channels, input_dim, 1, bias=bias),
            nn.Dropout(dropout),
        )

    def forward(self, input: Tensor) -> Tensor:
        """(n, frames, input_dim) to the same shape."""
        x: Tensor = self.sequential(self.layer_norm(input).transpose(1, 2))
        return x.transpose(1, 2)


class FeedForwardModule(nn.Module):
    """Two linear layers on every frame.

    Args:
        input_dim: channels before and after.
        hidden_dim: channels in the middle.
        dropout: part of the middle and of the output that are zeroed while training.
    """

    def __init__(self, input_dim: int, hidden_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(input_dim),
            nn.Linear(input_dim, hidden_dim),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, input_dim),
            nn.Dropout(dropout),
        )

    def forward(self, input: Tensor) -> Tensor:
        """(..., input_dim) to the same shape."""
        return self.sequential(input)


class ConformerLayer(nn.Module):
    """Half of the linear layers, attention, convolution, and the other half.

    Args:
        input_dim: channels.
        ffn_dim: channels in the middle of the linear layers.
        num_attention_heads: a divisor of input_dim.
        depthwise_conv_kernel_size: frames that the convolution looks at, an odd number.
        dropout: part of each output that is zeroed while training.
        use_group_norm: in the convolution, in place of batch normalisation.
        convolution_first: convolution before attention.
    """

    def __init__(
        self,
        input_dim: int,
        ffn_dim: int,
        num_attention_heads: int,
        depthwise_conv_kernel_size: int,
        dropout: float = 0.0,
        use_group_norm: bool = False,
        convolution_first: bool = False,
    ) -> None:
        super().__init__()
        self.ffn1 = FeedForwardModule(input_dim, ffn_dim, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(input_dim)
        self.self_attn = nn.MultiheadAttention(input_dim, num_attention_heads, dropout=dropout)
        self.self_attn_dropout = nn.Dropout(dropout)
        self.conv_module = ConvolutionModule(
            input_dim, input_dim, depthwise_conv_kernel_size, dropout, True, use_group_norm
        )
        self.ffn2 = FeedForwardModule(input_dim, ffn_dim, dropout)
        self.final_layer_norm = nn.LayerNorm(input_dim)
        self.convolution_first = convolution_first

    def _convolve(self, x: Tensor) -> Tensor:
        return x + self.conv_module(x.transpose(0, 1)).transpose(0, 1)

    def _attend(self, x: Tensor, key_padding_mask: Tensor | None) -> Tensor:
        normed = self.self_attn_layer_norm(x)
        attended, _ = self.self_attn(
            normed, normed, normed, key_padding_mask=key_padding_mask, need_weights=False
        )
        return x + self.self_attn_dropout(attended)

    def forward(self, input: Tensor, key_padding_mask: Tensor | None) -> Tensor:
        """One layer.

        Args:
            input: (frames, n, input_dim).
            key_padding_mask: (n, frames) bool, True for padding; None for none.

        Returns:
            (frames, n, input_dim).
        """
        x = input + 0.5 * self.ffn1(input)
        if self.convolution_first:
            x = self._attend(self._convolve(x), key_padding_mask)
        else:
            x = self._convolve(self._attend(x, key_padding_mask))
        return self.final_layer_norm(x + 0.5 * self.ffn2(x))


class Conformer(nn.Module):
    """Layers of Conformer over a sequence of feature vectors.

    Args:
        input_dim: channels.
        num_heads: of the attention, a divisor of input_dim.
        ffn_dim: channels in the middle of the linear layers.
        num_layers: number of layers.
        depthwise_conv_kernel_size: frames that the convolutions look at, an odd number.
        dropout: part of each output that is zeroed while training.
        use_group_norm: in the convolutions, in place of batch normalisation.
        convolution_first: convolution before attention.

    Example:
        >>> import triptych as tp
        >>> model = Conformer(8, 2, ffn_dim=16, num_layers=1, depthwise_conv_kernel_size=3)
        >>> out, lengths = model(tp.zeros(2, 10, 8), tp.tensor([10, 7]))
        >>> out.shape, lengths
        (Size([2, 10, 8]), tensor([10,  7]))
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        ffn_dim: int,
        num_layers: int,
        depthwise_conv_kernel_size: int,
        dropout: float = 0.0,
        use_group_norm: bool = False,
        convolution_first: bool = False,
    ) -> None:
        super().__init__()
        self.conformer_layers = nn.ModuleList(
            ConformerLayer(
                input_dim,
                ffn_dim,
                num_heads,
                depthwise_conv_kernel_size,
                dropout=dropout,
                use_group_norm=use_group_norm,
                convolution_first=convolution_first,
            )
            for _ in range(num_layers)
        )

    @same_kind
    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """All layers.

        Args:
            input: (n, frames, input_dim).
            lengths: (n,) valid frames; no frame attends to padding.

        Returns:
            (n, frames, input_dim), and lengths.

        Raises:
            ShapeError: input is not (n, frames, input_dim), or lengths are not (n,) numbers from 0
                to frames.
        """
        if input.ndim != 3:
            raise ShapeError(
                f"Conformer: wanted (n, frames, input_dim), got {tuple(input.shape)}; input[None] "
                "makes a batch of one"
            )
        check_lengths("Conformer: lengths", lengths, *input.shape[:2])
        padded = padding_mask(lengths, input.shape[1])
        x = input.transpose(0, 1)
        for layer in self.conformer_layers:
            x = layer(x, padded)
        return x.transpose(0, 1), lengths
