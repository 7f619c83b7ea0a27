"""Pages of the web in Parquet files."""

from __future__ import annotations

from typing import Any

from .files import from_parquet
from .published import File, PathLike, UnknownSplitError, folder_of

__all__ = ["FineWeb"]

FINEWEB = "https://huggingface.co/datasets/HuggingFaceFW/fineweb/resolve/main/sample/10BT/"
NUM_FILES = 15


def FineWeb(root: PathLike | None = None, shard: int = 0) -> Any:
    """One file of FineWeb's sample of ten billion tokens: rows are dicts with "text", "url", ...

    Args:
        root: the file lies in `root/datasets/FineWeb/`, and is put there when it lacks; by default
            it is fetched to the cache, 2.1 GB.
        shard: which file, 0 to 14.

    Returns:
        An `IterableDataset`.

    Raises:
        UnknownSplitError: there is no such file.
        MissingDependencyError: the `pyarrow` library is not installed.
        FetchError: the file cannot be had.

    Source: Penedo et al. 2024, HuggingFaceFW/fineweb. There is no hash.
    """
    if not 0 <= shard < NUM_FILES:
        raise UnknownSplitError(f"FineWeb: wanted a shard from 0 to {NUM_FILES - 1}, got {shard}")
    file = File(f"{FINEWEB}{shard:03d}_00000.parquet")
    return from_parquet(file.get(folder_of(root, "FineWeb"), root is not None), streaming=True)
