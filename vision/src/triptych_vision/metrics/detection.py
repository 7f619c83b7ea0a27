"""Mean average precision and recall of detectors, by COCO's rules, without COCO's package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DomainError, ShapeError, UnknownNameError

from .curves import RECALLS, Matches, at_recalls, running_counts
from .matching import box_overlaps, keypoint_overlaps, mask_overlaps, matched
from .metric import Metric
from .things import array_of, chosen, measured

__all__ = ["MeanAveragePrecision", "mean_average_precision"]

Sample = Mapping[str, tp.Tensor]

# Sides of squares between small, medium and large; COCO's.
_RANGES = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
# Spread of people's own labels of 17 points of the body, from nose to ankles; COCO's.
_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107),
    *(0.087, 0.087, 0.089, 0.089),
)
_FIELD = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}


class MeanAveragePrecision(Metric):
    """COCO's summary of what a detector finds.

    For boxes and masks twelve numbers: `map` over ten overlaps from 0.5 to 0.95, `map_50`,
    `map_75`, `map_small`, `map_medium`, `map_large`, and mean recalls `mar_1`, `mar_10`, `mar_100`
    with so many detections an image, `mar_small`, `mar_medium`, `mar_large`. For keypoints ten:
    `map`, `map_50`, `map_75`, `map_medium`, `map_large`, and `mar` likewise. -1 where there is
    nothing to measure. Of the images only the matches are kept.

    Args:
        iou_type: "bbox", "segm" or "keypoints".
        iou_thresholds: overlaps that count as found; default 0.5, 0.55, ... 0.95.
        max_detections: the most sure ones of an image and class that count; default (1, 10, 100),
            (20,) for keypoints. The last is used for precision.
        sigmas: spread of each keypoint's labels; default those of COCO's 17 points of the body.

    Raises:
        UnknownNameError: another iou_type.
        DomainError: no threshold, or no number of detections.

    Example:
        >>> boxes = tp.tensor([[10.0, 10.0, 50.0, 60.0]])
        >>> found = {"boxes": boxes, "scores": tp.tensor([0.9]), "labels": tp.tensor([1])}
        >>> metric = MeanAveragePrecision()
        >>> metric.update([found], [{"boxes": boxes + 2, "labels": tp.tensor([1])}])
        >>> round(metric.compute()["map"], 3), round(metric.compute()["map_50"], 3)
        (0.7, 1.0)
    """

    def __init__(
        self,
        iou_type: str = "bbox",
        *,
        iou_thresholds: Sequence[float] | None = None,
        max_detections: Sequence[int] | None = None,
        sigmas: Sequence[float] | None = None,
    ) -> None:
        if iou_type not in _FIELD:
            raise UnknownNameError(
                f"MeanAveragePrecision: iou_type is one of {', '.join(_FIELD)}, got {iou_type!r}"
            )
        people = iou_type == "keypoints"
        self.iou_type = iou_type
        given = np.linspace(0.5, 0.95, 10) if iou_thresholds is None else iou_thresholds
        self.iou_thresholds = np.asarray(given, np.float64)
        self.max_detections = sorted(max_detections or ((20,) if people else (1, 10, 100)))
        self.sigmas = np.asarray(_SIGMAS if sigmas is None else sigmas, np.float64)
        self.ranges = {n: r for n, r in _RANGES.items() if not (people and n == "small")}
        if not self.iou_thresholds.size or self.max_detections[0] < 1:
            raise DomainError(
                f"MeanAveragePrecision: wanted thresholds and positive max_detections, got "
                f"{iou_thresholds} and {max_detections}"
            )
        self.reset()

    def update(self, preds: Sequence[Sample], target: Sequence[Sample]) -> None:
        """Match what was found in some images with what is there.

        Args:
            preds: for each image what a detection model returns: "scores" (n,), "labels" (n,), and
                "boxes" (n, 4) as left, top, right, bottom, "masks" (n, 1, h, w) or (n, h, w), bool
                or from 0 to 1, or "keypoints" (n, k, 3); other entries are not looked at.
            target: for each image "labels" and, of the same forms, the true things; "boxes" always
                for keypoints. "iscrowd" (n,) and "area" (n,) are used if there.

        Raises:
            ShapeError: not one target per prediction, or entries that do not go together.
            UnknownNameError: an entry is missing.
        """
        if len(preds) != len(target):
            raise ShapeError(
                f"MeanAveragePrecision.update: {len(preds)} predictions, {len(target)} targets"
            )
        for found, true in zip(preds, target, strict=True):
            self._add(self._things(found, "scores"), self._things(true, None))
            self._images += 1

    def _things(self, sample: Sample, extra: str | None) -> dict[str, np.ndarray]:
        wanted = ["labels", _FIELD[self.iou_type], *([extra] if extra else [])]
        if extra is None and self.iou_type == "keypoints":
            wanted.append("boxes")
        missing = [name for name in wanted if name not in sample]
        if missing:
            raise UnknownNameError(
                f"MeanAveragePrecision.update: a {'target' if extra is None else 'prediction'} has "
                f"no {', '.join(missing)}, only {sorted(sample)}"
            )
        kept = [*wanted, *(n for n in ("iscrowd", "area") if extra is None and n in sample)]
        things = {name: array_of(sample[name]) for name in kept}
        count = len(things["labels"])
        for name, values in things.items():
            if len(values) != count:
                raise ShapeError(
                    f"MeanAveragePrecision.update: {len(values)} {name} for {count} labels"
                )
        return measured(things, _FIELD[self.iou_type])

    def _add(self, found: dict[str, np.ndarray], true: dict[str, np.ndarray]) -> None:
        for label in np.union1d(found["labels"], true["labels"]).tolist():
            mine = chosen(found, found["labels"] == label)
            order = np.argsort(-mine["scores"], kind="stable")[: self.max_detections[-1]]
            pair = chosen(mine, order), chosen(true, true["labels"] == label)
            self._matches[label].append(self._match(*pair))

    def _match(self, found: dict[str, np.ndarray], true: dict[str, np.ndarray]) -> Matches:
        limits = np.array(list(self.ranges.values()))[:, :, None]  # (a, 2, 1)
        beyond = [
            (things["area"] < limits[:, 0]) | (things["area"] > limits[:, 1])
            for things in (found, true)
        ]
        ignored = true["blank"] | beyond[1]
        overlaps = self._overlaps(found, true)
        took, blank = matched(overlaps, ignored, true["iscrowd"], self.iou_thresholds)
        # A thing found where nothing is does not count against a range that it is not in.
        blank |= ~took & beyond[0][:, None]
        return Matches(found["scores"], took, blank, (~ignored).sum(axis=1))

    def _overlaps(self, found: dict[str, np.ndarray], true: dict[str, np.ndarray]) -> np.ndarray:
        if not len(found["labels"]) or not len(true["labels"]):
            return np.zeros((len(found["labels"]), len(true["labels"])))
        if self.iou_type == "bbox":
            return box_overlaps(found["boxes"], true["boxes"], true["iscrowd"])
        if self.iou_type == "segm":
            return mask_overlaps(found["masks"], true["masks"], true["iscrowd"])
        points = found["keypoints"], true["keypoints"]
        return keypoint_overlaps(*points, true["boxes"], true["area"], self.sigmas)

    def compute(self) -> dict[str, float]:
        """The summary by name.

        Raises:
            DomainError: no image was seen.
        """
        self._need(self._images)
        precision, recall = self._curves()
        names = list(self.ranges)

        def mean(values: np.ndarray, size: str = "all", overlap: float | None = None) -> float:
            part = values[:, names.index(size)]  # (classes, t, ...)
            if overlap is not None:
                part = part[:, np.isclose(self.iou_thresholds, overlap)]
            part = part[part > -1]
            return float(part.mean()) if part.size else -1.0

        sizes = names[1:]
        summary = {"map": mean(precision)}
        summary |= {f"map_{round(100 * o)}": mean(precision, overlap=o) for o in (0.5, 0.75)}
        summary |= {f"map_{size}": mean(precision, size) for size in sizes}
        if self.iou_type == "keypoints":
            summary["mar"] = mean(recall[..., -1])
            summary |= {
                f"mar_{round(100 * o)}": mean(recall[..., -1], overlap=o) for o in (0.5, 0.75)
            }
        else:
            counts = enumerate(self.max_detections)
            summary |= {f"mar_{most}": mean(recall[..., i]) for i, most in counts}
        return summary | {f"mar_{size}": mean(recall[..., -1], size) for size in sizes}

    def per_class(self) -> dict[int, float]:
        """`map` of each label that is there.

        Raises:
            DomainError: no image was seen.
        """
        self._need(self._images)
        precision, _ = self._curves()
        rows = zip(sorted(self._matches), precision[:, 0], strict=True)
        return {label: float(row.mean()) for label, row in rows if (row > -1).any()}

    def reset(self) -> None:
        """Forget all images."""
        self._matches: dict[int, list[Matches]] = defaultdict(list)
        self._images = 0

    def _curves(self) -> tuple[np.ndarray, np.ndarray]:
        """Precision (classes, a, t, 101) and recall (classes, a, t, max_detections), -1: none."""
        shape = (len(self._matches), len(self.ranges), len(self.iou_thresholds))
        precision = np.full((*shape, len(RECALLS)), -1.0)
        recall = np.full((*shape, len(self.max_detections)), -1.0)
        for place, label in enumerate(sorted(self._matches)):
            images = self._matches[label]
            there = np.sum([image.counting for image in images], axis=0)  # (a,)
            for column, most in enumerate(self.max_detections):
                right, wrong = running_counts(images, most)
                for size in np.flatnonzero(there):
                    reached = right[size] / there[size]  # (t, d)
                    recall[place, size, :, column] = reached[:, -1] if reached.size else 0.0
                    if most == self.max_detections[-1]:
                        precision[place, size] = at_recalls(reached, right[size], wrong[size])
        return precision, recall


def mean_average_precision(
    preds: Sequence[Sample], target: Sequence[Sample], iou_type: str = "bbox", **options: Any
) -> dict[str, float]:
    """COCO's summary of what a detector found in some images.

    Args:
        preds: as for `MeanAveragePrecision.update`.
        target: as for `MeanAveragePrecision.update`.
        iou_type: "bbox", "segm" or "keypoints".
        **options: further arguments of `MeanAveragePrecision`.

    Returns:
        The numbers by name.
    """
    metric = MeanAveragePrecision(iou_type, **options)
    metric.update(preds, target)
    return metric.compute()
