"""wav2vec 2.0 over mel bands, with Conformer in place of the transformer.

Source: Srivastava et al. 2022, "Conformer-Based Self-Supervised Learning for Non-Speech Audio
Tasks"; parameter names, arguments and defaults are those of torchaudio 2.8's prototype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import Generator, Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.conformer import ConformerLayer
from triptych_audio.models.rnnt_parts import TimeReduction
from triptych_audio.models.wav2vec2.encoder import FeatureProjection, padding_mask
from triptych_audio.models.wav2vec2.masking import MaskGenerator
from triptych_audio.models.wav2vec2.model import Wav2Vec2Model

__all__ = [
    "ConformerEncoder",
    "ConformerWav2Vec2PretrainModel",
    "FeatureEncoder",
    "NegativeSampler",
    "conformer_wav2vec2_base",
    "conformer_wav2vec2_model",
    "conformer_wav2vec2_pretrain_base",
    "conformer_wav2vec2_pretrain_large",
    "conformer_wav2vec2_pretrain_model",
]

KERNELS = (31, *[15] * 11)  # of the published configurations' convolutions, layer by layer


class FeatureEncoder(nn.Module):
    """Neighbouring frames in one, and a linear layer.

    Args:
        input_dim: channels of a frame.
        output_dim: channels after.
        stride: frames that are put together.
    """

    def __init__(self, input_dim: int, output_dim: int, stride: int) -> None:
        super().__init__()
        self.time_reduction_layer = TimeReduction(stride)
        self.linear_layer = nn.Linear(input_dim * stride, output_dim)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(n, t, input_dim) and (n,) or None to (n, t // stride, output_dim) and the same."""
        given = tp.tensor([x.shape[1]]) if lengths is None else lengths
        x, reduced = self.time_reduction_layer(x, given)
        return self.linear_layer(x), None if lengths is None else reduced


class ConformerEncoder(nn.Module):
    """Projection and layers of Conformer.

    Args:
        feature_projection: from the features' channels to the layers'.
        conformer: `ConformerLayer`s.
    """

    def __init__(self, feature_projection: nn.Module, conformer: nn.ModuleList) -> None:
        super().__init__()
        self.feature_projection = feature_projection
        self.conformer = conformer

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(n, frames, c) features and (n,) valid frames to (n, frames, d)."""
        return self.extract_features(features, lengths)[-1]

    def extract_features(
        self, features: Tensor, lengths: Tensor | None = None, num_layers: int | None = None
    ) -> list[Tensor]:
        """What each layer gives.

        Args:
            features: (n, frames, c).
            lengths: (n,) valid frames; default all.
            num_layers: stop after so many layers; default all.

        Returns:
            (n, frames, d) for each layer.

        Raises:
            DomainError: num_layers is not between 1 and the number of layers.
        """
        if num_layers is not None and not 0 < num_layers <= len(self.conformer):
            raise DomainError(
                f"extract_features: num_layers is between 1 and {len(self.conformer)}, got "
                f"{num_layers}"
            )
        x = self.feature_projection(features)
        padded = None if lengths is None else padding_mask(lengths, x.shape[1])
        return self.layer_outputs(x, padded, num_layers)

    def layer_outputs(
        self, x: Tensor, padded: Tensor | None, num_layers: int | None = None
    ) -> list[Tensor]:
        """(n, frames, d) of each of the first layers, from (n, frames, d)."""
        outputs: list[Tensor] = []
        x = x.transpose(0, 1)
        for layer in self.conformer[:num_layers]:
            x = layer(x, padded)
            outputs.append(x.transpose(0, 1))
        return outputs


class NegativeSampler(nn.Module):
    """Draws other frames, which the model has to tell from the right one.

    Args:
        preprocessor: what frames go through first.
        num_negatives: frames of the same recording.
        cross_sample_negatives: frames of the whole batch.
    """

    def __init__(
        self, preprocessor: nn.Module, num_negatives: int, cross_sample_negatives: int
    ) -> None:
        super().__init__()
        self.preprocessor = preprocessor
        self.num_negatives = num_negatives
        self.cross_sample_negatives = cross_sample_negatives

    def forward(
        self, input: Tensor, *, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw.

        Args:
            input: (n, frames, c), frames > 1.
            generator: of random numbers; default the global one.

        Returns:
            (n, frames, d) what the preprocessor gives; (negatives, n, frames, d) others of these;
            and which frames of the batch they are, (n, frames * negatives).

        Raises:
            ShapeError: there is one frame only.
        """
        x = self.preprocessor(input)
        n, frames, d = x.shape
        if frames < 2:
            raise ShapeError(f"NegativeSampler: wanted two frames or more, got {tuple(x.shape)}")
        place = tp.arange(frames).reshape(1, frames, 1)
        begin = frames * tp.arange(n).reshape(n, 1, 1)
        own = begin + self._others((n, frames, self.num_negatives), frames, place, generator)
        sizes = (n, frames, self.cross_sample_negatives)
        cross = self._others(sizes, n * frames, begin + place, generator)
        chosen = tp.cat([own, cross], 2).to(x.device)
        negatives = x.reshape(-1, d)[chosen.reshape(-1)].reshape(n, frames, -1, d)
        return x, negatives.permute(2, 0, 1, 3), chosen.reshape(n, -1)

    @staticmethod
    def _others(
        sizes: tuple[int, ...], high: int, place: Tensor, generator: Generator | None
    ) -> Tensor:
        """Numbers below high, none of them that of its place."""
        drawn = tp.randint(0, high - 1, sizes, generator=generator)
        return drawn + (drawn >= place)


class ConformerWav2Vec2PretrainModel(nn.Module):
    """A model, with masks before its layers and frames to tell apart.

    Args:
        wav2vec2: built by `conformer_wav2vec2_model`.
        mask_generator: `MaskGenerator`.
        negative_sampler: `NegativeSampler`.
    """

    def __init__(
        self, wav2vec2: Wav2Vec2Model, mask_generator: nn.Module, negative_sampler: nn.Module
    ) -> None:
        super().__init__()
        self.wav2vec2 = wav2vec2
        self.mask_generator = mask_generator
        self.negative_sampler = negative_sampler

    @same_kind
    def forward(
        self, features: Tensor, audio_lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        """What a contrastive loss needs.

        Args:
            features: (n, t, input_dim) mel bands.
            audio_lengths: (n,) valid frames; default all.

        Returns:
            (n, frames, d) of the last layer; (n,) valid frames or None; (n, frames) bool, True
            where masked; (n, masked, d) targets; (negatives, n, masked, d) others; and which
            frames those are.
        """
        x, lengths = self.wav2vec2.feature_extractor(features, audio_lengths)
        padded = None if lengths is None else padding_mask(lengths, x.shape[1])
        projection = self.wav2vec2.encoder.feature_projection
        x = projection.dropout(projection.layer_norm(x))
        masked, mask = self.mask_generator(x, padded)
        hidden = x[mask].reshape(x.shape[0], -1, x.shape[-1])
        targets, negatives, chosen = self.negative_sampler(hidden)
        out = self.wav2vec2.encoder.layer_outputs(projection.projection(masked), padded)[-1]
        return out, lengths, mask, targets, negatives, chosen


def conformer_wav2vec2_model(
    extractor_input_dim: int,
    extractor_output_dim: int,
    extractor_stride: int,
    encoder_embed_dim: int,
    encoder_projection_dropout: float,
    encoder_num_layers: int,
    encoder_num_heads: int,
    encoder_ff_interm_features: int,
    encoder_depthwise_conv_kernel_size: int | Sequence[int],
    encoder_dropout: float,
    encoder_convolution_first: bool,
    encoder_use_group_norm: bool,
) -> Wav2Vec2Model:
    """wav2vec 2.0 with Conformer, of any size.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels of the features.
        extractor_stride: frames that are put together.
        encoder_embed_dim: channels of the layers.
        encoder_projection_dropout: after the projection to them.
        encoder_num_layers: number of layers.
        encoder_num_heads: of the attention.
        encoder_ff_interm_features: channels in the middle of the linear layers.
        encoder_depthwise_conv_kernel_size: frames that the convolutions look at, in all layers or
            in each.
        encoder_dropout: part of each output that is zeroed while training.
        encoder_convolution_first: convolution before attention.
        encoder_use_group_norm: in the convolutions, in place of batch normalisation.

    Returns:
        A model with random parameters, in training mode; its waveforms are (n, t, bands).

    Raises:
        DomainError: another number of kernels than of layers.
    """
    kernels = encoder_depthwise_conv_kernel_size
    sizes = [kernels] * encoder_num_layers if isinstance(kernels, int) else list(kernels)
    if len(sizes) != encoder_num_layers:
        raise DomainError(
            f"conformer_wav2vec2_model: {encoder_num_layers} layers, but {len(sizes)} kernels"
        )
    extractor = FeatureEncoder(extractor_input_dim, extractor_output_dim, extractor_stride)
    projection = FeatureProjection(
        extractor_output_dim, encoder_embed_dim, encoder_projection_dropout
    )
    layers = nn.ModuleList(
        ConformerLayer(
            encoder_embed_dim,
            encoder_ff_interm_features,
            encoder_num_heads,
            size,
            dropout=encoder_dropout,
            use_group_norm=encoder_use_group_norm,
            convolution_first=encoder_convolution_first,
        )
        for size in sizes
    )
    return Wav2Vec2Model(extractor, ConformerEncoder(projection, layers))


def conformer_wav2vec2_pretrain_model(
    extractor_input_dim: int,
    extractor_output_dim: int,
    extractor_stride: int,
    encoder_embed_dim: int,
    encoder_projection_dropout: float,
    encoder_num_layers: int,
    encoder_num_heads: int,
    encoder_ff_interm_features: int,
    encoder_depthwise_conv_kernel_size: int | Sequence[int],
    encoder_dropout: float,
    encoder_convolution_first: bool,
    encoder_use_group_norm: bool,
    mask_prob: float,
    mask_selection: str,
    mask_other: float,
    mask_length: int,
    no_mask_overlap: bool,
    mask_min_space: int,
    mask_channel_prob: float,
    mask_channel_selection: str,
    mask_channel_other: float,
    mask_channel_length: int,
    no_mask_channel_overlap: bool,
    mask_channel_min_space: int,
    num_negatives: int,
    cross_sample_negatives: int,
) -> ConformerWav2Vec2PretrainModel:
    """wav2vec 2.0 with Conformer, of any size, with what its pretraining needs.

    Args:
        extractor_input_dim: as in `conformer_wav2vec2_model`, like all to encoder_use_group_norm.
        extractor_output_dim: channels of the features.
        extractor_stride: frames that are put together.
        encoder_embed_dim: channels of the layers.
        encoder_projection_dropout: before the projection to them.
        encoder_num_layers: number of layers.
        encoder_num_heads: of the attention.
        encoder_ff_interm_features: channels in the middle of the linear layers.
        encoder_depthwise_conv_kernel_size: frames that the convolutions look at.
        encoder_dropout: part of each output that is zeroed while training.
        encoder_convolution_first: convolution before attention.
        encoder_use_group_norm: in the convolutions, in place of batch normalisation.
        mask_prob: as in `MaskGenerator`, like all to mask_channel_min_space; more than 0.
        mask_selection: how long masked spans are.
        mask_other: second number of that.
        mask_length: frames of a span, or their mean.
        no_mask_overlap: draw spans that do not overlap.
        mask_min_space: frames between them at least, then.
        mask_channel_prob: the same for channels.
        mask_channel_selection: how many channels are masked together.
        mask_channel_other: second number of that.
        mask_channel_length: channels of a span, or their mean.
        no_mask_channel_overlap: draw spans that do not overlap.
        mask_channel_min_space: channels between them at least, then.
        num_negatives: other frames of the same recording.
        cross_sample_negatives: other frames of the whole batch.

    Returns:
        A model with random parameters, in training mode.
    """
    wav2vec2 = conformer_wav2vec2_model(
        extractor_input_dim,
        extractor_output_dim,
        extractor_stride,
        encoder_embed_dim,
        encoder_projection_dropout,
        encoder_num_layers,
        encoder_num_heads,
        encoder_ff_interm_features,
        encoder_depthwise_conv_kernel_size,
        encoder_dropout,
        encoder_convolution_first,
        encoder_use_group_norm,
    )
    masks = MaskGenerator(
        extractor_output_dim,
        mask_prob,
        mask_selection,
        mask_other,
        mask_length,
        no_mask_overlap,
        mask_min_space,
        mask_channel_prob,
        mask_channel_selection,
        mask_channel_other,
        mask_channel_length,
        no_mask_channel_overlap,
        mask_channel_min_space,
    )
    preprocessor = nn.Linear(extractor_output_dim, encoder_embed_dim)
    sampler = NegativeSampler(preprocessor, num_negatives, cross_sample_negatives)
    return ConformerWav2Vec2PretrainModel(wav2vec2, masks, sampler)


def _published(embed_dim: int, num_heads: int) -> dict[str, Any]:
    return {
        "extractor_stride": 4,
        "encoder_embed_dim": embed_dim,
        "encoder_num_layers": 12,
        "encoder_num_heads": num_heads,
        "encoder_ff_interm_features": 1024,
        "encoder_depthwise_conv_kernel_size": KERNELS,
        "encoder_dropout": 0.1,
        "encoder_convolution_first": True,
        "encoder_use_group_norm": True,
    }


def conformer_wav2vec2_base(
    extractor_input_dim: int = 64,
    extractor_output_dim: int = 256,
    encoder_projection_dropout: float = 0.0,
) -> Wav2Vec2Model:
    """wav2vec 2.0 with Conformer, base.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels of the features.
        encoder_projection_dropout: after the projection to the layers' channels.

    Returns:
        A model with random parameters, in training mode.
    """
    return conformer_wav2vec2_model(
        extractor_input_dim=extractor_input_dim,
        extractor_output_dim=extractor_output_dim,
        encoder_projection_dropout=encoder_projection_dropout,
        **_published(256, 8),
    )


def _pretraining(
    embed_dim: int,
    num_heads: int,
    extractor_input_dim: int,
    extractor_output_dim: int,
    encoder_projection_dropout: float,
    mask_prob: float,
    mask_length: int,
    num_negatives: int,
    cross_sample_negatives: int,
) -> ConformerWav2Vec2PretrainModel:
    return conformer_wav2vec2_pretrain_model(
        extractor_input_dim=extractor_input_dim,
        extractor_output_dim=extractor_output_dim,
        encoder_projection_dropout=encoder_projection_dropout,
        mask_prob=mask_prob,
        mask_selection="static",
        mask_other=0.0,
        mask_length=mask_length,
        no_mask_overlap=False,
        mask_min_space=0,
        mask_channel_prob=0.0,
        mask_channel_selection="static",
        mask_channel_other=0.0,
        mask_channel_length=10,
        no_mask_channel_overlap=False,
        mask_channel_min_space=1,
        num_negatives=num_negatives,
        cross_sample_negatives=cross_sample_negatives,
        **_published(embed_dim, num_heads),
    )


def conformer_wav2vec2_pretrain_base(
    extractor_input_dim: int = 64,
    extractor_output_dim: int = 256,
    encoder_projection_dropout: float = 0.0,
    mask_prob: float = 0.3,
    mask_length: int = 3,
    num_negatives: int = 100,
    cross_sample_negatives: int = 0,
) -> ConformerWav2Vec2PretrainModel:
    """wav2vec 2.0 with Conformer, base, with what its pretraining needs.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels of the features.
        encoder_projection_dropout: before the projection to the layers' channels.
        mask_prob: about which part of the frames is masked, where masks do not overlap.
        mask_length: frames of a masked span.
        num_negatives: other frames of the same recording.
        cross_sample_negatives: other frames of the whole batch.

    Returns:
        A model with random parameters, in training mode.
    """
    return _pretraining(
        256,
        8,
        extractor_input_dim,
        extractor_output_dim,
        encoder_projection_dropout,
        mask_prob,
        mask_length,
        num_negatives,
        cross_sample_negatives,
    )


def conformer_wav2vec2_pretrain_large(
    extractor_input_dim: int = 64,
    extractor_output_dim: int = 256,
    encoder_projection_dropout: float = 0.0,
    mask_prob: float = 0.3,
    mask_length: int = 3,
    num_negatives: int = 100,
    cross_sample_negatives: int = 0,
) -> ConformerWav2Vec2PretrainModel:
    """wav2vec 2.0 with Conformer, large, with what its pretraining needs.

    Args:
        extractor_input_dim: mel bands.
        extractor_output_dim: channels of the features.
        encoder_projection_dropout: before the projection to the layers' channels.
        mask_prob: about which part of the frames is masked, where masks do not overlap.
        mask_length: frames of a masked span.
        num_negatives: other frames of the same recording.
        cross_sample_negatives: other frames of the whole batch.

    Returns:
        A model with random parameters, in training mode.
    """
    return _pretraining(
        768,
        12,
        extractor_input_dim,
        extractor_output_dim,
        encoder_projection_dropout,
        mask_prob,
        mask_length,
        num_negatives,
        cross_sample_negatives,
    )
