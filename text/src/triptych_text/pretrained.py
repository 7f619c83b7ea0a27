"""The files of a pretrained model, from a folder or by a registered name."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError, UnknownNameError

__all__ = ["FetchedFiles", "FolderFiles", "ModelFiles", "model_files"]

_REQUIRED = object()


class ModelFiles(ABC):
    """Files of one model, found by the names they have in a Hugging Face folder."""

    @abstractmethod
    def find(self, name: str) -> Path | None:
        """Where a file lies.

        Args:
            name: such as "config.json" or "1_Pooling/config.json".

        Returns:
            The path of an existing file; None when the model has no such file.
        """

    @abstractmethod
    def describe(self) -> str:
        """What these files are and what is there, for error texts."""

    def path(self, name: str, purpose: str) -> Path:
        """Where a file lies that must be there.

        Args:
            name: such as "config.json".
            purpose: what it holds, for the error text.

        Raises:
            FileNotFoundError: the model has no such file.
        """
        found = self.find(name)
        if found is None:
            raise FileNotFoundError(
                f"from_pretrained: wanted {name} ({purpose}); {self.describe()}"
            )
        return found

    def json(self, name: str, purpose: str = "", *, default: Any = _REQUIRED) -> Any:
        """Content of a JSON file.

        Args:
            name: such as "config.json".
            purpose: what it holds, for the error text.
            default: returned when there is no such file; without it the file must be there.

        Raises:
            FileFormatError: the file is no JSON object.
            FileNotFoundError: the file is missing and there is no default.
        """
        if default is not _REQUIRED and self.find(name) is None:
            return default
        return self._content(name, purpose, dict, "an object")

    def json_list(self, name: str, purpose: str = "") -> list[Any]:
        """Content of a JSON file that is a list.

        Args:
            name: such as "modules.json".
            purpose: what it holds, for the error text.

        Raises:
            FileFormatError: the file is no JSON list.
            FileNotFoundError: the file is missing.
        """
        found: list[Any] = self._content(name, purpose, list, "a list")
        return found

    def _content(self, name: str, purpose: str, wanted: type, called: str) -> Any:
        path = self.path(name, purpose)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # also what UnicodeDecodeError is
            raise FileFormatError(f"from_pretrained: {path} is not JSON: {error}") from error
        if not isinstance(content, wanted):
            raise FileFormatError(
                f"from_pretrained: {path} holds a {type(content).__name__}, wanted {called}"
            )
        return content


class FolderFiles(ModelFiles):
    """Files in a folder, laid out as on the Hugging Face hub.

    Args:
        folder: with config.json, model.safetensors, tokenizer.json and so on.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def find(self, name: str) -> Path | None:
        """Where a file lies, as in `ModelFiles.find`."""
        path = self.folder / name
        return path if path.is_file() else None

    def describe(self) -> str:
        """What the folder holds."""
        there = sorted(path.name for path in self.folder.iterdir())
        listed = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
        return f"the folder {self.folder} has {listed or 'nothing in it'}"


class FetchedFiles(ModelFiles):
    """Files of a registered model; the first one asked for brings them all.

    They lie in the cache of `triptych_datasets`, each in a folder of its own.

    Args:
        name: in `triptych_text.weights.PRETRAINED`.
        progress: show progress bars; None shows them on a terminal only.

    Raises:
        UnknownNameError: no model has this name.
    """

    def __init__(self, name: str, progress: bool | None = None) -> None:
        from .weights import PRETRAINED

        self.model = PRETRAINED[name]
        self.progress = progress
        self._paths: dict[str, Path] | None = None

    def find(self, name: str) -> Path | None:
        """Where a file lies, as in `ModelFiles.find`.

        Raises:
            triptych_datasets.DatasetsError: the files cannot be fetched.
        """
        if name not in self.model.artifacts:
            return None
        if self._paths is None:
            from triptych_datasets import fetch_all

            fetched = fetch_all(self.model.artifacts.values(), self.progress)
            self._paths = dict(zip(self.model.artifacts, fetched, strict=True))
        return self._paths[name]

    def describe(self) -> str:
        """Which files are registered."""
        return f"the registered model {self.model.name} has {', '.join(self.model.artifacts)}"


def model_files(source: str | os.PathLike[str] | ModelFiles) -> ModelFiles:
    """Files of a model.

    Args:
        source: a folder, the name of a registered model, or files found before. A folder that
            exists wins over a name.

    Raises:
        FileNotFoundError: a path to a folder that does not exist.
        UnknownNameError: a text that is neither a folder nor a registered name.
    """
    if isinstance(source, ModelFiles):
        return source
    if Path(source).is_dir():
        return FolderFiles(source)
    if not isinstance(source, str):
        raise FileNotFoundError(f"from_pretrained: there is no folder {Path(source).absolute()}")
    try:
        return FetchedFiles(source)
    except UnknownNameError as error:
        looked = Path(source).absolute()
        raise UnknownNameError(
            f"from_pretrained: {source!r} is no folder (looked for {looked}), and {error}"
        ) from error
