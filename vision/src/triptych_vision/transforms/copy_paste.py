"""Copy and paste: objects of one image put into another, for instance segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from ..ops.boxes import masks_to_boxes
from . import functional as F
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .transform import RandomTransform

__all__ = ["SimpleCopyPaste"]

_BLUR = (5, 2.0)  # kernel size and sigma of the edge of what is pasted, in pixels
_PER_OBJECT = ("boxes", "labels", "masks", "iscrowd")
Target = Mapping[str, Any]


class SimpleCopyPaste(RandomTransform):
    """Some objects of each image of a batch pasted into the next one.

    Called with a list of images and a list of targets, as detection models take them. A target is
    a dict of "boxes" (n, 4), plain ones xyxy, "labels" (n,) and "masks" (n, h, w), one of each per
    object. "iscrowd" (n,) is joined, too, and "area" counted anew; other entries stay.

    Args:
        blending: soften the edges of what is pasted.
        resize_interpolation: where images differ in size, of the one that is pasted from.
        antialias: when that is made smaller, let every old pixel count.
        generator: of the choice; default the one that `triptych.manual_seed` seeds.

    Raises:
        DTypeError: not a list of images and one of targets with boxes, labels and masks.
        ShapeError: these are of several lengths.

    Example:
        >>> masks = tp.zeros(1, 4, 4, dtype=tp.uint8)
        >>> masks[0, :2, :2] = 1
        >>> target = {"boxes": tp.tensor([[0.0, 0, 2, 2]]), "labels": tp.tensor([1])}
        >>> targets = [{**target, "masks": masks}, {**target, "masks": masks.flip(-1)}]
        >>> images = [tp.zeros(3, 4, 4), tp.ones(3, 4, 4)]
        >>> images, targets = SimpleCopyPaste(blending=False)(images, targets)
        >>> images[0][0, 0].tolist(), targets[0]["masks"].shape
        ([0.0, 0.0, 1.0, 1.0], Size([2, 4, 4]))

    Source: Ghiasi et al. 2021, "Simple copy-paste is a strong data augmentation method for instance
    segmentation", section 3.
    """

    def __init__(
        self,
        blending: bool = True,
        resize_interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = None,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        self.blending = blending
        self.resize_interpolation = interpolation_mode(resize_interpolation)
        self.antialias = antialias

    def forward(self, *inputs: Any) -> Any:
        """(images, targets) with objects of their neighbours."""
        images, targets = _checked(inputs if len(inputs) > 1 else inputs[0])
        pairs = [
            self._pasted(images[i], targets[i], images[i - 1], targets[i - 1])
            for i in range(len(images))
        ]
        return [image for image, _ in pairs], [target for _, target in pairs]

    def _pasted(self, image: Any, target: Target, other: Any, source: Target) -> tuple[Any, Target]:
        """An image and target with some objects of another image."""
        count = len(source["masks"])
        if not count:
            return image, target
        drawn = tp.randint(0, count, (count,), generator=self.generator).unique()
        source = {name: _rows(source[name], drawn) for name in _PER_OBJECT if name in source}
        size = F.get_size(image)
        if F.get_size(other) != size:
            mode, smooth = self.resize_interpolation, self.antialias
            other = F.resize(other, size, mode, antialias=smooth)
            source = _resized(source, size)
        covered = F.to_pure_tensor(source["masks"]).to(tp.bool).any(dim=0)
        return self._blended(image, other, covered), _joined(target, source, covered)

    def _blended(self, image: Any, other: Any, covered: tp.Tensor) -> Any:
        alpha = covered[None].to(tp.float32)
        if self.blending:
            alpha = F.gaussian_blur(alpha, *_BLUR)
        front, back = F.to_pure_tensor(other), F.to_pure_tensor(image)
        mixed = back * (1 - alpha) + front * alpha
        rounded = mixed if image.dtype.is_floating_point else mixed.round()
        return tv_tensors.wrap(rounded.to(image.dtype), like=image)


def _checked(sample: Any) -> tuple[Sequence[Any], Sequence[Target]]:
    pair = isinstance(sample, tuple | list) and len(sample) == 2
    if not pair or not all(isinstance(part, tuple | list) for part in sample):
        raise DTypeError("SimpleCopyPaste: wanted a list of images and a list of targets")
    images, targets = sample
    if len(images) != len(targets):
        raise ShapeError(f"SimpleCopyPaste: got {len(images)} images and {len(targets)} targets")
    for image, target in zip(images, targets, strict=True):
        if not isinstance(image, tp.Tensor) or not {"boxes", "labels", "masks"} <= set(target):
            raise DTypeError(
                "SimpleCopyPaste: wanted tensors (c, h, w) and dicts of boxes, labels and masks, "
                f"got {type(image).__name__} and {sorted(target)}"
            )
        if len({len(target[name]) for name in ("boxes", "labels", "masks")}) > 1:
            raise ShapeError(
                "SimpleCopyPaste: wanted one box, label and mask for each object, got "
                + ", ".join(f"{n} {tuple(target[n].shape)}" for n in ("boxes", "labels", "masks"))
            )
    return images, targets


def _rows(value: tp.Tensor, keep: tp.Tensor) -> tp.Tensor:
    """Some rows of a tensor, of the same kind."""
    return tv_tensors.wrap(F.to_pure_tensor(value)[keep], like=value)


def _resized(source: Target, size: list[int]) -> Target:
    """Masks and boxes for an image of another size."""
    height, width = source["masks"].shape[-2:]
    boxes, masks = source["boxes"], tv_tensors.Mask(F.to_pure_tensor(source["masks"]))
    factors = tp.tensor([size[1] / width, size[0] / height] * 2)
    if isinstance(boxes, tv_tensors.BoundingBoxes):
        boxes = F.resize(boxes, size)
    else:
        boxes = boxes * factors.to(boxes.dtype)
    return {**source, "boxes": boxes, "masks": F.resize(masks, size)}


def _joined(target: Target, source: Target, covered: tp.Tensor) -> Target:
    """What is left of the objects of a target, and the pasted ones after them."""
    old = F.to_pure_tensor(target["masks"])
    masks = tp.where(covered, tp.zeros_like(old), old)
    visible = (masks != 0).any(dim=-1).any(dim=-1)
    boxes = _fitted(target["boxes"], masks, lost=(masks != old).any(dim=-1).any(dim=-1))
    left = {**target, "masks": masks, "boxes": boxes}
    joined = dict(target)
    for name in _PER_OBJECT:
        if name in target and name in source:
            parts = F.to_pure_tensor(left[name])[visible], _as(target[name], source[name])
            joined[name] = tv_tensors.wrap(tp.cat(parts), like=target[name])
    if "area" in target:
        area = (F.to_pure_tensor(joined["masks"]) != 0).sum(dim=(-2, -1))
        joined["area"] = area.to(target["area"].dtype)
    return joined


def _fitted(boxes: tp.Tensor, masks: tp.Tensor, lost: tp.Tensor) -> tp.Tensor:
    """The boxes, but those of masks that lost pixels around what is left."""
    edges = tp.tensor([0.0, 0.0, 1.0, 1.0])  # from the last pixel to its far edge
    around = masks_to_boxes(masks) + edges
    if isinstance(boxes, tv_tensors.BoundingBoxes):
        around = F.convert_bounding_box_format(around, old_format="XYXY", new_format=boxes.format)
    plain = F.to_pure_tensor(boxes)
    return tp.where(lost[:, None], around.to(plain.dtype), plain)


def _as(like: tp.Tensor, value: tp.Tensor) -> tp.Tensor:
    """A plain tensor of the dtype of another one, boxes in its format."""
    if isinstance(like, tv_tensors.BoundingBoxes) and isinstance(value, tv_tensors.BoundingBoxes):
        value = F.convert_bounding_box_format(value, new_format=like.format)
    return F.to_pure_tensor(value).to(like.dtype)
