"""Containers of films, opened by PyAV."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from triptych.errors import FileFormatError, MissingDependencyError

from .files import Encoded, content_of, naming

__all__ = ["load_pyav", "open_container", "opened", "rewind", "until_damage"]


def load_pyav(caller: str) -> Any:
    """The module of PyAV.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f'{caller} needs PyAV; pip install "triptych-vision[video]"'
        ) from error
    return av


@contextmanager
def opened(caller: str, source: Encoded) -> Iterator[Any]:
    """The container of a film, closed at the end of the block.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film, or one that FFmpeg cannot take apart.
        MissingDependencyError: PyAV is not installed.
    """
    container = open_container(caller, source)
    try:
        yield container
    finally:
        container.close()


def open_container(caller: str, source: Encoded) -> Any:
    """The container of a film; the caller closes it. Errors as of `opened`."""
    av = load_pyav(caller)
    if isinstance(source, str | os.PathLike):
        name = path = os.fspath(source)
        with naming(caller, path), open(path, "rb"):  # FFmpeg takes addresses as well; we do not
            pass
        target: Any = f"file:{os.path.abspath(path)}"
    else:
        name, target = "the bytes", BytesIO(content_of(caller, source))
    try:
        container = av.open(target, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise FileFormatError(f"{caller}: {name}: no film that FFmpeg reads ({error})") from error
    if not (container.streams.video or container.streams.audio):
        container.close()
        raise FileFormatError(f"{caller}: {name}: holds neither pictures nor sound")
    return container


def rewind(film: Any, stream: Any, tick: int, exact: bool = False) -> bool:
    """Go to a place from which a frame at a time in ticks decodes as it should.

    Args:
        film: the container.
        stream: of the container.
        tick: the time.
        exact: to the keyframe before that time, not further back.

    Returns:
        Whether that worked; it does not in a file that is cut off or has no index.
    """
    import av

    # A frame of sound needs the one before it, and sound may begin a little before zero.
    lead = int(1 / stream.time_base) if stream.type == "audio" and not exact else 0
    try:
        film.seek(tick - lead, stream=stream, backward=True)
    except av.error.FFmpegError:
        return False
    return True


def until_damage(items: Iterator[Any]) -> Iterator[Any]:
    """All of them up to the first that cannot be decoded, of which a warning tells."""
    import av

    try:
        yield from items
    except av.error.EOFError:
        return
    except av.error.FFmpegError as error:
        warnings.warn(f"the film is damaged; what follows is left out ({error})", stacklevel=4)
