"""What a data set needs on disk: look for it, fetch it, and say what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych_datasets.errors import MissingDataError
from triptych_datasets.google_drive import drive_source
from triptych_datasets.placing import algorithm_of, bring, file_digest, name_in, place, unpack

__all__ = ["Remote", "drive", "prepare"]


@dataclass(frozen=True)
class Remote:
    """One file of a publisher.

    Args:
        url: its address, or several, tried in order.
        digest: 32 hexadecimal digits of the file's md5, or 64 of its sha256; None where the
            publisher gives none.
        folder: where it goes, below the data set's root.
        filename: its name; default the last part of the address.
        unpack: whether it is an archive to unpack in the folder, or is to lie there as it is.
        into: below the folder, where an archive is unpacked that has no folder of its own.
    """

    url: str | tuple[str, ...]
    digest: str | None = None
    folder: str = ""
    filename: str = ""
    unpack: bool = True
    into: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses."""
        return (self.url,) if isinstance(self.url, str) else self.url

    def get(self, root: Path) -> None:
        """Bring the file and put what it holds in place.

        Args:
            root: the folder of the data set.

        Raises:
            HashMismatch: other bytes came; nothing is unpacked.
            FetchError: the file cannot be had.
        """
        name, folder = self.filename or name_in(self.sources[0]), root / self.folder
        if self.unpack:
            unpack(bring(self.sources, folder, name, self.digest), folder / self.into)
        else:
            place(self.sources, folder, name, self.digest)


def drive(
    file_id: str, filename: str, digest: str, folder: str = "", *, unpack: bool = True
) -> Remote:
    """A file that its publisher shares on Google Drive."""
    return Remote(drive_source(file_id), digest, folder, filename, unpack)


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
        files: files and folders below the root that must be there, and the md5 or sha256 of a
            file, or None.
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
    for name, digest in files.items():
        if digest is not None and name not in missing:
            algorithm = algorithm_of(digest)
            found = file_digest(root / name, algorithm)
            if found != digest:
                faults.append(f"{name} is damaged ({algorithm} {found}, wanted {digest})")
    return faults
