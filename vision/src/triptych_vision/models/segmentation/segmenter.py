"""The frame of a segmenter: features, one classifier or two, and back to the image's size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

from ..mobilenetv3 import MobileNetV3

__all__ = ["Segmenter", "mobilenet_stages"]


class Segmenter(nn.Module):
    """Classifies each place of a backbone's features and enlarges the scores to the image's size.

    Args:
        backbone: gives a dict of features with "out" and, for a second classifier, "aux".
        classifier: from the features "out" to scores.
        aux_classifier: from the features "aux" to scores; None for none.
    """

    def __init__(
        self,
        backbone: nn.Module,
        classifier: nn.Module,
        aux_classifier: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x: tp.Tensor) -> OrderedDict[str, tp.Tensor]:
        """(n, 3, h, w) normalised images to (n, num_classes, h, w) under "out", perhaps "aux"."""
        features = self.backbone(x)
        size = tuple(x.shape[-2:])
        result = OrderedDict(out=resized(self.classifier(features["out"]), size))
        if self.aux_classifier is not None:
            result["aux"] = resized(self.aux_classifier(features["aux"]), size)
        return result


def resized(x: tp.Tensor, size: Sequence[int]) -> tp.Tensor:
    """Scores at another size, bilinear.

    Args:
        x: (n, c, h, w).
        size: new height and width.

    Returns:
        (n, c, *size).
    """
    return F.interpolate(x, size=list(size), mode="bilinear", align_corners=False)


def mobilenet_stages(backbone: MobileNetV3) -> tuple[nn.Module, list[tuple[int, int]]]:
    """The features of a MobileNetV3, and where its sizes change.

    Args:
        backbone: whose features are used.

    Returns:
        The features, and (place, channels) of the first layer, of each layer with a stride, and of
        the last.
    """
    features = backbone.features
    strided = [place for place, block in enumerate(features) if getattr(block, "_is_cn", False)]
    places = [0, *strided, len(features) - 1]
    return features, [(place, features[place].out_channels) for place in places]
