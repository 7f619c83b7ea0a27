"""What all data sets of images share: where they lie, and the transforms of their samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triptych.utils.data import Dataset
from triptych_datasets import MissingDataError

__all__ = ["MissingDataError", "StandardTransform", "VisionDataset", "rooted"]

PathLike = str | os.PathLike[str]
OneTransform = Callable[[Any], Any]
PairTransform = Callable[[Any, Any], Any]


def rooted(root: PathLike) -> Path:
    """A folder that a user named, with `~` replaced by the home folder."""
    return Path(root).expanduser()


class StandardTransform:
    """One transform for the image and one for the target, as a single one for both.

    Args:
        transform: of the image; default none.
        target_transform: of the target; default none.
    """

    def __init__(
        self, transform: OneTransform | None = None, target_transform: OneTransform | None = None
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        """Both, changed."""
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = ["StandardTransform"]
        for name, step in (
            ("Transform", self.transform),
            ("Target transform", self.target_transform),
        ):
            if step is not None:
                lines.append(f"{name}: " + repr(step).replace("\n", "\n" + " " * (len(name) + 2)))
        return "\n".join(lines)


class VisionDataset(Dataset[tuple[Any, Any]]):
    """Base of the data sets. A subclass writes `__getitem__` and `__len__`.

    Args:
        root: folder of the files; None where there are none or they lie in the cache.
        transforms: called with image and target, gives both; excludes the other two.
        transform: called with the image.
        target_transform: called with the target.

    Raises:
        ValueError: transforms together with one of the other two.
    """

    def __init__(
        self,
        root: PathLike | None = None,
        transforms: PairTransform | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
    ) -> None:
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError(
                f"{type(self).__name__}: give transforms, called with image and target, or "
                "transform and target_transform, each called with one of them; not both"
            )
        self.root = None if root is None else rooted(root)
        self._transform, self._target_transform = transform, target_transform
        self.transforms = transforms
        if transforms is None:
            self._join()

    @property
    def transform(self) -> OneTransform | None:
        """Called with the image; may be set."""
        return self._transform

    @transform.setter
    def transform(self, transform: OneTransform | None) -> None:
        self._transform = transform
        self._join()

    @property
    def target_transform(self) -> OneTransform | None:
        """Called with the target; may be set."""
        return self._target_transform

    @target_transform.setter
    def target_transform(self, transform: OneTransform | None) -> None:
        self._target_transform = transform
        self._join()

    def _join(self) -> None:
        given = self._transform is not None or self._target_transform is not None
        self.transforms = (
            StandardTransform(self._transform, self._target_transform) if given else None
        )

    @property
    def folder(self) -> Path:
        """The root, for data sets that lie in one."""
        if self.root is None:
            raise MissingDataError(f"{type(self).__name__}: has no folder; give root")
        return self.root

    def __len__(self) -> int:
        """Number of samples."""
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")

    def sample(self, image: Any, target: Any) -> tuple[Any, Any]:
        """An image and its target after the transforms; for use in `__getitem__`."""
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def extra_repr(self) -> str:
        """Lines for printing, such as the split."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines += repr(self.transforms).splitlines()
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])
