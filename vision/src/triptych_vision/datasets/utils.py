"""Bring and check the files of data sets, by torchvision's names, on `triptych_datasets`."""

from __future__ import annotations

from pathlib import Path

from triptych_datasets import drive_source
from triptych_datasets.choices import iterable_to_str, verify_str_arg
from triptych_datasets.placing import bring, file_digest, has_digest, name_in, place, unpack

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


def calculate_md5(fpath: PathLike, chunk_size: int = 1 << 18) -> str:
    """The md5 of a file, 32 hexadecimal digits; chunk_size changes nothing.

    Args:
        fpath: the file.
        chunk_size: changes nothing; torchvision reads as many bytes at a time.

    Returns:
        32 hexadecimal digits.
    """
    return file_digest(Path(fpath), "md5")


def check_md5(fpath: PathLike, md5: str) -> bool:
    """Whether a file has an md5.

    Args:
        fpath: the file.
        md5: 32 hexadecimal digits.

    Returns:
        True if it has.
    """
    return calculate_md5(fpath) == md5


def check_integrity(fpath: PathLike, md5: str | None = None) -> bool:
    """Whether a file is there, and has the md5 if one is given.

    Args:
        fpath: the file, which may be missing.
        md5: 32 hexadecimal digits; None asks only whether it is there.

    Returns:
        True if it is as wanted.
    """
    return has_digest(Path(fpath), md5)


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
    """Names of the folders in a folder, sorted; with the folder's path before them if wanted.

    Args:
        root: the folder.
        prefix: put its path before the names.

    Returns:
        The names, sorted.
    """
    folder = Path(root).expanduser()
    return [
        str(path) if prefix else path.name for path in sorted(folder.iterdir()) if path.is_dir()
    ]


def list_files(root: PathLike, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """Names of the files in a folder that end so, sorted; with the folder's path if wanted.

    Args:
        root: the folder.
        suffix: one ending such as ".png", or several.
        prefix: put the folder's path before the names.

    Returns:
        The names, sorted.
    """
    folder = Path(root).expanduser()
    return [
        str(path) if prefix else path.name
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name.endswith(suffix)
    ]
