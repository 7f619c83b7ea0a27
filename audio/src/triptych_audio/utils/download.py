"""Recordings and other files that torchaudio publishes beside its models."""

from __future__ import annotations

import os
import re
from pathlib import Path

from triptych_datasets import Artifact, FetchError, HashMismatch, fetch
from triptych_datasets.placing import has_digest, place

__all__ = ["download_asset"]

BASE = "https://download.pytorch.org/torchaudio/"


def download_asset(
    key: str, hash: str = "", path: str | os.PathLike[str] = "", *, progress: bool = True
) -> str:
    """Fetch a file of torchaudio's, unless it is there already.

    Args:
        key: its path below download.pytorch.org/torchaudio, such as
            "tutorial-assets/steam-train-whistle-daniel_simon.wav".
        hash: 64 hexadecimal digits of its sha256; without them what comes is not checked, with a
            warning.
        path: where to put it, in a folder that exists; default the cache.
        progress: show a progress bar on a terminal.

    Returns:
        The path of the file. Do not write to one in the cache.

    Raises:
        HashMismatch: the file at path, or what comes, holds something else.
        FetchError: it cannot be had.
    """
    digest, source = hash or None, f"{BASE}{key}"
    if not path:
        name = "/".join(re.sub(r"[^A-Za-z0-9._+-]", "_", part) for part in key.split("/"))
        artifact = Artifact(
            f"torchaudio/{name}", sources=(source,), sha256=digest, unverified=digest is None
        )
        return str(fetch(artifact, progress=None if progress else False))
    target = Path(path)
    if not target.parent.is_dir():
        raise FetchError(f"download_asset: the folder {target.parent} does not exist")
    if target.exists() and not has_digest(target, digest):
        raise HashMismatch(f"download_asset: {target} is there, and is not what {hash} promises")
    if not target.exists():
        place((source,), target.parent, target.name, digest)
    return str(target)
