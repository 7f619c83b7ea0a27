"""Multiscale vision transformers of videos, versions 1 and 2: queries, keys and values are pooled.

Source: Fan et al. 2021, figure 3 and table 2 (v1); Li et al. 2022, section 4 (v2); layers, names
and initial values are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ...ops.misc import MLP
from ...ops.stochastic_depth import StochasticDepth
from ...weights import WeightsEnum
from .._building import builder
from ..published import published

__all__ = ["MViT", "MViT_V1_B_Weights", "MViT_V2_S_Weights", "mvit_v1_b", "mvit_v2_s"]

Layer = Callable[..., nn.Module]
Ints = Sequence[int]
Size = tuple[int, int, int]  # frames, height, width

HEADS = (1, 2, 2, *[4] * 11, 8, 8)  # of both models, block by block
CHANNELS_OF_HEAD = 96
HALVING_BLOCKS = (1, 3, 14)
KEY_STRIDES = (8, 4, 4, *[2] * 11, 1, 1)


@dataclass
class MSBlockConfig:
    """One block of an MViT.

    Args:
        num_heads: of the attention.
        input_channels: before.
        output_channels: after.
        kernel_q: of the pooling of queries, for frames, height and width; empty for none.
        kernel_kv: of the pooling of keys and values.
        stride_q: of the pooling of queries.
        stride_kv: of the pooling of keys and values.
    """

    num_heads: int
    input_channels: int
    output_channels: int
    kernel_q: Ints
    kernel_kv: Ints
    stride_q: Ints
    stride_kv: Ints


class Pool(nn.Module):
    """Pools the places of a video and leaves the class token alone.

    Args:
        pool: of (n, c, t, h, w).
        norm: of the channels; None for none.
        activation: after it; None for none.
        norm_before_pool: whether both come before the pooling, of the places alone.
    """

    def __init__(
        self,
        pool: nn.Module,
        norm: nn.Module | None,
        activation: nn.Module | None = None,
        norm_before_pool: bool = False,
    ) -> None:
        super().__init__()
        self.pool = pool
        layers = [layer for layer in (norm, activation) if layer is not None]
        self.norm_act = nn.Sequential(*layers) if layers else None
        self.norm_before_pool = norm_before_pool

    def forward(self, x: tp.Tensor, thw: Size) -> tuple[tp.Tensor, Size]:
        """(n, heads, 1 + t * h * w, c) or without heads, and (t, h, w), both pooled."""
        headless = x.ndim == 3
        x = x.unsqueeze(1) if headless else x
        token, x = x[:, :, :1], x[:, :, 1:]
        n, heads, _, c = x.shape
        x = x.transpose(2, 3).reshape(n * heads, c, *thw)
        if self.norm_before_pool and self.norm_act is not None:
            x = self.norm_act(x)
        x = self.pool(x)
        t, h, w = x.shape[2:]
        x = tp.cat([token, x.reshape(n, heads, c, -1).transpose(2, 3)], dim=2)
        if not self.norm_before_pool and self.norm_act is not None:
            x = self.norm_act(x)
        return (x.squeeze(1) if headless else x), (t, h, w)


def _row_of_distance(queries: int, keys: int) -> np.ndarray:
    """(queries, keys) which row of a table of 2 * max - 1 distances belongs to each pair."""
    q, k = np.arange(queries)[:, None], np.arange(keys)[None, :]
    apart = q * max(keys / queries, 1.0) - (k + 1.0 - keys) * max(queries / keys, 1.0)
    return apart.astype(np.int64)


def _at_length(table: tp.Tensor, rows: int) -> tp.Tensor:
    """A table of distances with another number of rows."""
    if table.shape[0] == rows:
        return table
    return F.interpolate(table.T.unsqueeze(0), size=rows, mode="linear")[0].T


def relative_scores(
    q: tp.Tensor, q_thw: Size, k_thw: Size, tables: Sequence[tp.Tensor]
) -> tp.Tensor:
    """What the distance of query and key along each axis adds to their score.

    Args:
        q: (n, heads, places, c) without the class token.
        q_thw: frames, height and width of the queries.
        k_thw: frames, height and width of the keys.
        tables: (rows, c) for frames, height and width.

    Returns:
        (n, heads, places of the queries, places of the keys).
    """
    n, heads, _, c = q.shape
    q = q.reshape(n, heads, *q_thw, c)
    parts = []
    for axis, (table, queries, keys) in enumerate(zip(tables, q_thw, k_thw, strict=True)):
        rows = _at_length(table, 2 * max(queries, keys) - 1)[_row_of_distance(queries, keys)]
        letter = "thw"[axis]
        scores = tp.einsum(f"bythwc,{letter}kc->bythwk", q, rows)
        shape = [keys if place == axis else 1 for place in range(3)]
        parts.append(scores.reshape(n, heads, *q_thw, *shape))
    return (parts[0] + parts[1] + parts[2]).reshape(n, heads, math.prod(q_thw), math.prod(k_thw))


class MultiscaleAttention(nn.Module):
    """Attention whose queries, keys and values are pooled first.

    Args:
        input_size: frames, height and width of the input.
        embed_dim: channels before.
        output_dim: channels after.
        num_heads: number of heads.
        kernel_q: of the pooling of queries; empty, or ones with strides of one, for none.
        kernel_kv: of the pooling of keys and values.
        stride_q: of the pooling of queries.
        stride_kv: of the pooling of keys and values.
        residual_pool: add the pooled queries to the output.
        residual_with_cls_embed: add that of the class token, too.
        rel_pos_embed: let distances add to the scores.
        dropout: part of the output that is zeroed while training.
        norm_layer: after each pooling.
    """

    def __init__(
        self,
        input_size: Ints,
        embed_dim: int,
        output_dim: int,
        num_heads: int,
        kernel_q: Ints,
        kernel_kv: Ints,
        stride_q: Ints,
        stride_kv: Ints,
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        dropout: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.output_dim = output_dim
        self.num_heads = num_heads
        self.head_dim = output_dim // num_heads
        self.residual_pool = residual_pool
        self.residual_with_cls_embed = residual_with_cls_embed
        self.qkv = nn.Linear(embed_dim, 3 * output_dim)
        drop = [nn.Dropout(dropout, inplace=True)] if dropout > 0.0 else []
        self.project = nn.Sequential(nn.Linear(output_dim, output_dim), *drop)
        self.pool_q = self._pool(kernel_q, stride_q, norm_layer)
        self.pool_k = self._pool(kernel_kv, stride_kv, norm_layer)
        self.pool_v = self._pool(kernel_kv, stride_kv, norm_layer)
        self.rel_pos_h: nn.Parameter | None = None
        self.rel_pos_w: nn.Parameter | None = None
        self.rel_pos_t: nn.Parameter | None = None
        if rel_pos_embed:
            side = max(input_size[1:])
            sides = [side // stride[1] if stride else side for stride in (stride_q, stride_kv)]
            self.rel_pos_h = self._table(2 * max(sides) - 1)
            self.rel_pos_w = self._table(2 * max(sides) - 1)
            self.rel_pos_t = self._table(2 * input_size[0] - 1)

    def _pool(self, kernel: Ints, stride: Ints, norm_layer: Layer) -> Pool | None:
        if math.prod(kernel) <= 1 and math.prod(stride) <= 1:
            return None
        conv = nn.Conv3d(
            self.head_dim,
            self.head_dim,
            tuple(kernel),
            stride=tuple(stride),
            padding=tuple(size // 2 for size in kernel),
            groups=self.head_dim,
            bias=False,
        )
        return Pool(conv, norm_layer(self.head_dim))

    def _table(self, rows: int) -> nn.Parameter:
        table = nn.Parameter(tp.zeros(rows, self.head_dim))
        nn.init.trunc_normal_(table, std=0.02)
        return table

    def forward(self, x: tp.Tensor, thw: Size) -> tuple[tp.Tensor, Size]:
        """(n, 1 + t * h * w, embed_dim) to output_dim, and the size after pooling."""
        n, places, _ = x.shape
        qkv = self.qkv(x).reshape(n, places, 3, self.num_heads, self.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (n, heads, places, head_dim)
        k, k_thw = (k, thw) if self.pool_k is None else self.pool_k(k, thw)
        v = v if self.pool_v is None else self.pool_v(v, thw)[0]
        q, thw = (q, thw) if self.pool_q is None else self.pool_q(q, thw)
        bias = None
        if self.rel_pos_t is not None and self.rel_pos_h is not None and self.rel_pos_w is not None:
            tables = (self.rel_pos_t, self.rel_pos_h, self.rel_pos_w)
            bias = F.pad(relative_scores(q[:, :, 1:], thw, k_thw, tables), (1, 0, 1, 0))
        x = F.scaled_dot_product_attention(q, k, v, bias)
        if self.residual_pool:
            token = x[:, :, :1] + q[:, :, :1] if self.residual_with_cls_embed else x[:, :, :1]
            x = tp.cat([token, x[:, :, 1:] + q[:, :, 1:]], dim=2)
        return self.project(x.transpose(1, 2).reshape(n, -1, self.output_dim)), thw


class MultiscaleBlock(nn.Module):
    """Pooling attention, then two layers on each token; normalised before both.

    Args:
        input_size: frames, height and width of the input.
        cnf: the block's numbers.
        residual_pool: of the attention.
        residual_with_cls_embed: of the attention.
        rel_pos_embed: of the attention.
        proj_after_attn: whether channels change in the attention rather than after it.
        dropout: part of the outputs that is zeroed while training.
        stochastic_depth_prob: probability of leaving each of both out while training.
        norm_layer: of both, and after each pooling.
    """

    def __init__(
        self,
        input_size: Ints,
        cnf: MSBlockConfig,
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.proj_after_attn = proj_after_attn
        self.pool_skip: Pool | None = None
        if math.prod(cnf.stride_q) > 1:
            kernel = tuple(step + 1 if step > 1 else step for step in cnf.stride_q)
            padding = tuple(size // 2 for size in kernel)
            self.pool_skip = Pool(nn.MaxPool3d(kernel, tuple(cnf.stride_q), padding), None)
        width = cnf.output_channels if proj_after_attn else cnf.input_channels
        self.norm1 = norm_layer(cnf.input_channels)
        self.norm2 = norm_layer(width)
        self.needs_transposal = isinstance(self.norm1, nn.BatchNorm1d)
        self.attn = MultiscaleAttention(
            input_size,
            cnf.input_channels,
            width,
            cnf.num_heads,
            cnf.kernel_q,
            cnf.kernel_kv,
            cnf.stride_q,
            cnf.stride_kv,
            residual_pool,
            residual_with_cls_embed,
            rel_pos_embed,
            dropout,
            norm_layer,
        )
        self.mlp = MLP(
            width,
            [4 * width, cnf.output_channels],
            activation_layer=nn.GELU,
            dropout=dropout,
            inplace=None,
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.project: nn.Linear | None = None
        if cnf.input_channels != cnf.output_channels:
            self.project = nn.Linear(cnf.input_channels, cnf.output_channels)

    def _normalised(self, norm: nn.Module, x: tp.Tensor) -> tp.Tensor:
        return norm(x.transpose(1, 2)).transpose(1, 2) if self.needs_transposal else norm(x)

    def forward(self, x: tp.Tensor, thw: Size) -> tuple[tp.Tensor, Size]:
        """(n, 1 + t * h * w, input_channels) to output_channels, and the size after pooling."""
        first = self._normalised(self.norm1, x)
        attended, new_thw = self.attn(first, thw)
        if self.project is not None and self.proj_after_attn:
            x = self.project(first)
        skip = x if self.pool_skip is None else self.pool_skip(x, thw)[0]
        x = skip + self.stochastic_depth(attended)
        second = self._normalised(self.norm2, x)
        if self.project is not None and not self.proj_after_attn:
            x = self.project(second)
        return x + self.stochastic_depth(self.mlp(second)), new_thw


class PositionalEncoding(nn.Module):
    """A class token and, unless distances do it, embeddings of the places.

    Args:
        embed_size: channels.
        spatial_size: height and width in patches.
        temporal_size: frames in patches.
        rel_pos_embed: whether distances do it.
    """

    def __init__(
        self,
        embed_size: int,
        spatial_size: tuple[int, int],
        temporal_size: int,
        rel_pos_embed: bool,
    ) -> None:
        super().__init__()
        self.spatial_size = spatial_size
        self.temporal_size = temporal_size
        self.class_token = nn.Parameter(tp.zeros(embed_size))
        self.spatial_pos: nn.Parameter | None = None
        self.temporal_pos: nn.Parameter | None = None
        self.class_pos: nn.Parameter | None = None
        if not rel_pos_embed:
            self.spatial_pos = nn.Parameter(tp.zeros(math.prod(spatial_size), embed_size))
            self.temporal_pos = nn.Parameter(tp.zeros(temporal_size, embed_size))
            self.class_pos = nn.Parameter(tp.zeros(embed_size))
        for table in self.parameters():
            nn.init.trunc_normal_(table, std=0.02)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, t * h * w, embed_size) to (n, 1 + t * h * w, embed_size)."""
        x = tp.cat([self.class_token.expand(x.shape[0], 1, -1), x], dim=1)
        if self.spatial_pos is None or self.temporal_pos is None or self.class_pos is None:
            return x
        places = (self.temporal_pos[:, None] + self.spatial_pos[None]).flatten(0, 1)
        return x + tp.cat([self.class_pos[None], places])


class MViT(nn.Module):
    """A multiscale vision transformer.

    Args:
        spatial_size: height and width of the videos in pixels.
        temporal_size: number of frames.
        block_setting: the blocks.
        residual_pool: add the pooled queries to the attention's output, as version 2 does.
        residual_with_cls_embed: add that of the class token, too.
        rel_pos_embed: let distances add to the scores in place of embeddings of the places.
        proj_after_attn: whether channels change in the attention rather than after it.
        dropout: part of the features that are zeroed while training.
        attention_dropout: part of the blocks' outputs that is zeroed while training.
        stochastic_depth_prob: probability of leaving out the last block while training; it grows
            linearly from 0 at the first.
        num_classes: outputs.
        block: in place of `MultiscaleBlock`.
        norm_layer: default layer normalisation with eps 1e-6.
        patch_embed_kernel: frames, height and width of the first convolution's kernel.
        patch_embed_stride: of the first convolution.
        patch_embed_padding: of the first convolution.

    Raises:
        ShapeError: block_setting is empty.
    """

    def __init__(
        self,
        spatial_size: tuple[int, int],
        temporal_size: int,
        block_setting: Sequence[MSBlockConfig],
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.5,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        num_classes: int = 400,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        patch_embed_kernel: Size = (3, 7, 7),
        patch_embed_stride: Size = (2, 4, 4),
        patch_embed_padding: Size = (1, 3, 3),
    ) -> None:
        super().__init__()
        if len(block_setting) == 0:
            raise ShapeError("MViT: block_setting is empty; give a block or more")
        block, norm_layer = block or MultiscaleBlock, norm_layer or partial(nn.LayerNorm, eps=1e-6)
        width, last = block_setting[0].input_channels, block_setting[-1].output_channels
        self.conv_proj = nn.Conv3d(
            3, width, patch_embed_kernel, stride=patch_embed_stride, padding=patch_embed_padding
        )
        whole = (temporal_size, *spatial_size)
        t, h, w = (n // step for n, step in zip(whole, patch_embed_stride, strict=True))
        self.pos_encoding = PositionalEncoding(width, (h, w), t, rel_pos_embed)
        self.blocks = nn.ModuleList()
        size = [t, h, w]
        for place, cnf in enumerate(block_setting):
            prob = stochastic_depth_prob * place / max(len(block_setting) - 1, 1)
            made = block(
                input_size=size,
                cnf=cnf,
                residual_pool=residual_pool,
                residual_with_cls_embed=residual_with_cls_embed,
                rel_pos_embed=rel_pos_embed,
                proj_after_attn=proj_after_attn,
                dropout=attention_dropout,
                stochastic_depth_prob=prob,
                norm_layer=norm_layer,
            )
            self.blocks.append(made)
            if len(cnf.stride_q) > 0:
                size = [n // step for n, step in zip(size, cnf.stride_q, strict=True)]
        self.norm = norm_layer(last)
        self.head = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, t, h, w) normalised videos, or images, to (n, num_classes) logits."""
        x = x.unsqueeze(2) if x.ndim == 4 else x
        x = self.pos_encoding(self.conv_proj(x).flatten(2).transpose(1, 2))
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.head(self.norm(x)[:, 0])


class MViT_V1_B_Weights(WeightsEnum):
    """Weights for `mvit_v1_b`."""

    KINETICS400_V1 = published("MViT_V1_B_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


class MViT_V2_S_Weights(WeightsEnum):
    """Weights for `mvit_v2_s`."""

    KINETICS400_V1 = published("MViT_V2_S_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


def _blocks(version: int) -> list[MSBlockConfig]:
    widths = [CHANNELS_OF_HEAD * heads for heads in HEADS]
    before = widths if version == 1 else [widths[0], *widths[:-1]]
    after = [*widths[1:], widths[-1]] if version == 1 else widths
    halve, keep = [1, 2, 2], [] if version == 1 else [1, 1, 1]
    blocks = []
    for place, step in enumerate(KEY_STRIDES):
        stride_q = halve if place in HALVING_BLOCKS else keep
        kernel_q = [3, 3, 3] if stride_q else []
        row = (HEADS[place], before[place], after[place], kernel_q, [3, 3, 3])
        blocks.append(MSBlockConfig(*row, stride_q, [1, step, step]))
    return blocks


def _sizes(weights: WeightsEnum) -> dict[str, Any]:
    meta = weights.meta
    return {"spatial_size": meta["min_size"], "temporal_size": meta["min_temporal_size"]}


def _builder(name: str, weights: type[WeightsEnum], version: int) -> Callable[..., MViT]:
    second = version == 2
    return builder(
        name,
        MViT,
        weights,
        f"Multiscale vision transformer, version {version}; for 16 frames of 224 x 224 pixels.",
        lambda **config: MViT(**{"block_setting": _blocks(version), **config}),
        _sizes,
        spatial_size=(224, 224),
        temporal_size=16,
        residual_pool=second,
        residual_with_cls_embed=False,
        rel_pos_embed=second,
        proj_after_attn=second,
        stochastic_depth_prob=0.2,
    )


mvit_v1_b = _builder("mvit_v1_b", MViT_V1_B_Weights, 1)
mvit_v2_s = _builder("mvit_v2_s", MViT_V2_S_Weights, 2)
