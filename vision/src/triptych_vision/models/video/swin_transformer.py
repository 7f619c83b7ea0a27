"""Swin Transformer of videos: windows of frames and pixels.

Source: Liu et al. 2022, "Video Swin Transformer", section 3; layers, names and initial values are
torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

from ...weights import WeightsEnum
from .._building import builder
from ..published import published
from ..swin_transformer import (
    PatchMerging,
    ShiftedWindowAttention,
    SwinTransformerBlock,
    swin_stages,
)
from ..window_attention import relative_position_index, shifted_window_attention

__all__ = [
    "Swin3D_B_Weights",
    "Swin3D_S_Weights",
    "Swin3D_T_Weights",
    "SwinTransformer3d",
    "swin3d_b",
    "swin3d_s",
    "swin3d_t",
]

Layer = Callable[..., nn.Module]


class ShiftedWindowAttention3d(ShiftedWindowAttention):
    """Attention within windows of frames and pixels, no larger than the video.

    Args:
        dim: channels.
        window_size: frames, height and width of a window.
        shift_size: of the windows, likewise.
        num_heads: number of heads.
        qkv_bias: whether queries, keys and values have one.
        proj_bias: whether the last layer has one.
        attention_dropout: part of the attention's weights that are zeroed while training.
        dropout: part of the output that is zeroed while training.
    """

    num_axes = 3

    def define_relative_position_index(self) -> None:
        """Make the buffer that says which distance each pair of places has."""
        index = relative_position_index(self.window_size)
        self.register_buffer("relative_position_index", tp.tensor(index))

    def window_bias(self, window_size: Sequence[int]) -> tp.Tensor:
        """(1, heads, places, places) for windows that may be smaller than `window_size`.

        Args:
            window_size: frames, height and width of the windows at hand.

        Returns:
            The rows of the table that torchvision takes: those of the first places.
        """
        places = math.prod(window_size)
        bias = self.relative_position_bias_table[self.relative_position_index[:places, :places]]
        return bias.permute(2, 0, 1).unsqueeze(0)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, t, h, w, dim) to the same shape."""
        window = [
            min(side, size) for side, size in zip(self.window_size, x.shape[1:], strict=False)
        ]
        return shifted_window_attention(
            x,
            self.qkv.weight,
            self.proj.weight,
            self.window_bias(window),
            window,
            self.num_heads,
            self.shift_size,
            self.attention_dropout,
            self.dropout,
            self.qkv.bias,
            self.proj.bias,
            training=self.training,
        )


class PatchEmbed3d(nn.Module):
    """Cut a video into patches of frames and pixels.

    Args:
        patch_size: frames, height and width of a patch.
        in_channels: of the video.
        embed_dim: channels of a patch.
        norm_layer: called with embed_dim; None for none.
    """

    def __init__(
        self,
        patch_size: Sequence[int],
        in_channels: int = 3,
        embed_dim: int = 96,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.tuple_patch_size = tuple(patch_size)
        self.proj = nn.Conv3d(
            in_channels, embed_dim, self.tuple_patch_size, stride=self.tuple_patch_size
        )
        self.norm = nn.Identity() if norm_layer is None else norm_layer(embed_dim)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, t, h, w) to (n, t', h', w', embed_dim), sizes rounded up."""
        sizes = zip(x.shape[2:], self.tuple_patch_size, strict=True)
        t, h, w = (-size % side for size, side in sizes)
        if t or h or w:
            x = F.pad(x, (0, w, 0, h, 0, t))
        return self.norm(self.proj(x).permute(0, 2, 3, 4, 1))


class SwinTransformer3d(nn.Module):
    """Swin Transformer of videos.

    Args:
        patch_size: frames, height and width of a patch.
        embed_dim: channels of the first stage.
        depths: number of blocks of each stage.
        num_heads: of each stage.
        window_size: frames, height and width of a window in patches.
        mlp_ratio: how many times wider the middle of the two layers of a block is.
        dropout: part of the blocks' outputs that is zeroed while training.
        attention_dropout: part of the attention's weights that are zeroed while training.
        stochastic_depth_prob: probability of leaving out the last block while training; it grows
            linearly from 0 at the first.
        num_classes: outputs.
        norm_layer: default layer normalisation with eps 1e-5.
        block: in place of `SwinTransformerBlock`.
        downsample_layer: in place of `PatchMerging`.
        patch_embed: in place of `PatchEmbed3d`.

    Example:
        >>> model = SwinTransformer3d([2, 4, 4], 8, [2, 2], [2, 4], [2, 3, 3], num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 5, 32, 40)).shape
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
        num_classes: int = 400,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
        patch_embed: Layer | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-5)
        cut = patch_embed or PatchEmbed3d
        self.patch_embed = cut(patch_size=patch_size, embed_dim=embed_dim, norm_layer=norm_layer)
        self.pos_drop = nn.Dropout(dropout)
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
            attn_layer=ShiftedWindowAttention3d,
        )
        self.features = nn.Sequential(*stages)
        self.num_features = embed_dim * 2 ** (len(depths) - 1)
        self.norm = norm_layer(self.num_features)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.head = nn.Linear(self.num_features, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, t, h, w) normalised videos to (n, num_classes) logits."""
        x = self.norm(self.features(self.pos_drop(self.patch_embed(x))))
        return self.head(self.avgpool(x.permute(0, 4, 1, 2, 3)).flatten(1))


class Swin3D_B_Weights(WeightsEnum):
    """Weights for `swin3d_b`."""

    KINETICS400_V1 = published("Swin3D_B_Weights.KINETICS400_V1")
    KINETICS400_IMAGENET22K_V1 = published("Swin3D_B_Weights.KINETICS400_IMAGENET22K_V1")
    DEFAULT = KINETICS400_V1


class Swin3D_S_Weights(WeightsEnum):
    """Weights for `swin3d_s`."""

    KINETICS400_V1 = published("Swin3D_S_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


class Swin3D_T_Weights(WeightsEnum):
    """Weights for `swin3d_t`."""

    KINETICS400_V1 = published("Swin3D_T_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


def _builder(
    size: str, weights: type[WeightsEnum], embed_dim: int, depths: tuple[int, ...]
) -> Callable[..., SwinTransformer3d]:
    return builder(
        f"swin3d_{size}",
        SwinTransformer3d,
        weights,
        f"Swin Transformer of videos, size {size.upper()}.",
        patch_size=[2, 4, 4],
        embed_dim=embed_dim,
        depths=depths,
        num_heads=[embed_dim // 32 * 2**stage for stage in range(4)],
        window_size=[8, 7, 7],
        stochastic_depth_prob=0.1,
    )


swin3d_t = _builder("t", Swin3D_T_Weights, 96, (2, 2, 6, 2))
swin3d_s = _builder("s", Swin3D_S_Weights, 96, (2, 2, 18, 2))
swin3d_b = _builder("b", Swin3D_B_Weights, 128, (2, 2, 18, 2))
