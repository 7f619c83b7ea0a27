"""Texts without what a model should not see."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import regex

from triptych import nn
from triptych.errors import DTypeError

__all__ = [
    "Clean",
    "lowercase",
    "normalize_spaces",
    "normalize_unicode",
    "strip_emoji",
    "strip_html",
    "strip_urls",
]

HIDDEN = regex.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>|<!--.*?-->", regex.S | regex.I)
TAG = regex.compile(r"</?[a-zA-Z][^<>]*>|<![a-zA-Z][^<>]*>")
URL = regex.compile(r"\b(?:https?://|ftp://|www\.)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]", regex.I)
# A pictograph, flag or keycap with all that is joined to it.
EMOJI_PART = r"(?:\p{Emoji_Presentation}|\p{Extended_Pictographic})[\p{Emoji_Modifier}\ufe0f]*"
EMOJI = regex.compile(
    rf"(?:\p{{Regional_Indicator}}{{2}}|[0-9#*]\ufe0f?\u20e3|{EMOJI_PART}(?:\u200d{EMOJI_PART})*)"
)
PLAIN = regex.compile(r"[\u00a9\u00ae\u2122\u203c\u2049]")  # pictographs by name, signs by use
SPACES = regex.compile(r"\s+")


def lowercase(text: str) -> str:
    """The text in lower case.

    Args:
        text: a text.
    """
    return text.lower()


def strip_html(text: str) -> str:
    """The text of an HTML snippet: tags, comments and scripts become spaces, entities characters.

    Args:
        text: HTML, whole or in part.

    Example:
        >>> strip_html("<p>Fish &amp; <b>chips</b><script>x()</script>").split()
        ['Fish', '&', 'chips']
    """
    return html.unescape(TAG.sub(" ", HIDDEN.sub(" ", text)))


def strip_urls(text: str, replacement: str = "") -> str:
    """The text without web addresses.

    Args:
        text: any.
        replacement: put in their place.

    Example:
        >>> strip_urls("See https://a.example/b?c=1.", "URL")
        'See URL.'
    """
    return URL.sub(lambda _: replacement, text)


def strip_emoji(text: str, replacement: str = "") -> str:
    """The text without emoji, flags and keycaps; digits and signs such as the copyright's stay.

    Args:
        text: any.
        replacement: put in place of each.

    Example:
        >>> strip_emoji("Well \U0001f468\u200d\U0001f467 done\U0001f44d\U0001f3fd 1!")
        'Well  done 1!'
    """
    return EMOJI.sub(lambda m: m[0] if PLAIN.fullmatch(m[0]) else replacement, text)


def normalize_unicode(text: str, form: str = "NFKC") -> str:
    """The text in a normal form of Unicode: NFC, NFD, NFKC or NFKD.

    Args:
        text: a text.
        form: "NFC", "NFD", "NFKC" or "NFKD".

    Example:
        >>> normalize_unicode("\ufb01ne\u00b2")
        'fine2'
    """
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def normalize_spaces(text: str) -> str:
    """The text with single spaces for white space, and none around it.

    Args:
        text: a text.
    """
    return SPACES.sub(" ", text).strip()


class Clean(nn.Module):
    """Cleaning functions one after the other.

    Args:
        *steps: functions from a text to a text, or (pattern, replacement) pairs in the syntax of
            `regex`; default HTML, addresses and emoji out, then NFKC and single spaces.

    Raises:
        DTypeError: a step is neither.

    Example:
        >>> Clean()("<b>Go</b> to http://x.example  now")
        'Go to now'
        >>> Clean(lowercase, (r"\\d+", "#"))(["A 12", "B"])
        ['a #', 'b']
    """

    def __init__(self, *steps: Callable[[str], str] | tuple[str, str]) -> None:
        super().__init__()
        usual = (strip_html, strip_urls, strip_emoji, normalize_unicode, normalize_spaces)
        self.steps = [_function(step) for step in steps or usual]

    def forward(self, input: str | Sequence[str]) -> str | list[str]:
        """A text cleaned, or each text of a list.

        Args:
            input: one text, or a list.
        """
        if isinstance(input, str):
            for step in self.steps:
                input = step(input)
            return input
        return [str(self(text)) for text in input]


def _function(step: Any) -> Callable[[str], str]:
    if callable(step):
        return step
    if isinstance(step, tuple) and len(step) == 2:
        pattern, replacement = regex.compile(step[0]), step[1]
        return lambda text: pattern.sub(replacement, text)
    raise DTypeError(f"Clean: wanted functions or (pattern, replacement) pairs, got {step!r}")
