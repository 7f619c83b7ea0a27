"""Texts in folders, one for each class, and the lines of large files by number."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from triptych.errors import BoundsError, FileFormatError
from triptych.utils import data
from triptych_datasets import MissingDataError

from .streams import is_packed

__all__ = ["LineDataset", "TextFolder"]

PathLike = str | os.PathLike[str]


class TextFolder(data.Dataset[Any]):
    """Texts in one folder for each class: samples (text, class index).

    Args:
        root: its subfolders are the classes, in alphabetical order; files may lie deeper.
        extensions: of the files to take.
        transform: called with the text.
        target_transform: called with the class index.
        encoding: of the files.

    Attributes:
        classes: their names.
        class_to_idx: index of each.
        samples: (path, class index) of each.
        targets: class index of each.

    Raises:
        MissingDataError: there is no such folder, or no file for a class.

    Example:
        >>> reviews = TextFolder("aclImdb/train")  # doctest: +SKIP
        >>> reviews.classes  # doctest: +SKIP
        ['neg', 'pos', 'unsup']
    """

    def __init__(
        self,
        root: PathLike,
        *,
        extensions: tuple[str, ...] = (".txt",),
        transform: Callable[[str], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.root = Path(root).expanduser()
        self.transform, self.target_transform = transform, target_transform
        self.encoding = encoding
        folders = self.root.iterdir() if self.root.is_dir() else ()
        self.classes = sorted(f.name for f in folders if f.is_dir() and f.name[0] != ".")
        if not self.classes:
            raise MissingDataError(f"TextFolder: wanted a folder for each class in {self.root}")
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}
        self.samples = [
            (path, index)
            for name, index in self.class_to_idx.items()
            for path in _texts_of(self.root / name, extensions)
        ]
        self.targets = [index for _, index in self.samples]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(text, class index) of a sample."""
        path, target = self.samples[index]
        try:
            text: Any = path.read_text(encoding=self.encoding)
        except UnicodeDecodeError as error:
            raise FileFormatError(f"TextFolder: {path}: no text in {self.encoding}") from error
        text = text if self.transform is None else self.transform(text)
        return text, target if self.target_transform is None else self.target_transform(target)

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.samples)

    def __repr__(self) -> str:
        return f"TextFolder({len(self)} texts of {len(self.classes)} classes in {self.root})"


def _texts_of(folder: Path, extensions: tuple[str, ...]) -> list[Path]:
    found = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name.endswith(extensions)
    )
    if not found:
        raise MissingDataError(f"TextFolder: {folder} holds no {' or '.join(extensions)} file")
    return found


class LineDataset(data.Dataset[str]):
    """The lines of a file by number, without reading it into memory.

    The file is mapped, and where its lines begin is found once, at 8 bytes a line. Workers share
    the mapping.

    Args:
        path: a text in UTF-8, not packed; a line ends with a newline.
        transform: called with a line.

    Raises:
        MissingDataError: no such file.
        FileFormatError: the file is packed, or a line is no text in UTF-8.

    Example:
        >>> novels = LineDataset("novels.txt")  # doctest: +SKIP
        >>> novels[-1]  # doctest: +SKIP
        'THE END'
    """

    def __init__(self, path: PathLike, *, transform: Callable[[str], Any] | None = None) -> None:
        self.path, self.transform = Path(path).expanduser(), transform
        if not self.path.is_file():
            raise MissingDataError(f"LineDataset: {self.path} not found")
        if is_packed(self.path):
            raise FileFormatError(
                f"LineDataset: {self.path} is packed: unpack it, or read it with "
                "from_text(..., streaming=True)"
            )
        self._content: Any = None
        self._starts = self._find_lines()

    @property
    def content(self) -> Any:
        """The bytes of the file, mapped when first asked for."""
        if self._content is None:
            with open(self.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                self._content = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
                )
        return self._content

    def _find_lines(self, chunk: int = 1 << 24) -> Any:
        """Where lines begin, and where the last one ends."""
        size = len(self.content)
        ends = []
        for start in range(0, size, chunk):
            block = np.frombuffer(self.content[start : start + chunk], np.uint8)
            ends.append(np.flatnonzero(block == ord("\n")) + (start + 1))
        starts = np.concatenate([np.zeros(1, np.int64), *ends])
        return starts if starts[-1] == size else np.append(starts, size)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_content": None}

    def __getitem__(self, index: int) -> Any:
        """A line, without its end."""
        if not -len(self) <= index < len(self):
            raise BoundsError(f"LineDataset: line {index} is outside a file of {len(self)} lines")
        at = int(index) % len(self)
        raw = self.content[self._starts[at] : self._starts[at + 1]]
        try:
            line = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{self.path}, line {at + 1}: no text in UTF-8") from error
        return line if self.transform is None else self.transform(line)

    def __len__(self) -> int:
        """Number of lines."""
        return len(self._starts) - 1

    def __repr__(self) -> str:
        return f"LineDataset({len(self)} lines of {self.path})"
