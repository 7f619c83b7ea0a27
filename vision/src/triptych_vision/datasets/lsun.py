"""LSUN: millions of rooms and buildings, in databases of LMDB."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from .preparing import optional_module, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["LSUN", "LSUNClass"]

_BY_HAND = "get them with https://github.com/fyu/lsun and unpack them there"
_CATEGORIES = (
    "bedroom",
    "bridge",
    "church_outdoor",
    "classroom",
    "conference_room",
    "dining_room",
    "kitchen",
    "living_room",
    "restaurant",
    "tower",
)
_PARTS = ("train", "val", "test")

# LMDB opens a database once in a process, so data sets share it; a forked worker opens its own.
_open_databases: WeakValueDictionary[tuple[int, Path], Any] = WeakValueDictionary()


def _opened(folder: Path) -> Any:
    place = os.getpid(), folder.resolve()
    env = _open_databases.get(place)
    if env is None:
        env = optional_module("lmdb", "LSUN").open(
            str(folder), max_readers=1, readonly=True, lock=False, readahead=False, meminit=False
        )
        _open_databases[place] = env
    return env


class LSUNClass(VisionDataset):
    """The images of one database. Needs lmdb, which reads it.

    Args:
        root: the database's folder.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with None.

    Raises:
        MissingDataError: the folder is missing.
        MissingDependencyError: lmdb is not installed.
    """

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        optional_module("lmdb", "LSUN")
        files = {self.folder.name: None}
        prepare(type(self).__name__, self.folder.parent, files, by_hand=_BY_HAND)
        self._env: Any = None
        with self.env.begin(write=False) as reading:
            self.keys = list(reading.cursor().iternext(keys=True, values=False))
        self._env = None  # workers that are forked must not inherit it open

    @property
    def env(self) -> Any:
        """The open database; opened at the first image, so that each worker has its own."""
        if self._env is None:
            self._env = _opened(self.folder)
        return self._env

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_env": None}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, None)."""
        from PIL import Image

        with self.env.begin(write=False) as reading:
            raw = reading.get(self.keys[index])
        return self.sample(Image.open(io.BytesIO(raw)).convert("RGB"), None)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.keys)


class LSUN(VisionDataset):
    """Rooms and buildings of ten kinds. Needs lmdb, which reads the databases.

    Args:
        root: the databases are `root/<class>_lmdb`.
        classes: "train" or "val" for all ten kinds, "test", or a list such as
            ["bedroom_train", "tower_train"].
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index in the list of classes.

    Raises:
        ValueError: there is no such class.
        MissingDataError: a folder is missing.
        MissingDependencyError: lmdb is not installed.

    Source: F. Yu et al. 2015, arXiv:1506.03365.
    """

    def __init__(
        self,
        root: PathLike,
        classes: str | Sequence[str] = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes = _checked(classes)
        self.dbs = [LSUNClass(self.folder / f"{name}_lmdb") for name in self.classes]
        self.indices = list(accumulate(len(db) for db in self.dbs))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, index of the class)."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"LSUN: index {index} is out of range for {len(self)} images")
        index %= len(self)
        which = bisect_right(self.indices, index)
        image, _ = self.dbs[which][index - ([0, *self.indices])[which]]
        return self.sample(image, which)

    def __len__(self) -> int:
        """Number of images."""
        return self.indices[-1] if self.indices else 0

    def extra_repr(self) -> str:
        """The classes."""
        return f"Classes: {self.classes}"


def _checked(classes: str | Sequence[str]) -> list[str]:
    if isinstance(classes, str):
        part = verify_str_arg(classes, "classes", _PARTS)
        return ["test"] if part == "test" else [f"{name}_{part}" for name in _CATEGORIES]
    for name in classes:
        category, _, part = verify_str_arg(name, "classes").rpartition("_")
        verify_str_arg(category, "classes", _CATEGORIES)
        verify_str_arg(part, "classes", _PARTS)
    return list(classes)
