"""Emformer with a causal convolution in each layer, as Conformer has one.

Source: Shi et al. 2022, "Streaming Transformer Transducer Based Speech Recognition Using
Non-Causal Convolution"; parameter names, arguments and defaults are those of torchaudio 2.8's
prototype.
"""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych_audio.models.emformer import (
    ACTIVATIONS,
    EmformerLayer,
    EmformerStack,
    LayerState,
    choose,
    init_gains,
)

__all__ = ["CausalConvolution", "ConvEmformer", "ConvEmformerLayer", "ResidualContainer"]


class ResidualContainer(nn.Module):
    """A module beside the way straight through.

    Args:
        module: the module.
        output_weight: factor of what it gives.
    """

    def __init__(self, module: nn.Module, output_weight: float) -> None:
        super().__init__()
        self.module = module
        self.output_weight = output_weight

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same."""
        return input + self.output_weight * self.module(input)


class CausalConvolution(nn.Module):
    """A gate and a depthwise convolution over the frames up to each frame.

    Args:
        input_dim: channels.
        segment_length: frames of a segment.
        right_context_length: frames after a segment that it sees.
        kernel_size: frames that the convolution looks at.
        activation: "relu", "gelu" or "silu", after it.
        dropout: part of the output that is zeroed while training.
    """

    def __init__(
        self,
        input_dim: int,
        segment_length: int,
        right_context_length: int,
        kernel_size: int,
        activation: str = "silu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.segment_length = segment_length
        self.right_context_length = right_context_length
        self.state_size = kernel_size - 1
        self.pre_conv = nn.Sequential(
            nn.LayerNorm(input_dim), nn.Linear(input_dim, 2 * input_dim), nn.GLU()
        )
        self.conv = nn.Conv1d(input_dim, input_dim, kernel_size, groups=input_dim)
        self.post_conv = nn.Sequential(
            nn.LayerNorm(input_dim),
            choose(ACTIVATIONS, activation, "conv_activation")(),
            nn.Linear(input_dim, input_dim),
            nn.Dropout(dropout),
        )

    def forward(
        self, utterance: Tensor, right_context: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Convolve.

        Args:
            utterance: (u, n, d) frames.
            right_context: (r, n, d) of all segments, one after the other.
            state: (n, d, kernel_size - 1) what was before; None for zeros.

        Returns:
            (u, n, d), (r, n, d), and the state after the frames.
        """
        r = right_context.shape[0]
        x = tp.cat([right_context, utterance])
        _, n, d = x.shape
        gated = self.pre_conv(x)
        if state is None:
            state = gated.new_zeros(n, d, self.state_size)
        past = tp.cat([state.permute(2, 0, 1), gated[r:]])  # (kernel - 1 + u, n, d)
        out = self._convolve(past)
        if r:
            out = tp.cat([self._right_contexts(past, gated[:r]), out])
        y = self.post_conv(out) + x
        return y[r:], y[:r], past[past.shape[0] - self.state_size :].permute(1, 2, 0)

    def _convolve(self, x: Tensor) -> Tensor:
        """(kernel - 1 + u, n, d) to (u, n, d)."""
        out: Tensor = self.conv(x.permute(1, 2, 0))
        return out.permute(2, 0, 1)

    def _right_contexts(self, past: Tensor, right_context: Tensor) -> Tensor:
        """Each right context behind the last frames of its segment."""
        r, n, d = right_context.shape
        length = self.right_context_length
        count = r // length
        ends = (self.state_size + self.segment_length * tp.arange(1, count + 1)).clamp(
            max=past.shape[0]
        )
        before = past[ends - self.state_size + tp.arange(self.state_size).unsqueeze(1)]
        own = right_context.reshape(count, length, n, d).transpose(0, 1)  # (length, count, n, d)
        rows = tp.cat([before, own]).reshape(-1, count * n, d)
        out = self._convolve(rows).reshape(length, count, n, d)
        return out.transpose(0, 1).reshape(r, n, d)


class ConvEmformerLayer(EmformerLayer):
    """Half of the linear layers, attention, convolution, and the other half.

    Args:
        input_dim: channels.
        num_heads: a divisor of input_dim.
        ffn_dim: channels in the middle of the linear layers.
        segment_length: frames of a segment.
        kernel_size: frames that the convolution looks at.
        dropout: part of each output that is zeroed while training.
        ffn_activation: "relu", "gelu" or "silu", between the linear layers.
        left_context_length: frames before a segment that it sees.
        right_context_length: frames after a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.
        weight_init_gain: scale of the first values of the projections.
        tanh_on_mem: bound memory vectors with tanh.
        negative_inf: takes the place of the attention to what is hidden.
        conv_activation: "relu", "gelu" or "silu", after the convolution.
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        ffn_dim: int,
        segment_length: int,
        kernel_size: int,
        dropout: float = 0.0,
        ffn_activation: str = "relu",
        left_context_length: int = 0,
        right_context_length: int = 0,
        max_memory_size: int = 0,
        weight_init_gain: float | None = None,
        tanh_on_mem: bool = False,
        negative_inf: float = -1e8,
        conv_activation: str = "silu",
    ) -> None:
        super().__init__(
            input_dim,
            num_heads,
            ffn_dim,
            segment_length,
            dropout=dropout,
            activation=ffn_activation,
            left_context_length=left_context_length,
            max_memory_size=max_memory_size,
            weight_init_gain=weight_init_gain,
            tanh_on_mem=tanh_on_mem,
            negative_inf=negative_inf,
        )
        first = self.pos_ff  # the linear layers of Emformer, which come in two halves here
        del self.pos_ff
        self.ffn0 = ResidualContainer(first, 0.5)
        second = nn.Sequential(
            nn.LayerNorm(input_dim),
            nn.Linear(input_dim, ffn_dim),
            choose(ACTIVATIONS, ffn_activation, "ffn_activation")(),
            nn.Dropout(dropout),
            nn.Linear(ffn_dim, input_dim),
            nn.Dropout(dropout),
        )
        self.ffn1 = ResidualContainer(second, 0.5)
        self.conv = CausalConvolution(
            input_dim, segment_length, right_context_length, kernel_size, conv_activation, dropout
        )
        self.kernel_size = kernel_size

    def initial_state(self, like: Tensor) -> LayerState:
        """As of `EmformerLayer`, and zeros before the convolution."""
        cache = like.new_zeros(like.shape[1], self.input_dim, self.kernel_size - 1)
        return [*super().initial_state(like), cache]

    def _before(
        self, utterance: Tensor, right_context: Tensor, summary: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """First half, and its normalised right context, frames and summaries."""
        x = self.ffn0(tp.cat([right_context, utterance, summary]))
        normed = self.layer_norm_input(x)
        r, u = right_context.shape[0], utterance.shape[0]
        return x[: r + u], normed[:r], normed[r : r + u], normed[r + u :]

    def _after(
        self, attended: Tensor, x: Tensor, cache: Tensor | None, r: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        result = self.dropout(attended) + x
        frames, context, cache = self.conv(result[r:], result[:r], cache)
        out = self.layer_norm_output(self.ffn1(tp.cat([context, frames])))
        return out[r:], out[:r], cache

    def forward(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        mems: Tensor,
        attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As of `EmformerLayer`."""
        summary = self.summarise(utterance)
        x, context, frames, summary = self._before(utterance, right_context, summary)
        attended, mems = self.attention(frames, lengths, context, summary, mems, attention_mask)
        out, context, _ = self._after(attended, x, None, right_context.shape[0])
        return out, context, mems

    def infer(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        state: LayerState | None,
        mems: Tensor,
    ) -> tuple[Tensor, Tensor, LayerState, Tensor]:
        """As of `EmformerLayer`."""
        summary = self.summarise(utterance)[:1]
        x, context, frames, summary = self._before(utterance, right_context, summary)
        state = self.initial_state(frames) if state is None else state
        attended, memory, key, value = self.attention.infer(
            frames, lengths, context, summary, *self.remembered(state)
        )
        out, context, cache = self._after(attended, x, state[4], right_context.shape[0])
        after = self.advanced(state[:4], key, value, mems, utterance.shape[0])
        return out, context, [*after, cache], memory


class ConvEmformer(EmformerStack):
    """Layers of Emformer with convolutions, over whole sequences or as they come.

    Args:
        input_dim: channels.
        num_heads: of the attention, a divisor of input_dim.
        ffn_dim: channels in the middle of the linear layers.
        num_layers: number of layers.
        segment_length: frames that are worked on together.
        kernel_size: frames that the convolutions look at.
        dropout: part of each output that is zeroed while training.
        ffn_activation: "relu", "gelu" or "silu", between the linear layers.
        left_context_length: frames before a segment that it sees.
        right_context_length: frames after a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.
        weight_init_scale_strategy: of first values: "depthwise", "constant" or None.
        tanh_on_mem: bound memory vectors with tanh.
        negative_inf: takes the place of the attention to what is hidden.
        conv_activation: "relu", "gelu" or "silu", after the convolutions.

    Example:
        >>> model = ConvEmformer(8, 2, 16, 1, 4, kernel_size=3, right_context_length=1).eval()
        >>> model(tp.zeros(2, 11, 8), tp.tensor([10, 7]))[0].shape
        Size([2, 10, 8])
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        ffn_dim: int,
        num_layers: int,
        segment_length: int,
        kernel_size: int,
        dropout: float = 0.0,
        ffn_activation: str = "relu",
        left_context_length: int = 0,
        right_context_length: int = 0,
        max_memory_size: int = 0,
        weight_init_scale_strategy: str | None = "depthwise",
        tanh_on_mem: bool = False,
        negative_inf: float = -1e8,
        conv_activation: str = "silu",
    ) -> None:
        layers = nn.ModuleList(
            ConvEmformerLayer(
                input_dim,
                num_heads,
                ffn_dim,
                segment_length,
                kernel_size,
                dropout=dropout,
                ffn_activation=ffn_activation,
                left_context_length=left_context_length,
                right_context_length=right_context_length,
                max_memory_size=max_memory_size,
                weight_init_gain=gain,
                tanh_on_mem=tanh_on_mem,
                negative_inf=negative_inf,
                conv_activation=conv_activation,
            )
            for gain in init_gains(weight_init_scale_strategy, num_layers)
        )
        super().__init__(
            layers, segment_length, left_context_length, right_context_length, max_memory_size
        )
