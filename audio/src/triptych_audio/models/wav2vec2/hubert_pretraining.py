"""HuBERT in pretraining: guess the cluster of sounds that are masked.

Source: Hsu et al. 2021, "HuBERT: Self-Supervised Speech Representation Learning by Masked
Prediction of Hidden Units"; parameter names, arguments and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

import math
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.models.wav2vec2.encoder import (
    ConvolutionalPositionalEmbedding,
    Transformer,
    padding_mask,
)
from triptych_audio.models.wav2vec2.feature_extractor import ConvLayerBlock, ConvLayers
from triptych_audio.models.wav2vec2.masking import MaskGenerator
from triptych_audio.models.wav2vec2.model import Wav2Vec2Model, wav2vec2_model

__all__ = ["GradMultiply", "HuBERTPretrainModel", "LogitGenerator", "hubert_pretrain_model"]

TEMPERATURE = 0.1  # of the cosines; HuBERT, section III-B


class GradMultiply(tp.autograd.Function):
    """The same values, with scaled gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        """x as it is."""
        ctx.scale = scale
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The gradient, times scale."""
        return grad * ctx.scale, None


class LogitGenerator(nn.Module):
    """How well each frame fits each cluster.

    Args:
        encoder_embed_dim: channels of the transformer.
        num_classes: clusters.
        final_dim: channels in which frames and clusters are compared.
        skip_masked: leave out masked frames.
        skip_nomask: leave out the others.
    """

    def __init__(
        self,
        encoder_embed_dim: int,
        num_classes: int,
        final_dim: int,
        skip_masked: bool,
        skip_nomask: bool,
    ) -> None:
        super().__init__()
        self.label_embeddings = nn.Parameter(tp.empty(num_classes, final_dim))
        nn.init.uniform_(self.label_embeddings)
        self.final_proj = nn.Linear(encoder_embed_dim, final_dim)
        self.skip_masked = skip_masked
        self.skip_nomask = skip_nomask

    def forward(
        self, x: Tensor, label: Tensor, mask_m: Tensor, mask_u: Tensor
    ) -> tuple[Tensor | None, Tensor | None]:
        """Compare.

        Args:
            x: (n, frames, encoder_embed_dim).
            label: (n, frames) cluster of each frame.
            mask_m: (n, frames) bool, masked frames.
            mask_u: (n, frames) bool, those that are not.

        Returns:
            (masked frames, 1 + num_classes) and (other frames, 1 + num_classes) cosines over
            the temperature, each None where it is left out. Column 0 is the right cluster,
            which is -inf in its own column: the target of a cross entropy is 0.
        """
        projected = self.final_proj(x)
        masked = None if self.skip_masked else self._logits(projected[mask_m], label[mask_m])
        others = None if self.skip_nomask else self._logits(projected[mask_u], label[mask_u])
        return masked, others

    def _logits(self, projected: Tensor, label: Tensor) -> Tensor:
        clusters = nnF.normalize(self.label_embeddings, dim=-1, eps=1e-8)
        cosines = nnF.normalize(projected, dim=-1, eps=1e-8) @ clusters.T  # (frames, num_classes)
        label = label.long().unsqueeze(1)
        right = cosines.gather(1, label)
        own = self._twins()[label] == self._twins()
        wrong = cosines.masked_fill(own, -math.inf)
        return tp.cat([right, wrong], 1) / TEMPERATURE

    def _twins(self) -> Tensor:
        """(num_classes,) numbers that are the same for clusters with the same embedding."""
        twins: Tensor = tp.unique(self.label_embeddings.detach(), dim=0, return_inverse=True)[1]
        return twins


class HuBERTPretrainModel(nn.Module):
    """A model, with masks before its transformer and clusters to guess after it.

    Args:
        wav2vec2: the model.
        mask_generator: `MaskGenerator`.
        logit_generator: `LogitGenerator`.
        feature_grad_mult: factor for the gradients of the convolutions, between 0 and 1; None
            leaves them as they are.

    Raises:
        DomainError: feature_grad_mult is not between 0 and 1.
    """

    def __init__(
        self,
        wav2vec2: Wav2Vec2Model,
        mask_generator: nn.Module,
        logit_generator: nn.Module,
        feature_grad_mult: float | None,
    ) -> None:
        super().__init__()
        if feature_grad_mult is not None and not 0.0 < feature_grad_mult < 1.0:
            raise DomainError(
                "HuBERTPretrainModel: feature_grad_mult is None or between 0 and 1, got "
                f"{feature_grad_mult}"
            )
        self.wav2vec2 = wav2vec2
        self.mask_generator = mask_generator
        self.logit_generator = logit_generator
        self.feature_grad_mult = feature_grad_mult

    @same_kind
    def forward(
        self, waveforms: Tensor, labels: Tensor, audio_lengths: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor]:
        """Guess the clusters.

        Args:
            waveforms: (n, t) samples in [-1, 1] at 16 kHz.
            labels: (n, frames) cluster of each frame.
            audio_lengths: (n,) valid samples; default all.

        Returns:
            logits of the masked frames and of the others, as `LogitGenerator` gives them; and the
            mean square of the features, which the loss penalises.

        Raises:
            ShapeError: labels has not as many frames as the features.
        """
        extracted, lengths = self.wav2vec2.feature_extractor(waveforms, audio_lengths)
        if self.feature_grad_mult is not None:
            extracted = GradMultiply.apply(extracted, self.feature_grad_mult)
        penalty = extracted.square().mean()
        n, frames = extracted.shape[:2]
        if labels.shape != (n, frames):
            raise ShapeError(
                f"HuBERTPretrainModel: wanted labels {(n, frames)}, one for each frame of the "
                f"features, got {tuple(labels.shape)}"
            )
        padded = None if lengths is None else padding_mask(lengths, frames)
        x, attention_mask = self.wav2vec2.encoder.prepare(extracted, lengths)
        x, mask = self.mask_generator(x, padded)
        x = self.wav2vec2.encoder.transformer(x, attention_mask=attention_mask)
        if mask is None:
            mask = tp.zeros(n, frames, dtype=tp.bool, device=x.device)
        valid = tp.ones_like(mask) if padded is None else ~padded
        masked, others = self.logit_generator(x, labels, valid & mask, valid & ~mask)
        return masked, others, penalty


def hubert_pretrain_model(
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
    skip_masked: bool,
    skip_nomask: bool,
    num_classes: int,
    final_dim: int,
    feature_grad_mult: float | None,
) -> HuBERTPretrainModel:
    """HuBERT of any size, with what its pretraining needs.

    Args:
        extractor_mode: as in `wav2vec2_model`, like all to encoder_layer_drop.
        extractor_conv_layer_config: (channels, kernel, stride) of each convolution.
        extractor_conv_bias: whether the convolutions have one.
        encoder_embed_dim: channels of the transformer.
        encoder_projection_dropout: after the projection to them.
        encoder_pos_conv_kernel: frames that the positional convolution looks at.
        encoder_pos_conv_groups: its groups.
        encoder_num_layers: layers of the transformer.
        encoder_num_heads: of the attention.
        encoder_attention_dropout: in the attention.
        encoder_ff_interm_features: channels in the middle of a layer.
        encoder_ff_interm_dropout: there.
        encoder_dropout: after attention and linear layers.
        encoder_layer_norm_first: normalise before attention and linear layers, not after them.
        encoder_layer_drop: probability of leaving a layer out while training.
        mask_prob: as in `MaskGenerator`, like all to mask_channel_min_space.
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
        skip_masked: give no logits of masked frames.
        skip_nomask: give no logits of the others.
        num_classes: clusters that are predicted.
        final_dim: channels in which frames and clusters are compared.
        feature_grad_mult: factor for the gradients of the convolutions; None leaves them.

    Returns:
        A model with random parameters, drawn as fairseq does, in training mode.
    """
    wav2vec2 = wav2vec2_model(
        extractor_mode,
        extractor_conv_layer_config,
        extractor_conv_bias,
        encoder_embed_dim,
        encoder_projection_dropout,
        encoder_pos_conv_kernel,
        encoder_pos_conv_groups,
        encoder_num_layers,
        encoder_num_heads,
        encoder_attention_dropout,
        encoder_ff_interm_features,
        encoder_ff_interm_dropout,
        encoder_dropout,
        encoder_layer_norm_first,
        encoder_layer_drop,
        aux_num_out=None,
    )
    masks = MaskGenerator(
        encoder_embed_dim,
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
    logits = LogitGenerator(encoder_embed_dim, num_classes, final_dim, skip_masked, skip_nomask)
    model = HuBERTPretrainModel(wav2vec2, masks, logits, feature_grad_mult)
    for module in model.modules():
        _draw(module)
    return model


def _draw(module: nn.Module) -> None:
    """First values of a module's own parameters."""
    if isinstance(module, ConvLayerBlock):
        nn.init.kaiming_normal_(module.conv.weight)
    elif isinstance(module, ConvolutionalPositionalEmbedding):
        std = math.sqrt(4.0 / (module.embed_dim * module.kernel_size))
        module.conv.weight = nn.init.normal_(tp.empty(module.conv.weight.shape), std=std)
        nn.init.zeros_(module.conv.bias)
    elif isinstance(module, Transformer):
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
