"""What is in a sample: its size, its boxes, parts of certain types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from . import functional as F
from .dispatch import has_kernel
from .kinds import is_image

__all__ = [
    "check_type",
    "get_bounding_boxes",
    "get_keypoints",
    "has_all",
    "has_any",
    "query_chw",
    "query_size",
]

TypeOrCheck = type | Callable[[Any], bool]


def check_type(obj: Any, types_or_checks: tuple[TypeOrCheck, ...]) -> bool:
    """Whether an object is of one of some types, or passes one of some checks.

    Args:
        obj: anything.
        types_or_checks: classes, or functions that say True.

    Returns:
        True for one of them at least.
    """
    return any(
        isinstance(obj, kind) if isinstance(kind, type) else kind(obj) for kind in types_or_checks
    )


def has_any(flat_inputs: list[Any], *types_or_checks: TypeOrCheck) -> bool:
    """Whether some part of a sample is of one of the types, or passes one of the checks.

    Args:
        flat_inputs: the parts of the sample that a transform changes.
        *types_or_checks: classes, or functions that say True.

    Returns:
        True for one part at least.
    """
    return any(check_type(part, types_or_checks) for part in flat_inputs)


def has_all(flat_inputs: list[Any], *types_or_checks: TypeOrCheck) -> bool:
    """Whether for each type or check there is a part of the sample.

    Args:
        flat_inputs: the parts of the sample that a transform changes.
        *types_or_checks: classes, or functions that say True.

    Returns:
        True if none of them is without a part.

    Example:
        >>> has_all([1, "a"], int, str), has_all([1], int, str), has_any([1], int, str)
        (True, False, True)
    """
    return all(has_any(flat_inputs, kind) for kind in types_or_checks)


def _only(what: str, found: set[tuple[int, ...]]) -> tuple[int, ...]:
    if not found:
        raise DTypeError(f"{what}: the sample has no image, film, mask, boxes or keypoints")
    if len(found) > 1:
        raise ShapeError(f"{what}: the parts of the sample differ in size: {sorted(found)}")
    return found.pop()


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """The height and width that all parts of a sample share.

    Args:
        flat_inputs: the parts that a transform changes.

    Returns:
        (h, w) of images, films, masks, and of the canvas of boxes and keypoints.

    Raises:
        DTypeError: there is none of these.
        ShapeError: they differ.
    """
    sized = [part for part in flat_inputs if is_image(part) or has_kernel(F.get_size, part)]
    height, width = _only("query_size", {tuple(F.get_size(part)) for part in sized})
    return height, width


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """The channels, height and width that all images and films of a sample share.

    Args:
        flat_inputs: the parts of the sample that a transform changes.

    Returns:
        (c, h, w).

    Raises:
        DTypeError: there are none.
        ShapeError: they differ.
    """
    alone = len(flat_inputs) == 1  # then it is the image whatever its axes
    images = [p for p in flat_inputs if is_image(p) or (alone and has_kernel(F.get_dimensions, p))]
    channels, height, width = _only("query_chw", {tuple(F.get_dimensions(i)) for i in images})
    return channels, height, width


def get_bounding_boxes(flat_inputs: list[Any]) -> tv_tensors.BoundingBoxes:
    """The first `BoundingBoxes` of a sample, which has one by convention.

    Args:
        flat_inputs: the parts of the sample that a transform changes.

    Returns:
        The boxes, (n, 4), (n, 5) or (n, 8) in pixels.

    Raises:
        ValueError: it has none.
    """
    return _first(flat_inputs, tv_tensors.BoundingBoxes)


def get_keypoints(flat_inputs: list[Any]) -> tv_tensors.KeyPoints:
    """The first `KeyPoints` of a sample, which has one by convention.

    Args:
        flat_inputs: the parts of the sample that a transform changes.

    Returns:
        The points, (..., 2) in pixels.

    Raises:
        ValueError: it has none.
    """
    return _first(flat_inputs, tv_tensors.KeyPoints)


def _first(flat_inputs: list[Any], kind: type) -> Any:
    for part in flat_inputs:
        if isinstance(part, kind):
            return part
    raise ValueError(f"the sample has no {kind.__name__}; wrap them in tv_tensors.{kind.__name__}")
