"""Generators over lines of text, and sentencepiece models, with torchtext's names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from triptych.errors import DTypeError, FileFormatError, MissingDependencyError
from triptych.utils.data import Dataset

__all__ = [
    "custom_replace",
    "filter_wikipedia_xml",
    "generate_sp_model",
    "load_sp_model",
    "numericalize_tokens_from_iterator",
    "sentencepiece_numericalizer",
    "sentencepiece_tokenizer",
    "simple_space_split",
    "to_map_style_dataset",
]


def _sentencepiece(what: str) -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingDependencyError(
            f'{what} wants sentencepiece; pip install "triptych-text[sentencepiece]"'
        ) from error
    return sentencepiece


def generate_sp_model(
    filename: str | os.PathLike[str],
    vocab_size: int = 20000,
    model_type: str = "unigram",
    model_prefix: str = "m_user",
) -> None:
    """Train a sentencepiece model; writes `<model_prefix>.model` and `<model_prefix>.vocab`.

    Args:
        filename: text to learn from, a sentence a line.
        vocab_size: v, of the model.
        model_type: "unigram", "bpe", "char" or "word".
        model_prefix: path of the files to write, without suffix.

    Raises:
        MissingDependencyError: the `sentencepiece` library is not installed.
    """
    _sentencepiece("generate_sp_model").SentencePieceTrainer.train(
        input=str(filename),
        vocab_size=vocab_size,
        model_type=model_type,
        model_prefix=str(model_prefix),
        minloglevel=2,
    )


def load_sp_model(spm: str | os.PathLike[str] | IO[bytes]) -> Any:
    """Load a sentencepiece model.

    Args:
        spm: path of the `.model` file, or the file opened for reading bytes.

    Returns:
        A `sentencepiece.SentencePieceProcessor`.

    Raises:
        MissingDependencyError: the `sentencepiece` library is not installed.
        FileFormatError: the file is no sentencepiece model.
        DTypeError: neither a path nor a file.
    """
    library = _sentencepiece("load_sp_model")
    if isinstance(spm, str | os.PathLike):
        with open(spm, "rb") as file:
            content = file.read()
    elif hasattr(spm, "read"):
        content = spm.read()
    else:
        raise DTypeError(
            f"load_sp_model: wanted a path or a file of bytes, got {type(spm).__name__}"
        )
    try:
        processor = library.SentencePieceProcessor()
        processor.LoadFromSerializedProto(content)
    except RuntimeError as error:
        raise FileFormatError(f"load_sp_model: {spm} is no sentencepiece model: {error}") from error
    return processor


def sentencepiece_numericalizer(
    sp_model: Any,
) -> Callable[[Iterable[str]], Iterator[list[int]]]:
    """Generator of the ids of each text, by a sentencepiece model.

    Args:
        sp_model: from `load_sp_model`.
    """

    def numericalize(txt_iter: Iterable[str]) -> Iterator[list[int]]:
        for line in txt_iter:
            yield sp_model.encode(line, out_type=int)

    return numericalize


def sentencepiece_tokenizer(sp_model: Any) -> Callable[[Iterable[str]], Iterator[list[str]]]:
    """Generator of the pieces of each text, by a sentencepiece model.

    Args:
        sp_model: from `load_sp_model`.
    """

    def tokenize(txt_iter: Iterable[str]) -> Iterator[list[str]]:
        for line in txt_iter:
            yield sp_model.encode(line, out_type=str)

    return tokenize


def custom_replace(
    replace_pattern: Sequence[tuple[str, str]],
) -> Callable[[Iterable[str]], Iterator[str]]:
    """Generator that applies replacements to each text, one after the other.

    Args:
        replace_pattern: (pattern, replacement) pairs in the syntax of `re`.

    Example:
        >>> clean = custom_replace([(r"S", "s"), (r"\\s+", " ")])
        >>> list(clean(["exampleS to   try!"]))
        ['examples to try!']
    """
    compiled = [(re.compile(pattern), text) for pattern, text in replace_pattern]

    def replace(txt_iter: Iterable[str]) -> Iterator[str]:
        for line in txt_iter:
            for pattern, text in compiled:
                line = pattern.sub(text, line)
            yield line

    return replace


def simple_space_split(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each text, split at white space.

    Args:
        iterator: yields texts.

    Example:
        >>> list(simple_space_split(["two words", "one"]))
        [['two', 'words'], ['one']]
    """
    for line in iterator:
        yield line.split()


def numericalize_tokens_from_iterator(
    vocab: Mapping[str, int] | Any,
    iterator: Iterable[Iterable[str]],
    removed_tokens: Container[str] | None = None,
) -> Iterator[Iterator[int]]:
    """The numbers of the tokens of each text.

    Args:
        vocab: gives a token's number by `vocab[token]`.
        iterator: yields the tokens of one text after the other.
        removed_tokens: left out.

    Example:
        >>> words = {"sentence": 0, "as": 1, "pieces": 2}
        >>> rows = numericalize_tokens_from_iterator(words, [["sentence", "as", "pieces"]], ["as"])
        >>> [list(row) for row in rows]
        [[0, 2]]
    """
    removed: Container[str] = () if removed_tokens is None else removed_tokens
    for tokens in iterator:
        yield (vocab[token] for token in tokens if token not in removed)


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Source: Matt Mahoney's wikifil.pl, as in torchtext: "[[category:x]]" becomes "$1", and then goes.
WIKIPEDIA_PATTERNS = [
    (r"<.*>", ""),
    (r"&amp;", "&"),
    (r"&lt;", "<"),
    (r"&gt;", ">"),
    (r"<ref[^<]*<\/ref>", ""),
    (r"<[^>]*>", ""),
    (r"\[http:[^] ]*", "["),
    (r"\|thumb", ""),
    (r"\|left", ""),
    (r"\|right", ""),
    (r"\|\d+px", ""),
    (r"\[\[image:[^\[\]]*\|", ""),
    (r"\[\[category:([^|\]]*)[^]]*\]\]", "[[$1]]"),
    (r"\[\[[a-z\-]*:[^\]]*\]\]", ""),
    (r"\[\[[^\|\]]*\|", "[["),
    (r"\{\{[^\}]*\}\}", ""),
    (r"\{[^\}]*\}", ""),
    (r"\[", ""),
    (r"\]", ""),
    (r"&[^;]*;", " "),
    *((chr(letter), chr(letter).lower()) for letter in range(ord("A"), ord("Z") + 1)),
    *((str(digit), f" {word} ") for digit, word in enumerate(DIGITS)),
    (r"[^a-z\n]+", " "),
    (r"\n ", ""),
    (r"\s+", " "),
    (r"\n\s*\n", r"\n"),
]


def filter_wikipedia_xml(text_iterator: Iterable[str]) -> Iterator[str]:
    """Words of the lines of a Wikipedia dump: letters a to z, digits spelt out.

    Args:
        text_iterator: lines of the XML; those that redirect or hold no words are left out.

    Raises:
        DTypeError: not iterable.

    Example:
        >>> list(filter_wikipedia_xml(["<b>In 2 [[World War|wars]] &amp; more</b> A 7"]))
        ['a seven']
        >>> list(filter_wikipedia_xml(["In [[World War|2 wars]], more", "#REDIRECT x"]))
        ['in two wars more']
    """
    if not isinstance(text_iterator, Iterable):
        raise DTypeError(
            f"filter_wikipedia_xml: wanted something to iterate over, got {text_iterator!r:.80}"
        )
    return _filtered(text_iterator)


def _filtered(lines: Iterable[str]) -> Iterator[str]:
    clean = custom_replace(WIKIPEDIA_PATTERNS)
    wanted = (line for line in lines if "#redirect" not in line and "#REDIRECT" not in line)
    for line in clean(wanted):
        if line := line.strip():
            yield line


class _MapStyle(Dataset[Any]):
    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        return self._rows[index]


def to_map_style_dataset(iter_data: Iterable[Any]) -> Dataset[Any]:
    """Dataset with a length and rows by number, from anything to iterate over once.

    Args:
        iter_data: rows; all are kept in memory.

    Example:
        >>> rows = to_map_style_dataset(line for line in ["a", "b"])
        >>> len(rows), rows[1]
        (2, 'b')
    """
    return _MapStyle(iter_data)
