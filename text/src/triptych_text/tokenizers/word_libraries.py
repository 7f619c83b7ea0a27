"""Word tokenizers of other libraries, for `get_tokenizer`; each is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from triptych.errors import MissingDependencyError

__all__ = ["WORD_LIBRARIES"]

WordTokenizer = Callable[[str], list[str]]


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"get_tokenizer: this tokenizer wants {package}; pip install {package}"
        ) from error


def _spacy_words(text: str, pipeline: Any) -> list[str]:
    return [token.text for token in pipeline.tokenizer(text)]


def _spacy(language: str) -> WordTokenizer:
    library = _library("spacy", "spacy")
    try:
        pipeline = library.load(language)
    except OSError:
        # Names of languages are no models since spaCy 3; the words need the language's rules only.
        pipeline = library.blank(language)
    return partial(_spacy_words, pipeline=pipeline)


def _moses(language: str) -> WordTokenizer:
    found = _library("sacremoses", "sacremoses").MosesTokenizer().tokenize
    return found


def _toktok(language: str) -> WordTokenizer:
    found = _library("nltk.tokenize.toktok", "nltk").ToktokTokenizer().tokenize
    return found


def _revtok(language: str) -> WordTokenizer:
    return _library("revtok", "revtok").tokenize


def _subword(language: str) -> WordTokenizer:
    return partial(_library("revtok", "revtok").tokenize, decap=True)


# name -> function from a language to the tokenizer
WORD_LIBRARIES: dict[str, Callable[[str], WordTokenizer]] = {
    "moses": _moses,
    "revtok": _revtok,
    "spacy": _spacy,
    "subword": _subword,
    "toktok": _toktok,
}
