"""The parts of a transducer: what listens, what remembers the words so far, what joins both."""

from __future__ import annotations

from typing import TypeAlias

import triptych as tp
from triptych import Tensor, nn
from triptych.nn import functional as nnF
from triptych_audio.models.conformer import Conformer
from triptych_audio.models.emformer import Emformer, LayerState, choose

__all__ = [
    "ConformerEncoder",
    "CustomLSTM",
    "EmformerEncoder",
    "Joiner",
    "Predictor",
    "PredictorState",
    "TimeReduction",
]

PredictorState: TypeAlias = list[list[Tensor]]

JOINER_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class TimeReduction(nn.Module):
    """Puts neighbouring frames together in one.

    Args:
        stride: how many.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(n, t, d) and (n,) to (n, t // stride, d * stride) and lengths // stride."""
        n, t, d = input.shape
        frames = t // self.stride
        kept = input[:, : frames * self.stride]
        reduced = tp.div(lengths, self.stride, rounding_mode="trunc")
        return kept.reshape(n, frames, d * self.stride), reduced


class CustomLSTM(nn.Module):
    """LSTM that may normalise its gates and its memory.

    Args:
        input_dim: channels of the input.
        hidden_dim: channels of the output.
        layer_norm: whether it does.
        layer_norm_epsilon: added to the variances.
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int,
        layer_norm: bool = False,
        layer_norm_epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.x2g = nn.Linear(input_dim, 4 * hidden_dim, bias=not layer_norm)
        self.p2g = nn.Linear(hidden_dim, 4 * hidden_dim, bias=False)
        self.c_norm: nn.Module = nn.Identity()
        self.g_norm: nn.Module = nn.Identity()
        if layer_norm:
            self.c_norm = nn.LayerNorm(hidden_dim, eps=layer_norm_epsilon)
            self.g_norm = nn.LayerNorm(4 * hidden_dim, eps=layer_norm_epsilon)
        self.layer_norm = layer_norm
        self.hidden_dim = hidden_dim

    def forward(self, input: Tensor, state: list[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
        """Go through a sequence.

        Args:
            input: (u, n, input_dim).
            state: (n, hidden_dim) output and memory before it; None for zeros.

        Returns:
            (u, n, hidden_dim), and the state after it.
        """
        n = input.shape[1]
        hidden, cell = state or [input.new_zeros(n, self.hidden_dim) for _ in range(2)]
        gates = self.x2g(input)
        if not self.layer_norm:
            outputs, cells = nnF.lstm_scan(gates, self.p2g.weight, hidden, cell)
            return outputs, [outputs[-1], cells[-1]]
        found: list[Tensor] = []
        for step in gates.unbind(0):
            normed = self.g_norm(step + self.p2g(hidden))
            write, keep, new, read = normed.chunk(4, 1)
            cell = self.c_norm(keep.sigmoid() * cell + write.sigmoid() * new.tanh())
            hidden = read.sigmoid() * cell.tanh()
            found.append(hidden)
        return tp.stack(found), [hidden, cell]


class Predictor(nn.Module):
    """What may follow, from the symbols so far.

    Args:
        num_symbols: number of symbols.
        output_dim: channels of the encodings.
        symbol_embedding_dim: channels of a symbol.
        num_lstm_layers: number of layers.
        lstm_hidden_dim: their channels.
        lstm_layer_norm: whether they normalise gates and memory.
        lstm_layer_norm_epsilon: added to the variances.
        lstm_dropout: part of each layer's output that is zeroed while training.
    """

    def __init__(
        self,
        num_symbols: int,
        output_dim: int,
        symbol_embedding_dim: int,
        num_lstm_layers: int,
        lstm_hidden_dim: int,
        lstm_layer_norm: bool = False,
        lstm_layer_norm_epsilon: float = 1e-5,
        lstm_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_symbols, symbol_embedding_dim)
        self.input_layer_norm = nn.LayerNorm(symbol_embedding_dim)
        self.lstm_layers = nn.ModuleList(
            CustomLSTM(
                lstm_hidden_dim if layer else symbol_embedding_dim,
                lstm_hidden_dim,
                layer_norm=lstm_layer_norm,
                layer_norm_epsilon=lstm_layer_norm_epsilon,
            )
            for layer in range(num_lstm_layers)
        )
        self.dropout = nn.Dropout(lstm_dropout)
        self.linear = nn.Linear(lstm_hidden_dim, output_dim)
        self.output_layer_norm = nn.LayerNorm(output_dim)

    def forward(
        self, input: Tensor, lengths: Tensor, state: PredictorState | None = None
    ) -> tuple[Tensor, Tensor, PredictorState]:
        """Encode symbols.

        Args:
            input: (n, u) symbols.
            lengths: (n,) valid ones.
            state: of each layer, after the symbols before; None for none.

        Returns:
            (n, u, output_dim), lengths, and the state after the symbols.
        """
        x = self.input_layer_norm(self.embedding(input.T))
        after: PredictorState = []
        for number, lstm in enumerate(self.lstm_layers):
            x, layer_state = lstm(x, None if state is None else state[number])
            x = self.dropout(x)
            after.append(layer_state)
        encoded: Tensor = self.output_layer_norm(self.linear(x))
        return encoded.transpose(0, 1), lengths, after


class Joiner(nn.Module):
    """Scores of the next symbol, for every pair of a frame and the symbols so far.

    Args:
        input_dim: channels of the encodings.
        output_dim: number of symbols.
        activation: "relu" or "tanh".

    Raises:
        DomainError: activation is neither.
    """

    def __init__(self, input_dim: int, output_dim: int, activation: str = "relu") -> None:
        super().__init__()
        self.linear = nn.Linear(input_dim, output_dim)
        self.activation: nn.Module = choose(JOINER_ACTIVATIONS, activation, "joiner_activation")()

    def forward(
        self,
        source_encodings: Tensor,
        source_lengths: Tensor,
        target_encodings: Tensor,
        target_lengths: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Join.

        Args:
            source_encodings: (n, t, d) of the frames.
            source_lengths: (n,) valid ones.
            target_encodings: (n, u, d) of the symbols.
            target_lengths: (n,) valid ones.

        Returns:
            (n, t, u, output_dim) logits, and both lengths.
        """
        joint = source_encodings.unsqueeze(2) + target_encodings.unsqueeze(1)
        return self.linear(self.activation(joint)), source_lengths, target_lengths


class EmformerEncoder(nn.Module):
    """Encodings of sound by Emformer, whole or as it comes.

    Args:
        input_dim: channels of a frame.
        output_dim: channels of an encoding.
        segment_length: frames of a segment.
        right_context_length: frames after a segment that it sees.
        time_reduction_input_dim: channels before frames are put together.
        time_reduction_stride: frames that are put together.
        transformer_num_heads: as in `Emformer`, like all that follow.
        transformer_ffn_dim: channels in the middle of the linear layers.
        transformer_num_layers: number of layers.
        transformer_left_context_length: frames, put together, before a segment that it sees.
        transformer_dropout: part of each output that is zeroed while training.
        transformer_activation: "relu", "gelu" or "silu".
        transformer_max_memory_size: segments before whose summaries are seen.
        transformer_weight_init_scale_strategy: "depthwise", "constant" or None.
        transformer_tanh_on_mem: bound memory vectors with tanh.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        output_dim: int,
        segment_length: int,
        right_context_length: int,
        time_reduction_input_dim: int,
        time_reduction_stride: int,
        transformer_num_heads: int,
        transformer_ffn_dim: int,
        transformer_num_layers: int,
        transformer_left_context_length: int,
        transformer_dropout: float = 0.0,
        transformer_activation: str = "relu",
        transformer_max_memory_size: int = 0,
        transformer_weight_init_scale_strategy: str | None = "depthwise",
        transformer_tanh_on_mem: bool = False,
    ) -> None:
        super().__init__()
        self.input_linear = nn.Linear(input_dim, time_reduction_input_dim, bias=False)
        self.time_reduction = TimeReduction(time_reduction_stride)
        width = time_reduction_input_dim * time_reduction_stride
        self.transformer = Emformer(
            width,
            transformer_num_heads,
            transformer_ffn_dim,
            transformer_num_layers,
            segment_length // time_reduction_stride,
            dropout=transformer_dropout,
            activation=transformer_activation,
            left_context_length=transformer_left_context_length,
            right_context_length=right_context_length // time_reduction_stride,
            max_memory_size=transformer_max_memory_size,
            weight_init_scale_strategy=transformer_weight_init_scale_strategy,
            tanh_on_mem=transformer_tanh_on_mem,
        )
        self.output_linear = nn.Linear(width, output_dim)
        self.layer_norm = nn.LayerNorm(output_dim)

    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """A whole recording.

        Args:
            input: (n, t + right context, input_dim).
            lengths: (n,) valid frames of the t.

        Returns:
            (n, t // time_reduction_stride, output_dim), and lengths.
        """
        x, lengths = self.time_reduction(self.input_linear(input), lengths)
        x, lengths = self.transformer(x, lengths)
        return self.layer_norm(self.output_linear(x)), lengths

    def infer(
        self, input: Tensor, lengths: Tensor, states: list[LayerState] | None
    ) -> tuple[Tensor, Tensor, list[LayerState]]:
        """One segment, after others; see `Emformer.infer`.

        Args:
            input: (n, segment_length + right_context_length, input_dim).
            lengths: (n,) valid frames with their right context.
            states: what the call before gave; None for the first segment.

        Returns:
            (n, segment_length // time_reduction_stride, output_dim), lengths, and the states.
        """
        x, lengths = self.time_reduction(self.input_linear(input), lengths)
        x, lengths, states = self.transformer.infer(x, lengths, states)
        return self.layer_norm(self.output_linear(x)), lengths, states


class ConformerEncoder(nn.Module):
    """Encodings of sound by Conformer; whole recordings only.

    Args:
        input_dim: channels of a frame.
        output_dim: channels of an encoding.
        time_reduction_stride: frames that are put together.
        conformer_input_dim: as in `Conformer`, like all that follow.
        conformer_ffn_dim: channels in the middle of the linear layers.
        conformer_num_layers: number of layers.
        conformer_num_heads: of the attention.
        conformer_depthwise_conv_kernel_size: frames that the convolutions look at.
        conformer_dropout: part of each output that is zeroed while training.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        output_dim: int,
        time_reduction_stride: int,
        conformer_input_dim: int,
        conformer_ffn_dim: int,
        conformer_num_layers: int,
        conformer_num_heads: int,
        conformer_depthwise_conv_kernel_size: int,
        conformer_dropout: float,
    ) -> None:
        super().__init__()
        self.time_reduction = TimeReduction(time_reduction_stride)
        self.input_linear = nn.Linear(input_dim * time_reduction_stride, conformer_input_dim)
        self.conformer = Conformer(
            conformer_input_dim,
            conformer_num_heads,
            conformer_ffn_dim,
            conformer_num_layers,
            conformer_depthwise_conv_kernel_size,
            dropout=conformer_dropout,
            use_group_norm=True,
            convolution_first=True,
        )
        self.output_linear = nn.Linear(conformer_input_dim, output_dim)
        self.layer_norm = nn.LayerNorm(output_dim)

    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(n, t, input_dim) and (n,) to (n, t // time_reduction_stride, output_dim) and (n,)."""
        x, lengths = self.time_reduction(input, lengths)
        x, lengths = self.conformer(self.input_linear(x), lengths)
        return self.layer_norm(self.output_linear(x)), lengths

    def infer(
        self, input: Tensor, lengths: Tensor, states: list[LayerState] | None
    ) -> tuple[Tensor, Tensor, list[LayerState]]:
        """Not possible: a frame attends to the whole recording.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "ConformerEncoder.infer: a Conformer needs the whole recording; call transcribe(), or "
            "build a model with emformer_rnnt_model()"
        )
