"""wav2vec 2.0, HuBERT and WavLM: one model of sounds, in many sizes.

Source: Baevski et al. 2020, "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech
Representations"; parameter names, arguments and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triptych import Tensor, nn
from triptych_audio.interop import same_kind
from triptych_audio.models.wav2vec2.encoder import SelfAttention, build_encoder
from triptych_audio.models.wav2vec2.feature_extractor import ConvLayers, build_feature_extractor
from triptych_audio.models.wav2vec2.wavlm_attention import WavLMSelfAttention

__all__ = ["Wav2Vec2Model", "wav2vec2_model", "wavlm_model"]

CONV_LAYERS = ((512, 10, 5), *[(512, 3, 2)] * 4, *[(512, 2, 2)] * 2)  # 400 samples, every 320


class Wav2Vec2Model(nn.Module):
    """Features of speech, or scores of letters, for every 20 ms.

    Args:
        feature_extractor: called with (n, t) waveforms and (n,) lengths or None, gives (n, frames,
            c) features and lengths or None.
        encoder: called with both, gives (n, frames, d); has `extract_features`.
        aux: last layer, from d to the number of labels; None leaves it out.

    Example:
        >>> import triptych as tp
        >>> model = wav2vec2_model("group_norm", [(8, 10, 5)], False, 8, 0.0, 4, 2, 1, 2, 0.0, 16,
        ...     0.0, 0.0, False, 0.0, aux_num_out=5).eval()
        >>> scores, lengths = model(tp.zeros(2, 100), tp.tensor([100, 60]))
        >>> scores.shape, lengths
        (Size([2, 19, 5]), tensor([19, 11]))
    """

    def __init__(
        self, feature_extractor: nn.Module, encoder: nn.Module, aux: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.encoder = encoder
        self.aux = aux

    @same_kind
    def forward(
        self, waveforms: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Scores of the labels, or what the last layer gives where there is no `aux`.

        Args:
            waveforms: (n, t) samples in [-1, 1] at 16 kHz, each recording padded to the longest.
            lengths: (n,) valid samples; nothing then attends to padding. Default: all are valid.

        Returns:
            (n, frames, labels) logits, or (n, frames, d); and (n,) valid frames, or None without
            lengths.

        Raises:
            ShapeError: waveforms is not (n, t), or too short, or lengths do not fit.
        """
        features, lengths = self.feature_extractor(waveforms, lengths)
        x = self.encoder(features, lengths)
        return x if self.aux is None else self.aux(x), lengths

    def extract_features(
        self, waveforms: Tensor, lengths: Tensor | None = None, num_layers: int | None = None
    ) -> tuple[list[Tensor], Tensor | None]:
        """What each layer of the transformer gives.

        Args:
            waveforms: (n, t) samples in [-1, 1] at 16 kHz.
            lengths: (n,) valid samples; default all.
            num_layers: stop after so many layers; default all.

        Returns:
            (n, frames, d) for each layer; and (n,) valid frames, or None without lengths.

        Raises:
            ShapeError: waveforms is not (n, t), or too short, or lengths do not fit.
            DomainError: num_layers is not between 1 and the number of layers.
        """
        outputs, lengths = self._extract(waveforms, lengths, num_layers)
        return list(outputs), lengths

    @same_kind
    def _extract(
        self, waveforms: Tensor, lengths: Tensor | None, num_layers: int | None
    ) -> tuple[tuple[Tensor, ...], Tensor | None]:
        features, lengths = self.feature_extractor(waveforms, lengths)
        return tuple(self.encoder.extract_features(features, lengths, num_layers)), lengths


def wav2vec2_model(
    extractor_mode: str,
    extractor_conv_layer_config: ConvLayers | None,
    extractor_conv_bias: bool,
    encoder_embed_dim: int,
    encoder_projection_dropout: float,
    encoder_pos_conv_kernel: int,
    encoder_pos_conv_groups: int,
    encoder_num_layers: int,
    encoder_num_heads: int,
    encoder_attention_dropout: float,
    encoder_ff_interm_features: int,
    encoder_ff_interm_dropout: float,
    encoder_dropout: float,
    encoder_layer_norm_first: bool,
    encoder_layer_drop: float,
    aux_num_out: int | None,
) -> Wav2Vec2Model:
    """wav2vec 2.0 or HuBERT of any size. fairseq's name of each argument stands in brackets.

    Args:
        extractor_mode: "group_norm" normalises in the first convolution only, "layer_norm" in all
            [extractor_mode].
        extractor_conv_layer_config: (channels, kernel, stride) of each convolution; None is that
            of all published models, a frame of 400 samples every 320 [conv_feature_layers].
        extractor_conv_bias: whether the convolutions have one [conv_bias].
        encoder_embed_dim: channels of the transformer [encoder_embed_dim].
        encoder_projection_dropout: after the projection to them [dropout_input].
        encoder_pos_conv_kernel: frames that the positional convolution looks at [conv_pos].
        encoder_pos_conv_groups: its groups [conv_pos_groups].
        encoder_num_layers: layers of the transformer [encoder_layers].
        encoder_num_heads: of the attention [encoder_attention_heads].
        encoder_attention_dropout: in the attention [attention_dropout].
        encoder_ff_interm_features: channels in the middle of a layer [encoder_ffn_embed_dim].
        encoder_ff_interm_dropout: there [activation_dropout].
        encoder_dropout: after attention and linear layers [dropout].
        encoder_layer_norm_first: normalise before attention and linear layers, not after them
            [layer_norm_first].
        encoder_layer_drop: probability of leaving a layer out while training [layerdrop].
        aux_num_out: labels that a last layer scores; None leaves it out.

    Returns:
        A model with random parameters, in training mode.

    Raises:
        DomainError: extractor_mode is none of the two, or the heads do not divide the channels.
    """

    def attention(k: int) -> nn.Module:
        return SelfAttention(encoder_embed_dim, encoder_num_heads, encoder_attention_dropout)

    return _build(
        attention,
        extractor_mode=extractor_mode,
        conv_layers=extractor_conv_layer_config or CONV_LAYERS,
        conv_bias=extractor_conv_bias,
        embed_dim=encoder_embed_dim,
        dropout_input=encoder_projection_dropout,
        pos_conv_kernel=encoder_pos_conv_kernel,
        pos_conv_groups=encoder_pos_conv_groups,
        num_layers=encoder_num_layers,
        ff_interm_features=encoder_ff_interm_features,
        ff_interm_dropout=encoder_ff_interm_dropout,
        dropout=encoder_dropout,
        layer_norm_first=encoder_layer_norm_first,
        layer_drop=encoder_layer_drop,
        aux_num_out=aux_num_out,
    )


def wavlm_model(
    extractor_mode: str,
    extractor_conv_layer_config: ConvLayers | None,
    extractor_conv_bias: bool,
    encoder_embed_dim: int,
    encoder_projection_dropout: float,
    encoder_pos_conv_kernel: int,
    encoder_pos_conv_groups: int,
    encoder_num_layers: int,
    encoder_num_heads: int,
    encoder_num_buckets: int,
    encoder_max_distance: int,
    encoder_attention_dropout: float,
    encoder_ff_interm_features: int,
    encoder_ff_interm_dropout: float,
    encoder_dropout: float,
    encoder_layer_norm_first: bool,
    encoder_layer_drop: float,
    aux_num_out: int | None,
) -> Wav2Vec2Model:
    """WavLM of any size: wav2vec 2.0 whose attention knows distances.

    Args:
        extractor_mode: as in `wav2vec2_model`, like all that are not explained here.
        extractor_conv_layer_config: (channels, kernel, stride) of each convolution.
        extractor_conv_bias: whether the convolutions have one.
        encoder_embed_dim: channels of the transformer.
        encoder_projection_dropout: after the projection to them.
        encoder_pos_conv_kernel: frames that the positional convolution looks at.
        encoder_pos_conv_groups: its groups.
        encoder_num_layers: layers of the transformer.
        encoder_num_heads: of the attention.
        encoder_num_buckets: distances between frames that have a bias of their own.
        encoder_max_distance: in frames, from where on all distances share one.
        encoder_attention_dropout: in the attention.
        encoder_ff_interm_features: channels in the middle of a layer.
        encoder_ff_interm_dropout: there.
        encoder_dropout: after attention and linear layers.
        encoder_layer_norm_first: normalise before attention and linear layers, not after them.
        encoder_layer_drop: probability of leaving a layer out while training.
        aux_num_out: labels that a last layer scores; None leaves it out.

    Returns:
        A model with random parameters, in training mode.

    Raises:
        DomainError: extractor_mode is unknown, or the heads do not divide the channels.
    """

    def attention(k: int) -> nn.Module:
        return WavLMSelfAttention(
            encoder_embed_dim,
            encoder_num_heads,
            encoder_attention_dropout,
            has_relative_attention_bias=k == 0,
            num_buckets=encoder_num_buckets,
            max_distance=encoder_max_distance,
        )

    return _build(
        attention,
        extractor_mode=extractor_mode,
        conv_layers=extractor_conv_layer_config or CONV_LAYERS,
        conv_bias=extractor_conv_bias,
        embed_dim=encoder_embed_dim,
        dropout_input=encoder_projection_dropout,
        pos_conv_kernel=encoder_pos_conv_kernel,
        pos_conv_groups=encoder_pos_conv_groups,
        num_layers=encoder_num_layers,
        ff_interm_features=encoder_ff_interm_features,
        ff_interm_dropout=encoder_ff_interm_dropout,
        dropout=encoder_dropout,
        layer_norm_first=encoder_layer_norm_first,
        layer_drop=encoder_layer_drop,
        aux_num_out=aux_num_out,
    )


def _build(
    attention: Callable[[int], nn.Module],
    *,
    extractor_mode: str,
    conv_layers: ConvLayers,
    conv_bias: bool,
    embed_dim: int,
    aux_num_out: int | None,
    **encoder: Any,
) -> Wav2Vec2Model:
    extractor = build_feature_extractor(extractor_mode, conv_layers, conv_bias)
    width = conv_layers[-1][0]
    transformer = build_encoder(attention, in_features=width, embed_dim=embed_dim, **encoder)
    aux = None if aux_num_out is None else nn.Linear(embed_dim, aux_num_out)
    return Wav2Vec2Model(extractor, transformer, aux)
