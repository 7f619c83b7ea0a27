"""Places365: where are we?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .folder import default_loader
from .listed import ListedDataset, Loader, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["Places365"]

_URL = "http://data.csail.mit.edu/places/places365/"


class Places365(ListedDataset):
    """Photographs of 365 kinds of places; 1.8 million to train, or 8 million of the challenge.

    Args:
        root: the files lie in `root`.
        split: "train-standard", "train-challenge", "val" or "test"; targets of the last are None.
        small: 256 x 256 pixels, or as large as they were.
        download: fetch the files when they are missing.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the kinds, sorted.
        class_to_idx: index of each.
        imgs: (path, index) of each image.

    Raises:
        MissingDataError: files are missing or damaged, and download is False.

    Source: B. Zhou et al. 2017, "Places: A 10 million Image Database for Scene Recognition".
    """

    devkits = {
        "standard": ("filelist_places365-standard.tar", "35a0585fee1fa656440f3ab298f8479c"),
        "challenge": ("filelist_places365-challenge.tar", "70a8307e459c3de41690a7c76c931734"),
    }
    lists = {
        "train-standard": ("places365_train_standard.txt", "30f37515461640559006b8329efbed1a"),
        "train-challenge": ("places365_train_challenge.txt", "b2931dc997b8c33c27e7329c073a6b57"),
        "val": ("places365_val.txt", "e9f2fd57bfd9d07630173f4e8708e4b1"),
        "test": ("places365_test.txt", "2fce8233fe493576d724142e45d93653"),
    }
    categories = ("categories_places365.txt", "06c963b85866bd0649f97cb43dd16673")
    archives = {  # by split and small
        ("train-standard", False): (
            "train_large_places365standard.tar",
            "67e186b496a84c929568076ed01a8aa1",
        ),
        ("train-challenge", False): (
            "train_large_places365challenge.tar",
            "605f18e68e510c82b958664ea134545f",
        ),
        ("val", False): ("val_large.tar", "9b71c4993ad89d2d8bcbdc4aef38042f"),
        ("test", False): ("test_large.tar", "41a4b6b724b1d2cd862fb3871ed59913"),
        ("train-standard", True): (
            "train_256_places365standard.tar",
            "53ca1c756c3d1e7809517cc47c5561c5",
        ),
        ("train-challenge", True): (
            "train_256_places365challenge.tar",
            "741915038a5e3471ec7332404dfb64ef",
        ),
        ("val", True): ("val_256.tar", "e27b17d8d44f4af9a78502beb927f808"),
        ("test", True): ("test_256.tar", "f532f6ad7b582262a2ec8009075e186b"),
    }
    base_url = _URL

    def __init__(
        self,
        root: PathLike,
        split: str = "train-standard",
        small: bool = False,
        download: bool = False,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", tuple(self.lists))
        self.small = small
        names = [self.categories, self.lists[split]]
        devkit, md5 = self.devkits[self.variant]
        remote = Remote(self.base_url + devkit, md5)
        prepare("Places365", self.folder, dict(names), [remote], download=download)
        if download and not self.images_dir.is_dir():
            self.download_images()
        prepare("Places365", self.folder, {self.images_dir.name: None})
        rows = [line.split() for line in read_lines(self.folder / self.categories[0])]
        self.class_to_idx = {name: int(index) for name, index in rows}
        self.classes = sorted(self.class_to_idx)
        self.samples = [
            (str(self.images_dir / path.lstrip("/")), int(label[0]) if label else None)
            for path, *label in (
                line.split() for line in read_lines(self.folder / self.lists[split][0])
            )
        ]

    @property
    def imgs(self) -> Sequence[tuple[str, Any]]:
        """The samples."""
        return self.samples

    @property
    def variant(self) -> str:
        """Which list of files: "standard" or "challenge"."""
        return "challenge" if "challenge" in self.split else "standard"

    @property
    def images_dir(self) -> Any:
        """Folder of the images."""
        size = "256" if self.small else "large"
        train = self.split.startswith("train")
        return self.folder / (f"data_{size}_{self.variant}" if train else f"{self.split}_{size}")

    def download_images(self) -> None:
        """Fetch the images, unless they are there."""
        name, md5 = self.archives[self.split, bool(self.small)]
        Remote(self.base_url + name, md5).get(self.folder)
        if self.split.startswith("train"):  # the archive has data_256 or data_large
            unpacked = self.images_dir.name.rpartition("_")[0]
            (self.folder / unpacked).rename(self.images_dir)

    def extra_repr(self) -> str:
        """Split and size."""
        return f"Split: {self.split}\nSmall: {self.small}"
