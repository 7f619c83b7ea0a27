"""Files that their publisher shares on Google Drive."""

from __future__ import annotations

import re

from triptych_datasets.errors import InvalidArtifact

__all__ = ["drive_source"]

FILE_ID = re.compile(r"[A-Za-z0-9_-]{10,}")
ADDRESS = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"


def drive_source(file_id: str) -> str:
    """Source of a file on Google Drive, past the page that warns of large files.

    A file that many people fetch is locked for a day; the answer is a web page then, which `fetch`
    tells from the file. A browser in which you are signed in may get it all the same.

    Args:
        file_id: the part of a shared link after `id=` or `/d/`.

    Returns:
        An address for `Artifact`'s sources.

    Raises:
        InvalidArtifact: that is no id.

    Example:
        >>> drive_source("0B7EVK8r0v71pZjFTYXZWM3FlRnM")[:50]
        'https://drive.usercontent.google.com/download?id=0'
    """
    if not FILE_ID.fullmatch(file_id):
        raise InvalidArtifact(
            f"drive_source: wanted the id of a file, such as 0B7EVK8r0v71pZjFTYXZWM3FlRnM, got "
            f"{file_id!r}"
        )
    return ADDRESS.format(file_id)
