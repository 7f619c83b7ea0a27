"""Caltech 101 and Caltech 256: things of many kinds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_datasets.placing import bring, name_in, unpack

from .listed import index_of, joined, opened
from .preparing import Remote, optional_module, prepare
from .utils import list_dir, verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset, rooted

__all__ = ["Caltech101", "Caltech256"]

# Where the folder of outlines is called otherwise than that of the images.
_OUTLINES = {
    "Faces": "Faces_2",
    "Faces_easy": "Faces_3",
    "Motorbikes": "Motorbikes_16",
    "airplanes": "Airplanes_Side_2",
}


def _count(folder: Path) -> int:
    return sum(path.suffix == ".jpg" for path in folder.iterdir())


class Caltech101(VisionDataset):
    """9,146 photographs of 101 kinds of things, with outlines. SciPy reads the outlines.

    Args:
        root: the files lie in `root/caltech101`.
        target_type: "category", the index; "annotation", the outline, (2, n) NumPy array; or a
            list of both, for a tuple.
        transform: called with the image, a PIL image; some are grey.
        target_transform: called with the target.
        download: fetch the files when they are missing.

    Attributes:
        categories: names of the kinds, sorted.
        y: index of the kind of each image.
        index: number of each image within its kind, from 1.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: L. Fei-Fei, R. Fergus and P. Perona 2004.
    """

    url = "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip"
    md5 = "3138e1922a9193bfa496528edbbc45d0"

    def __init__(
        self,
        root: PathLike,
        target_type: Sequence[str] | str = "category",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        root = rooted(root) / "caltech101"
        super().__init__(root, transform=transform, target_transform=target_transform)
        wanted = [target_type] if isinstance(target_type, str) else list(target_type)
        kinds = ("category", "annotation")
        self.target_type = [verify_str_arg(kind, "target_type", kinds) for kind in wanted]
        images = root / "101_ObjectCategories"
        if download and not images.is_dir():
            self.download()
        prepare("Caltech101", root, {images.name: None})
        self.categories = [name for name in list_dir(images) if name != "BACKGROUND_Google"]
        self.annotation_categories = [_OUTLINES.get(name, name) for name in self.categories]
        counts = [_count(images / name) for name in self.categories]
        self.index = [number for count in counts for number in range(1, count + 1)]
        self.y = [kind for kind, count in enumerate(counts) for _ in range(count)]

    def download(self) -> None:
        """Fetch the archive, which holds others, and unpack them all."""
        unpack(bring((self.url,), self.folder, name_in(self.url), self.md5), self.folder)
        inner = self.folder / "caltech-101"
        for path in sorted(inner.glob("*.gz")) + sorted(inner.glob("*.tar")):
            unpack(path, self.folder)
        shutil.rmtree(inner)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        kind, number = self.y[index], self.index[index]
        folder = self.folder / "101_ObjectCategories" / self.categories[kind]
        targets = [
            kind if wanted == "category" else self._outline(kind, number)
            for wanted in self.target_type
        ]
        return self.sample(opened(folder / f"image_{number:04d}.jpg"), joined(targets))

    def _outline(self, kind: int, number: int) -> Any:
        folder = self.folder / "Annotations" / self.annotation_categories[kind]
        loadmat = optional_module("scipy.io", "Caltech101's annotation").loadmat
        return loadmat(folder / f"annotation_{number:04d}.mat")["obj_contour"]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.index)

    def extra_repr(self) -> str:
        """The kinds of target."""
        return f"Target type: {self.target_type}"


class Caltech256(VisionDataset):
    """30,607 photographs of 256 kinds of things, and of nothing in particular.

    Args:
        root: the files lie in `root/caltech256`.
        transform: called with the image, a PIL image; some are grey.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing.

    Attributes:
        categories: names of the kinds, sorted, such as "001.ak47".
        y: index of the kind of each image.
        index: number of each image within its kind, from 1.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: G. Griffin, A. Holub and P. Perona 2007, "Caltech-256 Object Category Dataset".
    """

    remote = Remote(
        "https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar",
        "67b4f42ca05d46448c6bb8ecd2220f6d",
    )

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        root = rooted(root) / "caltech256"
        super().__init__(root, transform=transform, target_transform=target_transform)
        images = root / "256_ObjectCategories"
        prepare("Caltech256", root, {images.name: None}, [self.remote], download=download)
        self.categories = list_dir(images)
        counts = [_count(images / name) for name in self.categories]
        self.index = [number for count in counts for number in range(1, count + 1)]
        self.y = [kind for kind, count in enumerate(counts) for _ in range(count)]

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Index of each kind."""
        return index_of(self.categories)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, index of the kind)."""
        kind, number = self.y[index], self.index[index]
        folder = self.folder / "256_ObjectCategories" / self.categories[kind]
        return self.sample(opened(folder / f"{kind + 1:03d}_{number:04d}.jpg"), kind)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.index)
