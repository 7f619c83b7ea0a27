"""`triptych-text tokenize`: the tokens of texts, their ids and places."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from triptych_datasets.tables import print_table

from ..tokenizers import Encoding, Tokenizer, list_encoding_names
from .texts import texts_of

__all__ = ["run", "tokenizer_of"]

HEAD = ("TOKEN", "ID", "FROM", "TO", "TEXT")
READERS = {  # what the end of a file's name says about it
    ".json": Tokenizer.from_file,
    ".model": Tokenizer.from_sentencepiece,
    ".tiktoken": Tokenizer.from_ranks,
    ".txt": Tokenizer.from_vocab_file,
}


def run(arguments: argparse.Namespace) -> int:
    """Print a table for each text, or JSON, or counts.

    Args:
        arguments: `texts`, `tokenizer`, `json` and `count`.

    Returns:
        0.

    Raises:
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such tokenizer.
    """
    tokenizer = tokenizer_of(arguments.tokenizer)
    texts = texts_of(arguments)
    for i, (text, encoding) in enumerate(zip(texts, map(tokenizer.encode, texts), strict=True)):
        if arguments.count:
            print(len(encoding.ids))
        elif arguments.json:
            offsets = [list(pair) for pair in encoding.offsets]
            row = {"text": text, "tokens": list(encoding.tokens), "ids": list(encoding.ids)}
            print(json.dumps(row | {"offsets": offsets}, ensure_ascii=False))
        else:
            print("\n" * bool(i), end="")
            print_table([HEAD, *_rows(text, encoding)], numbers=range(1, 4))
    return 0


def tokenizer_of(name: str) -> Tokenizer:
    """A tokenizer by the name of a file, a folder, a model or a published encoding.

    Args:
        name: as the command takes it.

    Raises:
        FileFormatError: the file is damaged.
        UnknownNameError: nothing is called so.
    """
    path = Path(name)
    if path.is_file() and path.suffix in READERS:
        return READERS[path.suffix](path)
    if name in list_encoding_names():
        return Tokenizer.from_encoding(name)
    return Tokenizer.from_pretrained(name)


def _rows(text: str, encoding: Encoding) -> list[tuple[str, ...]]:
    places = zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    return [(token, str(i), str(a), str(b), repr(text[a:b])) for token, i, (a, b) in places]
