"""DINOv2: vision transformers trained without labels, as features for other tasks.

Source: Oquab et al. 2023, and Darcet et al. 2024 for register tokens; names of layers are those of
the published files, dinov2_vits14_pretrain.pth and so on. As nobody published their hashes, none is
registered: fetch a file and load it with `model.load_state_dict(triptych.load(path))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ..ops.stochastic_depth import StochasticDepth
from ..weights import WeightsEnum
from ._building import builder

__all__ = [
    "DinoVisionTransformer",
    "dinov2_vitb14",
    "dinov2_vitb14_reg",
    "dinov2_vitg14",
    "dinov2_vitg14_reg",
    "dinov2_vitl14",
    "dinov2_vitl14_reg",
    "dinov2_vits14",
    "dinov2_vits14_reg",
]

Layer = Callable[..., nn.Module]

NORM = partial(nn.LayerNorm, eps=1e-6)
OFFSET = 0.1  # added to the new grid's sides by the models without registers, against rounding
# channels, blocks, heads, whether the two layers of a block have a gate
SIZES = {
    "s": (384, 12, 6, False),
    "b": (768, 12, 12, False),
    "l": (1024, 24, 16, False),
    "g": (1536, 40, 24, True),
}


class Attention(nn.Module):
    """Attention of all tokens among themselves.

    Args:
        dim: channels.
        num_heads: number of heads.
        attn_drop: part of the attention's weights that are zeroed while training.
        proj_drop: part of the output that is zeroed while training.
    """

    def __init__(
        self, dim: int, num_heads: int, attn_drop: float = 0.0, proj_drop: float = 0.0
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attn_drop = attn_drop
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, l, dim) to the same shape."""
        n, length, dim = x.shape
        qkv = self.qkv(x).reshape(n, length, 3, self.num_heads, dim // self.num_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        dropped = self.attn_drop if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=dropped)
        return self.proj_drop(self.proj(out.transpose(1, 2).reshape(n, length, dim)))


class Mlp(nn.Module):
    """Two linear layers on each token.

    Args:
        dim: channels before and after.
        hidden: channels in the middle.
        drop: part of the features that are zeroed after each layer while training.
    """

    def __init__(self, dim: int, hidden: int, drop: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(..., dim) to the same shape."""
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class SwiGLUFFN(nn.Module):
    """Two linear layers on each token, the first of which is gated.

    Args:
        dim: channels before and after.
        hidden: channels in the middle of `Mlp`; here two thirds of them, in multiples of 8.
        drop: without effect, as in the original.
    """

    def __init__(self, dim: int, hidden: int, drop: float = 0.0) -> None:
        super().__init__()
        width = (int(hidden * 2 / 3) + 7) // 8 * 8
        self.w12 = nn.Linear(dim, 2 * width)
        self.w3 = nn.Linear(width, dim)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(..., dim) to the same shape."""
        gate, value = self.w12(x).chunk(2, dim=-1)
        return self.w3(F.silu(gate) * value)


class LayerScale(nn.Module):
    """A factor for each channel.

    Args:
        dim: channels.
        init_values: first value of the factors.
    """

    def __init__(self, dim: int, init_values: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(tp.full((dim,), init_values))

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(..., dim) to the same shape."""
        return x * self.gamma


class Block(nn.Module):
    """Attention, then two layers on each token; normalised before both, scaled after.

    Args:
        dim: channels.
        num_heads: of the attention.
        mlp_ratio: how many times wider the middle of the two layers is.
        ffn_layer: `Mlp` or `SwiGLUFFN`.
        init_values: first value of the factors.
        drop_path: probability of leaving each of both out while training.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float,
        ffn_layer: Layer,
        init_values: float,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm1 = NORM(dim)
        self.attn = Attention(dim, num_heads)
        self.ls1 = LayerScale(dim, init_values)
        self.drop_path1 = StochasticDepth(drop_path, "row")
        self.norm2 = NORM(dim)
        self.mlp = ffn_layer(dim, int(dim * mlp_ratio))
        self.ls2 = LayerScale(dim, init_values)
        self.drop_path2 = StochasticDepth(drop_path, "row")

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, l, dim) to the same shape."""
        x = x + self.drop_path1(self.ls1(self.attn(self.norm1(x))))
        return x + self.drop_path2(self.ls2(self.mlp(self.norm2(x))))


class PatchEmbed(nn.Module):
    """Cut images into patches.

    Args:
        img_size: height and width of the images in training, in pixels.
        patch_size: height and width of a patch in pixels.
        in_chans: channels of the images.
        embed_dim: channels of a patch.
    """

    def __init__(self, img_size: int, patch_size: int, in_chans: int, embed_dim: int) -> None:
        super().__init__()
        self.patch_size = (patch_size, patch_size)
        self.num_patches = (img_size // patch_size) ** 2
        self.proj = nn.Conv2d(in_chans, embed_dim, patch_size, stride=patch_size)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_chans, h, w), sizes multiples of patch_size, to (n, patches, embed_dim)."""
        side = self.patch_size[0]
        if x.shape[-2] % side or x.shape[-1] % side:
            raise ShapeError(
                f"DinoVisionTransformer: height and width are multiples of {side}, got shape "
                f"{tuple(x.shape)}; resize or crop the images"
            )
        return self.proj(x).flatten(2).transpose(1, 2)


class DinoVisionTransformer(nn.Module):
    """A vision transformer for images of any size that is a multiple of the patches'.

    Args:
        img_size: height and width of the images in training, in pixels.
        patch_size: height and width of a patch in pixels.
        in_chans: channels of the images.
        embed_dim: channels.
        depth: number of blocks.
        num_heads: of each block.
        mlp_ratio: how many times wider the middle of the two layers of a block is.
        drop_path_rate: probability of leaving a block out while training.
        init_values: first value of the factors after each layer.
        gated: whether the two layers of a block have a gate.
        num_register_tokens: tokens beside the class token that belong to no patch.
        interpolate_antialias: when positions shrink, let every old one count.
        interpolate_offset: added to the sides of the new grid of positions.

    Example:
        >>> model = DinoVisionTransformer(28, 14, embed_dim=8, depth=1, num_heads=2).eval()
        >>> model(tp.zeros(1, 3, 42, 56)).shape
        Size([1, 8])
    """

    def __init__(
        self,
        img_size: int = 518,
        patch_size: int = 14,
        in_chans: int = 3,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        drop_path_rate: float = 0.0,
        init_values: float = 1.0,
        gated: bool = False,
        num_register_tokens: int = 0,
        interpolate_antialias: bool = False,
        interpolate_offset: float = OFFSET,
    ) -> None:
        super().__init__()
        self.embed_dim = self.num_features = embed_dim
        self.patch_size = patch_size
        self.num_register_tokens = num_register_tokens
        self.interpolate_antialias = interpolate_antialias
        self.interpolate_offset = interpolate_offset
        self.patch_embed = PatchEmbed(img_size, patch_size, in_chans, embed_dim)
        self.cls_token = nn.Parameter(tp.empty(1, 1, embed_dim))
        tokens = self.patch_embed.num_patches + 1
        self.pos_embed = nn.Parameter(tp.empty(1, tokens, embed_dim))
        self.register_tokens: nn.Parameter | None = None
        if num_register_tokens:
            self.register_tokens = nn.Parameter(tp.empty(1, num_register_tokens, embed_dim))
            nn.init.normal_(self.register_tokens, std=1e-6)
        ffn_layer = SwiGLUFFN if gated else Mlp
        self.blocks = nn.ModuleList(
            Block(embed_dim, num_heads, mlp_ratio, ffn_layer, init_values, drop_path_rate)
            for _ in range(depth)
        )
        self.norm = NORM(embed_dim)
        self.head: nn.Module = nn.Identity()
        self.mask_token = nn.Parameter(tp.zeros(1, embed_dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def interpolate_pos_encoding(self, height: int, width: int) -> tp.Tensor:
        """Position embeddings for images of another size.

        Args:
            height: of the images in pixels.
            width: of the images in pixels.

        Returns:
            (1, 1 + patches, embed_dim), the class token's first.
        """
        old = self.pos_embed
        side = math.isqrt(old.shape[1] - 1)
        rows, columns = height // self.patch_size, width // self.patch_size
        if rows == columns == side:
            return old
        grid = old[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        offset = self.interpolate_offset
        target: dict[str, Any] = {"size": (rows, columns)}
        if offset:
            target = {"scale_factor": ((rows + offset) / side, (columns + offset) / side)}
        antialias = self.interpolate_antialias
        grid = F.interpolate(grid, mode="bicubic", antialias=antialias, **target)
        return tp.cat([old[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)

    def prepare_tokens_with_masks(self, x: tp.Tensor, masks: tp.Tensor | None = None) -> tp.Tensor:
        """Tokens of images, with their positions.

        Args:
            x: (n, 3, h, w).
            masks: (n, patches) bool, where the mask token stands in for a patch.

        Returns:
            (n, 1 + registers + patches, embed_dim).
        """
        n, _, h, w = x.shape
        x = self.patch_embed(x)
        if masks is not None:
            x = tp.where(masks.unsqueeze(-1), self.mask_token.to(x.dtype).unsqueeze(0), x)
        x = tp.cat([self.cls_token.expand(n, -1, -1), x], dim=1)
        x = x + self.interpolate_pos_encoding(h, w)
        if self.register_tokens is None:
            return x
        return tp.cat([x[:, :1], self.register_tokens.expand(n, -1, -1), x[:, 1:]], dim=1)

    def forward_features(
        self, x: tp.Tensor, masks: tp.Tensor | None = None
    ) -> dict[str, tp.Tensor | None]:
        """All that the last block gives.

        Args:
            x: (n, 3, h, w) normalised images.
            masks: (n, patches) bool, where the mask token stands in for a patch.

        Returns:
            "x_norm_clstoken" (n, d), "x_norm_regtokens" (n, registers, d), "x_norm_patchtokens"
            (n, patches, d), "x_prenorm" (n, all tokens, d), and "masks".
        """
        x = self.prepare_tokens_with_masks(x, masks)
        for block in self.blocks:
            x = block(x)
        normed, first = self.norm(x), 1 + self.num_register_tokens
        return {
            "x_norm_clstoken": normed[:, 0],
            "x_norm_regtokens": normed[:, 1:first],
            "x_norm_patchtokens": normed[:, first:],
            "x_prenorm": x,
            "masks": masks,
        }

    def get_intermediate_layers(
        self,
        x: tp.Tensor,
        n: int | Sequence[int] = 1,
        reshape: bool = False,
        return_class_token: bool = False,
        norm: bool = True,
    ) -> tuple[Any, ...]:
        """What some of the blocks give for the patches.

        Args:
            x: (n, 3, h, w) normalised images.
            n: the numbers of the blocks from 0 on, or how many of the last ones.
            reshape: give (n, d, rows, columns) in place of (n, patches, d).
            return_class_token: give pairs of this and the class token, (n, d).
            norm: normalise all.

        Returns:
            A tensor or pair for each block.
        """
        h, w = x.shape[-2:]
        total = len(self.blocks)
        wanted = range(total - n, total) if isinstance(n, int) else n
        x, found = self.prepare_tokens_with_masks(x), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in wanted:
                found.append(self.norm(x) if norm else x)
        patches = [out[:, 1 + self.num_register_tokens :] for out in found]
        if reshape:
            grid = (h // self.patch_size, w // self.patch_size)
            patches = [part.transpose(1, 2).reshape(part.shape[0], -1, *grid) for part in patches]
        if return_class_token:
            return tuple(zip(patches, [out[:, 0] for out in found], strict=True))
        return tuple(patches)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, embed_dim) features of the whole image."""
        return self.head(self.forward_features(x)["x_norm_clstoken"])


def _builder(size: str, registers: bool = False) -> Callable[..., DinoVisionTransformer]:
    width, depth, heads, gated = SIZES[size]
    own: dict[str, Any] = {}
    if registers:
        own = {"num_register_tokens": 4, "interpolate_antialias": True, "interpolate_offset": 0.0}
    return builder(
        f"dinov2_vit{size}14{'_reg' if registers else ''}",
        DinoVisionTransformer,
        WeightsEnum,
        f"DINOv2, size {size.upper()}{', with four register tokens' if registers else ''}.",
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        gated=gated,
        **own,
    )


dinov2_vits14 = _builder("s")
dinov2_vitb14 = _builder("b")
dinov2_vitl14 = _builder("l")
dinov2_vitg14 = _builder("g")
dinov2_vits14_reg = _builder("s", registers=True)
dinov2_vitb14_reg = _builder("b", registers=True)
dinov2_vitl14_reg = _builder("l", registers=True)
dinov2_vitg14_reg = _builder("g", registers=True)
