"""Transducers: models that turn frames into symbols without knowing which belong together.

Source: Graves 2012, "Sequence Transduction with Recurrent Neural Networks"; parameter names,
arguments and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

from typing import Any, Protocol

from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.emformer import LayerState
from triptych_audio.models.lengths import check_lengths
from triptych_audio.models.rnnt_parts import (
    ConformerEncoder,
    EmformerEncoder,
    Joiner,
    Predictor,
    PredictorState,
)

__all__ = [
    "RNNT",
    "conformer_rnnt_base",
    "conformer_rnnt_model",
    "emformer_rnnt_base",
    "emformer_rnnt_model",
]


class Transcriber(Protocol):
    """What gives encodings of sound."""

    def __call__(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(n, t, d) and (n,) to encodings and their lengths."""
        ...

    def infer(self, input: Tensor, lengths: Tensor, states: Any) -> tuple[Tensor, Tensor, Any]:
        """The same for one segment, with states before and after it."""
        ...


class RNNT(nn.Module):
    """A transducer.

    Args:
        transcriber: gives encodings of sound.
        predictor: gives encodings of the symbols so far.
        joiner: gives scores of the next symbol.

    Example:
        >>> import triptych as tp
        >>> model = conformer_rnnt_model(input_dim=4, encoding_dim=8, time_reduction_stride=2,
        ...     conformer_input_dim=8, conformer_ffn_dim=8, conformer_num_layers=1,
        ...     conformer_num_heads=2, conformer_depthwise_conv_kernel_size=3,
        ...     conformer_dropout=0.0, num_symbols=5, symbol_embedding_dim=4, num_lstm_layers=1,
        ...     lstm_hidden_dim=4, lstm_layer_norm=True, lstm_layer_norm_epsilon=1e-5,
        ...     lstm_dropout=0.0, joiner_activation="tanh").eval()
        >>> sounds, symbols = tp.zeros(1, 12, 4), tp.tensor([[1, 2, 3]])
        >>> logits, *_ = model(sounds, tp.tensor([12]), symbols, tp.tensor([3]))
        >>> logits.shape
        Size([1, 6, 3, 5])
    """

    def __init__(self, transcriber: Transcriber, predictor: nn.Module, joiner: nn.Module) -> None:
        super().__init__()
        self.transcriber = transcriber
        self.predictor = predictor
        self.joiner = joiner

    @same_kind
    def forward(
        self,
        sources: Tensor,
        source_lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        predictor_state: PredictorState | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, PredictorState]:
        """Scores of all symbols at all places: what `functional.rnnt_loss` takes.

        Args:
            sources: (n, t, d) frames, with right context at the end.
            source_lengths: (n,) valid ones without it.
            targets: (n, u) symbols.
            target_lengths: (n,) valid ones.
            predictor_state: after symbols before; None for none.

        Returns:
            (n, frames, u, num_symbols) logits, valid frames, valid symbols, and the predictor's
            state.

        Raises:
            ShapeError: sources are not (n, t, d), targets are not (n, u), or lengths do not fit.
        """
        if sources.ndim != 3 or targets.ndim != 2 or len(sources) != len(targets):
            raise ShapeError(
                "RNNT: wanted sources (n, t, d) and targets (n, u), got "
                f"{tuple(sources.shape)} and {tuple(targets.shape)}"
            )
        check_lengths("RNNT: source_lengths", source_lengths, *sources.shape[:2])
        check_lengths("RNNT: target_lengths", target_lengths, *targets.shape)
        source_encodings, source_lengths = self.transcriber(sources, source_lengths)
        target_encodings, target_lengths, state = self.predictor(
            targets, target_lengths, predictor_state
        )
        return (
            *self.joiner(source_encodings, source_lengths, target_encodings, target_lengths),
            state,
        )

    @same_kind
    def transcribe_streaming(
        self, sources: Tensor, source_lengths: Tensor, state: list[LayerState] | None
    ) -> tuple[Tensor, Tensor, list[LayerState]]:
        """Encodings of one segment of sound.

        Args:
            sources: (n, segment + right context, d) frames.
            source_lengths: (n,) valid ones with the right context.
            state: what the call before gave; None for the first segment.

        Returns:
            (n, frames, encoding_dim), (n,) valid ones, and the state for the next segment.
        """
        return self.transcriber.infer(sources, source_lengths, state)

    @same_kind
    def transcribe(self, sources: Tensor, source_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encodings of whole recordings.

        Args:
            sources: (n, t + right context, d) frames.
            source_lengths: (n,) valid ones without the right context.

        Returns:
            (n, frames, encoding_dim), and (n,) valid ones.
        """
        return self.transcriber(sources, source_lengths)

    @same_kind
    def predict(
        self, targets: Tensor, target_lengths: Tensor, state: PredictorState | None
    ) -> tuple[Tensor, Tensor, PredictorState]:
        """Encodings of symbols.

        Args:
            targets: (n, u) symbols.
            target_lengths: (n,) valid ones.
            state: what the call before gave; None at the beginning.

        Returns:
            (n, u, encoding_dim), target_lengths, and the state after the symbols.
        """
        found: tuple[Tensor, Tensor, PredictorState] = self.predictor(
            targets, target_lengths, state
        )
        return found

    @same_kind
    def join(
        self,
        source_encodings: Tensor,
        source_lengths: Tensor,
        target_encodings: Tensor,
        target_lengths: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores from both encodings.

        Args:
            source_encodings: (n, t, encoding_dim).
            source_lengths: (n,) valid ones.
            target_encodings: (n, u, encoding_dim).
            target_lengths: (n,) valid ones.

        Returns:
            (n, t, u, num_symbols) logits, and both lengths.
        """
        found: tuple[Tensor, Tensor, Tensor] = self.joiner(
            source_encodings, source_lengths, target_encodings, target_lengths
        )
        return found


def emformer_rnnt_model(
    *,
    input_dim: int,
    encoding_dim: int,
    num_symbols: int,
    segment_length: int,
    right_context_length: int,
    time_reduction_input_dim: int,
    time_reduction_stride: int,
    transformer_num_heads: int,
    transformer_ffn_dim: int,
    transformer_num_layers: int,
    transformer_dropout: float,
    transformer_activation: str,
    transformer_left_context_length: int,
    transformer_max_memory_size: int,
    transformer_weight_init_scale_strategy: str | None,
    transformer_tanh_on_mem: bool,
    symbol_embedding_dim: int,
    num_lstm_layers: int,
    lstm_layer_norm: bool,
    lstm_layer_norm_epsilon: float,
    lstm_dropout: float,
) -> RNNT:
    """A transducer with Emformer, for whole recordings or as they come.

    `transcribe` wants right_context_length frames after the recording, `transcribe_streaming`
    after each segment of segment_length frames.

    Args:
        input_dim: channels of a frame.
        encoding_dim: channels of the encodings.
        num_symbols: number of symbols, with blank.
        segment_length: frames of a segment.
        right_context_length: frames after a segment that it sees.
        time_reduction_input_dim: channels before frames are put together.
        time_reduction_stride: frames that are put together.
        transformer_num_heads: of the attention.
        transformer_ffn_dim: channels in the middle of the linear layers.
        transformer_num_layers: number of layers.
        transformer_dropout: part of each output that is zeroed while training.
        transformer_activation: "relu", "gelu" or "silu".
        transformer_left_context_length: frames, put together, before a segment that it sees.
        transformer_max_memory_size: segments before whose summaries are seen.
        transformer_weight_init_scale_strategy: "depthwise", "constant" or None.
        transformer_tanh_on_mem: bound memory vectors with tanh.
        symbol_embedding_dim: channels of a symbol, and of the LSTM.
        num_lstm_layers: layers of the LSTM.
        lstm_layer_norm: whether they normalise gates and memory.
        lstm_layer_norm_epsilon: added to the variances.
        lstm_dropout: part of each layer's output that is zeroed while training.

    Returns:
        A model with random parameters, in training mode.
    """
    encoder = EmformerEncoder(
        input_dim=input_dim,
        output_dim=encoding_dim,
        segment_length=segment_length,
        right_context_length=right_context_length,
        time_reduction_input_dim=time_reduction_input_dim,
        time_reduction_stride=time_reduction_stride,
        transformer_num_heads=transformer_num_heads,
        transformer_ffn_dim=transformer_ffn_dim,
        transformer_num_layers=transformer_num_layers,
        transformer_left_context_length=transformer_left_context_length,
        transformer_dropout=transformer_dropout,
        transformer_activation=transformer_activation,
        transformer_max_memory_size=transformer_max_memory_size,
        transformer_weight_init_scale_strategy=transformer_weight_init_scale_strategy,
        transformer_tanh_on_mem=transformer_tanh_on_mem,
    )
    predictor = Predictor(
        num_symbols,
        encoding_dim,
        symbol_embedding_dim=symbol_embedding_dim,
        num_lstm_layers=num_lstm_layers,
        lstm_hidden_dim=symbol_embedding_dim,
        lstm_layer_norm=lstm_layer_norm,
        lstm_layer_norm_epsilon=lstm_layer_norm_epsilon,
        lstm_dropout=lstm_dropout,
    )
    return RNNT(encoder, predictor, Joiner(encoding_dim, num_symbols))


def emformer_rnnt_base(num_symbols: int) -> RNNT:
    """The published size of a transducer with Emformer.

    Args:
        num_symbols: number of symbols, with blank.

    Returns:
        A model of 76.7 million parameters for 4097 symbols.
    """
    return emformer_rnnt_model(
        input_dim=80,
        encoding_dim=1024,
        num_symbols=num_symbols,
        segment_length=16,
        right_context_length=4,
        time_reduction_input_dim=128,
        time_reduction_stride=4,
        transformer_num_heads=8,
        transformer_ffn_dim=2048,
        transformer_num_layers=20,
        transformer_dropout=0.1,
        transformer_activation="gelu",
        transformer_left_context_length=30,
        transformer_max_memory_size=0,
        transformer_weight_init_scale_strategy="depthwise",
        transformer_tanh_on_mem=True,
        symbol_embedding_dim=512,
        num_lstm_layers=3,
        lstm_layer_norm=True,
        lstm_layer_norm_epsilon=1e-3,
        lstm_dropout=0.3,
    )


def conformer_rnnt_model(
    *,
    input_dim: int,
    encoding_dim: int,
    time_reduction_stride: int,
    conformer_input_dim: int,
    conformer_ffn_dim: int,
    conformer_num_layers: int,
    conformer_num_heads: int,
    conformer_depthwise_conv_kernel_size: int,
    conformer_dropout: float,
    num_symbols: int,
    symbol_embedding_dim: int,
    num_lstm_layers: int,
    lstm_hidden_dim: int,
    lstm_layer_norm: bool,
    lstm_layer_norm_epsilon: float,
    lstm_dropout: float,
    joiner_activation: str,
) -> RNNT:
    """A transducer with Conformer, for whole recordings.

    Args:
        input_dim: channels of a frame.
        encoding_dim: channels of the encodings.
        time_reduction_stride: frames that are put together.
        conformer_input_dim: channels of the Conformer.
        conformer_ffn_dim: channels in the middle of its linear layers.
        conformer_num_layers: number of its layers.
        conformer_num_heads: of its attention.
        conformer_depthwise_conv_kernel_size: frames that its convolutions look at.
        conformer_dropout: part of each output that is zeroed while training.
        num_symbols: number of symbols, with blank.
        symbol_embedding_dim: channels of a symbol.
        num_lstm_layers: layers of the LSTM.
        lstm_hidden_dim: their channels.
        lstm_layer_norm: whether they normalise gates and memory.
        lstm_layer_norm_epsilon: added to the variances.
        lstm_dropout: part of each layer's output that is zeroed while training.
        joiner_activation: "relu" or "tanh".

    Returns:
        A model with random parameters, in training mode.
    """
    encoder = ConformerEncoder(
        input_dim=input_dim,
        output_dim=encoding_dim,
        time_reduction_stride=time_reduction_stride,
        conformer_input_dim=conformer_input_dim,
        conformer_ffn_dim=conformer_ffn_dim,
        conformer_num_layers=conformer_num_layers,
        conformer_num_heads=conformer_num_heads,
        conformer_depthwise_conv_kernel_size=conformer_depthwise_conv_kernel_size,
        conformer_dropout=conformer_dropout,
    )
    predictor = Predictor(
        num_symbols,
        encoding_dim,
        symbol_embedding_dim=symbol_embedding_dim,
        num_lstm_layers=num_lstm_layers,
        lstm_hidden_dim=lstm_hidden_dim,
        lstm_layer_norm=lstm_layer_norm,
        lstm_layer_norm_epsilon=lstm_layer_norm_epsilon,
        lstm_dropout=lstm_dropout,
    )
    return RNNT(encoder, predictor, Joiner(encoding_dim, num_symbols, joiner_activation))


def conformer_rnnt_base() -> RNNT:
    """The size of a transducer with Conformer that torchaudio had in `prototype.models`.

    Returns:
        A model for 1024 symbols.
    """
    return conformer_rnnt_model(
        input_dim=80,
        encoding_dim=1024,
        time_reduction_stride=4,
        conformer_input_dim=256,
        conformer_ffn_dim=1024,
        conformer_num_layers=16,
        conformer_num_heads=4,
        conformer_depthwise_conv_kernel_size=31,
        conformer_dropout=0.1,
        num_symbols=1024,
        symbol_embedding_dim=256,
        num_lstm_layers=2,
        lstm_hidden_dim=512,
        lstm_layer_norm=True,
        lstm_layer_norm_epsilon=1e-5,
        lstm_dropout=0.3,
        joiner_activation="tanh",
    )
