"""Inception v3: blocks of several factorised convolutions side by side.

Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, figures 5 to 8 and table 1; layers, names
and initial values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ..weights import WeightsEnum
from ._building import build_model
from ._registry import register_model
from .published import published

__all__ = ["Inception3", "InceptionOutputs", "Inception_V3_Weights", "inception_v3"]

Layer = Callable[..., nn.Module]


class InceptionOutputs(NamedTuple):
    """What the model gives while training: logits of the end and of the auxiliary classifier."""

    logits: tp.Tensor
    aux_logits: tp.Tensor | None


class BasicConv2d(nn.Module):
    """A convolution without bias, batch normalisation and relu.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        **config: further arguments of the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, **config: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **config)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, ...)."""
        return F.relu(self.bn(self.conv(x)))


def tall_or_wide(kernel: tuple[int, int]) -> dict[str, Any]:
    """Arguments of a convolution with kernel (h, w) that keeps the size.

    Args:
        kernel: odd numbers.

    Returns:
        The kernel's size and the padding.
    """
    return {"kernel_size": kernel, "padding": (kernel[0] // 2, kernel[1] // 2)}


class InceptionA(nn.Module):
    """Branches of 1 x 1, 5 x 5 and two 3 x 3 convolutions, and of pooling.

    Args:
        in_channels: channels before.
        pool_features: channels of the branch with the pooling.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(
        self, in_channels: int, pool_features: int, conv_block: Layer | None = None
    ) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1x1 = conv(in_channels, 64, kernel_size=1)
        self.branch5x5_1 = conv(in_channels, 48, kernel_size=1)
        self.branch5x5_2 = conv(48, 64, kernel_size=5, padding=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, kernel_size=1)
        self.branch3x3dbl_2 = conv(64, 96, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, kernel_size=3, padding=1)
        self.branch_pool = conv(in_channels, pool_features, kernel_size=1)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 224 + pool_features, h, w)."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
        return tp.cat([self.branch1x1(x), five, double, pooled], dim=1)


class InceptionB(nn.Module):
    """Half the size: branches of one and two 3 x 3 convolutions, and of pooling.

    Args:
        in_channels: channels before.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(self, in_channels: int, conv_block: Layer | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch3x3 = conv(in_channels, 384, kernel_size=3, stride=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, kernel_size=1)
        self.branch3x3dbl_2 = conv(64, 96, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, kernel_size=3, stride=2)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 480 + in_channels, (h - 1) // 2, (w - 1) // 2)."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = F.max_pool2d(x, kernel_size=3, stride=2)
        return tp.cat([self.branch3x3(x), double, pooled], dim=1)


class InceptionC(nn.Module):
    """Branches of 7 x 7 convolutions, each made of a wide and a tall one, and of pooling.

    Args:
        in_channels: channels before.
        channels_7x7: channels between the wide and the tall ones.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(
        self, in_channels: int, channels_7x7: int, conv_block: Layer | None = None
    ) -> None:
        super().__init__()
        conv, middle = conv_block or BasicConv2d, channels_7x7
        wide, tall = tall_or_wide((1, 7)), tall_or_wide((7, 1))
        self.branch1x1 = conv(in_channels, 192, kernel_size=1)
        self.branch7x7_1 = conv(in_channels, middle, kernel_size=1)
        self.branch7x7_2 = conv(middle, middle, **wide)
        self.branch7x7_3 = conv(middle, 192, **tall)
        self.branch7x7dbl_1 = conv(in_channels, middle, kernel_size=1)
        self.branch7x7dbl_2 = conv(middle, middle, **tall)
        self.branch7x7dbl_3 = conv(middle, middle, **wide)
        self.branch7x7dbl_4 = conv(middle, middle, **tall)
        self.branch7x7dbl_5 = conv(middle, 192, **wide)
        self.branch_pool = conv(in_channels, 192, kernel_size=1)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 768, h, w)."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pooled = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
        return tp.cat([self.branch1x1(x), seven, double, pooled], dim=1)


class InceptionD(nn.Module):
    """Half the size: branches of 3 x 3 and of 7 x 7 and 3 x 3 convolutions, and of pooling.

    Args:
        in_channels: channels before.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(self, in_channels: int, conv_block: Layer | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch3x3_1 = conv(in_channels, 192, kernel_size=1)
        self.branch3x3_2 = conv(192, 320, kernel_size=3, stride=2)
        self.branch7x7x3_1 = conv(in_channels, 192, kernel_size=1)
        self.branch7x7x3_2 = conv(192, 192, **tall_or_wide((1, 7)))
        self.branch7x7x3_3 = conv(192, 192, **tall_or_wide((7, 1)))
        self.branch7x7x3_4 = conv(192, 192, kernel_size=3, stride=2)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 512 + in_channels, (h - 1) // 2, (w - 1) // 2)."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        pooled = F.max_pool2d(x, kernel_size=3, stride=2)
        return tp.cat([three, self.branch7x7x3_4(seven), pooled], dim=1)


class InceptionE(nn.Module):
    """Branches that end in a wide and a tall convolution side by side, and one of pooling.

    Args:
        in_channels: channels before.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(self, in_channels: int, conv_block: Layer | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        wide, tall = tall_or_wide((1, 3)), tall_or_wide((3, 1))
        self.branch1x1 = conv(in_channels, 320, kernel_size=1)
        self.branch3x3_1 = conv(in_channels, 384, kernel_size=1)
        self.branch3x3_2a = conv(384, 384, **wide)
        self.branch3x3_2b = conv(384, 384, **tall)
        self.branch3x3dbl_1 = conv(in_channels, 448, kernel_size=1)
        self.branch3x3dbl_2 = conv(448, 384, kernel_size=3, padding=1)
        self.branch3x3dbl_3a = conv(384, 384, **wide)
        self.branch3x3dbl_3b = conv(384, 384, **tall)
        self.branch_pool = conv(in_channels, 192, kernel_size=1)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 2048, h, w)."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)),
        ]
        return tp.cat(branches, dim=1)


class InceptionAux(nn.Module):
    """A second classifier in the middle, for training only.

    Args:
        in_channels: channels before.
        num_classes: outputs.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(self, in_channels: int, num_classes: int, conv_block: Layer | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.conv0 = conv(in_channels, 128, kernel_size=1)
        self.conv1 = conv(128, 768, kernel_size=5)
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, 17, 17) or larger to (n, num_classes)."""
        x = self.conv0(F.avg_pool2d(x, kernel_size=5, stride=3))
        return self.fc(self.conv1(x).mean((2, 3)))


BLOCKS: tuple[Layer, ...] = (
    BasicConv2d,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
    InceptionAux,
)


class Inception3(nn.Module):
    """Inception v3, for images of 299 x 299 pixels.

    Args:
        num_classes: outputs.
        aux_logits: have a second classifier, which speaks while training.
        transform_input: images are normalised as for the other models; scale them to -1 to 1.
        inception_blocks: in place of the convolution, the blocks A to E and the second classifier.
        init_weights: draw initial values as torchvision does; None is True.
        dropout: part of the features that are zeroed while training.

    Raises:
        ShapeError: inception_blocks has not seven entries.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        inception_blocks: Sequence[Layer] | None = None,
        init_weights: bool | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        blocks = inception_blocks or BLOCKS
        if len(blocks) != 7:
            raise ShapeError(f"Inception3: wanted seven inception_blocks, got {len(blocks)}")
        conv, block_a, block_b, block_c, block_d, block_e, aux = blocks
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = conv(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = conv(32, 64, kernel_size=3, padding=1)
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Conv2d_3b_1x1 = conv(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = conv(80, 192, kernel_size=3)
        self.maxpool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Mixed_5b = block_a(192, pool_features=32)
        self.Mixed_5c = block_a(256, pool_features=64)
        self.Mixed_5d = block_a(288, pool_features=64)
        self.Mixed_6a = block_b(288)
        self.Mixed_6b = block_c(768, channels_7x7=128)
        self.Mixed_6c = block_c(768, channels_7x7=160)
        self.Mixed_6d = block_c(768, channels_7x7=160)
        self.Mixed_6e = block_c(768, channels_7x7=192)
        self.AuxLogits = aux(768, num_classes) if aux_logits else None
        self.Mixed_7a = block_d(768)
        self.Mixed_7b = block_e(1280)
        self.Mixed_7c = block_e(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        if init_weights is None or init_weights:
            self._initialise()

    def _initialise(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                std = {"AuxLogits.conv1.conv": 0.01, "AuxLogits.fc": 0.001}.get(name, 0.1)
                nn.init.trunc_normal_(module.weight, std=std, a=-2, b=2)

    def forward(self, x: tp.Tensor) -> tp.Tensor | InceptionOutputs:
        """(n, 3, h, w) images, 75 pixels or more, to (n, num_classes) logits.

        While training and with aux_logits the result is `InceptionOutputs`.
        """
        x = scaled_to_one(x) if self.transform_input else x
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(self.maxpool2(x))))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))  # (n, 768, 17, 17) of 299 pixels
        aux = self.AuxLogits(x) if self.training and self.AuxLogits is not None else None
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        x = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(x, aux) if self.training and self.aux_logits else x


def scaled_to_one(x: tp.Tensor) -> tp.Tensor:
    """Images normalised for ImageNet's mean and deviation, scaled to values from -1 to 1 instead.

    Args:
        x: (n, 3, h, w).

    Returns:
        Same shape.
    """
    std = tp.tensor([0.229, 0.224, 0.225], dtype=x.dtype, device=x.device)
    mean = tp.tensor([0.485, 0.456, 0.406], dtype=x.dtype, device=x.device)
    return x * (std / 0.5)[:, None, None] + ((mean - 0.5) / 0.5)[:, None, None]


class Inception_V3_Weights(WeightsEnum):
    """Weights for `inception_v3`."""

    IMAGENET1K_V1 = published("Inception_V3_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model()
def inception_v3(
    *,
    weights: Inception_V3_Weights | str | None = None,
    progress: bool | None = None,
    **kwargs: Any,
) -> Inception3:
    """Inception v3; with weights, images are expected as `weights.transforms()` gives them.

    Args:
        weights: a member of `Inception_V3_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        **kwargs: arguments of `Inception3`; with weights, transform_input is True by default, and
            aux_logits=False takes the second classifier away after loading.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    chosen = Inception_V3_Weights.verify(weights)
    if chosen is None:
        return build_model("inception_v3", Inception3, None, progress, kwargs)
    config = {"transform_input": True, **kwargs, "aux_logits": True, "init_weights": False}
    model = build_model("inception_v3", Inception3, chosen, progress, config)
    if not kwargs.get("aux_logits", True):
        model.aux_logits, model.AuxLogits = False, None
    return model
