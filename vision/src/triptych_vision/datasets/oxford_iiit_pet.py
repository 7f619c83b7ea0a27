"""Oxford-IIIT Pet: cats and dogs, their breed and outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .listed import index_of, joined, opened, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["OxfordIIITPet"]

_URL = "https://www.robots.ox.ac.uk/~vgg/data/pets/data/"
_TARGETS = ("category", "binary-category", "segmentation")


class OxfordIIITPet(VisionDataset):
    """7,349 photographs of 37 breeds of cats and dogs.

    Args:
        root: the files lie in `root/oxford-iiit-pet`.
        split: "trainval" or "test".
        target_types: one of these, or several for a tuple, or none for None.
            "category": the index of the breed. "binary-category": 0, cat, or 1, dog.
            "segmentation": a PIL image in mode L, 1 for the animal, 2 around it, 3 between.
        transforms: called with image and target, gives both; in place of the other two.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target.
        download: fetch the files when they are missing.

    Attributes:
        classes, class_to_idx: names of the breeds, and their indices.
        bin_classes, bin_class_to_idx: "Cat" and "Dog", and their indices.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: O. Parkhi, A. Vedaldi, A. Zisserman and C. V. Jawahar 2012, "Cats and Dogs".
    """

    remotes = (
        Remote(f"{_URL}images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c", "oxford-iiit-pet"),
        Remote(f"{_URL}annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f", "oxford-iiit-pet"),
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "trainval",
        target_types: Sequence[str] | str = "category",
        transforms: PairTransform | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        self.split = verify_str_arg(split, "split", ("trainval", "test"))
        wanted = [target_types] if isinstance(target_types, str) else list(target_types)
        self.target_types = [verify_str_arg(kind, "target_types", _TARGETS) for kind in wanted]
        super().__init__(root, transforms, transform, target_transform)
        names = f"oxford-iiit-pet/annotations/{split}.txt"
        files = {"oxford-iiit-pet/images": None, names: None}
        prepare("OxfordIIITPet", self.folder, files, self.remotes, download=download)
        rows = [line.split() for line in read_lines(self.folder / names)]  # id breed species _
        self._ids = [row[0] for row in rows]
        self._breeds = [int(row[1]) - 1 for row in rows]
        self._species = [int(row[2]) - 1 for row in rows]
        named = {
            (breed, id.rpartition("_")[0])
            for id, breed in zip(self._ids, self._breeds, strict=True)
        }
        self.classes = [name.replace("_", " ").title() for _, name in sorted(named)]
        self.class_to_idx = index_of(self.classes)
        self.bin_classes = ["Cat", "Dog"]
        self.bin_class_to_idx = index_of(self.bin_classes)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        path = self.folder / "oxford-iiit-pet" / "images" / f"{self._ids[index]}.jpg"
        targets = [self._target(kind, index) for kind in self.target_types]
        return self.sample(opened(path, "RGB"), joined(targets))

    def _target(self, kind: str, index: int) -> Any:
        if kind == "segmentation":
            trimaps = self.folder / "oxford-iiit-pet" / "annotations" / "trimaps"
            return opened(trimaps / f"{self._ids[index]}.png")
        return (self._breeds if kind == "category" else self._species)[index]

    def __len__(self) -> int:
        """Number of images."""
        return len(self._ids)
