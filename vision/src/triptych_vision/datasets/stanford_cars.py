"""Stanford Cars: make, model and year."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of
from .preparing import optional_module, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["StanfordCars"]

_BY_HAND = (
    "the publisher took them down: get the archives cars_train.tgz, cars_test.tgz and "
    "car_devkit.tgz and the file cars_test_annos_withlabels.mat from a copy, and unpack them there"
)
_ANNOTATIONS = {"train": "devkit/cars_train_annos.mat", "test": "cars_test_annos_withlabels.mat"}


class StanfordCars(ListedDataset):
    """16,185 photographs of 196 cars. Needs SciPy, which reads the labels.

    Args:
        root: the files lie in `root/stanford_cars`.
        split: "train" with 8,144 photographs or "test" with 8,041.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the car.
        download: there is nothing to fetch any more: the publisher took the files down.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the cars.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing.
        MissingDependencyError: SciPy is not installed.

    Source: J. Krause et al. 2013, "3D Object Representations for Fine-Grained Categorization".
    """

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        loadmat = optional_module("scipy.io", "StanfordCars").loadmat
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", tuple(_ANNOTATIONS))
        base = self.folder / "stanford_cars"
        files = dict.fromkeys((f"cars_{split}", _ANNOTATIONS[split], "devkit/cars_meta.mat"))
        prepare("StanfordCars", base, files, by_hand=_BY_HAND)
        rows = loadmat(base / _ANNOTATIONS[split], squeeze_me=True)["annotations"].reshape(-1)
        self.samples = [
            (str(base / f"cars_{split}" / str(row["fname"])), int(row["class"]) - 1) for row in rows
        ]
        meta = loadmat(base / "devkit" / "cars_meta.mat", squeeze_me=True)
        self.classes = [str(name) for name in meta["class_names"].reshape(-1)]
        self.class_to_idx = index_of(self.classes)
