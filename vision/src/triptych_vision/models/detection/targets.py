"""What a detector takes: pictures and true boxes, checked before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError

__all__ = ["Target", "check_images", "check_sizes", "check_targets"]

Target = dict[str, tp.Tensor]
PER_BOX = ("labels", "masks", "keypoints")


def check_images(name: str, images: Sequence[tp.Tensor]) -> list[tuple[int, int]]:
    """Height and width of each picture.

    Args:
        name: of the detector, for the error's text.
        images: each (c, h, w), floats.

    Returns:
        (h, w) of each.

    Raises:
        ShapeError: there are none, or one has not three axes.
        DTypeError: one has no floats.
    """
    if len(images) == 0:
        raise ShapeError(f"{name}: the list of images is empty")
    for i, image in enumerate(images):
        if image.ndim != 3:
            raise ShapeError(f"{name}: image {i} is (c, h, w), got {tuple(image.shape)}")
        if not image.is_floating_point():
            raise DTypeError(
                f"{name}: image {i} has floats from 0 to 1, got {image.dtype}; use "
                "transforms.functional.to_dtype(image, triptych.float32, scale=True)"
            )
    return [(int(image.shape[1]), int(image.shape[2])) for image in images]


def check_targets(
    name: str,
    images: Sequence[tp.Tensor],
    targets: Sequence[Target] | None,
    wanted: Sequence[str] = ("boxes", "labels"),
) -> Sequence[Target]:
    """The targets, if they fit the pictures and each other.

    Args:
        name: of the detector, for the error's text.
        images: the pictures.
        targets: for each picture a dict: boxes (l, 4) xyxy floats, labels (l,) int64, and masks
            (l, h, w) or keypoints (l, k, 3) where wanted.
        wanted: keys that must be there.

    Returns:
        The targets.

    Raises:
        DomainError: there are none, one lacks a key, or a label is negative.
        ShapeError: a shape does not fit.
        DTypeError: a value is no tensor, or of another dtype.
    """
    if targets is None:
        raise DomainError(
            f"{name}: training needs targets, a dict for each image with {', '.join(wanted)}; "
            "call eval() first to detect"
        )
    if len(targets) != len(images):
        raise ShapeError(f"{name}: {len(images)} images and {len(targets)} targets")
    for i, target in enumerate(targets):
        _check_target(f"{name}: target {i}", target, wanted)
    return targets


def _check_target(where: str, target: Target, wanted: Sequence[str]) -> None:
    for key in wanted:
        if key not in target:
            raise DomainError(f"{where} has no {key!r}; it has {sorted(target)}")
        if not isinstance(target[key], tp.Tensor):
            raise DTypeError(f"{where}: {key} is a tensor, got {type(target[key]).__name__}")
    boxes, labels = target["boxes"], target["labels"]
    if boxes.ndim != 2 or boxes.shape[-1] != 4:
        raise ShapeError(
            f"{where}: boxes are (l, 4), got {tuple(boxes.shape)}"
            + ("; without boxes it is zeros(0, 4)" if boxes.numel() == 0 else "")
        )
    for key, fits, dtype in (
        ("boxes", boxes.is_floating_point(), "floats"),
        ("labels", labels.dtype == tp.int64, "int64"),
        (
            "keypoints",
            "keypoints" not in wanted or target["keypoints"].dtype == tp.float32,
            "float32",
        ),
    ):
        if not fits:
            raise DTypeError(f"{where}: {key} are {dtype}, got {target[key].dtype}")
    for key in (k for k in PER_BOX if k in wanted):
        if target[key].ndim == 0 or target[key].shape[0] != boxes.shape[0]:
            raise ShapeError(
                f"{where}: {boxes.shape[0]} boxes and {key} of shape {tuple(target[key].shape)}"
            )
    if labels.numel() and int(labels.min()) < 0:
        raise DomainError(f"{where}: labels are not negative, got {int(labels.min())}")


def check_sizes(name: str, targets: Sequence[Target]) -> None:
    """Raise for boxes without area.

    Args:
        name: of the detector, for the error's text.
        targets: for each picture a dict with boxes (l, 4), xyxy.

    Raises:
        DomainError: a box has no width or no height.
    """
    for i, target in enumerate(targets):
        boxes = target["boxes"]
        flat = (boxes[:, 2:] <= boxes[:, :2]).any(1)
        if bool(flat.any()):
            box: Any = boxes[int(tp.where(flat)[0][0])].tolist()
            raise DomainError(
                f"{name}: every box has width and height above 0, but target {i} has {box}, as "
                "x1, y1, x2, y2; boxes written as x, y, width, height need "
                "ops.box_convert(boxes, 'xywh', 'xyxy')"
            )
