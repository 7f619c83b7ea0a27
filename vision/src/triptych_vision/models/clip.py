"""The image towers of CLIP: vision transformers whose features lie near those of fitting texts.

Source: Radford et al. 2021, section 2.4; names of layers are those under "visual." in OpenAI's and
open_clip's files. A tower loads a state dict of the whole model, or of Hugging Face's: what belongs
to the texts is left out. OpenAI's own files are programs, which `triptych.load` refuses; open_clip
and Hugging Face have the same weights as plain tensors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ..weights import WeightsEnum
from ._building import builder

__all__ = [
    "CLIPVisionTransformer",
    "QuickGELU",
    "clip_vit_b_16",
    "clip_vit_b_32",
    "clip_vit_l_14",
    "clip_vit_l_14_336",
]

# Hugging Face's names and ours
HF_NAMES = (
    (r"vision_model\.embeddings\.class_embedding", "class_embedding"),
    (r"vision_model\.embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"vision_model\.embeddings\.patch_embedding\.weight", "conv1.weight"),
    (r"vision_model\.pre_layrnorm\.(weight|bias)", r"ln_pre.\1"),
    (r"vision_model\.post_layernorm\.(weight|bias)", r"ln_post.\1"),
    (r"vision_model\.encoder\.layers\.(\d+)\.layer_norm(\d)\.", r"transformer.resblocks.\1.ln_\2."),
    (r"vision_model\.encoder\.layers\.(\d+)\.self_attn\.", r"transformer.resblocks.\1.attn."),
    (r"vision_model\.encoder\.layers\.(\d+)\.mlp\.fc1\.", r"transformer.resblocks.\1.mlp.c_fc."),
    (r"vision_model\.encoder\.layers\.(\d+)\.mlp\.fc2\.", r"transformer.resblocks.\1.mlp.c_proj."),
)


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 * x), near to GELU."""

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """Any shape, to the same."""
        return x * (1.702 * x).sigmoid()


class ResidualAttentionBlock(nn.Module):
    """Attention, then two layers on each token; normalised before both.

    Args:
        width: channels.
        heads: of the attention.
        activation: between the two layers.
    """

    def __init__(self, width: int, heads: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", activation())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, l, width) to the same shape."""
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """Blocks in a row.

    Args:
        width: channels.
        layers: number of blocks.
        heads: of each block.
        activation: of each block.
    """

    def __init__(
        self, width: int, layers: int, heads: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        blocks = [ResidualAttentionBlock(width, heads, activation) for _ in range(layers)]
        self.resblocks = nn.Sequential(*blocks)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, l, width) to the same shape."""
        return self.resblocks(x)


class CLIPVisionTransformer(nn.Module):
    """An image tower of CLIP.

    Args:
        image_size: height and width of the images in pixels.
        patch_size: height and width of a patch in pixels.
        width: channels.
        layers: number of blocks.
        heads: of each block.
        output_dim: features, as many as those of the texts.
        activation: `QuickGELU` for OpenAI's weights, `nn.GELU` for most of open_clip's.

    Example:
        >>> model = CLIPVisionTransformer(32, 16, width=8, layers=1, heads=2, output_dim=4)
        >>> model(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 4])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        width: int,
        layers: int,
        heads: int,
        output_dim: int,
        activation: Callable[[], nn.Module] = QuickGELU,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.output_dim = output_dim
        self.conv1 = nn.Conv2d(3, width, patch_size, stride=patch_size, bias=False)
        scale = width**-0.5
        tokens = (image_size // patch_size) ** 2 + 1
        self.class_embedding = nn.Parameter(tp.empty(width))
        self.positional_embedding = nn.Parameter(tp.empty(tokens, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads, activation)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(tp.empty(width, output_dim))
        for drawn in (self.class_embedding, self.positional_embedding, self.proj):
            nn.init.normal_(drawn, std=scale)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *others: Any, **named: Any
    ) -> None:
        own = {k.removeprefix(prefix): v for k, v in state_dict.items() if k.startswith(prefix)}
        converted = _image_tower(own)
        if converted is not own:
            for key in own:
                del state_dict[prefix + key]
            state_dict.update({prefix + key: value for key, value in converted.items()})
        super()._load_from_state_dict(state_dict, prefix, *others, **named)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, image_size, image_size) normalised images to (n, output_dim) features."""
        if tuple(x.shape[-2:]) != (self.image_size, self.image_size):
            raise ShapeError(
                f"CLIPVisionTransformer: wanted images of {self.image_size} x {self.image_size} "
                f"pixels, got shape {tuple(x.shape)}; resize them"
            )
        x = self.conv1(x).flatten(2).transpose(1, 2)  # (n, patches, width)
        token = self.class_embedding.expand(x.shape[0], 1, -1)
        x = tp.cat([token, x], dim=1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


def _image_tower(state: dict[str, tp.Tensor]) -> dict[str, tp.Tensor]:
    """The tensors of an image tower, from those of a whole model of OpenAI's or Hugging Face's."""
    if any(key.startswith("visual.") for key in state):
        return {k.removeprefix("visual."): v for k, v in state.items() if k.startswith("visual.")}
    if not any(key.startswith("vision_model.") for key in state):
        return state
    tower = {}
    for key, value in state.items():
        for pattern, name in HF_NAMES:
            if re.match(pattern, key):
                tower[re.sub(pattern, name, key)] = value
                break
    for key in [key for key in tower if ".q_proj." in key]:
        parts = [tower.pop(key.replace(".q_proj.", f".{part}_proj.")) for part in "qkv"]
        tower[key.replace(".q_proj.", ".in_proj_")] = tp.cat(parts)
    if "visual_projection.weight" in state:
        tower["proj"] = state["visual_projection.weight"].T
    return tower


def _builder(
    name: str, patch_size: int, width: int, layers: int, output_dim: int, image_size: int = 224
) -> Callable[..., CLIPVisionTransformer]:
    return builder(
        f"clip_{name}",
        CLIPVisionTransformer,
        WeightsEnum,
        f"The image tower of CLIP {name.upper()}, for {image_size} x {image_size} pixels.",
        image_size=image_size,
        patch_size=patch_size,
        width=width,
        layers=layers,
        heads=width // 64,
        output_dim=output_dim,
    )


clip_vit_b_32 = _builder("vit_b_32", 32, 768, 12, 512)
clip_vit_b_16 = _builder("vit_b_16", 16, 768, 12, 512)
clip_vit_l_14 = _builder("vit_l_14", 14, 1024, 24, 768)
clip_vit_l_14_336 = _builder("vit_l_14_336", 14, 1024, 24, 768, image_size=336)
