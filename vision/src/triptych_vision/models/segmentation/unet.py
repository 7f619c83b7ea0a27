"""U-Net: feature maps of a classifier, enlarged step by step and joined with the finer ones.

Source: Ronneberger et al. 2015, arXiv:1505.04597, with a classifier as the way down, as the library
segmentation_models_pytorch does it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

from ...ops.misc import Conv2dNormActivation
from ...weights import WeightsEnum
from .._registry import get_model
from ..adapting import FeatureMaps, adapt_input
from ._building import NUM_CLASSES
from .segmenter import resized

__all__ = ["UNet", "unet"]

DECODER_CHANNELS = (256, 128, 64, 32, 16)  # of segmentation_models_pytorch


class UpBlock(nn.Module):
    """Enlarges a map to a finer one's size, joins both, and two convolutions.

    Args:
        in_channels: of the coarse map.
        skip_channels: of the finer map; 0 for none.
        out_channels: of the result.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv2dNormActivation(in_channels + skip_channels, out_channels, 3)
        self.conv2 = Conv2dNormActivation(out_channels, out_channels, 3)

    def forward(
        self, x: tp.Tensor, skip: tp.Tensor | None, size: Sequence[int] | None = None
    ) -> tp.Tensor:
        """(n, in_channels, h, w) and (n, skip_channels, h2, w2) to (n, out_channels, h2, w2).

        Without a finer map, size is the height and width of the result.
        """
        target = list(size or ()) if skip is None else list(skip.shape[-2:])
        x = F.interpolate(x, size=target, mode="nearest")
        return self.conv2(self.conv1(x if skip is None else tp.cat([x, skip], dim=1)))


class UNet(nn.Module):
    """Classifies each pixel from the feature maps of an encoder.

    Args:
        encoder: gives maps from fine to coarse, each half as large as the one before.
        num_classes: outputs, the background among them.
        decoder_channels: of each step up, from the coarsest on: one for each map of the encoder,
            or one fewer where its finest map is as large as the image.

    Raises:
        ValueError: decoder_channels is of another length.

    Example:
        >>> from triptych_vision.models import create_model
        >>> encoder = create_model("resnet18", features_only=True, out_indices=(0, 1, 2))
        >>> model = UNet(encoder, num_classes=4, decoder_channels=(32, 16, 8)).eval()
        >>> model(tp.zeros(1, 3, 50, 70))["out"].shape
        Size([1, 4, 50, 70])
    """

    def __init__(
        self,
        encoder: FeatureMaps,
        num_classes: int = NUM_CLASSES,
        decoder_channels: Sequence[int] = DECODER_CHANNELS,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        whole = encoder.reductions[0] == 1
        *skips, width = encoder.channels
        skips = skips[::-1] if whole else [*skips[::-1], 0]
        if len(decoder_channels) != len(skips):
            raise ValueError(
                f"UNet: decoder_channels needs {len(skips)} numbers for maps of sizes 1 / "
                f"{encoder.reductions}, got {tuple(decoder_channels)}"
            )
        self.decoder = nn.ModuleList()
        for skip, channels in zip(skips, decoder_channels, strict=True):
            self.decoder.append(UpBlock(width, skip, channels))
            width = channels
        self.classifier = nn.Conv2d(width, num_classes, 3, padding=1)

    def forward(self, x: tp.Tensor) -> OrderedDict[str, tp.Tensor]:
        """(n, c, h, w) normalised images to (n, num_classes, h, w) scores under "out"."""
        size = tuple(x.shape[-2:])
        *finer, y = self.encoder(x)
        skips = [*finer[::-1], None]
        for block, skip in zip(self.decoder, skips, strict=False):
            y = block(y, skip, size)
        return OrderedDict(out=resized(self.classifier(y), size))


def unet(
    encoder: str = "resnet34",
    *,
    weights_encoder: WeightsEnum | str | None = None,
    num_classes: int = NUM_CLASSES,
    in_chans: int = 3,
    decoder_channels: Sequence[int] | None = None,
    **config: Any,
) -> UNet:
    """A U-Net on top of a classifier.

    Args:
        encoder: name of a classifier that gives feature maps, see `create_model`.
        weights_encoder: of the classifier, a member of its enumeration, its name, "DEFAULT", or
            None.
        num_classes: outputs, the background among them.
        in_chans: channels of the images.
        decoder_channels: of each step up; default the last ones of 256, 128, 64, 32, 16.
        **config: further arguments of the classifier's builder.

    Returns:
        The model, in training mode; it gives scores under "out", as the other segmenters.

    Raises:
        DomainError: the classifier gives no maps of several sizes.
        ValueError: decoder_channels does not fit the encoder's maps.

    Example:
        >>> unet("mobilenet_v2", num_classes=2).eval()(tp.zeros(1, 3, 64, 64))["out"].shape
        Size([1, 2, 64, 64])
    """
    classifier = get_model(encoder, weights=weights_encoder, **config)
    maps = FeatureMaps(adapt_input(classifier, in_chans))
    steps = len(maps.channels) - (maps.reductions[0] == 1)
    return UNet(maps, num_classes, decoder_channels or DECODER_CHANNELS[-steps:])
