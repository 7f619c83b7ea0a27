"""Unpacking archives that nobody vouches for.

Only folders and plain files are ever created, so no link can lead a later member outside: a link
inside the archive becomes a second name of the file it points at. Limits hold for the bytes that
really come out, not for what the headers promise.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO

from triptych_datasets.archive_members import BROKEN, Member, members
from triptych_datasets.cache import CHUNK
from triptych_datasets.errors import BrokenArchive, UnsafeArchive

__all__ = ["extract"]

MAX_BYTES = 4 << 30
MAX_FILES = 100_000


def extract(
    archive: str | Path,
    into: str | Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_files: int = MAX_FILES,
    replace: bool = False,
) -> Path:
    """Unpack an archive into a folder; on any fault the folder stays as it was.

    Args:
        archive: a zip, a tar (plain, gzip, bzip2, xz), or one file packed by gzip, bzip2 or xz;
            told apart by content, not by name.
        into: the folder; made when missing. In a folder that exists, nothing is replaced, unless
            replace says so.
        max_bytes: most bytes that may come out.
        max_files: most members, folders and links included.
        replace: go into folders that are there already, and replace files of the same name.

    Returns:
        The folder.

    Raises:
        UnsafeArchive: a member would land outside, is a device or a link that leads to no file of
            the archive, or a limit is passed.
        BrokenArchive: the archive is damaged, cut short, encrypted or of another kind.
        FileExistsError: the folder holds something of the same name already; with replace, only
            where one is a folder and the other a file.

    Example:
        >>> extract("digits.zip", into="data/digits")  # doctest: +SKIP
        PosixPath('data/digits')
    """
    archive, into = Path(archive), Path(into)
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}-", dir=into.parent) as beside:
        staged = Path(beside) / "content"
        staged.mkdir()
        _Unpacking(archive, staged, max_bytes, max_files).run()
        _move(archive, staged, into, replace)
    return into


def _move(archive: Path, staged: Path, into: Path, replace: bool) -> None:
    if not into.exists():
        os.replace(staged, into)
        return
    names = sorted(path.name for path in staged.iterdir())
    present = [name for name in names if (into / name).exists()]
    if replace:
        _merge(archive, staged, into, present)
        names = [name for name in names if name not in present]
    elif present:
        raise FileExistsError(
            f"extract: {archive.name}: {into} holds {', '.join(present[:3])} already; "
            "remove that first, or extract into another folder"
        )
    for name in names:
        os.replace(staged / name, into / name)


def _merge(archive: Path, staged: Path, into: Path, present: list[str]) -> None:
    for name in present:
        new, old = staged / name, into / name
        if new.is_dir() is not old.is_dir():
            raise FileExistsError(
                f"extract: {archive.name}: {old} is a {'folder' if old.is_dir() else 'file'}, and "
                "the archive has something else of that name; remove it first"
            )
        if new.is_dir():
            _move(archive, new, old, replace=True)
        else:
            os.replace(new, old)


class _Unpacking:
    """One run over an archive: what has come out so far, and which links wait for their file."""

    def __init__(self, archive: Path, root: Path, max_bytes: int, max_files: int) -> None:
        self._archive = archive
        self._root = root
        self._bytes_left = self._max_bytes = max_bytes
        self._max_files = max_files
        self._name = ""  # member at hand
        self._links: list[tuple[str, Path, Path]] = []  # (name, path, path of the target)

    def run(self) -> None:
        try:
            self._unpack()
            self._make_links()
        except BrokenArchive as error:
            raise BrokenArchive(f"extract: {self._archive.name}: {error}") from error
        except BROKEN as error:
            raise self._broken(error) from error
        except OSError as error:
            if error.errno in (None, errno.EINVAL):  # the readers' word for damage
                raise self._broken(error) from error
            raise

    def _unpack(self) -> None:
        with closing(members(self._archive)) as found:
            for count, member in enumerate(found, start=1):
                self._name = member.name
                if count > self._max_files:
                    raise self._unsafe(
                        f"more than max_files={self._max_files} members; "
                        "when you trust the archive, call extract with a higher max_files"
                    )
                self._place(member)

    def _place(self, member: Member) -> None:
        path = self._path(member.name)
        try:
            if member.kind == "folder":
                path.mkdir(parents=True, exist_ok=True)
            elif member.kind == "link":
                self._links.append((member.name, path, self._path(member.target)))
            elif member.open is not None:
                self._write(member.open, path)
            else:
                raise self._unsafe("is a device, a pipe or the like; only files are unpacked")
        except (FileExistsError, NotADirectoryError) as error:
            raise self._unsafe("has the name of an earlier member") from error

    def _write(self, open_member: Callable[[], IO[bytes]], path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_member() as source, path.open("xb") as target:
            while chunk := source.read(CHUNK):
                self._spend(len(chunk))
                target.write(chunk)

    def _make_links(self) -> None:
        waiting = self._links
        while waiting:
            ready = [link for link in waiting if link[2].is_file()]
            if not ready:
                self._name = waiting[0][0]
                raise self._unsafe("is a link that leads to no file of the archive")
            waiting = [link for link in waiting if link not in ready]
            for self._name, path, target in ready:
                self._second_name(target, path)

    def _second_name(self, target: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise self._unsafe("has the name of an earlier member")
        try:
            os.link(target, path)
        except OSError:  # a disk without hard links
            self._spend(target.stat().st_size)
            shutil.copyfile(target, path)

    def _path(self, name: str) -> Path:
        """Where a name of the archive lies under the root; refuses what would lie elsewhere."""
        slashed = name.replace("\\", "/")
        if slashed.startswith("/") or re.match(r"[A-Za-z]:", slashed) or "\0" in slashed:
            raise self._unsafe(f"leads to {name!r}, an absolute path")
        parts = [part for part in slashed.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise self._unsafe(f"leads to {name!r}, outside of the folder")
        return self._root.joinpath(*parts)

    def _spend(self, num_bytes: int) -> None:
        self._bytes_left -= num_bytes
        if self._bytes_left < 0:
            raise self._unsafe(
                f"more than max_bytes={self._max_bytes} come out; "
                "when you trust the archive, call extract with a higher max_bytes"
            )

    def _unsafe(self, reason: str) -> UnsafeArchive:
        return UnsafeArchive(f"extract: {self._archive.name}: member {self._name!r}: {reason}")

    def _broken(self, error: Exception) -> BrokenArchive:
        where = f"after member {self._name!r}" if self._name else "at the start"
        text = str(error) or type(error).__name__
        return BrokenArchive(
            f"extract: {self._archive.name}: damaged {where}: {text}; fetch it again"
        )
