"""Where sentences end, by rules."""

from __future__ import annotations

from itertools import pairwise

import regex

__all__ = ["ABBREVIATIONS", "SentenceSplitter", "split_sentences"]

# Words behind which a full stop seldom ends a sentence.
ABBREVIATIONS_TEXT = """
mr mrs ms dr prof sr jr st mt rev hon gen col capt lt sgt maj adm gov sen rep pres vs cf
ca approx fig figs eq eqs sec ch vol no nos pp p ed eds al e.g i.e viz resp dept univ inc
ltd co corp bros jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat
sun
"""
ABBREVIATIONS: frozenset[str] = frozenset(ABBREVIATIONS_TEXT.split())
# A mark that may end a sentence with what closes behind it, then space; or an ideographic mark.
BOUNDARY = regex.compile(
    r"""(?P<mark>[.!?\u2026]+)["'\u201d\u2019)\]]*(?P<gap>\s+)|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d]*(?P<gap>\s*)"""
)
PARAGRAPH = regex.compile(r"\n\s*\n")
LAST_WORD = regex.compile(r"[\p{L}\p{N}.'-]+$")
OPENING = "\"'\u201c\u2018(["


class SentenceSplitter:
    """Splits texts into sentences at full stops, question and exclamation marks.

    A full stop does not end a sentence behind an abbreviation or a single capital letter, nor
    where the next word begins with a small letter. Blank lines end sentences, too.

    Args:
        abbreviations: words behind which a full stop ends no sentence, in lower case and without
            their last stop, in place of `ABBREVIATIONS`.

    Example:
        >>> SentenceSplitter()("Dr. Smith paid $3.50. He left! Did he (J. Doe) say why?")
        ['Dr. Smith paid $3.50.', 'He left!', 'Did he (J. Doe) say why?']
    """

    def __init__(self, abbreviations: frozenset[str] | set[str] = ABBREVIATIONS) -> None:
        self.abbreviations = frozenset(abbreviations)

    def __call__(self, text: str) -> list[str]:
        """The sentences, without the space around them."""
        return [text[start:end] for start, end in self.spans(text)]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each sentence, in characters.

        Args:
            text: a text.
        """
        cuts = [0]
        for found in BOUNDARY.finditer(text):
            if self._ends(text, found):
                cuts.append(found.end())
        cuts += [found.end() for found in PARAGRAPH.finditer(text)]
        cuts = sorted({*cuts, len(text)})
        pairs = pairwise(cuts)
        trimmed = [(s + _leading(text[s:e]), s + len(text[s:e].rstrip())) for s, e in pairs]
        return [(start, end) for start, end in trimmed if start < end]

    def _ends(self, text: str, found: regex.Match[str]) -> bool:
        following = text[found.end() :].lstrip(OPENING)[:1]
        if found["mark"] != ".":
            return found["mark"] is None or not following.islower()
        if following.islower():
            return False
        word = LAST_WORD.search(text, 0, found.start())
        last = word[0].strip("'-") if word else ""
        initial = len(last) == 1 and last.isupper() and last != "I"
        return not initial and last.lower() not in self.abbreviations


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip())


def split_sentences(text: str) -> list[str]:
    """Sentences of a text, by the rules of `SentenceSplitter`.

    Args:
        text: a text.

    Example:
        >>> split_sentences("One. Two?")
        ['One.', 'Two?']
    """
    return SentenceSplitter()(text)
