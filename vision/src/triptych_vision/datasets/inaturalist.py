"""iNaturalist: plants, animals and fungi, and where they stand in the tree of life."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError

from .listed import joined, opened
from .preparing import Remote, prepare
from .utils import list_dir, verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset, rooted

__all__ = ["INaturalist"]

_URL = "https://ml-inat-competition-datasets.s3.amazonaws.com/"
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")


class INaturalist(VisionDataset):
    """Photographs of species, from half a million to 2.7 million, by the year of the contest.

    Args:
        root: the files lie in `root/<version>`.
        version: "2017", "2018", "2019", "2021_train", "2021_train_mini" or "2021_valid".
        target_type: "full", the index of the species; of 2021 "kingdom", "phylum", "class",
            "order", "family" or "genus", of earlier years "super", the index of that; or a list,
            for a tuple.
        transform: called with the image, a PIL image.
        target_transform: called with the target.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image; default a PIL image as it is in the file.

    Attributes:
        all_categories: folder of each species.
        categories_index: for each kind of target, the index of each name.
        categories_map: for each species, the index of each kind of target.
        index: (species, name of the file) of each image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: G. Van Horn et al. 2018, arXiv:1707.06642.
    """

    remotes = {
        "2017": Remote(f"{_URL}2017/train_val_images.tar.gz", "7c784ea5e424efaec655bd392f87301f"),
        "2018": Remote(f"{_URL}2018/train_val2018.tar.gz", "b1c6952ce38f31868cc50ea72d066cc3"),
        "2019": Remote(f"{_URL}2019/train_val2019.tar.gz", "c60a6e2962c9b8ccbd458d12c8582644"),
        "2021_train": Remote(f"{_URL}2021/train.tar.gz", "e0526d53c7f7b2e3167b2b43bb2690ed"),
        "2021_train_mini": Remote(
            f"{_URL}2021/train_mini.tar.gz", "db6ed8330e634445efc8fec83ae81442"
        ),
        "2021_valid": Remote(f"{_URL}2021/val.tar.gz", "f6f6e0e242e3d4c9569ba56400938afc"),
    }

    def __init__(
        self,
        root: PathLike,
        version: str = "2021_train",
        target_type: Sequence[str] | str = "full",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Any = None,
    ) -> None:
        self.version = verify_str_arg(version, "version", tuple(self.remotes))
        root = rooted(root)
        super().__init__(root / version, transform=transform, target_transform=target_transform)
        wanted = [target_type] if isinstance(target_type, str) else list(target_type)
        valid = ("full", *(_RANKS if version.startswith("2021") else ("super",)))
        self.target_type = [verify_str_arg(kind, "target_type", valid) for kind in wanted]
        self.loader = loader or opened
        if download and not self.folder.is_dir():
            self._download(root)
        prepare("INaturalist", root, {version: None})
        self.all_categories: list[str] = []
        self.categories_index: dict[str, dict[str, int]] = {kind: {} for kind in valid[1:]}
        self.categories_map: list[dict[str, int]] = []
        self._read_2021() if version.startswith("2021") else self._read_earlier()
        self.index = [
            (species, path.name)
            for species, folder in enumerate(self.all_categories)
            for path in sorted((self.folder / folder).iterdir())
        ]

    def _download(self, root: Path) -> None:
        remote = self.remotes[self.version]
        remote.get(root)
        unpacked = root / remote.sources[0].rpartition("/")[2].removesuffix(".tar.gz")
        unpacked.rename(self.folder)

    def _read_2021(self) -> None:
        """Folders are called 00000_Animalia_Annelida_..., number, six ranks and the species."""
        for number, name in enumerate(list_dir(self.folder)):
            pieces = name.split("_")
            if len(pieces) != 8 or pieces[0] != f"{number:05d}":
                raise FileFormatError(
                    f"INaturalist: {self.folder / name}: wanted a folder called {number:05d}, six "
                    "ranks and a species, with _ between"
                )
            self.all_categories.append(name)
            row = {}
            for rank, value in zip(_RANKS, pieces[1:7], strict=True):
                known = self.categories_index[rank]
                row[rank] = known.setdefault(value, len(known))
            self.categories_map.append(row)

    def _read_earlier(self) -> None:
        """Folders group/species; from 2018 on the species are numbers."""
        groups = list_dir(self.folder)
        self.categories_index["super"] = {name: index for index, name in enumerate(groups)}
        found = [(group, name) for group in groups for name in list_dir(self.folder / group)]
        if self.version != "2017":
            wrong = [f"{group}/{name}" for group, name in found if not name.isdecimal()]
            if wrong:
                raise FileFormatError(f"INaturalist: {wrong[0]}: wanted a number for a name")
            found.sort(key=lambda item: int(item[1]))
            numbers = [int(name) for _, name in found]
            if numbers != list(range(len(found))):
                raise FileFormatError(
                    f"INaturalist: {self.folder}: wanted species 0 to {len(found) - 1}, each once"
                )
        self.all_categories = [f"{group}/{name}" for group, name in found]
        self.categories_map = [
            {"super": self.categories_index["super"][group]} for group, _ in found
        ]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        species, name = self.index[index]
        image = self.loader(str(self.folder / self.all_categories[species] / name))
        targets = [
            species if kind == "full" else self.categories_map[species][kind]
            for kind in self.target_type
        ]
        return self.sample(image, joined(targets))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.index)

    def category_name(self, category_type: str, category_id: int) -> str:
        """Name of an index.

        Args:
            category_type: a kind of target.
            category_id: the index.

        Raises:
            ValueError: there is no such kind or index.
        """
        if category_type == "full":
            return self.all_categories[category_id]
        verify_str_arg(category_type, "category_type", ("full", *self.categories_index))
        for name, index in self.categories_index[category_type].items():
            if index == category_id:
                return name
        raise ValueError(f"category_name: {category_type} has no index {category_id}")
