"""The frame of the detectors that first propose boxes and then look into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn

from .targets import Target, check_images, check_sizes, check_targets
from .transform import GeneralizedRCNNTransform

__all__ = ["GeneralizedRCNN"]


class GeneralizedRCNN(nn.Module):
    """A detector of two stages.

    Args:
        backbone: from (n, 3, h, w) to a map, or a dict of maps.
        rpn: proposes boxes.
        roi_heads: looks into them.
        transform: makes a batch of the pictures.
    """

    def __init__(
        self,
        backbone: nn.Module,
        rpn: nn.Module,
        roi_heads: nn.Module,
        transform: GeneralizedRCNNTransform,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def forward(self, images: Sequence[tp.Tensor], targets: Sequence[Target] | None = None) -> Any:
        """Losses while training, else detections.

        Args:
            images: each (3, h, w), floats from 0 to 1; sizes may differ.
            targets: for each picture a dict: boxes (l, 4) float xyxy in pixels, labels (l,) int64
                from 1 on, masks (l, h, w) or keypoints (l, k, 3) where the detector learns them.

        Returns:
            While training a dict of losses, numbers. Else for each picture a dict: boxes (d, 4),
            labels (d,), scores (d,), best first; masks (d, 1, h, w) from 0 to 1 or keypoints
            (d, k, 3) and keypoints_scores (d, k) where the detector finds them.

        Raises:
            DomainError: training without targets, or a box has no width or height.
            ShapeError: a shape does not fit.
            DTypeError: pictures or boxes are no floats, or labels no int64.
        """
        name = type(self).__name__
        original_sizes = check_images(name, images)
        if self.training:
            wanted = getattr(self.roi_heads, "wanted_keys", lambda: ["boxes", "labels"])()
            check_targets(name, images, targets, wanted)
        if targets is not None:
            check_sizes(name, targets)
        batch, resized = self.transform(images, targets)
        features = self.backbone(batch.tensors)
        if isinstance(features, tp.Tensor):
            features = {"0": features}
        proposals, proposal_losses = self.rpn(batch, features, resized)
        found, losses = self.roi_heads(features, proposals, batch.image_sizes, resized)
        if self.training:
            return {**losses, **proposal_losses}
        return self.transform.postprocess(found, batch.image_sizes, original_sizes)
