"""Swin Transformer, versions 1 and 2: attention within shifted windows, in four sizes.

Source: Liu et al. 2021, section 3 and table 7, and 2022, section 3; layers, names and initial
values are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ..ops.misc import MLP, Permute
from ..ops.stochastic_depth import StochasticDepth
from ..weights import WeightsEnum
from ._building import builder
from .published import published
from .window_attention import relative_position_index, shifted_window_attention

__all__ = [
    "SwinTransformer",
    "Swin_B_Weights",
    "Swin_S_Weights",
    "Swin_T_Weights",
    "Swin_V2_B_Weights",
    "Swin_V2_S_Weights",
    "Swin_V2_T_Weights",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
]

Layer = Callable[..., nn.Module]

FIRST_LOGIT_SCALE = math.log(10.0)
COORDINATE_REACH = 8  # relative coordinates are scaled to -8 to 8 before their logarithm


class PatchMerging(nn.Module):
    """Half the size: four neighbours become one pixel of twice the channels.

    Args:
        dim: channels before.
        norm_layer: before the linear layer.
    """

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(..., h, w, dim) to (..., h / 2, w / 2, 2 * dim), rounded up."""
        return self.reduction(self.norm(four_neighbours(x)))


class PatchMergingV2(nn.Module):
    """`PatchMerging` that normalises after the linear layer.

    Args:
        dim: channels before.
        norm_layer: after the linear layer.
    """

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(..., h, w, dim) to (..., h / 2, w / 2, 2 * dim), rounded up."""
        return self.norm(self.reduction(four_neighbours(x)))


def four_neighbours(x: tp.Tensor) -> tp.Tensor:
    """The channels of each square of four pixels side by side.

    Args:
        x: (..., h, w, c); odd sizes are padded with zeros.

    Returns:
        (..., h / 2, w / 2, 4 * c): first both of the left column, then both of the right.
    """
    h, w = x.shape[-3:-1]
    if h % 2 or w % 2:
        x = F.pad(x, (0, 0, 0, w % 2, 0, h % 2))
    corners = [x[..., row::2, column::2, :] for column in (0, 1) for row in (0, 1)]
    return tp.cat(corners, dim=-1)


class ShiftedWindowAttention(nn.Module):
    """Attention within windows, with a bias for each distance.

    Args:
        dim: channels.
        window_size: height and width of a window in pixels.
        shift_size: height and width of the windows' shift.
        num_heads: number of heads.
        qkv_bias: whether queries, keys and values have one.
        proj_bias: whether the last layer has one.
        attention_dropout: part of the attention's weights that are zeroed while training.
        dropout: part of the output that is zeroed while training.

    Raises:
        ShapeError: window_size or shift_size has not one number for each axis.
    """

    num_axes = 2

    def __init__(
        self,
        dim: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not len(window_size) == len(shift_size) == self.num_axes:
            raise ShapeError(
                f"{type(self).__name__}: wanted {self.num_axes} numbers each for window_size and "
                f"shift_size, got {window_size} and {shift_size}"
            )
        self.window_size = list(window_size)
        self.shift_size = list(shift_size)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.logit_scale: nn.Parameter | None = None
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self) -> None:
        """Make the parameter that holds a bias for each distance and head."""
        distances = math.prod(2 * side - 1 for side in self.window_size)
        self.relative_position_bias_table = nn.Parameter(tp.zeros(distances, self.num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def define_relative_position_index(self) -> None:
        """Make the buffer that says which distance each pair of pixels has."""
        index = relative_position_index(self.window_size).ravel()
        self.register_buffer("relative_position_index", tp.tensor(index))

    def get_relative_position_bias(self) -> tp.Tensor:
        """(1, heads, pixels, pixels), what is added to the scores."""
        return self._spread(self.relative_position_bias_table)

    def _spread(self, table: tp.Tensor) -> tp.Tensor:
        pixels = math.prod(self.window_size)
        bias = table[self.relative_position_index].reshape(pixels, pixels, -1)
        return bias.permute(2, 0, 1).unsqueeze(0)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, h, w, dim) to the same shape."""
        return shifted_window_attention(
            x,
            self.qkv.weight,
            self.proj.weight,
            self.get_relative_position_bias(),
            self.window_size,
            self.num_heads,
            self.shift_size,
            self.attention_dropout,
            self.dropout,
            self.qkv.bias,
            self.proj.bias,
            self.logit_scale,
            self.training,
        )


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Attention by cosines, whose biases a small network gives.

    Args:
        dim: channels.
        window_size: height and width of a window in pixels.
        shift_size: height and width of the windows' shift.
        num_heads: number of heads.
        qkv_bias: whether queries and values have one.
        proj_bias: whether the last layer has one.
        attention_dropout: part of the attention's weights that are zeroed while training.
        dropout: part of the output that is zeroed while training.
    """

    def __init__(
        self,
        dim: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            dim,
            window_size,
            shift_size,
            num_heads,
            qkv_bias,
            proj_bias,
            attention_dropout,
            dropout,
        )
        self.logit_scale = nn.Parameter(tp.full((num_heads, 1, 1), FIRST_LOGIT_SCALE))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False)
        )

    def define_relative_position_bias_table(self) -> None:
        """Make the buffer of distances, logarithmic and at most 8 before, that the network sees."""
        ends = [side - 1 for side in self.window_size]
        lines = [np.arange(-end, end + 1, dtype=np.float32) / end for end in ends]
        table = COORDINATE_REACH * np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
        table = np.sign(table) * np.log2(np.abs(table) + 1) / np.log2(COORDINATE_REACH)
        self.register_buffer("relative_coords_table", tp.tensor(table[None].astype(np.float32)))

    def get_relative_position_bias(self) -> tp.Tensor:
        """(1, heads, pixels, pixels), what is added to the scores, from 0 to 16."""
        table = self.cpb_mlp(self.relative_coords_table).reshape(-1, self.num_heads)
        return 16 * self._spread(table).sigmoid()


class SwinTransformerBlock(nn.Module):
    """Attention within windows, then two layers on each pixel; normalised before both.

    Args:
        dim: channels.
        num_heads: of the attention.
        window_size: of the attention.
        shift_size: of the attention.
        mlp_ratio: how many times wider the middle of the two layers is.
        dropout: part of the outputs that is zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        stochastic_depth_prob: probability of leaving each of both out while training.
        norm_layer: of both.
        attn_layer: in place of `ShiftedWindowAttention`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer = ShiftedWindowAttention,
    ) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(
            dim,
            window_size,
            shift_size,
            num_heads,
            attention_dropout=attention_dropout,
            dropout=dropout,
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        widths = [int(dim * mlp_ratio), dim]
        self.mlp = MLP(dim, widths, activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for module in self.mlp.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, h, w, dim) to the same shape."""
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """`SwinTransformerBlock` with attention by cosines, normalised after both.

    Args:
        dim: channels.
        num_heads: of the attention.
        window_size: of the attention.
        shift_size: of the attention.
        mlp_ratio: how many times wider the middle of the two layers is.
        dropout: part of the outputs that is zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        stochastic_depth_prob: probability of leaving each of both out while training.
        norm_layer: of both.
        attn_layer: in place of `ShiftedWindowAttentionV2`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer = ShiftedWindowAttentionV2,
    ) -> None:
        super().__init__(
            dim,
            num_heads,
            window_size,
            shift_size,
            mlp_ratio,
            dropout,
            attention_dropout,
            stochastic_depth_prob,
            norm_layer,
            attn_layer,
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, h, w, dim) to the same shape."""
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


def swin_stages(
    block: Layer, merge: Layer, embed_dim: int, depths: Sequence[int], prob: float, **config: Any
) -> list[nn.Module]:
    """The stages of a Swin Transformer, with the layers that halve the size between them.

    Args:
        block: called with channels, heads, window_size, shift_size, stochastic_depth_prob, config.
        merge: called with channels and norm_layer; doubles the channels.
        embed_dim: channels of the first stage.
        depths: number of blocks of each stage.
        prob: probability of leaving out the last block while training; it grows linearly from 0.
        **config: num_heads of each stage, window_size, norm_layer, and what else blocks take.

    Returns:
        The modules, in order.
    """
    heads, window = config.pop("num_heads"), config["window_size"]
    layers: list[nn.Module] = []
    last, done = max(sum(depths) - 1, 1), 0
    for stage, (count, stage_heads) in enumerate(zip(depths, heads, strict=True)):
        dim, blocks = embed_dim * 2**stage, []
        for place in range(count):
            shift = [side // 2 if place % 2 else 0 for side in window]
            own = {"shift_size": shift, "stochastic_depth_prob": prob * done / last}
            blocks.append(block(dim, stage_heads, **own, **config))
            done += 1
        layers.append(nn.Sequential(*blocks))
        if stage < len(depths) - 1:
            layers.append(merge(dim, config["norm_layer"]))
    return layers


class SwinTransformer(nn.Module):
    """Swin Transformer.

    Args:
        patch_size: height and width of a patch in pixels.
        embed_dim: channels of the first stage.
        depths: number of blocks of each stage.
        num_heads: of each stage.
        window_size: height and width of a window in patches.
        mlp_ratio: how many times wider the middle of the two layers of a block is.
        dropout: part of the blocks' outputs that is zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        stochastic_depth_prob: probability of leaving out the last block while training; it grows
            linearly from 0 at the first.
        num_classes: outputs.
        norm_layer: default layer normalisation with eps 1e-5.
        block: in place of `SwinTransformerBlock`.
        downsample_layer: in place of `PatchMerging`.

    Example:
        >>> model = SwinTransformer([4, 4], 8, [2, 2], [2, 4], [3, 3], num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 32, 40)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        patch_size: Sequence[int],
        embed_dim: int,
        depths: Sequence[int],
        num_heads: Sequence[int],
        window_size: Sequence[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.1,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-5)
        patches = nn.Conv2d(3, embed_dim, tuple(patch_size), stride=tuple(patch_size))
        stages = swin_stages(
            block or SwinTransformerBlock,
            downsample_layer,
            embed_dim,
            depths,
            stochastic_depth_prob,
            num_heads=num_heads,
            window_size=window_size,
            mlp_ratio=mlp_ratio,
            dropout=dropout,
            attention_dropout=attention_dropout,
            norm_layer=norm_layer,
        )
        stem = nn.Sequential(patches, Permute([0, 2, 3, 1]), norm_layer(embed_dim))
        self.features = nn.Sequential(stem, *stages)
        width = embed_dim * 2 ** (len(depths) - 1)
        self.norm = norm_layer(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.permute(self.norm(self.features(x)))  # (n, width, h / 32, w / 32)
        return self.head(self.flatten(self.avgpool(x)))


class Swin_B_Weights(WeightsEnum):
    """Weights for `swin_b`."""

    IMAGENET1K_V1 = published("Swin_B_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Swin_S_Weights(WeightsEnum):
    """Weights for `swin_s`."""

    IMAGENET1K_V1 = published("Swin_S_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Swin_T_Weights(WeightsEnum):
    """Weights for `swin_t`."""

    IMAGENET1K_V1 = published("Swin_T_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_B_Weights(WeightsEnum):
    """Weights for `swin_v2_b`."""

    IMAGENET1K_V1 = published("Swin_V2_B_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_S_Weights(WeightsEnum):
    """Weights for `swin_v2_s`."""

    IMAGENET1K_V1 = published("Swin_V2_S_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_T_Weights(WeightsEnum):
    """Weights for `swin_v2_t`."""

    IMAGENET1K_V1 = published("Swin_V2_T_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _builder(
    name: str,
    weights: type[WeightsEnum],
    embed_dim: int,
    depths: tuple[int, ...],
    stochastic_depth_prob: float,
) -> Callable[..., SwinTransformer]:
    second = name.startswith("swin_v2")
    fixed: dict[str, Any] = {"window_size": [8, 8] if second else [7, 7]}
    if second:
        fixed |= {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    return builder(
        name,
        SwinTransformer,
        weights,
        f"Swin Transformer{' V2' if second else ''}, size {name[-1].upper()}.",
        patch_size=[4, 4],
        embed_dim=embed_dim,
        depths=depths,
        num_heads=[embed_dim // 32 * 2**stage for stage in range(4)],
        stochastic_depth_prob=stochastic_depth_prob,
        **fixed,
    )


swin_t = _builder("swin_t", Swin_T_Weights, 96, (2, 2, 6, 2), 0.2)
swin_s = _builder("swin_s", Swin_S_Weights, 96, (2, 2, 18, 2), 0.3)
swin_b = _builder("swin_b", Swin_B_Weights, 128, (2, 2, 18, 2), 0.5)
swin_v2_t = _builder("swin_v2_t", Swin_V2_T_Weights, 96, (2, 2, 6, 2), 0.2)
swin_v2_s = _builder("swin_v2_s", Swin_V2_S_Weights, 96, (2, 2, 18, 2), 0.3)
swin_v2_b = _builder("swin_v2_b", Swin_V2_B_Weights, 128, (2, 2, 18, 2), 0.5)
