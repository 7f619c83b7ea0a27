"""Source `file:`: a file on this machine or on a mounted share."""

from pathlib import Path

from triptych_datasets.cache import CHUNK
from triptych_datasets.errors import SourceError
from triptych_datasets.part import Part

__all__ = ["copy_file"]


def copy_file(source: str, part: Part) -> None:
    """Bring a local file into `part`.

    Args:
        source: `file:///PATH`, with %20 for a space, as `Path.as_uri()` writes it.
        part: takes the bytes.

    Raises:
        SourceError: the file is missing or may not be read.
        HashMismatch: more bytes come than the record says.
        NotEnoughSpace: the disk is too full.
    """
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # loads half of the HTTP library: only when needed

    path = Path(url2pathname(urlsplit(source).path))
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(error.strerror or str(error)) from error
    with file:
        part.restart()
        part.reserve(path.stat().st_size)
        while chunk := file.read(CHUNK):
            part.write(chunk)
