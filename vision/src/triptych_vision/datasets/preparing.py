"""What a data set needs on disk: look for it, fetch it, and say what is missing."""

from __future__ import annotations

import importlib
from typing import Any

from triptych.errors import MissingDependencyError
from triptych_datasets.preparing import Remote, drive, prepare

__all__ = ["Remote", "drive", "optional_module", "prepare"]

_EXTRAS = {"scipy": "mat", "h5py": "h5", "lmdb": "lmdb", "av": "video"}


def optional_module(name: str, needed_by: str) -> Any:
    """A module that not everybody has, imported when it is needed.

    Raises:
        MissingDependencyError: it is not installed; the text says how to get it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingDependencyError(
            f"{needed_by} needs {package}: pip install "
            f'"triptych-vision[{_EXTRAS.get(package, package)}]" or pip install {package}'
        ) from error
