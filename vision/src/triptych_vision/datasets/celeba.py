"""CelebA: faces of celebrities, with what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp

from .listed import joined, opened
from .preparing import Remote, drive, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["CelebA"]

_SPLITS = {"train": 0, "valid": 1, "test": 2, "all": None}
_TARGETS = ("attr", "identity", "bbox", "landmarks")


class CelebA(VisionDataset):
    """202,599 faces of 10,177 people, aligned and cut to 178 x 218 pixels.

    Args:
        root: the files lie in `root/celeba`.
        split: "train", "valid", "test" or "all".
        target_type: one of these, or a list of them for a tuple; an empty list for None.
            "attr": (40,) int64, 0 or 1, whether the face has each attribute.
            "identity": 0-d int64, the number of the person.
            "bbox": (4,) int64, left, top, width and height of the face, in pixels of the picture
            that the image was cut from.
            "landmarks": (10,) int64, x and y of eyes, nose and corners of the mouth.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target.
        download: fetch the files when they are missing or damaged.

    Attributes:
        filename: name of each image.
        attr, identity, bbox, landmarks_align: the targets, one row for each image.
        attr_names: names of the attributes.

    Raises:
        MissingDataError: files are missing or damaged, and download is False.

    Source: Z. Liu et al. 2015, arXiv:1411.7766.
    """

    base_folder = "celeba"
    remotes: tuple[Remote, ...] = tuple(
        drive(file_id, name, md5, "celeba", unpack=name.endswith(".zip"))
        for file_id, md5, name in (
            (
                "0B7EVK8r0v71pZjFTYXZWM3FlRnM",
                "00d2c5bc6d35e252742224ab0c1e8fcb",
                "img_align_celeba.zip",
            ),
            (
                "0B7EVK8r0v71pblRyaVFSWGxPY0U",
                "75e246fa4810816ffd6ee81facbd244c",
                "list_attr_celeba.txt",
            ),
            (
                "1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS",
                "32bd1bd63d3c78cd57e08160ec5ed1e2",
                "identity_CelebA.txt",
            ),
            (
                "0B7EVK8r0v71pbThiMVRxWXZ4dU0",
                "00566efa6fedff7a56946cd1c10f1c16",
                "list_bbox_celeba.txt",
            ),
            (
                "0B7EVK8r0v71pd0FJY3Blby1HUTQ",
                "cc24ecafdb5b50baae59b03474781f8c",
                "list_landmarks_align_celeba.txt",
            ),
            (
                "0B7EVK8r0v71pY0NSMzRuSXJEVkk",
                "d32c9cbf5e040fd4025c592c306e6668",
                "list_eval_partition.txt",
            ),
        )
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        target_type: Sequence[str] | str = "attr",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split.lower(), "split", tuple(_SPLITS))
        wanted = [target_type] if isinstance(target_type, str) else list(target_type)
        self.target_type = [verify_str_arg(kind, "target_type", _TARGETS) for kind in wanted]
        if not wanted and target_transform is not None:
            raise ValueError("CelebA: target_transform is given, but no target_type")
        files = {f"celeba/{r.filename}": r.digest for r in self.remotes if not r.unpack}
        files["celeba/img_align_celeba"] = None
        prepare("CelebA", self.folder, files, self.remotes, download=download)
        self._read()

    def _read(self) -> None:
        base = self.folder / self.base_folder
        _, names, parts = _table(base / "list_eval_partition.txt", 0)
        part = _SPLITS[self.split]
        rows = np.flatnonzero((parts[:, 0] == part) if part is not None else np.ones(len(parts)))
        self.filename = [names[row] for row in rows]
        attributes = _table(base / "list_attr_celeba.txt", 2)
        self.attr_names = attributes[0]
        self.attr = tp.from_numpy((attributes[2][rows] + 1) // 2)  # -1 and 1 in the file
        self.identity, self.bbox, self.landmarks_align = (
            tp.from_numpy(_table(base / name, head)[2][rows])
            for name, head in (
                ("identity_CelebA.txt", 0),
                ("list_bbox_celeba.txt", 2),
                ("list_landmarks_align_celeba.txt", 2),
            )
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        path = self.folder / self.base_folder / "img_align_celeba" / self.filename[index]
        rows = {
            "attr": lambda: self.attr[index],
            "identity": lambda: self.identity[index, 0],
            "bbox": lambda: self.bbox[index],
            "landmarks": lambda: self.landmarks_align[index],
        }
        return self.sample(opened(path), joined([rows[kind]() for kind in self.target_type]))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.filename)

    def extra_repr(self) -> str:
        """The kinds of target and the split."""
        return f"Target type: {self.target_type}\nSplit: {self.split}"


def _table(path: Path, num_head: int) -> tuple[list[str], list[str], np.ndarray]:
    """Columns, if named; names of the rows; (rows, columns) int64."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines[num_head:] if line.strip()]
    columns = lines[num_head - 1].split() if num_head else []
    return columns, [row[0] for row in rows], np.array([row[1:] for row in rows], np.int64)
