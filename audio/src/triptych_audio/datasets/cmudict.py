"""CMUdict: how English words are pronounced."""

from __future__ import annotations

import re
from pathlib import Path

from triptych.errors import FileFormatError
from triptych.utils.data import Dataset
from triptych_datasets import Remote, prepare
from triptych_datasets.placing import name_in

from .base import PathLike, read_lines

__all__ = ["CMUDict"]

BASE = "http://svn.code.sf.net/p/cmusphinx/code/trunk/cmudict/"
URL, URL_SYMBOLS = f"{BASE}cmudict-0.7b", f"{BASE}cmudict-0.7b.symbols"
CHECKSUMS = {
    URL: "209a8b4cd265013e96f4658632a9878103b0c5abf62b50d4ef3ae1be226b29e4",
    URL_SYMBOLS: "408ccaae803641c6d7b626b6299949320c2dbca96b2220fd3fb17887b023b027",
}
# The sign, or signs, that an entry begins with, then its name: !EXCLAMATION-POINT, ...ELLIPSIS.
# Words with an apostrophe ('BOUT) begin alike, so the names of those are written out.
PUNCTUATION = re.compile(
    r"(?P<sign>\.\.\.|--|[!-&(-/:-@{-}])[A-Z].*|(?P<quote>')(?:END-|INNER-|END-INNER-|SINGLE-)?QUOTE"
)
VARIANT = re.compile(r"\(\d+\)$")  # DATAPOINTS(1): a second way to say it


class CMUDict(Dataset[tuple[str, list[str]]]):
    """134,000 English words and their sounds.

    Samples are (word, list of phonemes). A word that can be said in several ways comes several
    times.

    Args:
        root: the files lie in `root/`.
        exclude_punctuations: leave out how signs are called, such as "!EXCLAMATION-POINT".
        download: fetch the files when they are missing.
        url: of the dictionary.
        url_symbols: of the list of phonemes.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: http://www.speech.cs.cmu.edu/cgi-bin/cmudict.
    """

    def __init__(
        self,
        root: PathLike,
        exclude_punctuations: bool = True,
        *,
        download: bool = False,
        url: str = URL,
        url_symbols: str = URL_SYMBOLS,
    ) -> None:
        self.root = Path(root).expanduser()
        self.exclude_punctuations = exclude_punctuations
        remotes = [Remote(u, CHECKSUMS.get(u), unpack=False) for u in (url, url_symbols)]
        words, symbols = (name_in(u) for u in (url, url_symbols))
        files = {words: None, symbols: None}
        prepare(type(self).__name__, self.root, files, remotes, download=download)
        self._symbols = [line.strip() for line in read_lines(self.root / symbols)]
        text = (self.root / words).read_text(encoding="latin-1")
        self._entries = [
            entry
            for line in text.splitlines()
            if line.strip() and not line.startswith(";;;")
            for entry in _entries(line, self.root / words, exclude_punctuations)
        ]

    @property
    def symbols(self) -> list[str]:
        """The phonemes: "AA", "AA0", ..."""
        return list(self._symbols)

    def __getitem__(self, n: int) -> tuple[str, list[str]]:
        """(word, phonemes) of entry n."""
        return self._entries[n]

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._entries)


def _entries(line: str, path: Path, exclude: bool) -> list[tuple[str, list[str]]]:
    """The entry of a line, unless it is to be left out."""
    word, gap, phonemes = line.strip().partition("  ")
    if not gap:
        raise FileFormatError(f"{path}: wanted WORD, two spaces and phonemes, found {line!r}")
    sign = PUNCTUATION.fullmatch(word)
    if sign is not None:
        if exclude:
            return []
        word = sign["sign"] or sign["quote"]
    return [(VARIANT.sub("", word), phonemes.split())]
