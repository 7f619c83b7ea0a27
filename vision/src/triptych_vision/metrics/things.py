"""What a sample says about the things in an image, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp

from .matching import box_areas

__all__ = ["array_of", "chosen", "measured"]

Things = dict[str, np.ndarray]


def array_of(values: Any) -> np.ndarray:
    """A tensor, or a list of numbers, as an array."""
    if isinstance(values, tp.Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)


def measured(things: Things, field: str) -> Things:
    """With numbers in double precision, masks as bool, sizes, and what does not count.

    Args:
        things: "labels" (n,) and what else there is of n things.
        field: what they are compared by, "boxes", "masks" or "keypoints".

    Returns:
        The same with "area", "iscrowd" and "blank" (n,), what counts neither way.
    """
    count = len(things["labels"])
    if "masks" in things:
        masks = things["masks"][:, 0] if things["masks"].ndim == 4 else things["masks"]
        things["masks"] = masks >= 0.5 if masks.dtype.kind == "f" else masks.astype(bool)
    for name, shape in (("boxes", (count, 4)), ("keypoints", (count, -1 if count else 0, 3))):
        if name in things:
            things[name] = things[name].astype(np.float64).reshape(shape)
    if "area" not in things:
        things["area"] = _AREAS[field](things)
    things["iscrowd"] = things.get("iscrowd", np.zeros(count)).astype(bool)
    things["blank"] = things["iscrowd"].copy()
    if field == "keypoints":
        things["blank"] |= ~(things["keypoints"][..., 2] > 0).any(axis=1)
    return things


def _mask_areas(things: Things) -> np.ndarray:
    return things["masks"].sum(axis=(1, 2), dtype=np.float64)


def _keypoint_areas(things: Things) -> np.ndarray:
    """Of the true things' boxes; of boxes around the points, where only they are known."""
    if "boxes" in things:
        return box_areas(things["boxes"])
    spots = things["keypoints"][..., :2]
    return np.ptp(spots, axis=1).prod(axis=1) if spots.size else np.zeros(len(spots))


_AREAS = {
    "boxes": lambda things: box_areas(things["boxes"]),
    "masks": _mask_areas,
    "keypoints": _keypoint_areas,
}


def chosen(things: Things, which: np.ndarray) -> Things:
    """Some of the things, by a mask or by places."""
    return {name: values[which] for name, values in things.items()}
