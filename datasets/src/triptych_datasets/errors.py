"""What can go wrong while fetching, checking and unpacking files.

Every class derives from `DatasetsError` and from the built-in error it is a case of. A test that
needs a real file skips on `Offline` and fails on everything else, `HashMismatch` above all.
"""

__all__ = [
    "BrokenArchive",
    "CatalogError",
    "DatasetsError",
    "FetchError",
    "HashMismatch",
    "InvalidArtifact",
    "MissingDataError",
    "NotCached",
    "NotEnoughSpace",
    "Offline",
    "SourceError",
    "UnknownName",
    "UnsafeArchive",
    "UnverifiedWarning",
]


class DatasetsError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidArtifact(DatasetsError, ValueError):
    """An artifact's record is wrong: a malformed hash, source, name or size."""


class CatalogError(DatasetsError, ValueError):
    """A catalogue got two different artifacts under one name, or something else altogether."""


class UnknownName(DatasetsError, KeyError):
    """No artifact is registered under the name."""

    def __str__(self) -> str:
        # KeyError would print repr(message): quotes around the text, line breaks escaped.
        return str(self.args[0])


class NotCached(DatasetsError, FileNotFoundError):
    """The artifact was to be in the cache and is not."""


class MissingDataError(DatasetsError, RuntimeError, FileNotFoundError):
    """Files of a data set are not where they should be; the text says how to get them."""


class FetchError(DatasetsError, RuntimeError):
    """No source gave the file."""


class Offline(FetchError):
    """No source gave the file, and at least one could not be reached at all."""


class HashMismatch(FetchError):
    """Bytes came, or lie in the cache, and they are not the ones the hash promises."""


class SourceError(FetchError):
    """One source failed; the next one is tried.

    Args:
        reason: what happened, without the source's name.
        offline: true when the source could not be reached, so that trying later may help.
    """

    def __init__(self, reason: str, *, offline: bool = False) -> None:
        super().__init__(reason)
        self.offline = offline


class NotEnoughSpace(DatasetsError, OSError):
    """The disk of the cache is too full for the file."""


class UnsafeArchive(DatasetsError, ValueError):
    """An archive holds a member that reaches outside, or more than the limits allow."""


class UnverifiedWarning(UserWarning):
    """A file is fetched that no hash can be held against."""


class BrokenArchive(DatasetsError, ValueError):
    """An archive is damaged, cut short, encrypted, or of a kind that is not read."""
