"""LFW: faces in photographs of the press."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .folder import default_loader
from .listed import Loader
from .preparing import prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset, rooted

__all__ = ["LFWPairs", "LFWPeople"]

_BY_HAND = (
    "the publisher's address is gone: get them from a copy, such as "
    "https://www.kaggle.com/datasets/jessicali9530/lfw-dataset, and unpack the archive there"
)
_IMAGES = {"original": "lfw", "funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled"}
_LISTS = {"10fold": "", "train": "DevTrain", "test": "DevTest"}


class _LFW(VisionDataset):
    """What both views share: folder, lists and checks."""

    checksums = {
        "pairs.txt": "9f1ba174e4e1c508ff7cdf10ac338a7d",
        "pairsDevTest.txt": "5132f7440eb68cf58910c8a45a2ac10b",
        "pairsDevTrain.txt": "4f27cbf15b2da4a85c1907eb4181ad21",
        "people.txt": "450f0863dd89e85e73936a6d71a3474b",
        "peopleDevTest.txt": "e4bf5be0a43b5dcd9dc5ccfcb8fb19c5",
        "peopleDevTrain.txt": "54eaac34beb6d042ed3a7d883e247a21",
        "lfw-names.txt": "a6d0a479bd074669f656265a6e693f6d",
    }
    view = ""

    def __init__(
        self,
        root: PathLike,
        split: str = "10fold",
        image_set: str = "funneled",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        root = rooted(root) / "lfw-py"
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.image_set = verify_str_arg(image_set.lower(), "image_set", tuple(_IMAGES))
        self.split = verify_str_arg(split.lower(), "split", tuple(_LISTS))
        self.loader = loader
        self.images_dir = root / _IMAGES[self.image_set]
        self.labels_file = f"{self.view}{_LISTS[self.split]}.txt"
        lists = [self.labels_file] + ["lfw-names.txt"] * (self.view == "people")
        files = {self.images_dir.name: None, **{name: self.checksums[name] for name in lists}}
        prepare(type(self).__name__, root, files, by_hand=_BY_HAND)

    def _rows(self, name: str) -> list[list[str]]:
        text = (self.folder / name).read_text(encoding="utf-8")
        return [line.split() for line in text.splitlines() if line.strip()]

    def _path(self, person: str, number: str | int) -> str:
        return str(Path(self.images_dir) / person / f"{person}_{int(number):04d}.jpg")

    def extra_repr(self) -> str:
        """Alignment and split."""
        return f"Alignment: {self.image_set}\nSplit: {self.split}"


class LFWPeople(_LFW):
    """13,233 photographs of 5,749 people; who is it?

    Args:
        root: the files lie in `root/lfw-py`: a folder of images and the lists.
        split: "10fold" for everybody, "train" or "test".
        image_set: "original", "funneled" or "deepfunneled", the last two aligned.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the person.
        download: there is nothing to fetch any more: the publisher's address is gone.
        loader: called with a path, gives the image.

    Attributes:
        data: path of each image.
        targets: index of the person on each.
        class_to_idx: index of each person.

    Raises:
        MissingDataError: files are missing or damaged.

    Source: G. Huang, M. Ramesh, T. Berg and E. Learned-Miller 2007, "Labeled Faces in the Wild".
    """

    view = "people"

    def __init__(self, root: PathLike, *args: Any, **kwargs: Any) -> None:
        super().__init__(root, *args, **kwargs)
        names = [row[0] for row in self._rows("lfw-names.txt")]
        self.class_to_idx = {name: index for index, name in enumerate(names)}
        people = [row for row in self._rows(self.labels_file) if len(row) == 2]
        self.data = [
            self._path(name, number)
            for name, count in people
            for number in range(1, int(count) + 1)
        ]
        self.targets = [
            self.class_to_idx[name] for name, count in people for _ in range(int(count))
        ]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, index of the person)."""
        return self.sample(self.loader(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        """Number of images."""
        return len(self.data)

    def extra_repr(self) -> str:
        """Alignment, split and number of people."""
        return f"{super().extra_repr()}\nClasses (identities): {len(self.class_to_idx)}"


class LFWPairs(_LFW):
    """Pairs of photographs; do both show the same person?

    Args:
        root: the files lie in `root/lfw-py`: a folder of images and the lists.
        split: "10fold" for 6,000 pairs, "train" for 2,200 or "test" for 1,000.
        image_set: "original", "funneled" or "deepfunneled", the last two aligned.
        transform: called with each image, a PIL image in mode RGB.
        target_transform: called with 1, the same person, or 0.
        download: there is nothing to fetch any more: the publisher's address is gone.
        loader: called with a path, gives the image.

    Attributes:
        data: two paths for each pair.
        pair_names: two names for each.
        targets: 1 or 0 for each.

    Raises:
        MissingDataError: files are missing or damaged.

    Source: G. Huang, M. Ramesh, T. Berg and E. Learned-Miller 2007, "Labeled Faces in the Wild".
    """

    view = "pairs"

    def __init__(self, root: PathLike, *args: Any, **kwargs: Any) -> None:
        super().__init__(root, *args, **kwargs)
        rows = [row for row in self._rows(self.labels_file) if len(row) in (3, 4)]
        full = [
            (row[0], row[1], *row[-2:]) if len(row) == 4 else (row[0], row[1], row[0], row[2])
            for row in rows
        ]  # name, number, name, number
        self.pair_names = [(first, second) for first, _, second, _ in full]
        self.data = [(self._path(a, i), self._path(b, j)) for a, i, b, j in full]
        self.targets = [int(len(row) == 3) for row in rows]

    def __getitem__(self, index: int) -> Any:
        """(image, image, 1 or 0)."""
        first, second = (self.loader(path) for path in self.data[index])
        same: Any = self.targets[index]
        if self.transform is not None:
            first, second = self.transform(first), self.transform(second)
        if self.target_transform is not None:
            same = self.target_transform(same)
        return first, second, same

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.data)
