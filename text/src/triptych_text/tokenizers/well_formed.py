"""Text that no UTF-8 can hold, made into text that it can: surrogates and broken bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["characters_before", "is_well_formed", "well_formed"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
SURROGATE = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def is_well_formed(text: str) -> bool:
    """Whether a text can be written as UTF-8, that is, holds no surrogate.

    Args:
        text: any text.

    Example:
        >>> is_well_formed("naïve"), is_well_formed("\\ud83d")
        (True, False)
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def well_formed(text: str | bytes) -> str:
    """The text that a tokenizer sees.

    Two surrogates that belong together become the character they stand for; a lone one, and each
    broken piece of UTF-8 in bytes, becomes U+FFFD.

    Args:
        text: any text, or bytes that are meant to be UTF-8.

    Example:
        >>> well_formed("\\ud83d\\ude00 \\ud83d") == "\\U0001f600 \\ufffd"
        True
        >>> well_formed(b"caf\\xc3") == "caf\\ufffd"
        True

    Source: what tiktoken does with surrogates; Unicode 16, section 3.9, for bytes.
    """
    if isinstance(text, bytes | bytearray):
        return text.decode("utf-8", "replace")
    if is_well_formed(text):
        return text
    return SURROGATE.sub(_mended, text)


def _mended(found: re.Match[str]) -> str:
    if len(found[0]) == 1:
        return REPLACEMENT
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")


def characters_before(text: str | bytes) -> Sequence[int] | None:
    """Where the characters of `well_formed(text)` start in the text itself.

    Args:
        text: as given to `well_formed`.

    Returns:
        l + 1 positions for l characters; None when every character is where it was.

    Example:
        >>> characters_before("a\\ud83d\\ude00b")
        [0, 1, 3, 4]
    """
    if not isinstance(text, str) or is_well_formed(text):
        return None
    firsts = {found.start() for found in PAIR.finditer(text)}
    if not firsts:
        return None
    return [i for i in range(len(text) + 1) if i - 1 not in firsts]
