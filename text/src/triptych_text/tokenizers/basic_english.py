"""Plain word tokenizers for classic models: no vocabulary, no library."""

from __future__ import annotations

from collections.abc import Callable

from triptych import Registry
from triptych.errors import DTypeError

from .word_libraries import WORD_LIBRARIES

__all__ = ["basic_english_normalize", "get_tokenizer"]

WordTokenizer = Callable[[str], list[str]]

# What each mark becomes once the text is in lower case, one after the other.
# Source: the documentation of torchtext.data.functional's basic English normalisation.
REPLACEMENTS = {
    "'": " '  ",
    '"': "",
    ".": " . ",
    "<br />": " ",
    ",": " , ",
    "(": " ( ",
    ")": " ) ",
    "!": " ! ",
    "?": " ? ",
    ";": " ",
    ":": " ",
}

WORD_TOKENIZERS: Registry[WordTokenizer] = Registry("word tokenizer")


def basic_english_normalize(text: str) -> list[str]:
    """Words and marks of an English text, in lower case.

    Full stops, commas, brackets, exclamation and question marks and apostrophes become tokens;
    quotation marks, colons, semicolons and HTML line breaks go away.

    Args:
        text: one line or more.

    Returns:
        The tokens.

    Example:
        >>> basic_english_normalize("Don't panic: it's <br /> easy!")
        ['don', "'", 't', 'panic', 'it', "'", 's', 'easy', '!']
    """
    text = text.lower()
    for mark, replacement in REPLACEMENTS.items():
        text = text.replace(mark, replacement)
    return text.split()


WORD_TOKENIZERS.register("basic_english", basic_english_normalize)


def get_tokenizer(
    tokenizer: str | WordTokenizer | None = None, language: str = "en"
) -> WordTokenizer:
    """Function that cuts a text into words.

    Args:
        tokenizer: "basic_english"; "spacy", "moses" (sacremoses), "toktok" (nltk), "revtok" or
            "subword" (revtok), when the library is installed; None splits at white space; a
            function is returned as it is.
        language: of the text; "basic_english" takes "en" only.

    Returns:
        A function from a text to its tokens.

    Raises:
        UnknownNameError: no tokenizer has this name.
        MissingDependencyError: the library of the tokenizer is not installed.
        ValueError: the tokenizer does not know the language.

    Example:
        >>> get_tokenizer("basic_english")("Hello, world.")
        ['hello', ',', 'world', '.']
    """
    if tokenizer is None:
        return str.split
    if callable(tokenizer):
        return tokenizer
    if not isinstance(tokenizer, str):
        raise DTypeError(
            f"get_tokenizer: wanted a name, a function or None, got {type(tokenizer).__name__}"
        )
    if tokenizer == "basic_english" and language != "en":
        raise ValueError(f'get_tokenizer: basic_english is for "en" only, got {language!r}')
    if tokenizer in WORD_LIBRARIES:
        return WORD_LIBRARIES[tokenizer](language)
    return WORD_TOKENIZERS[tokenizer]
