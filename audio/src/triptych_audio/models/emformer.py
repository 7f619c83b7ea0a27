"""Emformer: a transformer that can listen while somebody speaks.

Source: Shi et al. 2021, "Emformer: Efficient Memory Transformer Based Acoustic Model for Low
Latency Streaming Speech Recognition"; parameter names, arguments and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.emformer_attention import (
    EmformerAttention,
    right_context_frames,
    segment_mask,
)
from triptych_audio.models.lengths import check_lengths

__all__ = [
    "ACTIVATIONS",
    "Emformer",
    "EmformerLayer",
    "EmformerStack",
    "LayerState",
    "choose",
    "init_gains",
]

LayerState: TypeAlias = list[Tensor]

ACTIVATIONS: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU}

GAINS: dict[str | None, Callable[[int], float | None]] = {
    None: lambda layer: None,
    "constant": lambda layer: math.sqrt(0.5),
    "depthwise": lambda layer: 1.0 / math.sqrt(layer + 1),
}


def choose(table: dict[Any, Any], name: Any, what: str) -> Any:
    """An entry of a table.

    Args:
        table: of values by name.
        name: of the entry.
        what: the argument, for the error's text.

    Raises:
        DomainError: there is no such entry.
    """
    if name not in table:
        known = ", ".join(sorted(repr(key) for key in table))
        raise DomainError(f"{what}: wanted one of {known}, got {name!r}")
    return table[name]


def init_gains(strategy: str | None, num_layers: int) -> list[float | None]:
    """Scale of the first values of each layer's projections.

    Args:
        strategy: "depthwise" shrinks with the root of the layer's number, "constant" is the root
            of a half, None leaves them as a linear layer has them.
        num_layers: number of layers.

    Returns:
        A number for each layer, or None.

    Raises:
        DomainError: there is no such strategy.
    """
    gain = choose(GAINS, strategy, "weight_init_scale_strategy")
    return [gain(layer) for layer in range(num_layers)]


class EmformerLayer(nn.Module):
    """Attention and two linear layers.

    Args:
        input_dim: channels.
        num_heads: a divisor of input_dim.
        ffn_dim: channels in the middle of the linear layers.
        segment_length: frames of a segment.
        dropout: part of each output that is zeroed while training.
        activation: "relu", "gelu" or "silu", between the linear layers.
        left_context_length: frames before a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.
        weight_init_gain: scale of the first values of the projections.
        tanh_on_mem: bound memory vectors with tanh.
        negative_inf: takes the place of the attention to what is hidden.
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        ffn_dim: int,
        segment_length: int,
        dropout: float = 0.0,
        activation: str = "relu",
        left_context_length: int = 0,
        max_memory_size: int = 0,
        weight_init_gain: float | None = None,
        tanh_on_mem: bool = False,
        negative_inf: float = -1e8,
    ) -> None:
        super().__init__()
        self.attention = EmformerAttention(
            input_dim, num_heads, dropout, weight_init_gain, tanh_on_mem, negative_inf
        )
        self.dropout = nn.Dropout(dropout)
        self.memory_op = nn.AvgPool1d(segment_length, segment_length, ceil_mode=True)
        self.pos_ff = nn.Sequential(
            nn.LayerNorm(input_dim),
            nn.Linear(input_dim, ffn_dim),
            choose(ACTIVATIONS, activation, "activation")(),
            nn.Dropout(dropout),
            nn.Linear(ffn_dim, input_dim),
            nn.Dropout(dropout),
        )
        self.layer_norm_input = nn.LayerNorm(input_dim)
        self.layer_norm_output = nn.LayerNorm(input_dim)
        self.input_dim = input_dim
        self.segment_length = segment_length
        self.left_context_length = left_context_length
        self.max_memory_size = max_memory_size

    def initial_state(self, like: Tensor) -> LayerState:
        """The state before the first segment.

        Args:
            like: (u, n, input_dim) frames; gives n, dtype and device.

        Returns:
            memory (max_memory_size, n, d), keys and values of the left context
            (left_context_length, n, d), and the frames that were heard (1, n) int32.
        """
        n = like.shape[1]
        sizes = (self.max_memory_size, self.left_context_length, self.left_context_length)
        heard = tp.zeros(1, n, dtype=tp.int32, device=like.device)
        return [*(like.new_zeros(size, n, self.input_dim) for size in sizes), heard]

    def remembered(self, state: LayerState) -> tuple[Tensor, Tensor, Tensor]:
        """What of a state has been filled: memory, and keys and values of the left context."""
        heard = int(state[3][0, 0])
        context = min(self.left_context_length, heard)
        memory = min(self.max_memory_size, math.ceil(heard / self.segment_length))
        filled = zip(state, (memory, context, context), strict=False)
        mems, key, value = (part[part.shape[0] - size :] for part, size in filled)
        return mems, key, value

    def advanced(
        self, state: LayerState, key: Tensor, value: Tensor, mems: Tensor, frames: int
    ) -> LayerState:
        """The state after a segment of so many frames."""
        parts = zip(state, (mems, key, value), strict=False)
        return [*(tp.cat([old, new])[new.shape[0] :] for old, new in parts), state[3] + frames]

    def summarise(self, utterance: Tensor) -> Tensor:
        """(u, n, d) frames to the mean of each segment, (s, n, d); s is 0 without memory."""
        if not self.max_memory_size:
            return utterance[:0]
        means: Tensor = self.memory_op(utterance.permute(1, 2, 0))
        return means.permute(2, 0, 1)

    def _finish(self, attended: Tensor, x: Tensor) -> Tensor:
        result = self.dropout(attended) + x
        return self.layer_norm_output(self.pos_ff(result) + result)

    def forward(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        mems: Tensor,
        attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All segments at once; arguments and results are those of `EmformerAttention`.

        Returns:
            frames, right contexts and memory vectors for the next layer.
        """
        r = right_context.shape[0]
        x = tp.cat([right_context, utterance])
        normed = self.layer_norm_input(x)
        summary = self.summarise(normed[r:])
        attended, mems = self.attention(
            normed[r:], lengths, normed[:r], summary, mems, attention_mask
        )
        out = self._finish(attended, x)
        return out[r:], out[:r], mems

    def infer(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        state: LayerState | None,
        mems: Tensor,
    ) -> tuple[Tensor, Tensor, LayerState, Tensor]:
        """One segment, after others.

        Args:
            utterance: (u, n, input_dim) its frames.
            lengths: (n,) valid ones.
            right_context: (r, n, input_dim).
            state: after the segment before; None for the first. It is not changed.
            mems: (1, n, input_dim) memory vector of this segment, or none.

        Returns:
            frames, right context, the new state and the memory vector for the next layer.
        """
        r = right_context.shape[0]
        x = tp.cat([right_context, utterance])
        normed = self.layer_norm_input(x)
        state = self.initial_state(normed) if state is None else state
        before, left_key, left_value = self.remembered(state)
        summary = self.summarise(normed[r:])[:1]
        attended, memory, key, value = self.attention.infer(
            normed[r:], lengths, normed[:r], summary, before, left_key, left_value
        )
        state = self.advanced(state, key, value, mems, utterance.shape[0])
        out = self._finish(attended, x)
        return out[r:], out[:r], state, memory


class EmformerStack(nn.Module):
    """Layers, and the cutting into segments before them.

    Args:
        emformer_layers: `EmformerLayer`s, or others with the same two methods.
        segment_length: frames of a segment.
        left_context_length: frames before a segment that it sees.
        right_context_length: frames after a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.
    """

    def __init__(
        self,
        emformer_layers: nn.ModuleList,
        segment_length: int,
        left_context_length: int = 0,
        right_context_length: int = 0,
        max_memory_size: int = 0,
    ) -> None:
        super().__init__()
        self.memory_op = nn.AvgPool1d(segment_length, segment_length, ceil_mode=True)
        self.emformer_layers = emformer_layers
        self.segment_length = segment_length
        self.left_context_length = left_context_length
        self.right_context_length = right_context_length
        self.max_memory_size = max_memory_size

    def _means(self, utterance: Tensor) -> Tensor:
        """First memory vectors, (segments, n, d)."""
        if not self.max_memory_size:
            return utterance[:0]
        means: Tensor = self.memory_op(utterance.permute(1, 2, 0))
        return means.permute(2, 0, 1)

    @same_kind
    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """A whole recording.

        Args:
            input: (n, t + right_context_length, input_dim) frames; the last ones are seen only.
            lengths: (n,) valid frames of the t.

        Returns:
            (n, t, input_dim), and lengths.

        Raises:
            ShapeError: input is not (n, more than right_context_length, input_dim), or lengths are
                not (n,) numbers from 0 to the frames of input.
        """
        return self.layer_outputs(input, lengths, len(self.emformer_layers))[-1], lengths

    def layer_outputs(self, input: Tensor, lengths: Tensor, num_layers: int) -> list[Tensor]:
        """What the first layers give for a whole recording.

        Args:
            input: (n, t + right_context_length, input_dim).
            lengths: (n,) valid frames of the t.
            num_layers: how many layers.

        Returns:
            (n, t, input_dim) for each layer.
        """
        frames = input.shape[1] - self.right_context_length if input.ndim == 3 else 0
        if frames < 1:
            raise ShapeError(
                f"Emformer: wanted (n, t + {self.right_context_length}, input_dim) with t > 0, the "
                f"last {self.right_context_length} frames being right context, got "
                f"{tuple(input.shape)}"
            )
        # lengths that count the right context too, as RNNTBundle's extractor gives them, are taken
        check_lengths("Emformer: lengths", lengths, *input.shape[:2])
        x = input.transpose(0, 1)
        utterance = x[:frames]
        sizes = (self.segment_length, self.right_context_length)
        right_context = x[tp.tensor(right_context_frames(frames, *sizes), device=x.device)]
        hidden = segment_mask(
            frames,
            self.segment_length,
            self.left_context_length,
            self.right_context_length,
            self.max_memory_size,
        )
        mask = tp.tensor(hidden, device=x.device)
        mems = self._means(utterance)[:-1]
        outputs: list[Tensor] = []
        for layer in self.emformer_layers[:num_layers]:
            utterance, right_context, mems = layer(utterance, lengths, right_context, mems, mask)
            outputs.append(utterance.transpose(0, 1))
        return outputs

    @same_kind
    def infer(
        self, input: Tensor, lengths: Tensor, states: list[LayerState] | None = None
    ) -> tuple[Tensor, Tensor, list[LayerState]]:
        """One segment, after others.

        Args:
            input: (n, segment_length + right_context_length, input_dim) frames, padded where the
                recording ends.
            lengths: (n,) valid frames with their right context.
            states: what the call before gave; None for the first segment. It is not changed.

        Returns:
            (n, segment_length, input_dim), valid frames of them, and the states for the next
            segment.

        Raises:
            ShapeError: input has another number of frames, or lengths do not fit.
        """
        wanted = self.segment_length + self.right_context_length
        if input.ndim != 3 or input.shape[1] != wanted:
            raise ShapeError(
                f"Emformer.infer: wanted (n, {wanted}, input_dim), {self.segment_length} frames "
                f"and {self.right_context_length} of right context, got {tuple(input.shape)}; pad "
                "the last segment"
            )
        check_lengths("Emformer.infer: lengths", lengths, *input.shape[:2])
        x = input.transpose(0, 1)
        output, right_context = x[: self.segment_length], x[self.segment_length :]
        valid = (lengths - self.right_context_length).clamp(min=0)
        mems = self._means(output)
        after: list[LayerState] = []
        for number, layer in enumerate(self.emformer_layers):
            before = None if states is None else states[number]
            output, right_context, state, mems = layer.infer(
                output, valid, right_context, before, mems
            )
            after.append(state)
        return output.transpose(0, 1), valid, after


class Emformer(EmformerStack):
    """Layers of Emformer over a sequence of feature vectors, whole or as they come.

    Args:
        input_dim: channels.
        num_heads: of the attention, a divisor of input_dim.
        ffn_dim: channels in the middle of the linear layers.
        num_layers: number of layers.
        segment_length: frames that are worked on together.
        dropout: part of each output that is zeroed while training.
        activation: "relu", "gelu" or "silu", between the linear layers.
        left_context_length: frames before a segment that it sees.
        right_context_length: frames after a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.
        weight_init_scale_strategy: of first values: "depthwise", "constant" or None.
        tanh_on_mem: bound memory vectors with tanh.
        negative_inf: takes the place of the attention to what is hidden.

    Raises:
        DomainError: an unknown activation or strategy, or heads that do not divide the channels.

    Example:
        >>> model = Emformer(8, 2, 16, 1, segment_length=4, right_context_length=1).eval()
        >>> model(tp.zeros(2, 11, 8), tp.tensor([10, 7]))[0].shape
        Size([2, 10, 8])
        >>> out, lengths, states = model.infer(tp.zeros(2, 5, 8), tp.tensor([5, 5]))
        >>> out.shape
        Size([2, 4, 8])
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        ffn_dim: int,
        num_layers: int,
        segment_length: int,
        dropout: float = 0.0,
        activation: str = "relu",
        left_context_length: int = 0,
        right_context_length: int = 0,
        max_memory_size: int = 0,
        weight_init_scale_strategy: str | None = "depthwise",
        tanh_on_mem: bool = False,
        negative_inf: float = -1e8,
    ) -> None:
        layers = nn.ModuleList(
            EmformerLayer(
                input_dim,
                num_heads,
                ffn_dim,
                segment_length,
                dropout=dropout,
                activation=activation,
                left_context_length=left_context_length,
                max_memory_size=max_memory_size,
                weight_init_gain=gain,
                tanh_on_mem=tanh_on_mem,
                negative_inf=negative_inf,
            )
            for gain in init_gains(weight_init_scale_strategy, num_layers)
        )
        super().__init__(
            layers, segment_length, left_context_length, right_context_length, max_memory_size
        )
