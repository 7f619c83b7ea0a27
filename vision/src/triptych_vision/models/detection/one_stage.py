"""The frame of the detectors that look at every place once: RetinaNet, FCOS and SSD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn

from ...ops import batched_nms, clip_boxes_to_image
from .targets import Target, check_images, check_sizes, check_targets
from .transform import GeneralizedRCNNTransform

__all__ = ["OneStageDetector", "best_of_image", "top_candidates"]

Outputs = dict[str, tp.Tensor]
Sizes = Sequence[tuple[int, int]]


class OneStageDetector(nn.Module):
    """A detector of one stage.

    A subclass defines compute_loss and postprocess_detections.

    Args:
        backbone: from (n, 3, h, w) to a map, or a dict of maps.
        anchor_generator: from a batch and its maps to anchors.
        head: from maps to a dict of (n, anchors, ...).
        transform: makes a batch of the pictures.
    """

    def __init__(
        self,
        backbone: nn.Module,
        anchor_generator: nn.Module,
        head: nn.Module,
        transform: GeneralizedRCNNTransform,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.anchor_generator = anchor_generator
        self.head = head
        self.transform = transform

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        num_anchors_per_level: Sequence[int],
    ) -> dict[str, tp.Tensor]:
        """Losses by name.

        Args:
            targets: for each image the true boxes.
            head_outputs: (n, anchors, ...) by name.
            anchors: for each image (anchors, 4), xyxy.
            num_anchors_per_level: how the anchors are shared out among the levels.

        Returns:
            Numbers by name.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define compute_loss")

    def postprocess_detections(
        self,
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        image_shapes: Sizes,
        num_anchors_per_level: Sequence[int],
    ) -> list[Target]:
        """Detections in pixels of the batch; arguments as `compute_loss` and (h, w) of each image.

        Args:
            head_outputs: (n, anchors, ...) by name.
            anchors: for each image (anchors, 4), xyxy.
            image_shapes: (h, w) of each image.
            num_anchors_per_level: how the anchors are shared out among the levels.

        Returns:
            For each image boxes, scores and labels, best first.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define postprocess_detections")

    def forward(self, images: Sequence[tp.Tensor], targets: Sequence[Target] | None = None) -> Any:
        """Losses while training, else detections.

        Args:
            images: each (3, h, w), floats from 0 to 1; sizes may differ.
            targets: for each picture a dict: boxes (l, 4) float xyxy in pixels, labels (l,) int64.

        Returns:
            While training a dict of losses, numbers. Else for each picture a dict: boxes (d, 4),
            scores (d,) and labels (d,), best first.

        Raises:
            DomainError: training without targets, or a box has no width or height.
            ShapeError: a shape does not fit.
            DTypeError: pictures or boxes are no floats, or labels no int64.
        """
        name = type(self).__name__
        original_sizes = check_images(name, images)
        if self.training:
            check_targets(name, images, targets)
        if targets is not None:
            check_sizes(name, targets)
        batch, resized = self.transform(images, targets)
        features = self.backbone(batch.tensors)
        maps = [features] if isinstance(features, tp.Tensor) else list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(batch, maps)
        places = [int(m.shape[-2]) * int(m.shape[-1]) for m in maps]
        per_place = int(anchors[0].shape[0]) // sum(places)  # SSD's differ and are not asked for
        counts = [place * per_place for place in places]
        if self.training:
            return self.compute_loss(resized or [], outputs, anchors, counts)
        found = self.postprocess_detections(outputs, anchors, batch.image_sizes, counts)
        return self.transform.postprocess(found, batch.image_sizes, original_sizes)


def top_candidates(
    scores: tp.Tensor, threshold: float, most: int
) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
    """The best pairs of anchor and class.

    Args:
        scores: (anchors, classes).
        threshold: only scores above.
        most: at most so many.

    Returns:
        Scores, anchors and classes, (k,) each, best first.
    """
    classes = int(scores.shape[1])
    flat = scores.flatten()
    above = tp.where(flat > threshold)[0]
    best, order = flat[above].topk(min(most, int(above.shape[0])))
    place = above[order]
    return best, place // classes, place % classes


def best_of_image(
    boxes: tp.Tensor,
    scores: tp.Tensor,
    labels: tp.Tensor,
    shape: tuple[int, int],
    overlap: float,
    most: int,
) -> Target:
    """The detections of one image after suppression.

    Args:
        boxes: (k, 4), xyxy.
        scores: (k,).
        labels: (k,).
        shape: (h, w) of the image.
        overlap: at which a box is dropped.
        most: at most so many.

    Returns:
        boxes (d, 4), scores (d,) and labels (d,), best first.
    """
    boxes = clip_boxes_to_image(boxes, shape)
    keep = batched_nms(boxes, scores, labels, overlap)[:most]
    return {"boxes": boxes[keep], "scores": scores[keep], "labels": labels[keep]}
