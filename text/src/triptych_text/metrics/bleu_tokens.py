"""How sacrebleu cuts texts before it compares them.

Source: the rules of mteval-v13a.pl and mteval-v14.pl, as sacrebleu 2.6 applies them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import regex

from triptych import Registry

__all__ = ["TOKENIZERS", "tokenize_13a", "tokenize_intl"]

ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
RULES_13A = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 "),  # punctuation, apostrophe and .,- apart
        (r"([^0-9])([\.,])", r"\1 \2 "),
        (r"([\.,])([^0-9])", r" \1 \2"),
        (r"([0-9])(-)", r"\1 \2 "),
    )
)
RULES_INTL = tuple(
    (regex.compile(pattern), text)
    for pattern, text in (
        (r"(\P{N})(\p{P})", r"\1 \2 "),
        (r"(\p{P})(\P{N})", r" \1 \2"),
        (r"(\p{S})", r" \1 "),
    )
)

TOKENIZERS: Registry[Callable[[str], str]] = Registry("BLEU tokenizer")


def tokenize_13a(text: str) -> str:
    """The tokens of mteval-v13a, parted by spaces.

    Args:
        text: one text.

    Example:
        >>> tokenize_13a("It costs 3.5, or so.").split()
        ['It', 'costs', '3.5', ',', 'or', 'so', '.']
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    text = f" {text} "
    for pattern, replacement in RULES_13A:
        text = pattern.sub(replacement, text)
    return text


def tokenize_intl(text: str) -> str:
    """The tokens of mteval-v14 with international rules, parted by spaces.

    Args:
        text: one text.
    """
    for pattern, replacement in RULES_INTL:
        text = pattern.sub(replacement, text)
    return text


def _nothing(text: str) -> str:
    return text


TOKENIZERS.register("13a", tokenize_13a)
TOKENIZERS.register("intl", tokenize_intl)
TOKENIZERS.register("char", " ".join)
TOKENIZERS.register("none", _nothing)
