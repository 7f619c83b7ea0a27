"""CLIP: a text tower and an image tower whose features lie near each other where they fit.

Names of parameters are those of the Hugging Face checkpoints. For OpenAI's and open_clip's names,
and for images alone, `triptych_vision.models.clip_vit_b_32` and its kin are there.

Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
Supervision", section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F
from triptych.nn import init

from .attending import Sight, attend, causal_sight, split_heads
from .attention import ACTIVATIONS, check_heads
from .base import PretrainedModel, check_ids
from .config import ModelConfig
from .outputs import EncoderOutput, ModelOutput

__all__ = [
    "CLIPConfig",
    "CLIPModel",
    "CLIPOutput",
    "CLIPTextConfig",
    "CLIPTextModel",
    "CLIPTextModelWithProjection",
    "CLIPTextOutput",
    "CLIPVisionConfig",
    "CLIPVisionModel",
]

OLD_END = 2  # early text settings name this end token; those files mean the highest id


@dataclass(kw_only=True)
class CLIPTowerConfig(ModelConfig):
    """What the settings of both towers have.

    Args:
        hidden_size: d, divided by the number of heads.
        intermediate_size: width of the feed-forward part.
        projection_dim: width of the features that both towers share.
        num_hidden_layers: layers.
        num_attention_heads: heads of each layer.
        hidden_act: name of the activation of the feed-forward part.
        layer_norm_eps: added to variances.
        attention_dropout: share of attention weights set to zero in training.
        initializer_factor: scale of fresh weights.
    """

    hidden_size: int = 512
    intermediate_size: int = 2048
    projection_dim: int = 512
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_factor: float = 1.0


@dataclass(kw_only=True)
class CLIPTextConfig(CLIPTowerConfig):
    """Settings of the text tower; the defaults are those of ViT-B/32.

    Args:
        vocab_size: v.
        max_position_embeddings: longest input in tokens.
        bos_token_id, eos_token_id: ids that begin and end texts.
    """

    model_type: ClassVar[str] = "clip_text_model"

    vocab_size: int = 49408
    max_position_embeddings: int = 77
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | None = 49407

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, of the tower or of the whole model.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        return super().from_dict(values.get("text_config") or values)


@dataclass(kw_only=True)
class CLIPVisionConfig(CLIPTowerConfig):
    """Settings of the image tower; the defaults are those of ViT-B/32.

    Args:
        num_channels: of images.
        image_size: height and width in pixels.
        patch_size: height and width of a patch in pixels.
    """

    model_type: ClassVar[str] = "clip_vision_model"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 32

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, of the tower or of the whole model.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        return super().from_dict(values.get("vision_config") or values)


@dataclass(kw_only=True)
class CLIPConfig(ModelConfig):
    """Settings of both towers.

    Args:
        text_config, vision_config: of the towers.
        projection_dim: width of the features that both share.
        logit_scale_init_value: natural logarithm of the first scale of similarities.

    Example:
        >>> CLIPConfig.from_dict({"text_config": {"hidden_size": 64}}).text_config.hidden_size
        64
    """

    model_type: ClassVar[str] = "clip"

    text_config: CLIPTextConfig = field(default_factory=CLIPTextConfig)
    vision_config: CLIPVisionConfig = field(default_factory=CLIPVisionConfig)
    projection_dim: int = 512
    logit_scale_init_value: float = 2.6592  # ln(1 / 0.07)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        towers = {
            "text_config": CLIPTextConfig.from_dict(values.get("text_config") or {}),
            "vision_config": CLIPVisionConfig.from_dict(values.get("vision_config") or {}),
        }
        return super().from_dict({**values, **towers})


@dataclass
class CLIPTextOutput(ModelOutput):
    """Output of the text tower with its projection.

    Args:
        text_embeds: (n, projection_dim), not normalised.
        last_hidden_state: (n, l, d).
    """

    text_embeds: Tensor
    last_hidden_state: Tensor


@dataclass(kw_only=True)
class CLIPOutput(ModelOutput):
    """Output of both towers.

    Args:
        loss: a number, when asked for.
        logits_per_image: (images, texts) scaled cosine similarities.
        logits_per_text: (texts, images) the same.
        text_embeds: (texts, projection_dim) of length one.
        image_embeds: (images, projection_dim) of length one.
    """

    loss: Tensor | None = None
    logits_per_image: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    image_embeds: Tensor


class CLIPAttention(nn.Module):
    """Attention of a tower on itself."""

    def __init__(self, config: CLIPTowerConfig) -> None:
        super().__init__()
        size = config.hidden_size
        check_heads(type(config).__name__, size, config.num_attention_heads)
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.q_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)
        self.width = size // config.num_attention_heads
        self.dropout_prob = config.attention_dropout

    def forward(self, x: Tensor, sight: Sight) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        query, key, value = (
            split_heads(project(x), self.width)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        dropped = self.dropout_prob if self.training else 0.0
        return self.out_proj(attend(query, key, value, sight, dropout_p=dropped))


class CLIPMLP(nn.Module):
    """Feed-forward part."""

    def __init__(self, config: CLIPTowerConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.fc2(self.activation(self.fc1(x)))


class CLIPLayer(nn.Module):
    """Attention, then feed-forward, each normalised before."""

    def __init__(self, config: CLIPTowerConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.self_attn = CLIPAttention(config)
        self.layer_norm1 = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.mlp = CLIPMLP(config)
        self.layer_norm2 = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, sight: Sight) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = x + self.self_attn(self.layer_norm1(x), sight)
        return x + self.mlp(self.layer_norm2(x))


class CLIPEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: CLIPTowerConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList([CLIPLayer(config) for _ in range(config.num_hidden_layers)])

    def forward(self, x: Tensor, sight: Sight) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        for layer in self.layers:
            x = layer(x, sight)
        return x


def _draw(tower: nn.Module, config: CLIPTowerConfig) -> None:
    """Fresh weights. Source: Radford et al. 2021, section 2.4, and OpenAI's code."""
    width, depth = config.hidden_size, config.num_hidden_layers
    factor = config.initializer_factor
    back = factor * width**-0.5 * (2 * depth) ** -0.5
    stds = {"fc1": factor * (2 * width) ** -0.5, "out_proj": factor * width**-0.5}
    for name, module in tower.named_modules():
        last = name.rpartition(".")[2]
        if isinstance(module, nn.Linear):
            init.normal_(module.weight, 0.0, stds.get(last, back))
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding | nn.Conv2d):
            init.normal_(module.weight, 0.0, factor * config.initializer_range)


class CLIPTextEmbeddings(nn.Module):
    """Sum of the embeddings of tokens and places."""

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, input_ids: Tensor, position_ids: Tensor | None = None) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        if position_ids is None:
            places = self.position_embedding.weight[: input_ids.shape[1]]
        else:
            places = self.position_embedding(position_ids)
        return self.token_embedding(input_ids) + places


class CLIPTextModel(PretrainedModel):
    """The text tower.

    Args:
        config: its settings.
    """

    config: CLIPTextConfig
    config_class: ClassVar[type[ModelConfig]] = CLIPTextConfig
    base_prefix: ClassVar[str] = "text_model"
    ignored: ClassVar[tuple[str, ...]] = (r"^(vision_model|visual_projection|text_projection)\.",)

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.embeddings = CLIPTextEmbeddings(config)
        self.encoder = CLIPEncoder(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        _draw(self, config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> EncoderOutput:
        """Read texts.

        Args:
            input_ids: (n, l) int64, each with the end token.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            position_ids: (n, l) places; default counted from 0.

        Returns:
            last_hidden_state (n, l, d), pooler_output (n, d) at the first end token.

        Raises:
            ShapeError: the texts are longer than the model's longest.
        """
        config = self.config
        check_ids(type(self).__name__, input_ids, config.max_position_embeddings)
        sight = causal_sight(input_ids.shape[1], 0, None, attention_mask)
        x = self.encoder(self.embeddings(input_ids, position_ids), sight)
        x = self.final_layer_norm(x)
        end = config.eos_token_id
        marks = input_ids if end == OLD_END else (input_ids == end).long()
        return EncoderOutput(x, x[tp.arange(len(x)), marks.argmax(-1)])


class CLIPTextModelWithProjection(PretrainedModel):
    """The text tower, with features to compare with those of images.

    Args:
        config: settings of the tower.
    """

    config_class: ClassVar[type[ModelConfig]] = CLIPTextConfig
    base_prefix: ClassVar[str] = "text_model"
    ignored: ClassVar[tuple[str, ...]] = (r"^(vision_model|visual_projection)\.", r"^logit_scale$")

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.text_model = CLIPTextModel(config)
        self.text_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        std = config.initializer_factor * config.hidden_size**-0.5
        init.normal_(self.text_projection.weight, 0.0, std)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> CLIPTextOutput:
        """Features of texts.

        Args:
            input_ids, attention_mask: as `CLIPTextModel.forward` takes them.

        Returns:
            text_embeds (n, projection_dim), last_hidden_state.
        """
        out = self.text_model(input_ids, attention_mask)
        return CLIPTextOutput(self.text_projection(out.pooler_output), out.last_hidden_state)


class CLIPVisionEmbeddings(nn.Module):
    """Patches as tokens, behind a class token, with embeddings of places."""

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        size, patch = config.hidden_size, config.patch_size
        self.class_embedding = nn.Parameter(tp.zeros(size))
        init.normal_(self.class_embedding, 0.0, config.initializer_factor * size**-0.5)
        self.patch_embedding = nn.Conv2d(config.num_channels, size, patch, patch, bias=False)
        count = (config.image_size // patch) ** 2
        self.position_embedding = nn.Embedding(count + 1, size)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(n, c, h, w) to (n, 1 + patches, d)."""
        patches = self.patch_embedding(pixel_values).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(patches), 1, patches.shape[-1])
        return tp.cat([first, patches], 1) + self.position_embedding.weight


class CLIPVisionModel(PretrainedModel):
    """The image tower.

    Args:
        config: its settings.
    """

    config: CLIPVisionConfig
    config_class: ClassVar[type[ModelConfig]] = CLIPVisionConfig
    base_prefix: ClassVar[str] = "vision_model"
    ignored: ClassVar[tuple[str, ...]] = (r"^(text_model|text_projection|visual_projection)\.",)

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embeddings = CLIPVisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(size, eps=config.layer_norm_eps)  # the files' spelling
        self.encoder = CLIPEncoder(config)
        self.post_layernorm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        _draw(self, config)

    def forward(self, pixel_values: Tensor) -> EncoderOutput:
        """Look at images.

        Args:
            pixel_values: (n, c, image_size, image_size) normalised colours.

        Returns:
            last_hidden_state (n, 1 + patches, d), pooler_output (n, d) of the class token.

        Raises:
            ShapeError: the images have another size.
        """
        side = self.config.image_size
        shape = tuple(pixel_values.shape)
        if len(shape) != 4 or shape[2:] != (side, side):
            raise ShapeError(
                f"CLIPVisionModel: wanted images of shape (n, c, {side}, {side}), got {shape}; "
                "resize and crop them first"
            )
        x = self.encoder(self.pre_layrnorm(self.embeddings(pixel_values)), Sight())
        return EncoderOutput(x, self.post_layernorm(x[:, 0]))


class CLIPModel(PretrainedModel):
    """Both towers.

    Args:
        config: settings of both.
    """

    config_class: ClassVar[type[ModelConfig]] = CLIPConfig
    base_prefix: ClassVar[str] = "clip"

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        text, vision, width = config.text_config, config.vision_config, config.projection_dim
        self.text_model = CLIPTextModel(text)
        self.vision_model = CLIPVisionModel(vision)
        self.visual_projection = nn.Linear(vision.hidden_size, width, bias=False)
        self.text_projection = nn.Linear(text.hidden_size, width, bias=False)
        self.logit_scale = nn.Parameter(tp.tensor(config.logit_scale_init_value))
        for layer, tower in ((self.visual_projection, vision), (self.text_projection, text)):
            init.normal_(layer.weight, 0.0, 1 / math.sqrt(tower.hidden_size))

    def get_text_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """(n, projection_dim) features of texts, not normalised."""
        return self.text_projection(self.text_model(input_ids, attention_mask).pooler_output)

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """(n, projection_dim) features of images, not normalised."""
        return self.visual_projection(self.vision_model(pixel_values).pooler_output)

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        attention_mask: Tensor | None = None,
        return_loss: bool = False,
    ) -> CLIPOutput:
        """Compare texts with images.

        Args:
            input_ids: (texts, l) int64.
            pixel_values: (images, c, h, w) normalised colours.
            attention_mask: (texts, l), 1 for tokens and 0 for padding.
            return_loss: as many texts as images, in the same order; compute how well they are told
                from each other.

        Returns:
            Similarities and features; see `CLIPOutput`.
        """
        images = F.normalize(self.get_image_features(pixel_values), dim=-1)
        texts = F.normalize(self.get_text_features(input_ids, attention_mask), dim=-1)
        similar = (texts @ images.mT) * self.logit_scale.exp()
        loss = None
        if return_loss:
            own = tp.arange(len(similar))
            loss = (F.cross_entropy(similar, own) + F.cross_entropy(similar.mT, own)) / 2
        return CLIPOutput(
            loss=loss,
            logits_per_image=similar.mT,
            logits_per_text=similar,
            text_embeds=texts,
            image_embeds=images,
        )
