"""Opening a sound file to read: from a path, an address, bytes or a file object."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from triptych.errors import FileFormatError, MissingDependencyError
from triptych_audio.io.mp3_sound import Mp3Sound
from triptych_audio.io.remote import address_of, local_path, open_address
from triptych_audio.io.soundtrack import Soundtrack, is_film

__all__ = [
    "BACKENDS",
    "Source",
    "check_backend",
    "decoding",
    "named",
    "opened",
    "seekable",
    "soundfile_module",
]

BACKENDS = ("ffmpeg", "soundfile")
Sound = Any  # a soundfile.SoundFile, or what has as much of it as is needed: Mp3Sound, Soundtrack

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
def opened(uri: Source, caller: str, backend: str | None = None, track: int = 0) -> Iterator[Sound]:
    """The file, open for reading; closed at the end of the block, unless it is the caller's object.

    Args:
        uri: path, address, the encoded bytes, or a binary file object. One that cannot seek is
            read whole.
        caller: the public function, for errors.
        backend: "soundfile", "ffmpeg", or None for the first of them that knows the format.
        track: which of a film's tracks of sound, from 0.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.
        MissingDependencyError: the file, or its address, needs a library that is not installed.
    """
    check_backend(backend, caller)
    with seekable(uri, caller) as target, _sound(target, uri, caller, backend, track) as sound:
        yield sound


@contextmanager
def seekable(uri: Source, caller: str) -> Iterator[Any]:
    """What soundfile and PyAV open: a path that can be read, or a file that can seek.

    Args:
        uri: path, address, bytes, or a binary file object.
        caller: the public function, for errors.

    Raises:
        FileNotFoundError: no such file.
    """
    address = address_of(uri)
    if address is not None and not address.startswith("file://"):
        with open_address(address, "rb", caller) as file:
            yield _Forgiving(file)
        return
    target = _readable(uri, caller)
    if not isinstance(target, str) or not target.lower().endswith(".raw"):
        yield target
        return
    with open(target, "rb") as file:
        yield _Forgiving(file)


def check_backend(backend: str | None, caller: str) -> None:
    """Raise unless there is such a backend, or None is given.

    Raises:
        ValueError: there is none.
    """
    if backend not in (None, *BACKENDS):
        raise ValueError(
            f"{caller}: wanted one of the backends {', '.join(BACKENDS)}, or None; got {backend!r}"
        )


def _sound(target: Any, uri: Source, caller: str, backend: str | None, track: int) -> Any:
    if backend == "ffmpeg":
        return Soundtrack(target, caller, named(uri), track)
    module = soundfile_module(caller)
    try:
        with decoding(uri, caller):
            sound = module.SoundFile(target)
            return sound if sound.format != "MP3" else Mp3Sound(sound, target, module.SoundFile)
    except FileFormatError:
        if backend is None and is_film(target):
            return Soundtrack(target, caller, named(uri), track)
        raise


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
    if isinstance(uri, (bytes, bytearray, memoryview)):
        return _Forgiving(io.BytesIO(uri))
    if isinstance(uri, (str, os.PathLike)):
        return _checked_path(local_path(uri), caller)
    if not hasattr(uri, "read"):
        raise TypeError(
            f"{caller}: wanted a path, bytes or a binary file object, got {type(uri).__name__}"
        )
    seekable = getattr(uri, "seekable", None)
    return _Forgiving(uri if seekable is not None and seekable() else io.BytesIO(uri.read()))


class _Forgiving:
    """A file without a name that stays where it is when told to go to an impossible place.

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
        if name == "name":  # of a file that is called .raw, soundfile would ask what it holds
            raise AttributeError(name)
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
