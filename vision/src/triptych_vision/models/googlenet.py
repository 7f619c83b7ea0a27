"""GoogLeNet, the first Inception: convolutions of several sizes side by side.

Source: Szegedy et al. 2015, table 1; layers, names and initial values are torchvision's, whose
third branches have 3 x 3 kernels in place of 5 x 5 ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ..weights import WeightsEnum
from ._building import build_model
from ._registry import register_model
from .inception import BasicConv2d, scaled_to_one
from .published import published

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "GoogLeNet_Weights", "googlenet"]

Layer = Callable[..., nn.Module]


class GoogLeNetOutputs(NamedTuple):
    """What the model gives while training: logits of the end and of both auxiliary classifiers."""

    logits: tp.Tensor
    aux_logits2: tp.Tensor | None
    aux_logits1: tp.Tensor | None


class Inception(nn.Module):
    """Four branches: 1 x 1, two times 1 x 1 and 3 x 3, and pooling and 1 x 1.

    Args:
        in_channels: channels before.
        ch1x1: channels of the first branch.
        ch3x3red: channels in the middle of the second branch.
        ch3x3: channels of the second branch.
        ch5x5red: channels in the middle of the third branch.
        ch5x5: channels of the third branch.
        pool_proj: channels of the fourth branch.
        conv_block: in place of `BasicConv2d`.
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: Layer | None = None,
    ) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            conv(in_channels, ch3x3red, kernel_size=1),
            conv(ch3x3red, ch3x3, kernel_size=3, padding=1),
        )
        self.branch3 = nn.Sequential(
            conv(in_channels, ch5x5red, kernel_size=1),
            conv(ch5x5red, ch5x5, kernel_size=3, padding=1),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            conv(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to the channels of all branches."""
        branches = [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)]
        return tp.cat(branches, dim=1)


class InceptionAux(nn.Module):
    """A further classifier in the middle, for training only.

    Args:
        in_channels: channels before.
        num_classes: outputs.
        conv_block: in place of `BasicConv2d`.
        dropout: part of the features that are zeroed while training.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conv_block: Layer | None = None,
        dropout: float = 0.7,
    ) -> None:
        super().__init__()
        self.conv = (conv_block or BasicConv2d)(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, num_classes)."""
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)  # (n, 2048)
        return self.fc2(self.dropout(F.relu(self.fc1(x))))


# name of the block -> channels before, then of each branch, in the order of `Inception`
CHANNELS = {
    "inception3a": (192, 64, 96, 128, 16, 32, 32),
    "inception3b": (256, 128, 128, 192, 32, 96, 64),
    "inception4a": (480, 192, 96, 208, 16, 48, 64),
    "inception4b": (512, 160, 112, 224, 24, 64, 64),
    "inception4c": (512, 128, 128, 256, 24, 64, 64),
    "inception4d": (512, 112, 144, 288, 32, 64, 64),
    "inception4e": (528, 256, 160, 320, 32, 128, 128),
    "inception5a": (832, 256, 160, 320, 32, 128, 128),
    "inception5b": (832, 384, 192, 384, 48, 128, 128),
}
POOL_AFTER = {"inception3b": ("maxpool3", 3), "inception4e": ("maxpool4", 2)}


class GoogLeNet(nn.Module):
    """GoogLeNet.

    Args:
        num_classes: outputs.
        aux_logits: have two further classifiers, which speak while training.
        transform_input: images are normalised as for the other models; scale them to -1 to 1.
        init_weights: draw initial values as torchvision does; None is True.
        blocks: in place of the convolution, the block and the auxiliary classifier.
        dropout: part of the features that are zeroed while training.
        dropout_aux: the same in the auxiliary classifiers.

    Raises:
        ShapeError: blocks has not three entries.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool | None = None,
        blocks: Sequence[Layer] | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        chosen = blocks or (BasicConv2d, Inception, InceptionAux)
        if len(chosen) != 3:
            raise ShapeError(f"GoogLeNet: wanted three blocks, got {len(chosen)}")
        conv, block, aux = chosen
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name, channels in CHANNELS.items():
            setattr(self, name, block(*channels))
            if name in POOL_AFTER:
                pool, size = POOL_AFTER[name]
                setattr(self, pool, nn.MaxPool2d(size, stride=2, ceil_mode=True))
        self.aux1 = aux(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = aux(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights is None or init_weights:
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    nn.init.trunc_normal_(module.weight, std=0.01, a=-2, b=2)

    def forward(self, x: tp.Tensor) -> tp.Tensor | GoogLeNetOutputs:
        """(n, 3, h, w) images, 15 pixels or more, to (n, num_classes) logits.

        While training and with aux_logits the result is `GoogLeNetOutputs`.
        """
        x = scaled_to_one(x) if self.transform_input else x
        x = self.conv3(self.conv2(self.maxpool1(self.conv1(x))))
        x = self.inception3b(self.inception3a(self.maxpool2(x)))
        x = self.inception4a(self.maxpool3(x))  # (n, 512, 14, 14) of 224 pixels
        aux1 = self.aux1(x) if self.training and self.aux1 is not None else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.training and self.aux2 is not None else None
        x = self.inception5a(self.maxpool4(self.inception4e(x)))
        x = self.avgpool(self.inception5b(x)).flatten(1)  # (n, 1024)
        x = self.fc(self.dropout(x))
        return GoogLeNetOutputs(x, aux2, aux1) if self.training and self.aux_logits else x


class GoogLeNet_Weights(WeightsEnum):
    """Weights for `googlenet`."""

    IMAGENET1K_V1 = published("GoogLeNet_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model()
def googlenet(
    *,
    weights: GoogLeNet_Weights | str | None = None,
    progress: bool | None = None,
    **kwargs: Any,
) -> GoogLeNet:
    """GoogLeNet; with weights, images are expected as `weights.transforms()` gives them.

    Args:
        weights: a member of `GoogLeNet_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        **kwargs: arguments of `GoogLeNet`; with weights, transform_input is True and aux_logits
            False by default.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.

    Warns:
        UserWarning: aux_logits=True with weights: those of the auxiliary classifiers are untrained.
    """
    chosen = GoogLeNet_Weights.verify(weights)
    if chosen is None:
        return build_model("googlenet", GoogLeNet, None, progress, kwargs)
    config = {"transform_input": True, **kwargs, "aux_logits": True, "init_weights": False}
    model = build_model("googlenet", GoogLeNet, chosen, progress, config)
    if kwargs.get("aux_logits", False):
        warnings.warn(
            "googlenet: the auxiliary classifiers in this file are not trained; train them, or "
            "leave aux_logits out",
            UserWarning,
            stacklevel=2,
        )
    else:
        model.aux_logits, model.aux1, model.aux2 = False, None, None
    return model
