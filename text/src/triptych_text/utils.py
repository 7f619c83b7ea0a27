"""Fetching and unpacking files, with torchtext's names.

Source: names, arguments and results are torchtext 0.18's. Fetching, checking and unpacking are
`triptych_datasets`': nothing lands outside its folder, and a half-fetched file is never used.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from triptych.errors import DomainError
from triptych_datasets import HashMismatch, extract, home
from triptych_datasets.placing import name_in, place

__all__ = [
    "download_from_url",
    "extract_archive",
    "get_asset_local_path",
    "get_lock_dir",
    "reporthook",
    "validate_file",
]

CHUNK = 1 << 20  # bytes
HASHES = ("sha256", "md5")


def download_from_url(
    url: str,
    path: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] = ".data",
    overwrite: bool = False,
    hash_value: str | None = None,
    hash_type: str = "sha256",
) -> str:
    """Fetch a file, unless it is there.

    Args:
        url: its address: https, http, or a page of Google Drive.
        path: where it goes; default in root, under the name in the address.
        root: folder for files without a path.
        overwrite: put the file anew even if it is there.
        hash_value: hexadecimal digits of its hash; without them what comes is not checked.
        hash_type: "sha256" or "md5".

    Returns:
        The absolute path of the file.

    Raises:
        HashMismatch: the file, there or fetched, has another hash.
        FetchError: it cannot be had.
        DomainError: hash_type is neither of the two.
    """
    _check_hash_type("download_from_url", hash_type)
    target = Path(path if path is not None else Path(root) / name_in(url)).absolute()
    if target.exists() and not overwrite:
        if hash_value and _digest(target, hash_type) != hash_value:
            raise _WrongHashError(
                f"download_from_url: {target} is there, with another {hash_type} than "
                f"{hash_value}; delete it and try again"
            )
        return str(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.unlink()
    return str(place((url,), target.parent, target.name, hash_value))


class _WrongHashError(HashMismatch, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


def _check_hash_type(what: str, hash_type: str) -> None:
    if hash_type not in HASHES:
        raise DomainError(f"{what}: hash_type should be one of {HASHES}, got {hash_type!r}")


def _digest(path: Path, hash_type: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(hash_type, usedforsecurity=False)
        ).hexdigest()


def validate_file(file_obj: IO[bytes], hash_value: str, hash_type: str = "sha256") -> bool:
    """Whether what is left to read of a file has a hash.

    Args:
        file_obj: opened for reading bytes.
        hash_value: hexadecimal digits.
        hash_type: "sha256" or "md5".

    Raises:
        DomainError: hash_type is neither of the two.

    Example:
        >>> import io
        >>> validate_file(io.BytesIO(b""), "d41d8cd98f00b204e9800998ecf8427e", "md5")
        True
    """
    _check_hash_type("validate_file", hash_type)
    running = hashlib.new(hash_type, usedforsecurity=False)
    while chunk := file_obj.read(CHUNK):
        running.update(chunk)
    return running.hexdigest() == hash_value


def extract_archive(
    from_path: str | os.PathLike[str],
    to_path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Unpack an archive.

    Args:
        from_path: a .tar.gz, .tgz, .zip or .gz file.
        to_path: folder of the files; default the archive's.
        overwrite: replace files that are there; else they stay, if all are there.

    Returns:
        Paths of the files in the archive, unpacked now or there before.

    Raises:
        NotImplementedError: the name ends in something else.
        BrokenArchive: the archive is damaged.
        UnsafeArchive: a file would land outside the folder.
        FileExistsError: only some of the files are there, and overwrite is false.
    """
    source = Path(from_path)
    folder = source.parent if to_path is None else Path(to_path)
    listing = next((make for end, make in LISTINGS.items() if source.name.endswith(end)), None)
    if listing is None:
        raise NotImplementedError(
            f"extract_archive: wanted a name that ends in {', '.join(LISTINGS)}, got {source.name}"
        )
    try:
        names = listing(source)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError):
        names = []  # unpacking says what is wrong
    files = [str(folder / name) for name in names]
    if overwrite or not files or not all(os.path.exists(file) for file in files):
        extract(source, folder, replace=overwrite)
    return files


def _tar_names(path: Path) -> list[str]:
    with tarfile.open(path, "r:gz") as archive:
        return [member.name for member in archive if member.isfile()]


def _zip_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


# What archives hold, by the ends of their names; the first that fits counts.
LISTINGS: dict[str, Callable[[Path], list[str]]] = {
    ".tar.gz": _tar_names,
    ".tgz": _tar_names,
    ".zip": _zip_names,
    ".gz": lambda path: [path.name.removesuffix(".gz")],
}


def get_asset_local_path(asset_path: str | os.PathLike[str], overwrite: bool = False) -> str:
    """Path of a file: the one given where it exists, else that of a copy fetched to the cache.

    Args:
        asset_path: a path or an address.
        overwrite: fetch again.

    Raises:
        FileNotFoundError: it is neither a file nor an address.
        FetchError: it cannot be had.
    """
    if os.path.exists(asset_path):
        return str(asset_path)
    if "://" not in str(asset_path):
        raise FileNotFoundError(
            f"get_asset_local_path: {asset_path} is neither a file nor an address"
        )
    return download_from_url(str(asset_path), root=home() / "text", overwrite=overwrite)


def get_lock_dir() -> str:
    """Folder of the locks that keep two processes from fetching the same file."""
    folder = home() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def reporthook(t: Any) -> Callable[..., None]:
    """Callback for `urllib.request.urlretrieve` that moves a progress bar.

    Args:
        t: a tqdm bar in bytes.
    """
    last = 0

    def inner(b: int = 1, bsize: int = 1, tsize: int | None = None) -> None:
        nonlocal last
        if tsize is not None:
            t.total = tsize
        t.update((b - last) * bsize)
        last = b

    return inner
