"""S3D: Inception of videos, with convolutions of pixels and of frames apart.

Source: Xie, Sun, Huang, Tu and Murphy 2018, figures 6 and 7; layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import triptych as tp
from triptych import nn

from ...ops.misc import Conv3dNormActivation
from ...weights import WeightsEnum
from .._building import builder
from ..published import published

__all__ = ["S3D", "S3D_Weights", "s3d"]

Layer = Callable[..., nn.Module]


class TemporalSeparableConv(nn.Sequential):
    """A convolution of pixels, then one of frames, each with normalisation and relu.

    Args:
        in_planes: channels before.
        out_planes: channels after.
        kernel_size: of all three axes.
        stride: of all three axes.
        padding: of all three axes.
        norm_layer: called with the channels.
    """

    def __init__(
        self,
        in_planes: int,
        out_planes: int,
        kernel_size: int,
        stride: int,
        padding: int,
        norm_layer: Layer,
    ) -> None:
        conv = partial(Conv3dNormActivation, norm_layer=norm_layer, bias=False)
        super().__init__(
            conv(
                in_planes,
                out_planes,
                (1, kernel_size, kernel_size),
                (1, stride, stride),
                (0, padding, padding),
            ),
            conv(out_planes, out_planes, (kernel_size, 1, 1), (stride, 1, 1), (padding, 0, 0)),
        )


class SepInceptionBlock3D(nn.Module):
    """Four branches: 1 x 1 x 1, two with separated convolutions, and one of pooling.

    Args:
        in_planes: channels before.
        b0_out: channels of the first branch.
        b1_mid: channels in the middle of the second branch.
        b1_out: channels of the second branch.
        b2_mid: channels in the middle of the third branch.
        b2_out: channels of the third branch.
        b3_out: channels of the fourth branch.
        norm_layer: called with the channels.
    """

    def __init__(
        self,
        in_planes: int,
        b0_out: int,
        b1_mid: int,
        b1_out: int,
        b2_mid: int,
        b2_out: int,
        b3_out: int,
        norm_layer: Layer,
    ) -> None:
        super().__init__()
        point = partial(Conv3dNormActivation, kernel_size=1, norm_layer=norm_layer)
        self.branch0 = point(in_planes, b0_out)
        self.branch1 = nn.Sequential(
            point(in_planes, b1_mid), TemporalSeparableConv(b1_mid, b1_out, 3, 1, 1, norm_layer)
        )
        self.branch2 = nn.Sequential(
            point(in_planes, b2_mid), TemporalSeparableConv(b2_mid, b2_out, 3, 1, 1, norm_layer)
        )
        self.branch3 = nn.Sequential(
            nn.MaxPool3d(kernel_size=(3, 3, 3), stride=1, padding=1), point(in_planes, b3_out)
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_planes, t, h, w) to the channels of all branches."""
        branches = [self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)]
        return tp.cat(branches, dim=1)


class S3D(nn.Module):
    """S3D.

    Args:
        num_classes: outputs.
        dropout: part of the features that are zeroed while training.
        norm_layer: default batch normalisation with eps and momentum 0.001.
    """

    def __init__(
        self, num_classes: int = 400, dropout: float = 0.2, norm_layer: Layer | None = None
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm3d, eps=0.001, momentum=0.001)
        shrink = partial(nn.MaxPool3d, kernel_size=(1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        self.features = nn.Sequential(
            TemporalSeparableConv(3, 64, 7, 2, 3, norm),
            shrink(),
            Conv3dNormActivation(64, 64, kernel_size=1, norm_layer=norm),
            TemporalSeparableConv(64, 192, 3, 1, 1, norm),
            shrink(),
            SepInceptionBlock3D(192, 64, 96, 128, 16, 32, 32, norm),
            SepInceptionBlock3D(256, 128, 128, 192, 32, 96, 64, norm),
            nn.MaxPool3d(kernel_size=3, stride=2, padding=1),
            SepInceptionBlock3D(480, 192, 96, 208, 16, 48, 64, norm),
            SepInceptionBlock3D(512, 160, 112, 224, 24, 64, 64, norm),
            SepInceptionBlock3D(512, 128, 128, 256, 24, 64, 64, norm),
            SepInceptionBlock3D(512, 112, 144, 288, 32, 64, 64, norm),
            SepInceptionBlock3D(528, 256, 160, 320, 32, 128, 128, norm),
            nn.MaxPool3d(kernel_size=2, stride=2),
            SepInceptionBlock3D(832, 256, 160, 320, 32, 128, 128, norm),
            SepInceptionBlock3D(832, 384, 192, 384, 48, 128, 128, norm),
        )
        self.avgpool = nn.AvgPool3d(kernel_size=(2, 7, 7), stride=1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Conv3d(1024, num_classes, kernel_size=1)
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, t, h, w) normalised videos to (n, num_classes) logits.

        At least 14 frames of 224 x 224 pixels.
        """
        return self.classifier(self.avgpool(self.features(x))).mean((2, 3, 4))


class S3D_Weights(WeightsEnum):
    """Weights for `s3d`."""

    KINETICS400_V1 = published("S3D_Weights.KINETICS400_V1")
    DEFAULT = KINETICS400_V1


s3d = builder("s3d", S3D, S3D_Weights, "S3D, for 14 frames of 224 x 224 pixels or more.")
