"""Fetch, verify and cache weights and data by their sha256."""

from triptych_datasets.artifact import Artifact
from triptych_datasets.cache import blob_path, home, is_cached, remove, verify
from triptych_datasets.catalog import Catalog, default_catalog
from triptych_datasets.errors import (
    BrokenArchive,
    CatalogError,
    DatasetsError,
    FetchError,
    HashMismatch,
    InvalidArtifact,
    MissingDataError,
    NotCached,
    NotEnoughSpace,
    Offline,
    SourceError,
    UnknownName,
    UnsafeArchive,
    UnverifiedWarning,
)
from triptych_datasets.extraction import extract
from triptych_datasets.fetching import fetch, fetch_all
from triptych_datasets.google_drive import drive_source
from triptych_datasets.preparing import Remote, prepare
from triptych_datasets.shipped import shipped_file

__all__ = [
    "Artifact",
    "BrokenArchive",
    "Catalog",
    "CatalogError",
    "DatasetsError",
    "FetchError",
    "HashMismatch",
    "InvalidArtifact",
    "MissingDataError",
    "NotCached",
    "NotEnoughSpace",
    "Offline",
    "Remote",
    "SourceError",
    "UnknownName",
    "UnsafeArchive",
    "UnverifiedWarning",
    "blob_path",
    "default_catalog",
    "drive_source",
    "extract",
    "fetch",
    "fetch_all",
    "home",
    "is_cached",
    "prepare",
    "remove",
    "shipped_file",
    "verify",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych-datasets")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
