"""Opening a sound file to read, whatever the caller has: a path, bytes or a file object."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from triptych.errors import FileFormatError, MissingDependencyError

if TYPE_CHECKING:
    import soundfile

__all__ = ["Source", "decoding", "named", "opened", "soundfile_module"]

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def soundfile_module(caller: str) -> Any:
    """The module soundfile, imported on first use.

    Args:
        caller: the public function, for errors.

    Raises:
        MissingDependencyError: soundfile, or the libsndfile it needs, is not installed.
    """
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: no libsndfile
        raise MissingDependencyError(
            f"{caller}: needs soundfile and libsndfile ({error}); pip install soundfile"
        ) from error
    return soundfile


def named(uri: Source) -> str:
    """What to call a source in an error.

    Example:
        >>> named(b"RIFF"), named("a.wav")
        ('4 bytes', "'a.wav'")
    """
    if isinstance(uri, (bytes, bytearray, memoryview)):
        return f"{len(uri)} bytes"
    if isinstance(uri, (str, os.PathLike)):
        return repr(os.fspath(uri))
    return repr(getattr(uri, "name", None) or type(uri).__name__)


@contextmanager
def opened(uri: Source, caller: str) -> Iterator[soundfile.SoundFile]:
    """The file, open for reading; closed at the end of the block if it was a path.

    Args:
        uri: path, the encoded bytes, or a binary file object. One that cannot seek is read whole.
        caller: the public function, for errors.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.
    """
    module = soundfile_module(caller)
    target = _readable(uri, caller)
    with decoding(uri, caller):
        sound = module.SoundFile(target)
    with sound:
        yield sound


@contextmanager
def decoding(uri: Source, caller: str) -> Iterator[None]:
    """Errors of libsndfile in the block come out as FileFormatError and name the file."""
    module = soundfile_module(caller)
    try:
        yield
    except (module.SoundFileError, TypeError) as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise FileFormatError(
            f"{caller}: cannot decode {named(uri)}: {reason}; wanted a whole, undamaged file of a "
            "format that libsndfile knows (wav, flac, ogg, opus, mp3, aiff, ...)"
        ) from error


def _readable(uri: Source, caller: str) -> Any:
    """What soundfile opens: a path that can be read, or a file that can seek."""
    if isinstance(uri, (bytes, bytearray, memoryview)):
        return _Forgiving(io.BytesIO(uri))
    if isinstance(uri, (str, os.PathLike)):
        return _checked_path(Path(os.fspath(uri)), caller)
    if not hasattr(uri, "read"):
        raise TypeError(
            f"{caller}: wanted a path, bytes or a binary file object, got {type(uri).__name__}"
        )
    seekable = getattr(uri, "seekable", None)
    return _Forgiving(uri if seekable is not None and seekable() else io.BytesIO(uri.read()))


class _Forgiving:
    """A file that stays where it is when told to go to an impossible place.

    Damaged headers lead to such places. libsndfile asks where the file is and gives up, whereas
    an exception could not pass through it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return self._file.tell()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _checked_path(path: Path, caller: str) -> str:
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{caller}: no file {str(path)!r} (looked in {str(Path.cwd())!r})"
        ) from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{caller}: {str(path)!r} is a folder; give a sound file") from None
    return str(path)
