"""KITTI: boxes around cars, cyclists and people, in the plane and in space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .listed import opened, read_lines
from .preparing import Remote, prepare
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["Kitti"]

_URL = "https://s3.eu-central-1.amazonaws.com/avg-kitti/"


class Kitti(VisionDataset):
    """Streets seen by the left colour camera of a car; 7,481 photographs to train, 7,518 to test.

    Args:
        root: the files lie in `root/Kitti/raw`.
        train: the training part or the test part.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target, a list of dicts with "type", "truncated",
            "occluded", "alpha", "bbox" (left, top, right, bottom in pixels), "dimensions" (height,
            width, length in metres), "location" (x, y, z in metres) and "rotation_y" in radians.
            None for the test part.
        transforms: called with image and target, gives both; in place of the other two.
        download: fetch the files when they are missing. The publisher gives no hashes of the
            archives, so they are not checked.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: A. Geiger, P. Lenz and R. Urtasun 2012, "Are we ready for Autonomous Driving?".
    """

    remotes = tuple(
        Remote(f"{_URL}data_object_{what}_2.zip", None, "Kitti/raw") for what in ("image", "label")
    )

    def __init__(
        self,
        root: PathLike,
        train: bool = True,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        transforms: PairTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.train = train
        base = f"Kitti/raw/{'training' if train else 'testing'}"
        folders = [f"{base}/image_2"] + [f"{base}/label_2"] * train
        prepare("Kitti", self.folder, dict.fromkeys(folders), self.remotes, download=download)
        images = sorted((self.folder / folders[0]).iterdir())
        self.images = [str(path) for path in images]
        labels = self.folder / base / "label_2"
        self.targets = [str(labels / f"{path.stem}.txt") for path in images] if train else []

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, list of objects)."""
        target = None
        if self.train:
            target = [_object(line.split()) for line in read_lines(Path(self.targets[index]))]
        return self.sample(opened(self.images[index]), target)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)


def _object(row: list[str]) -> dict[str, Any]:
    numbers = [float(text) for text in row[1:]]
    return {
        "type": row[0],
        "truncated": numbers[0],
        "occluded": int(numbers[1]),
        "alpha": numbers[2],
        "bbox": numbers[3:7],
        "dimensions": numbers[7:10],
        "location": numbers[10:13],
        "rotation_y": numbers[13],
    }
