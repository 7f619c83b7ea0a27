"""Residual networks of videos: R3D, MC3 and R(2+1)D.

Source: Tran, Wang, Torresani, Ray, LeCun and Paluri 2018, figure 1; layers, names and initial
values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import nn

from ...weights import WeightsEnum
from .._building import builder
from ..published import published

__all__ = [
    "MC3_18_Weights",
    "R2Plus1D_18_Weights",
    "R3D_18_Weights",
    "VideoResNet",
    "mc3_18",
    "r2plus1d_18",
    "r3d_18",
]

Layer = Callable[..., nn.Module]


class Conv3DSimple(nn.Conv3d):
    """A convolution of 3 frames and 3 x 3 pixels.

    Args:
        in_planes: channels before.
        out_planes: channels after.
        midplanes: without effect; other convolutions have something in the middle.
        stride: of all three axes.
        padding: of all three axes.
    """

    def __init__(
        self,
        in_planes: int,
        out_planes: int,
        midplanes: int | None = None,
        stride: int = 1,
        padding: int = 1,
    ) -> None:
        super().__init__(in_planes, out_planes, (3, 3, 3), stride, padding, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """The stride of frames, height and width."""
        return stride, stride, stride


class Conv2Plus1D(nn.Sequential):
    """A convolution of 3 x 3 pixels, then one of 3 frames.

    Args:
        in_planes: channels before.
        out_planes: channels after.
        midplanes: channels in between.
        stride: of all three axes.
        padding: of all three axes.
    """

    def __init__(
        self, in_planes: int, out_planes: int, midplanes: int, stride: int = 1, padding: int = 1
    ) -> None:
        pixels: dict[str, Any] = {"stride": (1, stride, stride), "padding": (0, padding, padding)}
        frames: dict[str, Any] = {"stride": (stride, 1, 1), "padding": (padding, 0, 0)}
        super().__init__(
            nn.Conv3d(in_planes, midplanes, (1, 3, 3), **pixels, bias=False),
            nn.BatchNorm3d(midplanes),
            nn.ReLU(inplace=True),
            nn.Conv3d(midplanes, out_planes, (3, 1, 1), **frames, bias=False),
        )

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """The stride of frames, height and width."""
        return stride, stride, stride


class Conv3DNoTemporal(nn.Conv3d):
    """A convolution of 3 x 3 pixels of each frame.

    Args:
        in_planes: channels before.
        out_planes: channels after.
        midplanes: without effect.
        stride: of height and width.
        padding: of height and width.
    """

    def __init__(
        self,
        in_planes: int,
        out_planes: int,
        midplanes: int | None = None,
        stride: int = 1,
        padding: int = 1,
    ) -> None:
        steps, border = (1, stride, stride), (0, padding, padding)
        super().__init__(in_planes, out_planes, (1, 3, 3), steps, border, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """The stride of frames, height and width."""
        return 1, stride, stride


def _midplanes(inplanes: int, planes: int) -> int:
    """Channels that give a factorised convolution as many parameters as a whole one."""
    return (inplanes * planes * 3 * 3 * 3) // (inplanes * 3 * 3 + 3 * planes)


class BasicBlock(nn.Module):
    """Two convolutions and a way around them.

    Args:
        inplanes: channels before.
        planes: channels after.
        conv_builder: of the convolutions.
        stride: of the first convolution.
        downsample: on the way around, where shapes differ.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        conv_builder: Layer,
        stride: int = 1,
        downsample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        middle = _midplanes(inplanes, planes)
        self.conv1 = nn.Sequential(
            conv_builder(inplanes, planes, middle, stride),
            nn.BatchNorm3d(planes),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(conv_builder(planes, planes, middle), nn.BatchNorm3d(planes))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inplanes, t, h, w) to (n, planes, ...)."""
        around = x if self.downsample is None else self.downsample(x)
        return self.relu(self.conv2(self.conv1(x)) + around)


class Bottleneck(nn.Module):
    """Narrow, convolution, widen, and a way around.

    Args:
        inplanes: channels before.
        planes: a quarter of the channels after.
        conv_builder: of the convolution in the middle.
        stride: of the convolution in the middle.
        downsample: on the way around, where shapes differ.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        conv_builder: Layer,
        stride: int = 1,
        downsample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv3d(inplanes, planes, kernel_size=1, bias=False),
            nn.BatchNorm3d(planes),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(
            conv_builder(planes, planes, _midplanes(inplanes, planes), stride),
            nn.BatchNorm3d(planes),
            nn.ReLU(inplace=True),
        )
        width = planes * self.expansion
        self.conv3 = nn.Sequential(
            nn.Conv3d(planes, width, kernel_size=1, bias=False), nn.BatchNorm3d(width)
        )
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inplanes, t, h, w) to (n, 4 * planes, ...)."""
        around = x if self.downsample is None else self.downsample(x)
        return self.relu(self.conv3(self.conv2(self.conv1(x))) + around)


class BasicStem(nn.Sequential):
    """A convolution of 3 frames and 7 x 7 pixels, normalisation and relu."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(3, 64, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class R2Plus1dStem(nn.Sequential):
    """A convolution of 7 x 7 pixels, then one of 3 frames, each with normalisation and relu."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(3, 45, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class VideoResNet(nn.Module):
    """A residual network of videos.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        conv_makers: the convolutions of each of the four stages.
        layers: number of blocks of each stage.
        stem: makes the first layers.
        num_classes: outputs.
        zero_init_residual: start every block as the identity.

    Example:
        >>> make = [Conv3DSimple] * 4
        >>> model = VideoResNet(BasicBlock, make, [1, 1, 1, 1], BasicStem, num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 4, 16, 16)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        conv_makers: Sequence[type[Conv3DSimple | Conv3DNoTemporal | Conv2Plus1D]],
        layers: Sequence[int],
        stem: Callable[[], nn.Module],
        num_classes: int = 400,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        self.inplanes = 64
        self.stem = stem()
        for stage, (make, count) in enumerate(zip(conv_makers, layers, strict=True)):
            stride = 1 if stage == 0 else 2
            made = self._make_layer(block, make, 64 * 2**stage, count, stride)
            setattr(self, f"layer{stage + 1}", made)
        self.avgpool = nn.AdaptiveAvgPool3d((1, 1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, 0, 0.01)
        nn.init.zeros_(self.fc.bias)
        if zero_init_residual:
            for module in self.modules():
                last = {BasicBlock: "conv2", Bottleneck: "conv3"}.get(type(module))
                if last is not None:
                    nn.init.zeros_(getattr(module, last)[1].weight)

    def _make_layer(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        conv_builder: type[Conv3DSimple | Conv3DNoTemporal | Conv2Plus1D],
        planes: int,
        count: int,
        stride: int,
    ) -> nn.Sequential:
        width, downsample = planes * block.expansion, None
        if stride != 1 or self.inplanes != width:
            steps = conv_builder.get_downsample_stride(stride)
            downsample = nn.Sequential(
                nn.Conv3d(self.inplanes, width, kernel_size=1, stride=steps, bias=False),
                nn.BatchNorm3d(width),
            )
        blocks = [block(self.inplanes, planes, conv_builder, stride, downsample)]
        self.inplanes = width
        blocks += [block(width, planes, conv_builder) for _ in range(1, count)]
        return nn.Sequential(*blocks)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, t, h, w) normalised videos to (n, num_classes) logits."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(self.avgpool(x).flatten(1))


class MC3_18_Weights(WeightsEnum):
    """Weights for `mc3_18`."""

    KINETICS400_V1 = published("MC3_18_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


class R2Plus1D_18_Weights(WeightsEnum):
    """Weights for `r2plus1d_18`."""

    KINETICS400_V1 = published("R2Plus1D_18_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


class R3D_18_Weights(WeightsEnum):
    """Weights for `r3d_18`."""

    KINETICS400_V1 = published("R3D_18_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


def _builder(
    name: str,
    weights: type[WeightsEnum],
    summary: str,
    conv_makers: Sequence[Layer],
    stem: Callable[[], nn.Module] = BasicStem,
) -> Callable[..., VideoResNet]:
    return builder(
        name,
        VideoResNet,
        weights,
        summary,
        block=BasicBlock,
        conv_makers=conv_makers,
        layers=(2, 2, 2, 2),
        stem=stem,
    )


r3d_18 = _builder("r3d_18", R3D_18_Weights, "ResNet-18 of 3-d convolutions.", [Conv3DSimple] * 4)
mc3_18 = _builder(
    "mc3_18",
    MC3_18_Weights,
    "ResNet-18 of 3-d convolutions in the first stage and 2-d ones after it.",
    [Conv3DSimple, *[Conv3DNoTemporal] * 3],
)
r2plus1d_18 = _builder(
    "r2plus1d_18",
    R2Plus1D_18_Weights,
    "ResNet-18 of 2-d convolutions, each followed by a 1-d one of the frames.",
    [Conv2Plus1D] * 4,
    R2Plus1dStem,
)
