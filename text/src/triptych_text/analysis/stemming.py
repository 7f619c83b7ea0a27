"""Stems of English words: Porter2, the "english" stemmer of Snowball.

Source: M. Porter, "The English (Porter2) stemming algorithm"; the lists of endings are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from triptych.errors import UnknownNameError

__all__ = ["Stemmer", "stem"]

VOWELS = "aeiouy"
EXCEPTIONS = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
KEPT = frozenset(
    ("inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed")
)
LONG_STARTS = ("gener", "commun", "arsen")  # region 1 begins behind these

# ending -> what it becomes, in region 1; the longest that fits counts
STEP_2 = {
    "tional": "tion", "enci": "ence", "anci": "ance", "abli": "able", "entli": "ent",
    "izer": "ize", "ization": "ize", "ational": "ate", "ation": "ate", "ator": "ate",
    "alism": "al", "aliti": "al", "alli": "al", "fulness": "ful", "ousli": "ous",
    "ousness": "ous", "iveness": "ive", "iviti": "ive", "biliti": "ble", "bli": "ble",
    "fulli": "ful", "lessli": "less", "ogi": "og", "li": "",
}  # fmt: skip
STEP_3 = {
    "tional": "tion", "ational": "ate", "alize": "al", "icate": "ic", "iciti": "ic", "ical": "ic",
    "ful": "", "ness": "", "ative": "",
}  # fmt: skip
STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate",
    "iti", "ous", "ive", "ize", "ion",
)  # fmt: skip
LI_ENDINGS = "cdeghkmnrt"  # letters before "li" with which it goes
DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")

REGION = re.compile(rf"[{VOWELS}][^{VOWELS}]")
SHORT_END = re.compile(rf"(?:[^{VOWELS}][{VOWELS}][^{VOWELS}wxY]|^[{VOWELS}][^{VOWELS}])$")
HAS_VOWEL = re.compile(f"[{VOWELS}]")


class Stemmer:
    """Cuts words to their stems.

    Args:
        language: "english", also called "porter2".

    Raises:
        UnknownNameError: another language.

    Example:
        >>> Stemmer()(["running", "generously", "ponies"])
        ['run', 'generous', 'poni']
    """

    def __init__(self, language: str = "english") -> None:
        if language not in ("english", "porter2"):
            raise UnknownNameError(f'Stemmer: no language {language!r}; there is "english"')
        self.language = language

    def stem(self, word: str) -> str:
        """Stem of one word.

        Args:
            word: in lower case or not.
        """
        return stem(word)

    def __call__(self, words: str | Iterable[str]) -> str | list[str]:
        """Stem of a word, or stems of a list of words."""
        return stem(words) if isinstance(words, str) else [stem(word) for word in words]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Stem of an English word, in lower case.

    Example:
        >>> stem("Consistency"), stem("skies")
        ('consist', 'sky')
    """
    word = word.lower().replace("\u2019", "'")
    if len(word) <= 2:
        return word
    word = word.removeprefix("'")
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    word = _marked_y(word)
    first, second = _regions(word)
    word = _step_1a(_without(word, ("'s'", "'s", "'")))
    if word in KEPT:
        return word
    word = _step_1b(word, first)
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in VOWELS:
        word = word[:-1] + "i"
    word = _step_2(word, first)
    word = _step_3(word, first, second)
    word = _step_4(word, second)
    return _step_5(word, first, second).replace("Y", "y")


def _marked_y(word: str) -> str:
    """y as Y where it is a consonant: at the beginning and behind a vowel."""
    chars = list(word)
    for i, char in enumerate(chars):
        if char == "y" and (i == 0 or chars[i - 1] in VOWELS):
            chars[i] = "Y"
    return "".join(chars)


def _regions(word: str) -> tuple[int, int]:
    """Where regions 1 and 2 begin: each behind the next consonant that follows a vowel."""
    start = next((len(s) for s in LONG_STARTS if word.startswith(s)), None)
    if start is None:
        found = REGION.search(word)
        start = found.end() if found else len(word)
    found = REGION.search(word, start)
    return start, found.end() if found else len(word)


def _without(word: str, endings: tuple[str, ...]) -> str:
    ending = next((e for e in endings if word.endswith(e)), "")
    return word[: len(word) - len(ending)]


def _longest(word: str, endings: Iterable[str]) -> str:
    return max((e for e in endings if word.endswith(e)), key=len, default="")


def _step_1a(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith(("us", "ss")):
        return word
    if word.endswith("s") and HAS_VOWEL.search(word[:-2]):
        return word[:-1]
    return word


def _step_1b(word: str, first: int) -> str:
    ending = _longest(word, ("eed", "eedly", "ed", "edly", "ing", "ingly"))
    if ending.startswith("eed"):
        at = len(word) - len(ending)
        return word[:at] + "ee" if at >= first else word
    cut = word[: len(word) - len(ending)]
    if not ending or not HAS_VOWEL.search(cut):
        return word
    if cut.endswith(("at", "bl", "iz")):
        return cut + "e"
    if cut.endswith(DOUBLES):
        return cut[:-1]
    return cut + "e" if len(cut) <= first and SHORT_END.search(cut) else cut


def _step_2(word: str, first: int) -> str:
    ending = _longest(word, STEP_2)
    at = len(word) - len(ending)
    if not ending or at < first:
        return word
    if ending == "ogi" and word[at - 1] != "l":
        return word
    if ending == "li" and word[at - 1] not in LI_ENDINGS:
        return word
    return word[:at] + STEP_2[ending]


def _step_3(word: str, first: int, second: int) -> str:
    ending = _longest(word, STEP_3)
    at = len(word) - len(ending)
    if not ending or at < first or (ending == "ative" and at < second):
        return word
    return word[:at] + STEP_3[ending]


def _step_4(word: str, second: int) -> str:
    ending = _longest(word, STEP_4)
    at = len(word) - len(ending)
    if not ending or at < second or (ending == "ion" and word[at - 1] not in "st"):
        return word
    return word[:at]


def _step_5(word: str, first: int, second: int) -> str:
    at = len(word) - 1
    if word.endswith("e"):
        goes = at >= second or (at >= first and not SHORT_END.search(word[:-1]))
    else:
        goes = word.endswith("ll") and at >= second
    return word[:-1] if goes else word
