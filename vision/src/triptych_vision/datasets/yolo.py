"""Folders in YOLO's format: a text file of boxes beside each image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import FileFormatError

from ..tv_tensors import BoundingBoxes
from .folder import is_image_file
from .listed import index_of, opened, read_lines
from .preparing import prepare
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["YOLODetection"]


class YOLODetection(VisionDataset):
    """Images `root/images/<split>/x.jpg` with objects in `root/labels/<split>/x.txt`.

    A line is the class, and centre, width and height of the box as shares of the image; or the
    class and the corners of an outline, whose box is taken. An image without a file shows nothing.

    Args:
        root: folder of images and labels.
        split: folder below both; "" where there is none.
        classes: names of the classes; default the lines of `root/classes.txt`, if it is there.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target, {"boxes": `BoundingBoxes` (n, 4) float32 in XYXY,
            pixels; "labels": (n,) int64}.
        transforms: called with image and target, gives both; in place of the other two.

    Attributes:
        images: path of each image, sorted.
        classes: names of the classes.
        class_to_idx: index of each.

    Raises:
        MissingDataError: a folder is missing.
        FileFormatError: a line is none of the two kinds; when the sample is read.
    """

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        classes: list[str] | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.split = split
        folders = [str(Path(kind) / split) for kind in ("images", "labels")]
        cure = "wanted images/<split>/x.jpg and labels/<split>/x.txt"
        prepare("YOLODetection", self.folder, dict.fromkeys(folders), by_hand=cure)
        names = self.folder / "classes.txt"
        self.classes = classes or (read_lines(names) if names.is_file() else [])
        self.class_to_idx = index_of(self.classes)
        images = self.folder / folders[0]
        self.images = [str(path) for path in sorted(images.rglob("*")) if is_image_file(path.name)]
        self._folders = images, self.folder / folders[1]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, {"boxes", "labels"})."""
        path = Path(self.images[index])
        image = opened(path, "RGB")
        images, labels = self._folders
        listed = (labels / path.relative_to(images)).with_suffix(".txt")
        rows = read_lines(listed) if listed.is_file() else []
        found = [_object(line, f"{listed}: line {i + 1}") for i, line in enumerate(rows)]
        shares = np.array([box for _, box in found], np.float32).reshape(-1, 4)
        pixels = shares * np.array([image.width, image.height] * 2, np.float32)
        boxes = BoundingBoxes(
            tp.from_numpy(pixels), format="XYXY", canvas_size=(image.height, image.width)
        )
        numbers = tp.tensor([label for label, _ in found], dtype=tp.int64)
        return self.sample(image, {"boxes": boxes, "labels": numbers})

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)


def _object(line: str, where: str) -> tuple[int, list[float]]:
    """Class, and left, top, right and bottom as shares."""
    try:
        label, *numbers = line.split()
        values = [float(text) for text in numbers]
        if len(values) == 4:
            x, y, width, height = values
            return int(label), [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        if len(values) >= 6 and len(values) % 2 == 0:
            xs, ys = values[::2], values[1::2]
            return int(label), [min(xs), min(ys), max(xs), max(ys)]
    except ValueError as error:
        raise FileFormatError(f"{where}: {error}") from error
    raise FileFormatError(
        f"{where}: wanted a class and a box of 4 numbers or an outline of 6 or more, got {line!r}"
    )
