"""Bring and check the files of data sets, by torchvision's names, on `triptych_datasets`."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from triptych_datasets import Artifact, FetchError, drive_source, extract, fetch

from .vision import PathLike

__all__ = [
    "calculate_md5",
    "check_integrity",
    "check_md5",
    "download_and_extract_archive",
    "download_file_from_google_drive",
    "download_url",
    "extract_archive",
    "iterable_to_str",
    "list_dir",
    "list_files",
    "verify_str_arg",
]

# A published data set may be large; what comes out is bounded only to stop an endless archive.
MAX_BYTES = 1 << 41
MAX_FILES = 50_000_000


def calculate_md5(fpath: PathLike, chunk_size: int = 1 << 18) -> str:
    """The md5 of a file, 32 hexadecimal digits; chunk_size changes nothing."""
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_md5(fpath: PathLike, md5: str) -> bool:
    """Whether a file has an md5."""
    return calculate_md5(fpath) == md5


def check_integrity(fpath: PathLike, md5: str | None = None) -> bool:
    """Whether a file is there, and has the md5 if one is given."""
    return Path(fpath).is_file() and (md5 is None or check_md5(fpath, md5))


def bring(sources: Sequence[str], folder: Path, filename: str, md5: str | None) -> Path:
    """A publisher's file: the one in the folder, where it has the md5, else one in the cache.

    Args:
        sources: addresses, tried in order.
        folder: where a user may have put the file by hand.
        filename: its name there.
        md5: of the file; without one, what comes is not checked, with a warning.

    Returns:
        The path of the file. It may be in the cache: do not write to it.

    Raises:
        FetchError: the file cannot be had; the text says what to fetch by hand.
    """
    placed = folder / filename
    if check_integrity(placed, md5):
        return placed
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", filename).lstrip(".-")
    artifact = Artifact(name, sources=tuple(sources), md5=md5, unverified=md5 is None)
    try:
        return fetch(artifact, progress=True)
    except FetchError as error:
        raise type(error)(
            f"{error}\nOr fetch {sources[0]} in another way and put it at {placed}"
        ) from error


def place(sources: Sequence[str], folder: Path, filename: str, md5: str | None) -> Path:
    """A publisher's file in a folder; fetched when it is not there with the right md5.

    Args:
        sources: addresses, tried in order.
        folder: made when missing.
        filename: in the folder.
        md5: of the file.

    Returns:
        The path in the folder.

    Raises:
        FetchError: the file cannot be had.
    """
    target = folder / filename
    found = bring(sources, folder, filename, md5)
    if found != target:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + ".part")
        shutil.copyfile(found, unfinished)
        unfinished.replace(target)
    return target


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder, over what is there; see `triptych_datasets.extract`."""
    extract(archive, folder, max_bytes=MAX_BYTES, max_files=MAX_FILES, replace=True)


def name_in(url: str) -> str:
    """The file's name at the end of an address."""
    return unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]


def download_url(
    url: str, root: PathLike, filename: PathLike | None = None, md5: str | None = None
) -> None:
    """Bring a file into a folder, with a progress bar, unless it is there already.

    Args:
        url: `https://...`, `http://...` or `file:///...`.
        root: the folder; made when missing.
        filename: in the folder; default the last part of the address.
        md5: of the file; without one it is not checked, with a warning.

    Raises:
        HashMismatch: other bytes come.
        FetchError: the file cannot be had.
    """
    place((url,), Path(root).expanduser(), str(filename or name_in(url)), md5)


def download_file_from_google_drive(
    file_id: str, root: PathLike, filename: PathLike | None = None, md5: str | None = None
) -> None:
    """Bring a file from Google Drive into a folder, unless it is there already.

    Args:
        file_id: the part of a shared link after `id=` or `/d/`.
        root: the folder; made when missing.
        filename: in the folder; default the id.
        md5: of the file; without one it is not checked, with a warning.

    Raises:
        FetchError: the file cannot be had, for instance because its quota is used up.
    """
    name = str(filename or file_id)
    place((drive_source(file_id),), Path(root).expanduser(), name, md5)


def extract_archive(
    from_path: PathLike, to_path: PathLike | None = None, remove_finished: bool = False
) -> PathLike:
    """Unpack an archive, over what is there.

    Args:
        from_path: a zip, a tar (plain, gzip, bzip2, xz) or one file packed by gzip, bzip2 or xz.
        to_path: the folder; default the archive's.
        remove_finished: delete the archive afterwards.

    Returns:
        The folder.

    Raises:
        UnsafeArchive: a member would land outside of the folder.
        BrokenArchive: the archive is damaged.
    """
    archive = Path(from_path)
    folder = archive.parent if to_path is None else Path(to_path)
    unpack(archive, folder)
    if remove_finished:
        archive.unlink()
    return folder if to_path is None else to_path


def download_and_extract_archive(
    url: str,
    download_root: PathLike,
    extract_root: PathLike | None = None,
    filename: PathLike | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """Bring an archive and unpack it. It stays in the cache, not in the folder.

    Args:
        url: `https://...`, `http://...` or `file:///...`.
        download_root: a folder; an archive that lies there with the right md5 is taken.
        extract_root: where to unpack; default download_root.
        filename: of the archive; default the last part of the address.
        md5: of the archive; without one it is not checked, with a warning.
        remove_finished: delete the archive afterwards, where it lies in download_root.

    Raises:
        HashMismatch: other bytes come; nothing is unpacked.
        FetchError: the archive cannot be had.
        UnsafeArchive: a member would land outside of the folder.
    """
    folder = Path(download_root).expanduser()
    archive = bring((url,), folder, str(filename or name_in(url)), md5)
    unpack(archive, folder if extract_root is None else Path(extract_root).expanduser())
    if remove_finished and archive.parent == folder:
        archive.unlink()


def list_dir(root: PathLike, prefix: bool = False) -> list[str]:
    """Names of the folders in a folder, sorted; with the folder's path before them if wanted."""
    folder = Path(root).expanduser()
    return [
        str(path) if prefix else path.name for path in sorted(folder.iterdir()) if path.is_dir()
    ]


def list_files(root: PathLike, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """Names of the files in a folder that end so, sorted; with the folder's path if wanted."""
    folder = Path(root).expanduser()
    return [
        str(path) if prefix else path.name
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name.endswith(suffix)
    ]


def iterable_to_str(iterable: Iterable[object]) -> str:
    """The items in quotes, with commas between them."""
    return ", ".join(f"'{item}'" for item in iterable)


def verify_str_arg(
    value: str,
    arg: str | None = None,
    valid_values: Collection[str] | None = None,
    custom_msg: str | None = None,
) -> str:
    """A text that an argument may be.

    Args:
        value: what was given.
        arg: the argument's name, for the error.
        valid_values: what it may be; default any text.
        custom_msg: in place of the error's text.

    Returns:
        The value.

    Raises:
        ValueError: it is no text, or none of the valid ones.

    Example:
        >>> verify_str_arg("val", "split", ("train", "val"))
        'val'
    """
    name = f"argument {arg}" if arg else "the argument"
    if not isinstance(value, str):
        raise ValueError(f"{name}: wanted a str, got {value!r} of type {type(value).__name__}")
    if valid_values is not None and value not in valid_values:
        raise ValueError(
            custom_msg
            or f"unknown value {value!r} for {name}; valid values are "
            f"{{{iterable_to_str(valid_values)}}}"
        )
    return value
