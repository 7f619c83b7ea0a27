"""Vision Transformer: patches of an image as words.

Source: Dosovitskiy et al. 2021, table 1; Xiao et al. 2021 for stems of convolutions; layers, names
and initial values are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ..ops.misc import MLP, Conv2dNormActivation
from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "ViT_B_16_Weights",
    "ViT_B_32_Weights",
    "ViT_H_14_Weights",
    "ViT_L_16_Weights",
    "ViT_L_32_Weights",
    "VisionTransformer",
    "interpolate_embeddings",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]

Layer = Callable[..., nn.Module]

POSITIONS = "encoder.pos_embedding"
NORM = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution of a stem in place of patches."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """Two linear layers on each token; files that call them linear_1 and linear_2 load, too.

    Args:
        in_dim: features before and after.
        mlp_dim: features in the middle.
        dropout: part of the features that are zeroed after each layer while training.
    """

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        layers = [mlp_dim, in_dim]
        super().__init__(in_dim, layers, activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *others: Any, **named: Any
    ) -> None:
        for old, new in (("linear_1", "0"), ("linear_2", "3")):
            for kind in ("weight", "bias"):
                if f"{prefix}{old}.{kind}" in state_dict:
                    state_dict[f"{prefix}{new}.{kind}"] = state_dict.pop(f"{prefix}{old}.{kind}")
        super()._load_from_state_dict(state_dict, prefix, *others, **named)


class EncoderBlock(nn.Module):
    """Attention, then two layers on each token; normalised before both.

    Args:
        num_heads: of the attention.
        hidden_dim: features of a token.
        mlp_dim: features in the middle of the two layers.
        dropout: part of the outputs that is zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        norm_layer: of both.
    """

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = NORM,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(
            hidden_dim, num_heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, l, hidden_dim) to the same shape."""
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = input + self.dropout(x)
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Position embeddings and blocks.

    Args:
        seq_length: number of tokens.
        num_layers: number of blocks.
        num_heads: of each block.
        hidden_dim: features of a token.
        mlp_dim: of each block.
        dropout: of each block, and of the input.
        attention_dropout: of each block.
        norm_layer: of each block and at the end.
    """

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = NORM,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(tp.empty(1, seq_length, hidden_dim))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for number in range(num_layers):
            block = EncoderBlock(
                num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer
            )
            self.layers.add_module(f"encoder_layer_{number}", block)
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: tp.Tensor, grid: tuple[int, int] | None = None) -> tp.Tensor:
        """(n, 1 + patches, hidden_dim) to the same shape; grid is the patches' rows and columns."""
        positions = self.pos_embedding if grid is None else _resampled(self.pos_embedding, grid)
        return self.ln(self.layers(self.dropout(input + positions)))


def _resampled(positions: tp.Tensor, grid: tuple[int, int]) -> tp.Tensor:
    """Position embeddings, the class token's first, for another grid; as timm does."""
    side = math.isqrt(positions.shape[1] - 1)
    if grid == (side, side):
        return positions
    square = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, size=list(grid), mode="bicubic", antialias=True)
    return tp.cat([positions[:, :1], square.flatten(2).transpose(1, 2)], dim=1)


class VisionTransformer(nn.Module):
    """Vision Transformer.

    Args:
        image_size: height and width of the images in pixels, a multiple of patch_size.
        patch_size: height and width of a patch in pixels.
        num_layers: number of blocks.
        num_heads: of each block.
        hidden_dim: features of a token.
        mlp_dim: features in the middle of the two layers of a block.
        dropout: part of the features that are zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        num_classes: outputs.
        representation_size: features of a further layer before the last; None for no such layer.
        norm_layer: of the blocks; default layer normalisation with eps 1e-6.
        conv_stem_configs: convolutions in place of cutting into patches.
        dynamic_img_size: take images of any size whose sides are multiples of patch_size; the
            position embeddings are resampled to it, bicubic.

    Raises:
        ShapeError: image_size is no multiple of patch_size.

    Example:
        >>> model = VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Layer = NORM,
        conv_stem_configs: Sequence[ConvStemConfig] | None = None,
        dynamic_img_size: bool = False,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ShapeError(
                f"VisionTransformer: image_size={image_size} is no multiple of "
                f"patch_size={patch_size}"
            )
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        self.dynamic_img_size = dynamic_img_size
        self.conv_proj = _patches(patch_size, hidden_dim, conv_stem_configs)
        self.class_token = nn.Parameter(tp.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length,
            num_layers,
            num_heads,
            hidden_dim,
            mlp_dim,
            dropout,
            attention_dropout,
            norm_layer,
        )
        self.heads = nn.Sequential()
        width = hidden_dim
        if representation_size is not None:
            before, width = nn.Linear(hidden_dim, representation_size), representation_size
            nn.init.trunc_normal_(before.weight, std=math.sqrt(1 / hidden_dim))
            nn.init.zeros_(before.bias)
            self.heads.add_module("pre_logits", before)
            self.heads.add_module("act", nn.Tanh())
        head = nn.Linear(width, num_classes)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        self.heads.add_module("head", head)

    def _process_input(self, x: tp.Tensor) -> tp.Tensor:
        self._grid(x)
        return self.conv_proj(x).flatten(2).permute(0, 2, 1)  # (n, patches, hidden_dim)

    def _grid(self, x: tp.Tensor) -> tuple[int, int]:
        """Rows and columns of patches of images, whose size is checked."""
        h, w = x.shape[-2:]
        if self.dynamic_img_size:
            if h % self.patch_size or w % self.patch_size:
                raise ShapeError(
                    f"VisionTransformer: wanted images whose sides are multiples of "
                    f"{self.patch_size} pixels, got shape {tuple(x.shape)}; resize or pad them"
                )
        elif (h, w) != (self.image_size, self.image_size):
            raise ShapeError(
                f"VisionTransformer: wanted images of {self.image_size} x {self.image_size} "
                f"pixels, got shape {tuple(x.shape)}; resize them, build the model with "
                "dynamic_img_size=True, or with another image_size and load "
                "interpolate_embeddings(image_size, patch_size, state)"
            )
        return h // self.patch_size, w // self.patch_size

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, image_size, image_size) normalised images to (n, num_classes) logits.

        With dynamic_img_size they may have other sides.
        """
        grid = self._grid(x)
        x = self._process_input(x)
        x = tp.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.heads(self.encoder(x, grid)[:, 0])


def _patches(
    patch_size: int, hidden_dim: int, stem: Sequence[ConvStemConfig] | None
) -> nn.Conv2d | nn.Sequential:
    if stem is None:
        cut = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
        nn.init.trunc_normal_(cut.weight, std=math.sqrt(1 / (3 * patch_size**2)))
        nn.init.zeros_(cut.bias)
        return cut
    layers, before = nn.Sequential(), 3
    for number, (width, kernel, stride, norm, activation) in enumerate(stem):
        layer = Conv2dNormActivation(
            before, width, kernel, stride, norm_layer=norm, activation_layer=activation
        )
        layers.add_module(f"conv_bn_relu_{number}", layer)
        before = width
    last = nn.Conv2d(before, hidden_dim, kernel_size=1)
    nn.init.normal_(last.weight, std=math.sqrt(2.0 / hidden_dim))
    nn.init.zeros_(last.bias)
    layers.add_module("conv_last", last)
    return layers


def interpolate_embeddings(
    image_size: int,
    patch_size: int,
    model_state: Mapping[str, tp.Tensor],
    interpolation_mode: str = "bicubic",
    reset_heads: bool = False,
) -> dict[str, tp.Tensor]:
    """Weights of a Vision Transformer for images of another size.

    Args:
        image_size: of the new model, in pixels.
        patch_size: of the new model, in pixels.
        model_state: state dict of a `VisionTransformer` of another size.
        interpolation_mode: of the position embeddings, as in `nn.functional.interpolate`.
        reset_heads: leave the classifier's weights out; then load with strict=False. As in
            torchvision this has no effect where the number of patches stays.

    Returns:
        A state dict for the new model.

    Raises:
        ShapeError: the position embeddings do not form a square.

    Example:
        >>> old = VisionTransformer(32, 16, 1, 2, 8, 16).state_dict()
        >>> interpolate_embeddings(64, 16, old)["encoder.pos_embedding"].shape
        Size([1, 17, 8])
    """
    state = dict(model_state)
    positions = state[POSITIONS]
    n, length, width = positions.shape
    side, new_side = math.isqrt(length - 1), image_size // patch_size
    if n != 1 or side * side != length - 1:
        raise ShapeError(
            f"interpolate_embeddings: wanted {POSITIONS} of shape (1, s * s + 1, d), got "
            f"{tuple(positions.shape)}"
        )
    if side == new_side:
        return state
    grid = positions[:, 1:].permute(0, 2, 1).reshape(1, width, side, side)
    grid = F.interpolate(grid, size=new_side, mode=interpolation_mode, align_corners=True)
    state[POSITIONS] = tp.cat([positions[:, :1], grid.flatten(2).permute(0, 2, 1)], dim=1)
    return {k: v for k, v in state.items() if not (reset_heads and k.startswith("heads"))}


class ViT_B_16_Weights(WeightsEnum):
    """Weights for `vit_b_16`."""

    IMAGENET1K_V1 = published("ViT_B_16_Weights.IMAGENET1K_V1")
    IMAGENET1K_SWAG_E2E_V1 = published("ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("ViT_B_16_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_V1


class ViT_B_32_Weights(WeightsEnum):
    """Weights for `vit_b_32`."""

    IMAGENET1K_V1 = published("ViT_B_32_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ViT_H_14_Weights(WeightsEnum):
    """Weights for `vit_h_14`."""

    IMAGENET1K_SWAG_E2E_V1 = published("ViT_H_14_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("ViT_H_14_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


class ViT_L_16_Weights(WeightsEnum):
    """Weights for `vit_l_16`."""

    IMAGENET1K_V1 = published("ViT_L_16_Weights.IMAGENET1K_V1")
    IMAGENET1K_SWAG_E2E_V1 = published("ViT_L_16_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("ViT_L_16_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_V1


class ViT_L_32_Weights(WeightsEnum):
    """Weights for `vit_l_32`."""

    IMAGENET1K_V1 = published("ViT_L_32_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _builder(
    size: str, weights: type[WeightsEnum], patch_size: int, depth: int, heads: int, width: int
) -> Callable[..., VisionTransformer]:
    return builder(
        f"vit_{size}_{patch_size}",
        VisionTransformer,
        weights,
        f"Vision Transformer {size.upper()} on patches of {patch_size} x {patch_size} pixels.",
        needs=lambda chosen: {"image_size": chosen.meta["min_size"][0]},
        image_size=224,
        patch_size=patch_size,
        num_layers=depth,
        num_heads=heads,
        hidden_dim=width,
        mlp_dim=4 * width,
    )


vit_b_16 = _builder("b", ViT_B_16_Weights, 16, 12, 12, 768)
vit_b_32 = _builder("b", ViT_B_32_Weights, 32, 12, 12, 768)
vit_l_16 = _builder("l", ViT_L_16_Weights, 16, 24, 16, 1024)
vit_l_32 = _builder("l", ViT_L_32_Weights, 32, 24, 16, 1024)
vit_h_14 = _builder("h", ViT_H_14_Weights, 14, 32, 16, 1280)
