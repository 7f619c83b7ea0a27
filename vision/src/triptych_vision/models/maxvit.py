"""MaxViT: convolutions, attention within windows, and attention across a grid.

Source: Tu et al. 2022, figure 2 and table 1; layers, names and initial values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError, UnknownNameError
from triptych.nn import functional as F

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ..weights import WeightsEnum
from ._building import builder
from .published import published
from .window_attention import relative_position_index

__all__ = ["MaxVit", "MaxVit_T_Weights", "maxvit_t"]

Layer = Callable[..., nn.Module]
Size = tuple[int, int]

PARTITIONS = ("grid", "window")


def halved(size: Sequence[int]) -> Size:
    """Height and width after a 3 x 3 convolution with stride 2 and padding 1.

    Args:
        size: height and width before.

    Returns:
        Half of them, rounded up.
    """
    return (size[0] + 1) // 2, (size[1] + 1) // 2


class MBConv(nn.Module):
    """An inverted residual that normalises first.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        expansion_ratio: the middle is this many times wider than the output.
        squeeze_ratio: channels in the middle of squeeze and excitation, over the output's.
        stride: 1 or 2.
        activation_layer: of the convolutions.
        norm_layer: of the convolutions.
        p_stochastic_dropout: probability of leaving the branch out while training.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion_ratio: float,
        squeeze_ratio: float,
        stride: int,
        activation_layer: Layer,
        norm_layer: Layer,
        p_stochastic_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        shrink = [nn.AvgPool2d(kernel_size=3, stride=2, padding=1)] if stride == 2 else []
        alike = stride == 1 and in_channels == out_channels
        around = nn.Sequential(*shrink, nn.Conv2d(in_channels, out_channels, kernel_size=1))
        self.proj: nn.Module = nn.Identity() if alike else around
        self.stochastic_depth: nn.Module = (
            StochasticDepth(p_stochastic_dropout, "row") if p_stochastic_dropout else nn.Identity()
        )
        wide, narrow = int(out_channels * expansion_ratio), int(out_channels * squeeze_ratio)
        conv = partial(
            Conv2dNormActivation,
            activation_layer=activation_layer,
            norm_layer=norm_layer,
            inplace=None,
        )
        self.layers = nn.Sequential()
        self.layers.add_module("pre_norm", norm_layer(in_channels))
        self.layers.add_module("conv_a", conv(in_channels, wide, kernel_size=1))
        self.layers.add_module("conv_b", conv(wide, wide, stride=stride, groups=wide))
        squeeze = SqueezeExcitation(wide, narrow, activation=nn.SiLU)
        self.layers.add_module("squeeze_excitation", squeeze)
        self.layers.add_module("conv_c", nn.Conv2d(wide, out_channels, kernel_size=1))

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class RelativePositionalMultiHeadAttention(nn.Module):
    """Attention within windows, with a bias for each distance.

    Args:
        feat_dim: features of a pixel.
        head_dim: features of a head.
        max_seq_len: pixels of a window, a square number.

    Raises:
        ShapeError: feat_dim is no multiple of head_dim.
    """

    def __init__(self, feat_dim: int, head_dim: int, max_seq_len: int) -> None:
        super().__init__()
        if feat_dim % head_dim:
            raise ShapeError(
                f"RelativePositionalMultiHeadAttention: feat_dim={feat_dim} is no multiple of "
                f"head_dim={head_dim}"
            )
        self.n_heads = feat_dim // head_dim
        self.head_dim = head_dim
        self.size = round(max_seq_len**0.5)
        self.max_seq_len = max_seq_len
        self.to_qkv = nn.Linear(feat_dim, 3 * feat_dim)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(feat_dim, feat_dim)
        table = tp.empty((2 * self.size - 1) ** 2, self.n_heads)
        self.relative_position_bias_table = nn.Parameter(table)
        index = relative_position_index((self.size, self.size))
        self.register_buffer("relative_position_index", tp.tensor(index))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def get_relative_positional_bias(self) -> tp.Tensor:
        """(1, heads, pixels, pixels), what is added to the scores."""
        bias = self.relative_position_bias_table[self.relative_position_index]
        return bias.permute(2, 0, 1).unsqueeze(0)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, windows, pixels, feat_dim) to the same shape."""
        n, g, p, d = x.shape
        qkv = self.to_qkv(x).reshape(n * g, p, 3, self.n_heads, self.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (n * g, heads, p, head_dim)
        bias = self.get_relative_positional_bias().to(x.dtype)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=self.scale_factor)
        return self.merge(out.permute(0, 2, 1, 3).reshape(n, g, p, d))


class SwapAxes(nn.Module):
    """Two axes in each other's place.

    Args:
        a: one axis.
        b: the other.
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.a = a
        self.b = b

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """The input with both axes swapped."""
        return x.transpose(self.a, self.b)


class WindowPartition(nn.Module):
    """Cut images into windows."""

    def forward(self, x: tp.Tensor, p: int) -> tp.Tensor:
        """(n, c, h, w) to (n, windows, p * p, c)."""
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
        return x.reshape(n, (h // p) * (w // p), p * p, c)


class WindowDepartition(nn.Module):
    """Put windows together to images."""

    def forward(self, x: tp.Tensor, p: int, h_partitions: int, w_partitions: int) -> tp.Tensor:
        """(n, windows, p * p, c) to (n, c, h_partitions * p, w_partitions * p)."""
        n, _, _, c = x.shape
        x = x.reshape(n, h_partitions, w_partitions, p, p, c).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(n, c, h_partitions * p, w_partitions * p)


class PartitionAttentionLayer(nn.Module):
    """Attention within windows or across a grid, then two layers on each pixel.

    Args:
        in_channels: channels.
        head_dim: features of a head.
        partition_size: pixels of a window's side.
        partition_type: "window" for neighbouring pixels, "grid" for those at equal distances.
        grid_size: height and width of the feature map.
        mlp_ratio: how many times wider the middle of the two layers is.
        activation_layer: between them.
        norm_layer: before the attention.
        attention_dropout: part of the attention's output that is zeroed while training.
        mlp_dropout: the same for the layers.
        p_stochastic_dropout: probability of leaving each of both out while training.

    Raises:
        UnknownNameError: another partition_type.
        ShapeError: grid_size is no multiple of the windows' side, or a grid's is not square.
    """

    def __init__(
        self,
        in_channels: int,
        head_dim: int,
        partition_size: int,
        partition_type: str,
        grid_size: Size,
        mlp_ratio: int,
        activation_layer: Layer,
        norm_layer: Layer,
        attention_dropout: float,
        mlp_dropout: float,
        p_stochastic_dropout: float,
    ) -> None:
        super().__init__()
        if partition_type not in PARTITIONS:
            raise UnknownNameError(
                f"PartitionAttentionLayer: partition_type is one of {PARTITIONS}, got "
                f"{partition_type!r}"
            )
        self.n_heads = in_channels // head_dim
        self.head_dim = head_dim
        self.n_partitions = grid_size[0] // partition_size
        self.partition_type = partition_type
        self.grid_size = grid_size
        across = partition_type == "grid"
        if across and grid_size[0] != grid_size[1]:
            raise ShapeError(
                f"PartitionAttentionLayer: grid attention is for square maps, got {grid_size}; "
                "make the images square"
            )
        sides = (partition_size, self.n_partitions)
        self.p, self.g = sides[::-1] if across else sides
        if self.p == 0 or grid_size[0] % self.p or grid_size[1] % self.p:
            raise ShapeError(
                f"PartitionAttentionLayer: grid_size {grid_size} is no multiple of {self.p}"
            )
        self.partition_op = WindowPartition()
        self.departition_op = WindowDepartition()
        self.partition_swap: nn.Module = SwapAxes(-2, -3) if across else nn.Identity()
        self.departition_swap: nn.Module = SwapAxes(-2, -3) if across else nn.Identity()
        self.attn_layer = nn.Sequential(
            norm_layer(in_channels),
            RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size**2),
            nn.Dropout(attention_dropout),
        )
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, in_channels * mlp_ratio),
            activation_layer(),
            nn.Linear(in_channels * mlp_ratio, in_channels),
            nn.Dropout(mlp_dropout),
        )
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, mode="row")

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) of grid_size to the same shape."""
        x = self.partition_swap(self.partition_op(x, self.p))
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        height, width = self.grid_size[0] // self.p, self.grid_size[1] // self.p
        return self.departition_op(self.departition_swap(x), self.p, height, width)


class MaxVitLayer(nn.Module):
    """An inverted residual, attention within windows, attention across a grid.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        squeeze_ratio: of `MBConv`.
        expansion_ratio: of `MBConv`.
        stride: of `MBConv`.
        norm_layer: of `MBConv`.
        activation_layer: of all.
        p_stochastic_dropout: of all.
        grid_size: height and width after the stride.
        **attention: further arguments of `PartitionAttentionLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        squeeze_ratio: float,
        expansion_ratio: float,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        p_stochastic_dropout: float,
        grid_size: Size,
        **attention: Any,
    ) -> None:
        super().__init__()
        conv = MBConv(
            in_channels,
            out_channels,
            expansion_ratio,
            squeeze_ratio,
            stride,
            activation_layer,
            norm_layer,
            p_stochastic_dropout,
        )
        attend = partial(
            PartitionAttentionLayer,
            out_channels,
            grid_size=grid_size,
            activation_layer=activation_layer,
            norm_layer=nn.LayerNorm,
            p_stochastic_dropout=p_stochastic_dropout,
            **attention,
        )
        self.layers = nn.Sequential()
        self.layers.add_module("MBconv", conv)
        self.layers.add_module("window_attention", attend(partition_type="window"))
        self.layers.add_module("grid_attention", attend(partition_type="grid"))

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """Several layers, the first of which halves the size.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        input_grid_size: height and width before.
        p_stochastic: probability of leaving each layer out while training.
        **config: further arguments of `MaxVitLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_grid_size: Size,
        p_stochastic: Sequence[float],
        **config: Any,
    ) -> None:
        super().__init__()
        self.grid_size = halved(input_grid_size)
        self.layers = nn.ModuleList(
            MaxVitLayer(
                out_channels if place else in_channels,
                out_channels,
                stride=1 if place else 2,
                p_stochastic_dropout=p,
                grid_size=self.grid_size,
                **config,
            )
            for place, p in enumerate(p_stochastic)
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h / 2, w / 2)."""
        for layer in self.layers:
            x = layer(x)
        return x


class MaxVit(nn.Module):
    """MaxViT.

    Args:
        input_size: height and width of the images, both alike.
        stem_channels: of the first two convolutions.
        partition_size: pixels of a window's side.
        block_channels: of each block.
        block_layers: number of layers of each block.
        head_dim: features of a head.
        stochastic_depth_prob: probability of leaving out the last layer while training; it grows
            linearly from 0 at the first.
        norm_layer: of the convolutions; default batch normalisation with eps 1e-3.
        activation_layer: of all.
        squeeze_ratio: of `MBConv`.
        expansion_ratio: of `MBConv`.
        mlp_ratio: of `PartitionAttentionLayer`.
        mlp_dropout: of `PartitionAttentionLayer`.
        attention_dropout: of `PartitionAttentionLayer`.
        num_classes: outputs.

    Raises:
        ShapeError: a block's height or width is no multiple of partition_size, or they differ.
    """

    def __init__(
        self,
        input_size: Size,
        stem_channels: int,
        partition_size: int,
        block_channels: Sequence[int],
        block_layers: Sequence[int],
        head_dim: int,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
        activation_layer: Layer = nn.GELU,
        squeeze_ratio: float = 0.25,
        expansion_ratio: float = 4,
        mlp_ratio: int = 4,
        mlp_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        _check_sizes(input_size, len(block_channels), partition_size)
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        stem = partial(Conv2dNormActivation, activation_layer=activation_layer, inplace=None)
        plain: dict[str, Any] = {"norm_layer": None, "activation_layer": None, "bias": True}
        self.stem = nn.Sequential(
            stem(3, stem_channels, stride=2, norm_layer=norm_layer, bias=False),
            Conv2dNormActivation(stem_channels, stem_channels, **plain),
        )
        self.partition_size = partition_size
        probs = np.linspace(0, stochastic_depth_prob, sum(block_layers)).tolist()
        self.blocks = nn.ModuleList()
        size, before = halved(input_size), stem_channels
        for channels, count in zip(block_channels, block_layers, strict=True):
            block = MaxVitBlock(
                before,
                channels,
                size,
                probs[:count],
                squeeze_ratio=squeeze_ratio,
                expansion_ratio=expansion_ratio,
                norm_layer=norm_layer,
                activation_layer=activation_layer,
                head_dim=head_dim,
                mlp_ratio=mlp_ratio,
                mlp_dropout=mlp_dropout,
                attention_dropout=attention_dropout,
                partition_size=partition_size,
            )
            self.blocks.append(block)
            size, before, probs = block.grid_size, channels, probs[count:]
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(before),
            nn.Linear(before, before),
            nn.Tanh(),
            nn.Linear(before, num_classes, bias=False),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images of input_size to (n, num_classes) logits."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


def _check_sizes(input_size: Size, num_blocks: int, partition_size: int) -> None:
    size = halved(input_size)
    for block in range(num_blocks):
        size = halved(size)
        if size[0] % partition_size or size[1] % partition_size:
            raise ShapeError(
                f"MaxVit: block {block} sees {size[0]} x {size[1]} pixels, which is no multiple of "
                f"partition_size={partition_size}; change input_size={tuple(input_size)} or "
                "partition_size"
            )


class MaxVit_T_Weights(WeightsEnum):
    """Weights for `maxvit_t`."""

    IMAGENET1K_V1 = published("MaxVit_T_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


maxvit_t = builder(
    "maxvit_t",
    MaxVit,
    MaxVit_T_Weights,
    "MaxViT, tiny; for images of 224 x 224 pixels unless input_size says otherwise.",
    needs=lambda chosen: {"input_size": chosen.meta["min_size"]},
    input_size=(224, 224),
    stem_channels=64,
    block_channels=(64, 128, 256, 512),
    block_layers=(2, 2, 5, 2),
    head_dim=32,
    stochastic_depth_prob=0.2,
    partition_size=7,
)
