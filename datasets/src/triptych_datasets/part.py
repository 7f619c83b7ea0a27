"""The unfinished copy of one file: bytes on disk beside the blob, and their running hashes."""

import errno
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from triptych_datasets.artifact import Artifact
from triptych_datasets.cache import CHUNK, blob_path, home, new_hash
from triptych_datasets.errors import HashMismatch, NotEnoughSpace
from triptych_datasets.progress import ProgressBar

__all__ = ["Part", "check_space"]

DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Part:
    """A `.part` file that a source writes to and that becomes the blob when its hash is right.

    Beside it lies `.part.json`, which says which source the bytes come from and the mark (ETag or
    date) that source gave them, so that another process can go on where this one stopped.

    Args:
        artifact: the record of the file.
        progress: show a bar; None shows it on a terminal only.
    """

    def __init__(self, artifact: Artifact, progress: bool | None = None) -> None:
        self.artifact = artifact
        self.size = 0  # bytes written and hashed
        self.resumed = False  # some of the bytes come from an earlier process
        self._blob = blob_path(artifact)
        self._path = self._blob.with_name(self._blob.name + ".part")
        self._note = self._blob.with_name(self._blob.name + ".part.json")
        self._origin: dict[str, str] | None = None  # None: not looked at; {}: not resumable
        self._bar = ProgressBar(artifact.filename, artifact.size, progress)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b", buffering=0)  # a full disk shows in write, not later
        self._hashes = {name: new_hash(name) for name in self.artifact.digests}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()
        self._file.close()
        if self._path.exists() and (self._origin == {} or self._path.stat().st_size == 0):
            self.discard()

    @property
    def mark(self) -> str | None:
        """ETag or date that the source gave with the bytes so far."""
        return (self._origin or {}).get("mark")

    def resume(self, source: str) -> int:
        """Take over what an earlier process got from the same source.

        Args:
            source: where the rest will come from.

        Returns:
            Bytes that are there already; 0 when they came from elsewhere or were none.
        """
        if self._origin is None:
            self._origin = self._read_note()
            if self._origin.get("source") == source:
                self._hash_present_bytes()
        if self._origin.get("source") != source:
            self.restart()
        return self.size

    def restart(self, source: str = "", mark: str | None = None) -> None:
        """Forget the bytes so far.

        Args:
            source: who gives the next ones; empty when they cannot be resumed later.
            mark: the ETag or date that goes with them.
        """
        self._file.truncate(0)
        self._hashes = {name: new_hash(name) for name in self.artifact.digests}
        self.size, self.resumed = 0, False
        self._bar.reset(total=self.artifact.size)
        self._origin = {}
        self._note.unlink(missing_ok=True)
        if source:
            self._origin = {"source": source} | ({"mark": mark} if mark else {})
            self._note.write_text(json.dumps(self._origin), encoding="utf-8")

    def announce(self, text: str) -> None:
        """Show a line, where a bar would be shown.

        Args:
            text: what takes a while.
        """
        self._bar.announce(text)

    def reserve(self, total: int | None) -> None:
        """Check that the disk has room for the rest.

        Args:
            total: size of the whole file as the source tells it; the record's size goes first.

        Raises:
            NotEnoughSpace: it has not.
        """
        wanted = self.artifact.size if self.artifact.size is not None else total
        if wanted is not None:
            self._bar.expect(wanted)
            check_space(wanted - self.size, what=f"fetch: {self.artifact.name}")

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Args:
            chunk: the next bytes.

        Raises:
            HashMismatch: there are more than the record says.
            NotEnoughSpace: the disk is full.
        """
        try:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            if error.errno in DISK_FULL:
                raise NotEnoughSpace(
                    f"fetch: {self.artifact.name}: the disk is full after {self.size} bytes; "
                    f"make room in {home()} or set TRIPTYCH_HOME to a folder on another disk"
                ) from error
            raise
        self._count(chunk)
        if self.artifact.size is not None and self.size > self.artifact.size:
            raise HashMismatch(f"wanted {self.artifact.size} bytes, more came")

    def finish(self) -> Path:
        """Check size and hashes, and put the file in its place in one step.

        Returns:
            The path of the blob.

        Raises:
            HashMismatch: the bytes are not the ones wanted.
        """
        os.fsync(self._file.fileno())
        for algorithm, wanted in self.artifact.digests.items():
            got = self._hashes[algorithm].hexdigest()
            if not got.startswith(wanted):
                raise HashMismatch(
                    f"wanted {algorithm} {wanted}{_in_bytes(self.artifact.size)}, "
                    f"got {got}{_in_bytes(self.size)}"
                )
        if self.artifact.size not in (None, self.size):
            raise HashMismatch(
                f"wanted {self.artifact.size} bytes, got {self.size}; the hash is right, so the "
                "recorded size is wrong"
            )
        self._file.close()  # Windows does not rename an open file
        os.replace(self._path, self._blob)
        self._note.unlink(missing_ok=True)
        return self._blob

    def discard(self) -> None:
        """Delete the bytes so far, the note on where they came from, and the folder if empty."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        if not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    def _read_note(self) -> dict[str, str]:
        try:
            note: Any = json.loads(self._note.read_text(encoding="utf-8"))
        except (
            OSError,
            ValueError,
        ):  # none yet, or cut short by a crash: start from the first byte
            return {}
        return note if isinstance(note, dict) else {}

    def _hash_present_bytes(self) -> None:
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)
        self.resumed = self.size > 0

    def _count(self, chunk: bytes) -> None:
        for running in self._hashes.values():
            running.update(chunk)
        self.size += len(chunk)
        self._bar.update(len(chunk))


def check_space(needed: int, what: str) -> None:
    """Check that the disk of the cache has room.

    Args:
        needed: bytes still to write.
        what: who asks and for which file; starts the message.

    Raises:
        NotEnoughSpace: fewer bytes are free.
    """
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise NotEnoughSpace(
            f"{what} needs {needed} bytes more, {free} are free in {folder}; "
            "make room there or set TRIPTYCH_HOME to a folder on another disk"
        )


def _in_bytes(size: int | None) -> str:
    return "" if size is None else f" ({size} bytes)"
