"""Imagenette: ten easy classes of ImageNet."""

from __future__ import annotations

from .folder import default_loader, find_classes, make_dataset
from .listed import ListedDataset, Loader
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["Imagenette"]

_URL = "https://s3.amazonaws.com/fast-ai-imageclas/"
_NAMES: dict[str, tuple[str, ...]] = {  # of WordNet
    "n01440764": ("tench", "Tinca tinca"),
    "n02102040": ("English springer", "English springer spaniel"),
    "n02979186": ("cassette player",),
    "n03000684": ("chain saw", "chainsaw"),
    "n03028079": ("church", "church building"),
    "n03394916": ("French horn", "horn"),
    "n03417042": ("garbage truck", "dustcart"),
    "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
    "n03445777": ("golf ball",),
    "n03888257": ("parachute", "chute"),
}


class Imagenette(ListedDataset):
    """Photographs of ten kinds of things that are easy to tell apart, to try an idea quickly.

    Args:
        root: the files lie in `root/imagenette2`, or `imagenette2-320`, or `imagenette2-160`.
        split: "train" with 9,469 photographs or "val" with 3,925.
        size: "full", or the length of the short side, "320px" or "160px".
        download: fetch the files when they are missing.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        loader: called with a path, gives the image.

    Attributes:
        classes: a tuple of names for each kind.
        class_to_idx: index of each name.
        wnids: the kinds' ids in WordNet.
        wnid_to_idx: index of each.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: J. Howard 2019, https://github.com/fastai/imagenette.
    """

    remotes = {
        "full": Remote(f"{_URL}imagenette2.tgz", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": Remote(f"{_URL}imagenette2-320.tgz", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": Remote(f"{_URL}imagenette2-160.tgz", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }
    _FOLDERS = {
        "full": "imagenette2",
        "320px": "imagenette2-320",
        "160px": "imagenette2-160",
    }

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        size: str = "full",
        download: bool = False,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", ("train", "val"))
        self.size = verify_str_arg(size, "size", tuple(self.remotes))
        part = f"{self._FOLDERS[size]}/{split}"
        prepare("Imagenette", self.folder, {part: None}, [self.remotes[size]], download=download)
        self.wnids, self.wnid_to_idx = find_classes(self.folder / part)
        self.classes = [_NAMES[wnid] for wnid in self.wnids]
        self.class_to_idx = {
            name: index for index, names in enumerate(self.classes) for name in names
        }
        self.samples = make_dataset(self.folder / part, self.wnid_to_idx, (".jpeg",))
