"""What a data set needs on disk: look for it, fetch it, and say what is missing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.errors import MissingDependencyError
from triptych_datasets import drive_source

from .utils import bring, calculate_md5, name_in, place, unpack
from .vision import MissingDataError

__all__ = ["Remote", "drive", "optional_module", "prepare"]

_EXTRAS = {"scipy": "mat", "h5py": "h5", "lmdb": "lmdb", "av": "video"}


@dataclass(frozen=True)
class Remote:
    """One file of a publisher.

    Args:
        url: its address, or several, tried in order.
        md5: of the file; None where the publisher gives none.
        folder: where it goes, below the data set's root.
        filename: its name; default the last part of the address.
        unpack: whether it is an archive to unpack in the folder, or is to lie there as it is.
    """

    url: str | tuple[str, ...]
    md5: str | None = None
    folder: str = ""
    filename: str = ""
    unpack: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses."""
        return (self.url,) if isinstance(self.url, str) else self.url

    def get(self, root: Path) -> None:
        """Bring the file and put what it holds in place.

        Raises:
            HashMismatch: other bytes came; nothing is unpacked.
            FetchError: the file cannot be had.
        """
        name, folder = self.filename or name_in(self.sources[0]), root / self.folder
        if self.unpack:
            unpack(bring(self.sources, folder, name, self.md5), folder)
        else:
            place(self.sources, folder, name, self.md5)


def drive(
    file_id: str, filename: str, md5: str, folder: str = "", *, unpack: bool = True
) -> Remote:
    """A file that its publisher shares on Google Drive."""
    return Remote(drive_source(file_id), md5, folder, filename, unpack)


def prepare(
    dataset: str,
    root: Path,
    files: Mapping[str, str | None],
    remotes: Sequence[Remote] = (),
    *,
    download: bool = False,
    by_hand: str = "",
) -> None:
    """See that a data set's files are there; fetch them if that is wanted and something lacks.

    Args:
        dataset: its name, for errors.
        root: the folder of the files.
        files: files and folders below the root that must be there, and the md5 of a file, or None.
        remotes: what brings them.
        download: whether to fetch what lacks.
        by_hand: where to get the files that no program can fetch.

    Raises:
        MissingDataError: something lacks or is damaged; the text says how to get it.
        FetchError: it cannot be fetched.
    """
    if download and remotes and _faults(root, files):
        for remote in remotes:
            remote.get(root)
    faults = _faults(root, files)
    if faults:
        cure = by_hand or "download=True fetches them"
        if download and remotes:
            cure = "the archives were unpacked, but do not hold them"
        raise MissingDataError(f"{dataset}: in {root}, {'; '.join(faults)}; {cure}")


def _faults(root: Path, files: Mapping[str, str | None]) -> list[str]:
    missing = [name for name in files if not (root / name).exists()]
    faults = [f"{', '.join(missing)} not found"] if missing else []
    for name, md5 in files.items():
        if md5 is not None and name not in missing:
            found = calculate_md5(root / name)
            if found != md5:
                faults.append(f"{name} is damaged (md5 {found}, wanted {md5})")
    return faults


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
