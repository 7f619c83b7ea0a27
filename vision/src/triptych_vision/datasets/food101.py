"""Food-101: what is on the plate?"""

from __future__ import annotations

import json

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["Food101"]


class Food101(ListedDataset):
    """101,000 photographs of 101 dishes; the labels of the training part have some mistakes.

    Args:
        root: the files lie in `root/food-101`.
        split: "train" with 750 photographs of each dish, or "test" with 250.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the dish.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the dishes, sorted.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: L. Bossard, M. Guillaumin and L. Van Gool 2014, "Food-101 -- Mining Discriminative
    Components with Random Forests".
    """

    remote = Remote(
        "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz", "85eeb15f3717b99a5da872d97d918f87"
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", ("train", "test"))
        names = f"food-101/meta/{split}.json"
        files = {names: None, "food-101/images": None}
        prepare("Food101", self.folder, files, [self.remote], download=download)
        listed = json.loads((self.folder / names).read_text(encoding="utf-8"))
        self.classes = sorted(listed)
        self.class_to_idx = index_of(self.classes)
        images = self.folder / "food-101" / "images"
        self.samples = [
            (str(images / f"{path}.jpg"), self.class_to_idx[dish])
            for dish, paths in listed.items()
            for path in paths
        ]

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
