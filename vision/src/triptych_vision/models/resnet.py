"""Residual networks: ResNet, ResNeXt and Wide ResNet.

Source: He, Zhang, Ren and Sun 2015, table 1; Xie et al. 2016 (ResNeXt); Zagoruyko and Komodakis
2016 (Wide ResNet). Layers and names are torchvision's: the stride of a bottleneck is in its 3 x 3
convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import nn

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNeXt50_32X4D_Weights",
    "ResNet",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "Wide_ResNet101_2_Weights",
    "Wide_ResNet50_2_Weights",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "wide_resnet101_2",
    "wide_resnet50_2",
]

NormLayer = Callable[..., nn.Module]


def conv3x3(
    in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A 3 x 3 convolution without bias that keeps the size at stride 1."""
    return nn.Conv2d(
        in_planes, out_planes, 3, stride, dilation, dilation=dilation, groups=groups, bias=False
    )


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1 x 1 convolution without bias."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a way around them.

    Args:
        inplanes: channels before.
        planes: channels after.
        stride: of the first convolution.
        downsample: on the way around, where shapes differ.
        groups: 1; wider blocks are for `Bottleneck`.
        base_width: 64.
        dilation: 1.
        norm_layer: default batch normalisation.

    Raises:
        ValueError: groups, base_width or dilation differ from these.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        if (groups, base_width, dilation) != (1, 64, 1):
            raise ValueError(
                "BasicBlock: wanted groups=1, base_width=64 and dilation=1, got "
                f"{(groups, base_width, dilation)}; use Bottleneck"
            )
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inplanes, h, w) to (n, planes, h / stride, w / stride)."""
        around = x if self.downsample is None else self.downsample(x)
        out = nn.chain(x, self.conv1, self.bn1, self.relu)
        return self.relu(nn.chain(out, self.conv2, self.bn2) + around)


class Bottleneck(nn.Module):
    """Narrow, 3 x 3 convolution, widen, and a way around.

    Args:
        inplanes: channels before.
        planes: a quarter of the channels after.
        stride: of the middle convolution.
        downsample: on the way around, where shapes differ.
        groups: of the middle convolution.
        base_width: channels per group at planes 64.
        dilation: of the middle convolution.
        norm_layer: default batch normalisation.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inplanes, h, w) to (n, 4 * planes, h / stride, w / stride)."""
        around = x if self.downsample is None else self.downsample(x)
        out = nn.chain(x, self.conv1, self.bn1, self.relu)
        out = nn.chain(out, self.conv2, self.bn2, self.relu)
        return self.relu(nn.chain(out, self.conv3, self.bn3) + around)


class ResNet(nn.Module):
    """A residual network.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: number of blocks in each of the four stages.
        num_classes: outputs.
        zero_init_residual: start every block as the identity.
        groups: of the middle convolutions.
        width_per_group: channels per group in the first stage.
        replace_stride_with_dilation: for each of the last three stages, keep the size and spread
            the kernels instead.
        norm_layer: default batch normalisation.

    Raises:
        ValueError: replace_stride_with_dilation has not three entries.

    Example:
        >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)(tp.zeros(2, 3, 32, 32)).shape
        Size([2, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        dilate = [False, *(replace_stride_with_dilation or (False, False, False))]
        if len(dilate) != 4:
            raise ValueError(
                "ResNet: replace_stride_with_dilation has an entry for each of the last three "
                f"stages, got {replace_stride_with_dilation}"
            )
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for stage, (count, spread) in enumerate(zip(layers, dilate, strict=True)):
            stride = 1 if stage == 0 else 2
            made = self._make_layer(block, 64 * 2**stage, count, stride, spread)
            setattr(self, f"layer{stage + 1}", made)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialise(zero_init_residual)

    def _make_layer(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        planes: int,
        count: int,
        stride: int,
        dilate: bool,
    ) -> nn.Sequential:
        first_dilation = self.dilation
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        width = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != width:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, width, stride), self._norm_layer(width)
            )
        shared: dict[str, Any] = {
            "groups": self.groups,
            "base_width": self.base_width,
            "norm_layer": self._norm_layer,
        }
        blocks = [
            block(self.inplanes, planes, stride, downsample, dilation=first_dilation, **shared)
        ]
        self.inplanes = width
        blocks += [block(width, planes, dilation=self.dilation, **shared) for _ in range(1, count)]
        return nn.Sequential(*blocks)

    def _initialise(self, zero_init_residual: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for module in self.modules():
                last = {BasicBlock: "bn2", Bottleneck: "bn3"}.get(type(module))
                if last is not None:
                    nn.init.zeros_(getattr(module, last).weight)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = nn.chain(x, self.conv1, self.bn1, self.relu, self.maxpool)  # (n, 64, h / 4, w / 4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet101_Weights(WeightsEnum):
    """Weights for `resnet101`."""

    IMAGENET1K_V1 = published("ResNet101_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("ResNet101_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):
    """Weights for `resnet152`."""

    IMAGENET1K_V1 = published("ResNet152_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("ResNet152_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNet18_Weights(WeightsEnum):
    """Weights for `resnet18`."""

    IMAGENET1K_V1 = published("ResNet18_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):
    """Weights for `resnet34`."""

    IMAGENET1K_V1 = published("ResNet34_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):
    """Weights for `resnet50`."""

    IMAGENET1K_V1 = published("ResNet50_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("ResNet50_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_32X8D_Weights(WeightsEnum):
    """Weights for `resnext101_32x8d`."""

    IMAGENET1K_V1 = published("ResNeXt101_32X8D_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("ResNeXt101_32X8D_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_64X4D_Weights(WeightsEnum):
    """Weights for `resnext101_64x4d`."""

    IMAGENET1K_V1 = published("ResNeXt101_64X4D_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Weights for `resnext50_32x4d`."""

    IMAGENET1K_V1 = published("ResNeXt50_32X4D_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("ResNeXt50_32X4D_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet101_2_Weights(WeightsEnum):
    """Weights for `wide_resnet101_2`."""

    IMAGENET1K_V1 = published("Wide_ResNet101_2_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("Wide_ResNet101_2_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Weights for `wide_resnet50_2`."""

    IMAGENET1K_V1 = published("Wide_ResNet50_2_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("Wide_ResNet50_2_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


def _builder(
    name: str,
    weights: type[WeightsEnum],
    block: type[BasicBlock] | type[Bottleneck],
    layers: Sequence[int],
    **fixed: Any,
) -> Callable[..., ResNet]:
    summary = f"{name}: blocks {list(layers)} of {block.__name__}."
    return builder(name, ResNet, weights, summary, block=block, layers=layers, **fixed)


resnet18 = _builder("resnet18", ResNet18_Weights, BasicBlock, (2, 2, 2, 2))
resnet34 = _builder("resnet34", ResNet34_Weights, BasicBlock, (3, 4, 6, 3))
resnet50 = _builder("resnet50", ResNet50_Weights, Bottleneck, (3, 4, 6, 3))
resnet101 = _builder("resnet101", ResNet101_Weights, Bottleneck, (3, 4, 23, 3))
resnet152 = _builder("resnet152", ResNet152_Weights, Bottleneck, (3, 8, 36, 3))
resnext50_32x4d = _builder(
    "resnext50_32x4d",
    ResNeXt50_32X4D_Weights,
    Bottleneck,
    (3, 4, 6, 3),
    groups=32,
    width_per_group=4,
)
resnext101_32x8d = _builder(
    "resnext101_32x8d",
    ResNeXt101_32X8D_Weights,
    Bottleneck,
    (3, 4, 23, 3),
    groups=32,
    width_per_group=8,
)
resnext101_64x4d = _builder(
    "resnext101_64x4d",
    ResNeXt101_64X4D_Weights,
    Bottleneck,
    (3, 4, 23, 3),
    groups=64,
    width_per_group=4,
)
wide_resnet50_2 = _builder(
    "wide_resnet50_2", Wide_ResNet50_2_Weights, Bottleneck, (3, 4, 6, 3), width_per_group=128
)
wide_resnet101_2 = _builder(
    "wide_resnet101_2", Wide_ResNet101_2_Weights, Bottleneck, (3, 4, 23, 3), width_per_group=128
)
