"""FER-2013: faces and their expressions."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from .preparing import prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["FER2013"]

_PAGE = (
    "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-"
    "recognition-challenge"
)
_USAGES = {"train": {"Training"}, "test": {"PublicTest", "PrivateTest"}}


class FER2013(VisionDataset):
    """Faces, 48 x 48 grey pixels, with one of seven expressions.

    Put one of these into `root/fer2013`; the first that is there is read: `fer2013.csv`,
    `icml_face_data.csv`, or `train.csv` and `test.csv`, the last of which has no labels.

    Args:
        root: the files lie in `root/fer2013`.
        split: "train" or "test".
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the label, None where the file has none.

    Attributes:
        data: (n, 48, 48) uint8 NumPy array.
        targets: label of each image, or None.

    Raises:
        MissingDataError: no file is there, or it is damaged.

    Source: I. Goodfellow et al. 2013, arXiv:1307.0414.
    """

    files = {  # name: md5
        "fer2013.csv": "f8428a1edbd21e88f42c73edd2a14f95",
        "icml_face_data.csv": "b114b9e04e6949e5fe8b6a98b3892b1d",
        "train.csv": "3f0dfb3d3fd99c811a1299cb947e3131",
        "test.csv": "b02c2298636a634e8c2faabbf3ea9a23",
    }

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", ("train", "test"))
        base = self.folder / "fer2013"
        names = ("fer2013.csv", "icml_face_data.csv", f"{split}.csv")
        name = next((name for name in names if (base / name).is_file()), names[-1])
        prepare("FER2013", base, {name: self.files[name]}, by_hand=f"get them from {_PAGE}")
        rows = self._rows(base / name)
        pixels = [np.array(row["pixels"].split(), np.uint8) for row in rows]
        self.data = np.array(pixels, np.uint8).reshape(-1, 48, 48)
        self.targets = [int(row["emotion"]) if row.get("emotion") else None for row in rows]

    def _rows(self, path: Path) -> list[dict[str, str]]:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))  # one file has ", "
        return [row for row in rows if row.get("Usage", "") in _USAGES[self.split] | {""}]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label)."""
        from PIL import Image

        return self.sample(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        """Number of images."""
        return len(self.data)

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
