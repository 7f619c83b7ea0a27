"""Where fetched files lie: one folder per content, named by its hash.

    <home>/blobs/sha256/<first two digits>/<hash>/<file name>

The folder is the content's address; the file in it keeps its readable name and suffix, so that
programs which go by the suffix work, with neither links nor second copies. Files whose publisher
gives no hash lie below `blobs/source` by the hash of their address.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from triptych_datasets.artifact import Artifact
from triptych_datasets.errors import HashMismatch, NotCached

__all__ = [
    "CHUNK",
    "blob_path",
    "blobs",
    "check_digest",
    "home",
    "is_cached",
    "lock_path",
    "new_hash",
    "remove",
    "verify",
]

CHUNK = 1 << 20  # bytes read or written at a time
UNFINISHED = (".part", ".part.json")  # suffixes of a download on its way; see part.py


def home() -> Path:
    """Folder of the cache: the variable TRIPTYCH_HOME, else the platform's cache folder.

    Returns:
        The folder, which need not exist yet.
    """
    chosen = os.environ.get("TRIPTYCH_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs  # loaded only when asked for: importing the package stays cheap

    return platformdirs.user_cache_path("triptych", appauthor=False)


def blob_path(artifact: Artifact) -> Path:
    """Where the artifact lies, or would lie, in the cache.

    Args:
        artifact: the record of the file.

    Returns:
        The path of the file, whether it exists or not.
    """
    source = hashlib.sha256(artifact.sources[0].encode()).hexdigest()
    algorithm, digest = next(iter(artifact.digests.items()), ("source", source))
    return home() / "blobs" / algorithm / digest[:2] / digest / artifact.filename


def lock_path(artifact: Artifact) -> Path:
    """File that one process at a time locks while it fetches the artifact.

    Args:
        artifact: the record of the file.

    Returns:
        The path of the lock file, whether it exists or not.
    """
    return home() / "locks" / f"{blob_path(artifact).parent.name}.lock"


def is_cached(artifact: Artifact) -> bool:
    """Whether the file is there with the right size; `verify` also looks at the bytes.

    Args:
        artifact: the record of the file.

    Returns:
        True when `fetch` would give the file at once.
    """
    path = blob_path(artifact)
    return path.is_file() and artifact.size in (None, path.stat().st_size)


def blobs() -> Iterator[Path]:
    """Walk over every finished file in the cache, registered or not.

    Yields:
        Paths, sorted; the parent's name is the hash, the name above it the algorithm's.
    """
    for path in sorted((home() / "blobs").glob("*/*/*/*")):
        if path.is_file() and not path.name.endswith(UNFINISHED):
            yield path


def verify(artifact: Artifact) -> Path:
    """Read the cached file again and compare its hashes.

    Args:
        artifact: the record of the file.

    Returns:
        The path of the file.

    Raises:
        NotCached: the file is not in the cache.
        HashMismatch: the bytes changed since they were fetched.
    """
    path = blob_path(artifact)
    if not path.is_file():
        raise NotCached(
            f"verify: {artifact.name} is not in the cache (looked at {path}); "
            f"get it with: triptych-datasets get {artifact.name}"
        )
    if artifact.size not in (None, path.stat().st_size):
        raise HashMismatch(
            f"verify: {path}: wanted {artifact.size} bytes, got {path.stat().st_size}; "
            "the file changed after it was fetched: remove it and fetch it again"
        )
    for algorithm, digest in artifact.digests.items():
        check_digest(path, algorithm, digest)
    return path


def check_digest(path: Path, algorithm: str, wanted: str) -> None:
    """Compare the hash of a file with the one it should have.

    Args:
        path: the file.
        algorithm: "sha256" or "md5".
        wanted: hexadecimal digits, the first ones or all.

    Raises:
        HashMismatch: they differ.
    """
    running = new_hash(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            running.update(chunk)
    if not running.hexdigest().startswith(wanted):
        raise HashMismatch(
            f"verify: {path}: wanted {algorithm} {wanted}, got {running.hexdigest()}; "
            "the file changed after it was fetched: remove it and fetch it again"
        )


def new_hash(algorithm: str) -> "hashlib._Hash":
    """Fresh running hash; md5 serves to find damage here, which is allowed everywhere.

    Args:
        algorithm: "sha256" or "md5".

    Returns:
        An object with `update` and `hexdigest`.
    """
    return hashlib.new(algorithm, usedforsecurity=False)


def remove(artifact: Artifact) -> int:
    """Take the artifact and its unfinished download out of the cache.

    Args:
        artifact: the record of the file.

    Returns:
        Bytes freed; 0 when nothing was there.
    """
    path = blob_path(artifact)
    freed = 0
    for victim in (path, *(path.with_name(path.name + suffix) for suffix in UNFINISHED)):
        if victim.is_file():
            freed += victim.stat().st_size
            victim.unlink()
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()
    return freed
