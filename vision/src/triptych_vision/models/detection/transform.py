"""Pictures of any size to a batch, and detections back to the pictures' own pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

from .image_list import ImageList
from .masks import paste_masks_in_image
from .targets import Target, check_images

__all__ = ["GeneralizedRCNNTransform", "resize_boxes", "resize_keypoints"]

Size = tuple[int, int]


class GeneralizedRCNNTransform(nn.Module):
    """Normalises and resizes pictures and their targets, and makes a batch.

    Args:
        min_size: length of the shorter side after resizing, in pixels; of several, one is drawn
            for each picture while training, and the last one is used afterwards.
        max_size: the longer side is at most so long.
        image_mean: of each channel, values from 0 to 1.
        image_std: deviation of each channel.
        size_divisible: height and width of the batch are multiples of it.
        fixed_size: (w, h) of every picture, in place of min_size and max_size.
    """

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int,
        image_mean: Sequence[float],
        image_std: Sequence[float],
        size_divisible: int = 32,
        fixed_size: Size | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.min_size = tuple(min_size) if isinstance(min_size, list | tuple) else (min_size,)
        self.max_size = max_size
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)
        self.size_divisible = size_divisible
        self.fixed_size = fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)  # for pictures that come resized
        if kwargs:
            raise TypeError(f"GeneralizedRCNNTransform: unexpected arguments {sorted(kwargs)}")

    def forward(
        self, images: Sequence[tp.Tensor], targets: Sequence[Target] | None = None
    ) -> tuple[ImageList, list[Target] | None]:
        """Batch pictures.

        Args:
            images: each (c, h, w), floats from 0 to 1.
            targets: for each picture, boxes (l, 4) and perhaps masks (l, h, w) and keypoints
                (l, k, 3); they are not changed.

        Returns:
            The batch, and new targets in its pixels.
        """
        check_images("GeneralizedRCNNTransform", images)
        pairs = [
            self.resize(self.normalize(image), None if targets is None else dict(targets[i]))
            for i, image in enumerate(images)
        ]
        resized = [image for image, _ in pairs]
        sizes = [(int(image.shape[1]), int(image.shape[2])) for image in resized]
        batch = ImageList(self.batch_images(resized, self.size_divisible), sizes)
        return batch, None if targets is None else [t for _, t in pairs if t is not None]

    def normalize(self, image: tp.Tensor) -> tp.Tensor:
        """Subtract the mean and divide by the deviation, (c, h, w)."""
        mean, std = (
            tp.tensor(values, dtype=image.dtype, device=image.device)[:, None, None]
            for values in (self.image_mean, self.image_std)
        )
        return (image - mean) / std

    def resize(
        self, image: tp.Tensor, target: Target | None = None
    ) -> tuple[tp.Tensor, Target | None]:
        """Resize one picture (c, h, w), and its target, which is changed."""
        if self.training and self._skip_resize:
            return image, target
        old = int(image.shape[1]), int(image.shape[2])
        new = self._new_size(old)
        if new != old:
            image = F.interpolate(image[None], size=new, mode="bilinear", align_corners=False)[0]
        if target is None:
            return image, None
        if "masks" in target and new != tuple(target["masks"].shape[-2:]):
            masks = target["masks"][:, None].to(tp.float32)
            target["masks"] = F.interpolate(masks, size=new)[:, 0].to(tp.uint8)
        target["boxes"] = resize_boxes(target["boxes"], old, new)
        if "keypoints" in target:
            target["keypoints"] = resize_keypoints(target["keypoints"], old, new)
        return image, target

    def _new_size(self, old: Size) -> Size:
        if self.fixed_size is not None:
            return self.fixed_size[1], self.fixed_size[0]
        which = int(tp.randint(len(self.min_size), (1,))) if self.training else -1
        scale = min(self.min_size[which] / min(old), self.max_size / max(old))
        return math.floor(old[0] * scale), math.floor(old[1] * scale)

    def batch_images(self, images: Sequence[tp.Tensor], size_divisible: int = 32) -> tp.Tensor:
        """(n, c, h, w) with each picture in the top left corner."""
        height, width = (
            math.ceil(max(int(image.shape[axis]) for image in images) / size_divisible)
            * size_divisible
            for axis in (1, 2)
        )
        padded = [
            F.pad(image, (0, width - int(image.shape[2]), 0, height - int(image.shape[1])))
            for image in images
        ]
        return tp.stack(padded)

    def postprocess(
        self,
        result: list[Target],
        image_shapes: Sequence[Size],
        original_image_sizes: Sequence[Size],
    ) -> list[Target]:
        """Detections in pixels of the pictures as they came.

        Args:
            result: for each picture boxes (l, 4), and perhaps masks (l, 1, m, m) of the boxes and
                keypoints (l, k, 3); changed.
            image_shapes: (h, w) of the resized pictures.
            original_image_sizes: (h, w) of the pictures.

        Returns:
            The same; masks are now those of the whole picture, (l, 1, h, w).
        """
        if self.training:
            return result
        for found, new, old in zip(result, image_shapes, original_image_sizes, strict=True):
            found["boxes"] = resize_boxes(found["boxes"], new, old)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], old)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], new, old)
        return result

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return (
            f"Normalize(mean={self.image_mean}, std={self.image_std}), "
            f"Resize(min_size={self.min_size}, max_size={self.max_size}, mode='bilinear')"
        )


def _ratios(old: Size, new: Size, like: tp.Tensor) -> tp.Tensor:
    """(2,): how many times larger, in x and in y."""
    wide, narrow = (
        tp.tensor([size[1], size[0]], dtype=tp.float32, device=like.device) for size in (new, old)
    )
    return wide / narrow


def resize_boxes(boxes: tp.Tensor, original_size: Size, new_size: Size) -> tp.Tensor:
    """Boxes (l, 4), xyxy, of a picture (h, w), where the picture has another size."""
    ratios = _ratios(original_size, new_size, boxes)
    return boxes * tp.cat((ratios, ratios))


def resize_keypoints(keypoints: tp.Tensor, original_size: Size, new_size: Size) -> tp.Tensor:
    """Points (..., 3): x, y, visibility, of a picture (h, w) that gets another size."""
    ratios = _ratios(original_size, new_size, keypoints)
    return tp.cat((keypoints[..., :2] * ratios, keypoints[..., 2:]), -1)
