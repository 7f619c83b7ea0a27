"""One way to walk over zip files, tar files and single compressed files, told apart by content."""

import bz2
import gzip
import lzma
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from triptych_datasets.cache import CHUNK
from triptych_datasets.errors import BrokenArchive

__all__ = ["BROKEN", "Member", "members"]

# What the readers raise on damaged input; UnicodeError and struct.error are in there because no
# reader checks every field. bz2 and gzip also raise OSError without errno, zipfile with EINVAL.
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    OverflowError,
    UnicodeError,
)
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # the second is a zip without members
DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
COMPRESSED_SUFFIXES = {".gz", ".bz2", ".xz"}
MAX_PADDING = 16 * CHUNK  # zeros after the end mark that are read, and then left alone
LONGEST_LINK = 4096  # PATH_MAX on Linux


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Args:
        name: as the archive spells it.
        kind: "file", "folder", "link", or "other" for devices, pipes and the like.
        open: opens a file's content; to be called before the next member is asked for.
        target: for a link, the path it points at, from the archive's root.
    """

    name: str
    kind: Literal["file", "folder", "link", "other"]
    open: Callable[[], IO[bytes]] | None = None
    target: str = ""


def members(archive: Path) -> Generator[Member, None, None]:
    """Walk over the entries of an archive.

    Args:
        archive: a zip, a tar (plain, gzip, bzip2, xz), or one file packed by gzip, bzip2 or xz.

    Yields:
        The entries in the order of the archive.

    Raises:
        BrokenArchive: the file is of none of these kinds, or cut short.
    """
    with archive.open("rb") as file:
        start = file.read(8)
    if start.startswith(ZIP_STARTS):
        yield from _zip_members(archive)
        return
    opener = next(
        (DECOMPRESSORS[magic] for magic in DECOMPRESSORS if start.startswith(magic)), None
    )
    with (opener or _open_plain)(archive) as stream:
        tar = _as_tar(stream, archive.name)
        if tar is not None:
            yield from _tar_members(tar)
        elif opener is not None:
            yield _single_member(archive, opener)
        else:
            raise BrokenArchive("is no zip, tar, tar.gz, tar.bz2, tar.xz, gz, bz2 or xz file")


def _as_tar(stream: IO[bytes], name: str) -> tarfile.TarFile | None:
    """The stream as a tar, if it is one; zeros count as a tar without members by name only."""
    start = stream.read(tarfile.BLOCKSIZE)
    stream.seek(0)
    if not start.strip(b"\0") and ".tar" not in name.lower():
        return None
    try:
        return tarfile.open(fileobj=cast(IO[bytes], _Capped(stream)), mode="r:")
    except tarfile.ReadError:  # the first block is no tar header
        return None


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _single_member(archive: Path, opener: Callable[[Path], Any]) -> Member:
    packed = archive.suffix.lower() in COMPRESSED_SUFFIXES
    return Member(archive.stem if packed else archive.name, "file", lambda: opener(archive))


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            yield _zip_member(packed, info)


def _zip_member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    if info.flag_bits & 1:
        raise BrokenArchive(f"member {info.filename!r} is encrypted; unpack it by hand")
    if info.filename.endswith("/"):
        return Member(info.filename, "folder")
    mode = info.external_attr >> 16  # Unix mode; zero when another system made the file
    if stat.S_ISLNK(mode):
        with packed.open(info) as file:
            target = file.read(LONGEST_LINK).decode("utf-8", "surrogateescape")
        return Member(info.filename, "link", target=_from_root(info.filename, target))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Member(info.filename, "other")
    return Member(info.filename, "file", lambda: packed.open(info))


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    for info in tar:
        yield _tar_member(tar, info)
    # tarfile takes a damaged header for the end, so see that the end is one: a block of zeros.
    stream = cast(IO[bytes], tar.fileobj)
    stream.seek(tar.offset)
    if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise BrokenArchive("has no end mark: the file is cut short or damaged")
    for _ in range(MAX_PADDING // CHUNK):  # up to the checksum that a compressed file ends with
        if not stream.read(CHUNK):
            break


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.isdir():
        return Member(info.name, "folder")
    if info.issym():
        return Member(info.name, "link", target=_from_root(info.name, info.linkname))
    if info.islnk():  # a hard link's target is written from the root
        return Member(info.name, "link", target=info.linkname)
    if info.isfile():
        return Member(info.name, "file", lambda: cast(IO[bytes], tar.extractfile(info)))
    return Member(info.name, "other")


def _from_root(name: str, target: str) -> str:
    """Path of a symbolic link's target from the archive's root; an absolute one stays so."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


class _Capped:
    """A stream that refuses to read much at once: a tar header may claim to be gigabytes long."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.close = stream.seek, stream.tell, stream.close

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= CHUNK:
            raise BrokenArchive(f"a header claims {size} bytes; at most {CHUNK} are believed")
        return self._stream.read(size)
