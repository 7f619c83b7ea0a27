"""1,797 handwritten digits, 8 x 8 pixels: small enough to train on in seconds."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych_datasets import blob_path, default_catalog, fetch

from ..transforms.functional import to_pil_image
from .vision import MissingDataError, OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["Digits"]

ARTIFACT = "digits.csv.gz"  # its name in the catalogue of triptych_datasets
NUM_TRAIN = 1437  # the first four fifths of 1,797
GREY_LEVELS = 16  # a pixel counts the inked ones of a 4 x 4 block of the scan


class Digits(VisionDataset):
    """Handwritten digits, 8 x 8 grey pixels.

    The first 1,437 rows of the file are for training and the last 360 for testing. Rows are not
    shuffled: neighbours in the file look like one writer's, so this test is harder, and tells more,
    than one on rows picked at random.

    Args:
        root: folder the file is kept in, as `root/Digits/digits.csv.gz`; default the cache of
            `triptych_datasets`.
        train: the training part or the test part.
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the label.
        download: fetch the file when it is missing.
        transforms: called with image and label, gives both; in place of the other two.

    Attributes:
        data: (n, 8, 8) uint8; the file's 0 to 16 spread over 0 to 255.
        targets: (n,) int64 labels.
        classes: names of the ten labels.

    Raises:
        MissingDataError: the file is missing and download is False.

    Source: E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository; the test part of it, as scikit-learn ships it.
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(
        self,
        root: PathLike | None = None,
        train: bool = True,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        *,
        transforms: PairTransform | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.train = train
        table = _table(self._file(download))
        rows = table[:NUM_TRAIN] if train else table[NUM_TRAIN:]
        grey = np.round(rows[:, :64] * (255 / GREY_LEVELS)).astype(np.uint8)
        self.data = tp.from_numpy(grey.reshape(-1, 8, 8))
        self.targets = tp.from_numpy(rows[:, 64].astype(np.int64))

    def _file(self, download: bool) -> Path:
        artifact = default_catalog().get(ARTIFACT)
        path = blob_path(artifact)
        if self.root is not None:
            path = self.root / "Digits" / artifact.filename
        if not path.is_file():
            if not download:
                raise MissingDataError(f"Digits: {path} is missing; download=True fetches it")
            fetched = fetch(artifact)
            if fetched != path:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fetched, path)
        return path

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Index of each class."""
        return {name: index for index, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label)."""
        return self.sample(to_pil_image(self.data[index]), int(self.targets[index]))

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.targets)

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {'Train' if self.train else 'Test'}"


def _table(path: Path) -> np.ndarray:
    """(1797, 65) uint8: 64 grey levels and the label."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        return np.loadtxt(file, delimiter=",", dtype=np.uint8)
