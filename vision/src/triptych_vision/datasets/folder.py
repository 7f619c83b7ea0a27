"""Data sets that are folders, one for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .vision import MissingDataError, OneTransform, PathLike, VisionDataset

__all__ = [
    "DatasetFolder",
    "IMG_EXTENSIONS",
    "ImageFolder",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

IMG_EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".ppm",
    ".bmp",
    ".pgm",
    ".tif",
    ".tiff",
    ".webp",
)
IsValid = Callable[[str], bool]


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a file's name ends with one of the extensions, in any case.

    Args:
        filename: a name or path.
        extensions: endings such as ".png", in small letters.

    Returns:
        True if it does.
    """
    return filename.lower().endswith(extensions)


def is_image_file(filename: str) -> bool:
    """Whether a file's name has an extension of `IMG_EXTENSIONS`.

    Args:
        filename: a name or path.

    Returns:
        True if it has.
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def pil_loader(path: PathLike) -> Any:
    """The image in a file as a PIL image in mode RGB.

    Args:
        path: an image file of any format that Pillow reads.

    Returns:
        A PIL image in mode RGB, (w, h) as in the file.
    """
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


default_loader = pil_loader


def find_classes(directory: PathLike) -> tuple[list[str], dict[str, int]]:
    """The classes of a folder: its subfolders.

    Args:
        directory: the folder.

    Returns:
        Names, sorted, and the index of each.

    Raises:
        MissingDataError: the folder has no subfolder, or does not exist.
    """
    folder = Path(directory)
    names = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    if not names:
        raise MissingDataError(
            f"find_classes: wanted one folder per class in {folder}, found "
            f"{'none' if folder.is_dir() else 'no such folder'}"
        )
    return names, {name: index for index, name in enumerate(names)}


def make_dataset(
    directory: PathLike,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: IsValid | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The files of a folder with one subfolder per class.

    Args:
        directory: the folder.
        class_to_idx: index of each class; default by `find_classes`.
        extensions: of the files to take, with the dot, in lower case.
        is_valid_file: called with a path, says whether to take it; in place of extensions.
        allow_empty: let a class have no file.

    Returns:
        (path, index of the class), sorted by class and path; folders are searched to any depth,
        links followed.

    Raises:
        ValueError: neither or both of extensions and is_valid_file.
        MissingDataError: a class has no file.
    """
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("make_dataset: give extensions or is_valid_file, one of the two")
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    is_valid = is_valid_file or _extension_test(extensions)
    samples: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        found = [path for path in _walk(Path(directory) / name) if is_valid(path)]
        samples += [(path, class_to_idx[name]) for path in found]
        if not found:
            empty.append(name)
    if empty and not allow_empty:
        wanted = "" if extensions is None else f" with one of the extensions {extensions}"
        raise MissingDataError(
            f"make_dataset: no file{wanted} for the classes {', '.join(empty)} in {directory}; "
            "allow_empty=True accepts that"
        )
    return samples


def _extension_test(extensions: str | tuple[str, ...] | None) -> IsValid:
    assert extensions is not None  # checked by the caller
    return lambda path: has_file_allowed_extension(path, extensions)


def _walk(folder: Path) -> list[str]:
    return [
        os.path.join(parent, name)
        for parent, _, names in sorted(os.walk(folder, followlinks=True))
        for name in sorted(names)
    ]


class DatasetFolder(VisionDataset):
    """Files of any kind in one folder per class: `root/dog/x.ext`, `root/cat/y.ext`.

    Args:
        root: the folder of the classes' folders.
        loader: called with a path, gives the sample.
        extensions: of the files to take, with the dot, in lower case.
        transform: called with the sample.
        target_transform: called with the index of the class.
        is_valid_file: called with a path, says whether to take it; in place of extensions.
        allow_empty: let a class have no file.

    Attributes:
        classes: names, sorted.
        class_to_idx: index of each class.
        samples: (path, index of the class) of each file.
        targets: index of the class of each file.

    Raises:
        MissingDataError: no class, or a class without a file.
    """

    def __init__(
        self,
        root: PathLike,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        is_valid_file: IsValid | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(self.root or root)
        self.samples = make_dataset(
            self.root or root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [target for _, target in self.samples]

    def find_classes(self, directory: PathLike) -> tuple[list[str], dict[str, int]]:
        """Names of the classes and their index; a subclass may choose others."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(sample, index of the class)."""
        path, target = self.samples[index]
        return self.sample(self.loader(path), target)

    def __len__(self) -> int:
        """Number of files."""
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in one folder per class: `root/dog/x.png`, `root/cat/y.jpg`.

    Args:
        root: the folder of the classes' folders.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the class.
        loader: called with a path, gives the image.
        is_valid_file: called with a path, says whether to take it; default by extension.
        allow_empty: let a class have no file.
    """

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: IsValid | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples
