"""HuBERT over mel bands, with Emformer in place of the transformer.

Source: parameter names, arguments and defaults are those of torchaudio 2.8's prototype.
"""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych_audio.models.emformer import Emformer
from triptych_audio.models.rnnt_parts import TimeReduction
from triptych_audio.models.wav2vec2.model import Wav2Vec2Model

__all__ = ["EmformerEncoder", "FeatureEncoder", "emformer_hubert_base", "emformer_hubert_model"]


class FeatureEncoder(nn.Module):
    """A linear layer, and neighbouring frames in one.

    Args:
        input_dim: channels of a frame.
        output_dim: channels before frames are put together.
        use_bias: whether the linear layer has one.
        stride: frames that are put together.
    """

    def __init__(self, input_dim: int, output_dim: int, use_bias: bool, stride: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_dim, output_dim, bias=use_bias)
        self.time_reduction = TimeReduction(stride)

    def forward(self, input: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(n, t, input_dim) and (n,) or None to (n, t // stride, output_dim * stride), the same."""
        given = tp.tensor([input.shape[1]]) if lengths is None else lengths
        x, reduced = self.time_reduction(self.linear(input), given)
        return x, None if lengths is None else reduced


class EmformerEncoder(nn.Module):
    """Emformer, a linear layer and normalisation.

    Args:
        emformer: `Emformer`.
        output_linear: from its channels to those of the output.
        layer_norm: over these.
    """

    def __init__(self, emformer: Emformer, output_linear: nn.Module, layer_norm: nn.Module) -> None:
        super().__init__()
        self.emformer = emformer
        self.output_linear = output_linear
        self.layer_norm = layer_norm

    def forward(self, input: Tensor, lengths: Tensor | None) -> Tensor:
        """(n, frames + right context, d) and (n,) valid frames to (n, frames, output_dim)."""
        last = self.extract_features(input, lengths)[-1]
        return self.layer_norm(self.output_linear(last))

    def extract_features(
        self, input: Tensor, lengths: Tensor | None, num_layers: int | None = None
    ) -> list[Tensor]:
        """What each layer of Emformer gives.

        Args:
            input: (n, frames + right context, d).
            lengths: (n,) valid frames; default all.
            num_layers: stop after so many layers; default all.

        Returns:
            (n, frames, d) for each layer.

        Raises:
            DomainError: num_layers is not between 1 and the number of layers.
        """
        total = len(self.emformer.emformer_layers)
        if num_layers is not None and not 0 < num_layers <= total:
            raise DomainError(
                f"extract_features: num_layers is between 1 and {total}, got {num_layers}"
            )
        if lengths is None:
            frames = input.shape[1] - self.emformer.right_context_length
            lengths = tp.full((input.shape[0],), frames, device=input.device)
        return self.emformer.layer_outputs(input, lengths, num_layers or total)


def emformer_hubert_model(
    extractor_input_dim: int,
    extractor_output_dim: int,
    extractor_use_bias: bool,
    extractor_stride: int,
    encoder_input_dim: int,
    encoder_output_dim: int,
    encoder_num_heads: int,
    encoder_ffn_dim: int,
    encoder_num_layers: int,
    encoder_segment_length: int,
    encoder_left_context_length: int,
    encoder_right_context_length: int,
    encoder_dropout: float,
    encoder_activation: str,
    encoder_max_memory_size: int,
    encoder_weight_init_scale_strategy: str | None,
    encoder_tanh_on_mem: bool,
    aux_num_out: int | None,
) -> Wav2Vec2Model:
    """HuBERT with Emformer, of any size.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels before frames are put together.
        extractor_use_bias: whether the linear layer there has one.
        extractor_stride: frames that are put together.
        encoder_input_dim: channels of Emformer, extractor_output_dim * extractor_stride.
        encoder_output_dim: channels of the output.
        encoder_num_heads: as in `Emformer`, like all that follow.
        encoder_ffn_dim: channels in the middle of the linear layers.
        encoder_num_layers: number of layers.
        encoder_segment_length: frames of a segment.
        encoder_left_context_length: frames before a segment that it sees.
        encoder_right_context_length: frames after a segment that it sees.
        encoder_dropout: part of each output that is zeroed while training.
        encoder_activation: "relu", "gelu" or "silu".
        encoder_max_memory_size: segments before whose summaries are seen.
        encoder_weight_init_scale_strategy: "depthwise", "constant" or None.
        encoder_tanh_on_mem: bound memory vectors with tanh.
        aux_num_out: labels that a last layer scores; None leaves it out.

    Returns:
        A model with random parameters, in training mode; its waveforms are (n, t, bands), with
        right context at the end.
    """
    extractor = FeatureEncoder(
        extractor_input_dim, extractor_output_dim, extractor_use_bias, extractor_stride
    )
    emformer = Emformer(
        encoder_input_dim,
        encoder_num_heads,
        encoder_ffn_dim,
        encoder_num_layers,
        encoder_segment_length,
        dropout=encoder_dropout,
        activation=encoder_activation,
        left_context_length=encoder_left_context_length,
        right_context_length=encoder_right_context_length,
        max_memory_size=encoder_max_memory_size,
        weight_init_scale_strategy=encoder_weight_init_scale_strategy,
        tanh_on_mem=encoder_tanh_on_mem,
    )
    output = nn.Linear(encoder_input_dim, encoder_output_dim)
    encoder = EmformerEncoder(emformer, output, nn.LayerNorm(encoder_output_dim))
    aux = None if aux_num_out is None else nn.Linear(encoder_output_dim, aux_num_out)
    return Wav2Vec2Model(extractor, encoder, aux)


def emformer_hubert_base(
    extractor_input_dim: int = 80,
    extractor_output_dim: int = 128,
    encoder_dropout: float = 0.1,
    aux_num_out: int | None = None,
) -> Wav2Vec2Model:
    """HuBERT with Emformer, base.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels before four frames are put together.
        encoder_dropout: part of each output that is zeroed while training.
        aux_num_out: labels that a last layer scores; None leaves it out.

    Returns:
        A model with random parameters, in training mode.
    """
    return emformer_hubert_model(
        extractor_input_dim=extractor_input_dim,
        extractor_output_dim=extractor_output_dim,
        extractor_use_bias=False,
        extractor_stride=4,
        encoder_input_dim=512,
        encoder_output_dim=1024,
        encoder_num_heads=8,
        encoder_ffn_dim=2048,
        encoder_num_layers=20,
        encoder_segment_length=4,
        encoder_left_context_length=30,
        encoder_right_context_length=1,
        encoder_dropout=encoder_dropout,
        encoder_activation="gelu",
        encoder_max_memory_size=0,
        encoder_weight_init_scale_strategy="depthwise",
        encoder_tanh_on_mem=True,
        aux_num_out=aux_num_out,
    )
