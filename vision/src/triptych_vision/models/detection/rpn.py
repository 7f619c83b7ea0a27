"""Where something might be: the first stage of Faster R-CNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych.nn import functional as F

from ...ops import batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes
from ...ops.blocks import Conv2dNormActivation
from ...ops.feature_pyramid_network import rename_keys
from .anchor_utils import AnchorGenerator
from .box_coding import BoxCoder
from .image_list import ImageList
from .matching import BalancedPositiveNegativeSampler, Matcher
from .targets import Target

__all__ = ["RPNHead", "RegionProposalNetwork", "per_anchor"]

SMALLEST_SIDE = 1e-3  # in pixels; boxes with a shorter one are dropped


class RPNHead(nn.Module):
    """Whether each anchor is a thing, and where its box really is.

    Files of torchvision's older layout, with conv.weight for conv.0.0.weight, load as well.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel.
        conv_depth: number of convolutions before.
    """

    _version = 2

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(
                Conv2dNormActivation(in_channels, in_channels, kernel_size=3, norm_layer=None)
                for _ in range(conv_depth)
            )
        )
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any
    ) -> None:
        if (local_metadata.get("version") or 1) < 2:
            rename_keys(state_dict, {f"{prefix}conv.": f"{prefix}conv.0.0."})
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)

    def forward(self, x: Sequence[tp.Tensor]) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
        """For each map (n, anchors, h, w) logits, and (n, 4 * anchors, h, w) codes."""
        hidden = [self.conv(feature) for feature in x]
        return [self.cls_logits(h) for h in hidden], [self.bbox_pred(h) for h in hidden]


def per_anchor(x: tp.Tensor, columns: int) -> tp.Tensor:
    """(n, anchors * columns, h, w) to (n, h * w * anchors, columns)."""
    n, _, h, w = x.shape
    return x.reshape(n, -1, columns, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, columns)


class RegionProposalNetwork(nn.Module):
    """Proposes boxes.

    Args:
        anchor_generator: makes the anchors.
        head: logits and codes from feature maps.
        fg_iou_thresh: anchors that overlap a true box so much are to find it.
        bg_iou_thresh: anchors that overlap none so much are background.
        batch_size_per_image: anchors of each image that the loss looks at.
        positive_fraction: at most this part of them are true.
        pre_nms_top_n: boxes of each level before suppression, "training" and "testing".
        post_nms_top_n: boxes of each image after it, likewise.
        nms_thresh: overlap at which suppression drops a box.
        score_thresh: probability below which a box is dropped.

    Source: Ren, He, Girshick and Sun 2015, section 3.1.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n: Mapping[str, int],
        post_nms_top_n: Mapping[str, int],
        nms_thresh: float,
        score_thresh: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.box_similarity = box_iou
        self.proposal_matcher = Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self._pre_nms_top_n = dict(pre_nms_top_n)
        self._post_nms_top_n = dict(post_nms_top_n)
        self.nms_thresh = nms_thresh
        self.score_thresh = score_thresh
        self.min_size = SMALLEST_SIDE

    def pre_nms_top_n(self) -> int:
        """Boxes of each level before suppression, in this mode."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self) -> int:
        """Boxes of each image after suppression, in this mode."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(
        self, anchors: Sequence[tp.Tensor], targets: Sequence[Target]
    ) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
        """What each anchor is to find.

        Args:
            anchors: for each image (anchors, 4), xyxy.
            targets: for each image the true boxes.

        Returns:
            For each image (anchors,) float, 1 for a true box, 0 for background, -1 for neither;
            and (anchors, 4), the true box.
        """
        labels, matched = [], []
        for own, target in zip(anchors, targets, strict=True):
            true_boxes = target["boxes"]
            if true_boxes.numel() == 0:
                labels.append(own.new_zeros((own.shape[0],)))
                matched.append(tp.zeros_like(own))
                continue
            at = self.proposal_matcher(self.box_similarity(true_boxes, own))
            unclear = at == Matcher.BETWEEN_THRESHOLDS
            labels.append((at >= 0).to(own.dtype) - unclear.to(own.dtype))
            matched.append(true_boxes[at.clamp(min=0)])
        return labels, matched

    def filter_proposals(
        self,
        proposals: tp.Tensor,
        objectness: tp.Tensor,
        image_shapes: Sequence[tuple[int, int]],
        num_anchors_per_level: Sequence[int],
    ) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
        """The best boxes of each image.

        Args:
            proposals: (n, anchors, 4), xyxy.
            objectness: (n, anchors) logits.
            image_shapes: (h, w) of each image.
            num_anchors_per_level: how the anchors are shared out among the levels.

        Returns:
            For each image (l, 4), best first; and (l,) probabilities.
        """
        objectness = objectness.detach().reshape(proposals.shape[0], -1)
        levels, tops, start = [], [], 0
        for level, count in enumerate(num_anchors_per_level):
            logits = objectness[:, start : start + count]
            best = logits.topk(min(self.pre_nms_top_n(), count), dim=1)[1]
            tops.append(best + start)
            levels.append(tp.full_like(best[0], level))
            start += count
        at, level_of = tp.cat(tops, 1), tp.cat(levels)
        scores = objectness.gather(1, at).sigmoid()
        chosen = [
            self._best(boxes[own], own_scores, level_of, shape)
            for boxes, own, own_scores, shape in zip(
                proposals, at, scores, image_shapes, strict=True
            )
        ]
        return [boxes for boxes, _ in chosen], [own_scores for _, own_scores in chosen]

    def _best(
        self, boxes: tp.Tensor, scores: tp.Tensor, levels: tp.Tensor, shape: tuple[int, int]
    ) -> tuple[tp.Tensor, tp.Tensor]:
        boxes = clip_boxes_to_image(boxes, shape)
        keep = remove_small_boxes(boxes, self.min_size)
        keep = keep[scores[keep] >= self.score_thresh]
        boxes, scores, levels = boxes[keep], scores[keep], levels[keep]
        keep = batched_nms(boxes, scores, levels, self.nms_thresh)[: self.post_nms_top_n()]
        return boxes[keep], scores[keep]

    def compute_loss(
        self,
        objectness: tp.Tensor,
        pred_bbox_deltas: tp.Tensor,
        labels: Sequence[tp.Tensor],
        regression_targets: Sequence[tp.Tensor],
    ) -> tuple[tp.Tensor, tp.Tensor]:
        """Losses of a sample of the anchors.

        Args:
            objectness: (n * anchors,) logits.
            pred_bbox_deltas: (n * anchors, 4) codes.
            labels: for each image (anchors,), 1, 0 or -1.
            regression_targets: for each image (anchors, 4), the wanted codes.

        Returns:
            Of the logits, and of the codes; numbers.
        """
        positives, negatives = (
            tp.where(tp.cat(marks) > 0)[0] for marks in self.fg_bg_sampler(labels)
        )
        sampled = tp.cat((positives, negatives))
        wanted, truth = tp.cat(list(regression_targets)), tp.cat(list(labels))
        box_loss = F.smooth_l1_loss(
            pred_bbox_deltas[positives], wanted[positives], beta=1 / 9, reduction="sum"
        )
        logits = objectness.flatten()[sampled]
        score_loss = F.binary_cross_entropy_with_logits(logits, truth[sampled])
        return score_loss, box_loss / sampled.numel()

    def forward(
        self,
        images: ImageList,
        features: Mapping[str, tp.Tensor],
        targets: Sequence[Target] | None = None,
    ) -> tuple[list[tp.Tensor], dict[str, tp.Tensor]]:
        """Propose.

        Args:
            images: the batch.
            features: maps by name.
            targets: true boxes, for training.

        Returns:
            For each image (l, 4), xyxy; and the losses while training.

        Raises:
            DomainError: training without targets.
        """
        maps = list(features.values())
        logits, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [int(level[0].numel()) for level in logits]
        objectness = tp.cat([per_anchor(level, 1) for level in logits], 1)
        deltas = tp.cat([per_anchor(level, 4) for level in codes], 1).reshape(-1, 4)
        decoded = self.box_coder.decode(deltas.detach(), anchors)
        proposals, _ = self.filter_proposals(
            decoded.reshape(len(anchors), -1, 4), objectness, images.image_sizes, counts
        )
        if not self.training:
            return proposals, {}
        if targets is None:
            raise DomainError("RegionProposalNetwork: training needs targets")
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        wanted = self.box_coder.encode(matched, anchors)
        score_loss, box_loss = self.compute_loss(objectness, deltas, labels, wanted)
        return proposals, {"loss_objectness": score_loss, "loss_rpn_box_reg": box_loss}
