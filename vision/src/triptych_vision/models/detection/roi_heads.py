"""What is in each proposed box: the second stage of the R-CNN family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych.nn import functional as F

from ...ops import batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes
from .box_coding import BoxCoder
from .keypoints import keypointrcnn_inference, keypointrcnn_loss
from .masks import maskrcnn_inference, maskrcnn_loss
from .matching import BalancedPositiveNegativeSampler, Matcher
from .targets import Target

__all__ = ["RoIHeads", "fastrcnn_loss"]

SMALLEST_SIDE = 1e-2  # in pixels; boxes with a shorter one are dropped
CODE_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
Maps = Mapping[str, tp.Tensor]
Sizes = Sequence[tuple[int, int]]


def fastrcnn_loss(
    class_logits: tp.Tensor,
    box_regression: tp.Tensor,
    labels: Sequence[tp.Tensor],
    regression_targets: Sequence[tp.Tensor],
) -> tuple[tp.Tensor, tp.Tensor]:
    """Losses of the classes and of the boxes.

    Args:
        class_logits: (k, classes) for the boxes of all images together.
        box_regression: (k, 4 * classes) codes.
        labels: for each image (l,) int64, 0 for background.
        regression_targets: for each image (l, 4), the wanted codes.

    Returns:
        Two numbers.

    Source: Girshick 2015, equation 1.
    """
    truth, wanted = tp.cat(list(labels)), tp.cat(list(regression_targets))
    positive = tp.where(truth > 0)[0]
    codes = box_regression.reshape(truth.shape[0], -1, 4)[positive, truth[positive]]
    box_loss = F.smooth_l1_loss(codes, wanted[positive], beta=1 / 9, reduction="sum")
    return F.cross_entropy(class_logits, truth), box_loss / truth.numel()


class RoIHeads(nn.Module):
    """Classes and better boxes for proposals; masks and key points where there are heads for them.

    Args:
        box_roi_pool: from feature maps and boxes to (k, c, h, w).
        box_head: from these to (k, features).
        box_predictor: to (k, classes) logits and (k, 4 * classes) codes.
        fg_iou_thresh: proposals that overlap a true box so much are to find it.
        bg_iou_thresh: proposals that overlap none so much are background.
        batch_size_per_image: proposals of each image that the loss looks at.
        positive_fraction: at most this part of them are true.
        bbox_reg_weights: of the codes; default (10, 10, 5, 5).
        score_thresh: probability below which a box is dropped.
        nms_thresh: overlap at which suppression drops a box.
        detections_per_img: at most so many.
        mask_roi_pool: as box_roi_pool, for masks.
        mask_head: from what it gives to (k, c, h, w).
        mask_predictor: to (k, classes, m, m) logits.
        keypoint_roi_pool: as box_roi_pool, for key points.
        keypoint_head: from what it gives to (k, c, h, w).
        keypoint_predictor: to (k, key points, m, m) logits.
    """

    def __init__(
        self,
        box_roi_pool: nn.Module,
        box_head: nn.Module,
        box_predictor: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        bbox_reg_weights: tuple[float, float, float, float] | None,
        score_thresh: float,
        nms_thresh: float,
        detections_per_img: int,
        mask_roi_pool: nn.Module | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        keypoint_roi_pool: nn.Module | None = None,
        keypoint_head: nn.Module | None = None,
        keypoint_predictor: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.box_similarity = box_iou
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self.box_coder = BoxCoder(bbox_reg_weights or CODE_WEIGHTS)
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self) -> bool:
        """Whether there are heads for masks."""
        return None not in (self.mask_roi_pool, self.mask_head, self.mask_predictor)

    def has_keypoint(self) -> bool:
        """Whether there are heads for key points."""
        return None not in (self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor)

    def wanted_keys(self) -> list[str]:
        """Keys that targets must have."""
        extra = {"masks": self.has_mask(), "keypoints": self.has_keypoint()}
        return ["boxes", "labels", *(key for key, wanted in extra.items() if wanted)]

    def assign_targets_to_proposals(
        self,
        proposals: Sequence[tp.Tensor],
        gt_boxes: Sequence[tp.Tensor],
        gt_labels: Sequence[tp.Tensor],
    ) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
        """What each proposal is to find.

        Args:
            proposals: for each image (l, 4), xyxy.
            gt_boxes: for each image (true boxes, 4).
            gt_labels: for each image (true boxes,).

        Returns:
            For each image (l,) int64 index of the true box, and (l,) int64 class: 0 for
            background, -1 for neither.
        """
        matched, labels = [], []
        for own, boxes, classes in zip(proposals, gt_boxes, gt_labels, strict=True):
            if boxes.numel() == 0:
                nothing = tp.zeros(own.shape[0], dtype=tp.int64, device=own.device)
                matched.append(nothing)
                labels.append(nothing)
                continue
            at = self.proposal_matcher(self.box_similarity(boxes, own))
            found = at.clamp(min=0)
            matched.append(found)
            unclear = tp.where(at == Matcher.BETWEEN_THRESHOLDS, -1, 0)
            labels.append(tp.where(at >= 0, classes[found], unclear))
        return matched, labels

    def subsample(self, labels: Sequence[tp.Tensor]) -> list[tp.Tensor]:
        """Places of the proposals that the loss looks at, for each image (l,) int64."""
        positives, negatives = self.fg_bg_sampler(labels)
        return [tp.where((p + n) > 0)[0] for p, n in zip(positives, negatives, strict=True)]

    def select_training_samples(
        self, proposals: Sequence[tp.Tensor], targets: Sequence[Target]
    ) -> tuple[list[tp.Tensor], list[tp.Tensor], list[tp.Tensor], list[tp.Tensor]]:
        """A sample of the proposals and the true boxes, and what they are to find.

        Args:
            proposals: for each image (l, 4), xyxy.
            targets: for each image the true boxes.

        Returns:
            For each image: boxes (s, 4), index of the true box (s,), class (s,), wanted codes
            (s, 4).
        """
        dtype = proposals[0].dtype
        true_boxes = [target["boxes"].to(dtype) for target in targets]
        both = [tp.cat((own, true)) for own, true in zip(proposals, true_boxes, strict=True)]
        matched, labels = self.assign_targets_to_proposals(
            both, true_boxes, [target["labels"] for target in targets]
        )
        sampled = self.subsample(labels)
        boxes, places, classes = (
            [values[at] for values, at in zip(lists, sampled, strict=True)]
            for lists in (both, matched, labels)
        )
        goals = [
            true[at] if true.numel() else own.new_zeros((at.shape[0], 4))
            for true, at, own in zip(true_boxes, places, boxes, strict=True)
        ]
        return boxes, places, classes, self.box_coder.encode(goals, boxes)

    def postprocess_detections(
        self,
        class_logits: tp.Tensor,
        box_regression: tp.Tensor,
        proposals: Sequence[tp.Tensor],
        image_shapes: Sizes,
    ) -> tuple[list[tp.Tensor], list[tp.Tensor], list[tp.Tensor]]:
        """The best boxes of each image.

        Args:
            class_logits: (k, classes) for the boxes of all images together.
            box_regression: (k, 4 * classes) codes.
            proposals: for each image (l, 4), xyxy.
            image_shapes: (h, w) of each image.

        Returns:
            For each image boxes (d, 4), probabilities (d,) and classes (d,), best first.
        """
        counts = [own.shape[0] for own in proposals]
        boxes = self.box_coder.decode(box_regression, proposals).split(counts)
        scores = class_logits.softmax(-1).split(counts)
        found = [
            self._best(own, own_scores, shape)
            for own, own_scores, shape in zip(boxes, scores, image_shapes, strict=True)
        ]
        all_boxes, all_scores, all_labels = (list(column) for column in zip(*found, strict=True))
        return all_boxes, all_scores, all_labels

    def _best(
        self, boxes: tp.Tensor, scores: tp.Tensor, shape: tuple[int, int]
    ) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
        """(l, classes, 4) and (l, classes) to boxes, probabilities and classes of one image."""
        which, labels = tp.where(scores[:, 1:] > self.score_thresh)  # class 0 is background
        labels = labels + 1
        scores, boxes = scores[which, labels], clip_boxes_to_image(boxes[which, labels], shape)
        keep = remove_small_boxes(boxes, SMALLEST_SIDE)
        boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
        keep = batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        return boxes[keep], scores[keep], labels[keep]

    def forward(
        self,
        features: Maps,
        proposals: Sequence[tp.Tensor],
        image_shapes: Sizes,
        targets: Sequence[Target] | None = None,
    ) -> tuple[list[Target], dict[str, tp.Tensor]]:
        """Losses while training, else detections.

        Args:
            features: maps by name.
            proposals: for each image (l, 4), xyxy.
            image_shapes: (h, w) of each image.
            targets: true boxes, for training.

        Returns:
            For each image a dict with boxes, labels and scores, and masks or keypoints where
            there are heads (empty while training); and the losses.

        Raises:
            DomainError: training without targets.
        """
        if not self.training:
            return self._detect(features, proposals, image_shapes), {}
        if targets is None:
            raise DomainError("RoIHeads: training needs targets")
        return [], self._losses(features, proposals, image_shapes, targets)

    def _losses(
        self,
        features: Maps,
        proposals: Sequence[tp.Tensor],
        image_shapes: Sizes,
        targets: Sequence[Target],
    ) -> dict[str, tp.Tensor]:
        boxes, places, labels, wanted = self.select_training_samples(proposals, targets)
        logits, codes = self._box_outputs(features, boxes, image_shapes)
        class_loss, box_loss = fastrcnn_loss(logits, codes, labels, wanted)
        losses = {"loss_classifier": class_loss, "loss_box_reg": box_loss}
        true = [tp.where(own > 0)[0] for own in labels]
        boxes, places = (
            [values[at] for values, at in zip(lists, true, strict=True)]
            for lists in (boxes, places)
        )
        if self.has_mask():
            logits = self._mask_logits(features, boxes, image_shapes)
            masks, classes = ([t[key] for t in targets] for key in ("masks", "labels"))
            losses["loss_mask"] = maskrcnn_loss(logits, boxes, masks, classes, places)
        if self.has_keypoint():
            logits = self._keypoint_logits(features, boxes, image_shapes)
            points = [target["keypoints"] for target in targets]
            losses["loss_keypoint"] = keypointrcnn_loss(logits, boxes, points, places)
        return losses

    def _detect(
        self, features: Maps, proposals: Sequence[tp.Tensor], image_shapes: Sizes
    ) -> list[Target]:
        logits, codes = self._box_outputs(features, proposals, image_shapes)
        boxes, scores, labels = self.postprocess_detections(logits, codes, proposals, image_shapes)
        found = [
            {"boxes": b, "labels": c, "scores": s}
            for b, c, s in zip(boxes, labels, scores, strict=True)
        ]
        if self.has_mask():
            logits = self._mask_logits(features, boxes, image_shapes)
            for one, masks in zip(found, maskrcnn_inference(logits, labels), strict=True):
                one["masks"] = masks
        if self.has_keypoint():
            logits = self._keypoint_logits(features, boxes, image_shapes)
            pairs = zip(*keypointrcnn_inference(logits, boxes), strict=True)
            for one, (points, point_scores) in zip(found, pairs, strict=True):
                one["keypoints"], one["keypoints_scores"] = points, point_scores
        return found

    def _box_outputs(
        self, features: Maps, boxes: Sequence[tp.Tensor], image_shapes: Sizes
    ) -> tuple[tp.Tensor, tp.Tensor]:
        pooled = self.box_roi_pool(features, boxes, image_shapes)
        logits, codes = self.box_predictor(self.box_head(pooled))
        return logits, codes

    def _mask_logits(
        self, features: Maps, boxes: Sequence[tp.Tensor], image_shapes: Sizes
    ) -> tp.Tensor:
        pooled = self.mask_roi_pool(features, boxes, image_shapes)  # type: ignore[misc]
        return self.mask_predictor(self.mask_head(pooled))  # type: ignore[misc]

    def _keypoint_logits(
        self, features: Maps, boxes: Sequence[tp.Tensor], image_shapes: Sizes
    ) -> tp.Tensor:
        pooled = self.keypoint_roi_pool(features, boxes, image_shapes)  # type: ignore[misc]
        return self.keypoint_predictor(self.keypoint_head(pooled))  # type: ignore[misc]
