"""ConvNeXt: a residual network with the habits of transformers.

Source: Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, section 2 and appendix A.4; layers, names
and initial values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError

from ..ops.misc import Conv2dNormActivation, Permute
from ..ops.stochastic_depth import StochasticDepth
from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "ConvNeXt",
    "ConvNeXt_Base_Weights",
    "ConvNeXt_Large_Weights",
    "ConvNeXt_Small_Weights",
    "ConvNeXt_Tiny_Weights",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
]

Layer = Callable[..., nn.Module]


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of images."""

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, c, h, w) to the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """A large depthwise convolution, then two layers on the channels of each pixel.

    Args:
        dim: channels.
        layer_scale: first value of the factors of the branch.
        stochastic_depth_prob: probability of leaving the branch out while training.
        norm_layer: default layer normalisation with eps 1e-6.
    """

    def __init__(
        self,
        dim: int,
        layer_scale: float,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim),
            Permute([0, 2, 3, 1]),
            norm_layer(dim),
            nn.Linear(dim, 4 * dim),
            nn.GELU(),
            nn.Linear(4 * dim, dim),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(tp.full((dim, 1, 1), layer_scale))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, dim, h, w) to the same shape."""
        return input + self.stochastic_depth(self.layer_scale * self.block(input))


@dataclass
class CNBlockConfig:
    """One stage of a ConvNeXt.

    Args:
        input_channels: of its blocks.
        out_channels: after the layer that halves the size; None for no such layer.
        num_layers: number of blocks.
    """

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """ConvNeXt.

    Args:
        block_setting: the stages.
        stochastic_depth_prob: probability of leaving out the last block while training; it grows
            linearly from 0 at the first.
        layer_scale: first value of the factors of the branches.
        num_classes: outputs.
        block: in place of `CNBlock`.
        norm_layer: in place of `LayerNorm2d` with eps 1e-6.

    Raises:
        ShapeError: block_setting is empty.
        DTypeError: an entry of it is no `CNBlockConfig`.

    Example:
        >>> stages = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)]
        >>> ConvNeXt(stages, num_classes=5)(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        block_setting: Sequence[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        stages = _checked(block_setting)
        block, norm_layer = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [
            Conv2dNormActivation(
                3,
                stages[0].input_channels,
                kernel_size=4,
                stride=4,
                padding=0,
                norm_layer=norm_layer,
                activation_layer=None,
                bias=True,
            )
        ]
        last, done = max(sum(cnf.num_layers for cnf in stages) - 1, 1), 0
        for cnf in stages:
            blocks = []
            for _ in range(cnf.num_layers):
                prob = stochastic_depth_prob * done / last
                blocks.append(block(cnf.input_channels, layer_scale, prob))
                done += 1
            layers.append(nn.Sequential(*blocks))
            if cnf.out_channels is not None:
                halve = nn.Conv2d(cnf.input_channels, cnf.out_channels, kernel_size=2, stride=2)
                layers.append(nn.Sequential(norm_layer(cnf.input_channels), halve))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        width = stages[-1].out_channels or stages[-1].input_channels
        self.classifier = nn.Sequential(
            norm_layer(width), nn.Flatten(1), nn.Linear(width, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images, 32 pixels or more, to (n, num_classes) logits."""
        return self.classifier(self.avgpool(self.features(x)))


def _checked(stages: Sequence[CNBlockConfig]) -> Sequence[CNBlockConfig]:
    if len(stages) == 0:
        raise ShapeError("ConvNeXt: block_setting is empty; give a stage or more")
    for stage in stages:
        if not isinstance(stage, CNBlockConfig):
            raise DTypeError(
                "ConvNeXt: block_setting is a sequence of CNBlockConfig, got "
                f"{type(stage).__name__} in it"
            )
    return stages


class ConvNeXt_Base_Weights(WeightsEnum):
    """Weights for `convnext_base`."""

    IMAGENET1K_V1 = published("ConvNeXt_Base_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Large_Weights(WeightsEnum):
    """Weights for `convnext_large`."""

    IMAGENET1K_V1 = published("ConvNeXt_Large_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Small_Weights(WeightsEnum):
    """Weights for `convnext_small`."""

    IMAGENET1K_V1 = published("ConvNeXt_Small_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Tiny_Weights(WeightsEnum):
    """Weights for `convnext_tiny`."""

    IMAGENET1K_V1 = published("ConvNeXt_Tiny_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _builder(
    size: str,
    weights: type[WeightsEnum],
    width: int,
    depths: tuple[int, ...],
    stochastic_depth_prob: float,
) -> Callable[..., ConvNeXt]:
    def make(**config: Any) -> ConvNeXt:
        widths = [width * 2**stage for stage in range(len(depths))]
        rows = zip(widths, [*widths[1:], None], depths, strict=True)
        own = {"stochastic_depth_prob": stochastic_depth_prob}
        return ConvNeXt([CNBlockConfig(*row) for row in rows], **{**own, **config})

    return builder(f"convnext_{size}", ConvNeXt, weights, f"ConvNeXt, {size}.", make)


convnext_tiny = _builder("tiny", ConvNeXt_Tiny_Weights, 96, (3, 3, 9, 3), 0.1)
convnext_small = _builder("small", ConvNeXt_Small_Weights, 96, (3, 3, 27, 3), 0.4)
convnext_base = _builder("base", ConvNeXt_Base_Weights, 128, (3, 3, 27, 3), 0.5)
convnext_large = _builder("large", ConvNeXt_Large_Weights, 192, (3, 3, 27, 3), 0.5)
