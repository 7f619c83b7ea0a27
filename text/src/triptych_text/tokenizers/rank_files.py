"""Files that hold the ranks of a byte pair encoding."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path

from triptych.errors import FileFormatError

from .byte_pairs import byte_alphabet

__all__ = ["check_ranks", "read_gpt2_ranks", "read_ranks", "write_ranks"]


def read_ranks(path: str | os.PathLike[str]) -> dict[bytes, int]:
    """Ranks of a `.tiktoken` file: a token in base64 and its rank on each line.

    Args:
        path: the file.

    Returns:
        bytes -> rank.

    Raises:
        FileFormatError: a line is something else, a token or rank stands there twice, or one of
            the 256 single bytes is missing.
        FileNotFoundError: there is no such file.
    """
    lines = Path(path).read_bytes().splitlines()
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            token, rank = line.split()
            key, value = base64.b64decode(token, validate=True), int(rank)
        except (ValueError, binascii.Error) as error:
            raise FileFormatError(
                f"read_ranks: {path}, line {number}: wanted a token in base64 and a number, got "
                f"{line[:60]!r}"
            ) from error
        if ranks.setdefault(key, value) != value or value < 0:
            raise FileFormatError(f"read_ranks: {path}, line {number}: {key!r} is there twice")
    check_ranks(ranks, str(path))
    return ranks


def check_ranks(ranks: Mapping[bytes, int], source: str) -> None:
    """See that any text can be encoded, and any id be decoded.

    Args:
        ranks: bytes -> rank.
        source: where they are from, for the error text.

    Raises:
        FileFormatError: a single byte has no rank, or two tokens have the same.
    """
    lacking = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if lacking:
        raise FileFormatError(
            f"{source}: {len(lacking)} of the 256 single bytes have no rank, the first is "
            f"{lacking[0]:#04x}; is it a file of byte pair ranks?"
        )
    if len(set(ranks.values())) != len(ranks):
        raise FileFormatError(f"{source}: two tokens have the same rank")


def write_ranks(ranks: Mapping[bytes, int], path: str | os.PathLike[str]) -> None:
    """Write a `.tiktoken` file, sorted by rank.

    Args:
        ranks: bytes -> rank.
        path: the file.
    """
    rows = sorted(ranks.items(), key=lambda row: row[1])
    text = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in rows)
    Path(path).write_bytes(text)


def read_gpt2_ranks(
    vocab: str | os.PathLike[str], merges: str | os.PathLike[str]
) -> dict[bytes, int]:
    """Ranks out of GPT-2's own two files, `encoder.json` and `vocab.bpe`.

    Args:
        vocab: JSON object, token -> id; vocab.json of a Hugging Face folder is the same.
        merges: two parts a line, first what joins first; a first line "#version" is passed over.

    Returns:
        bytes -> rank; special tokens of `vocab` are left out.

    Raises:
        FileFormatError: the files are not of this form, or do not belong together.
        FileNotFoundError: one of them is not there.
    """
    letters = {char: byte for byte, char in byte_alphabet().items()}
    try:
        ids = json.loads(Path(vocab).read_text(encoding="utf-8"))
        text = Path(merges).read_text(encoding="utf-8")
    except ValueError as error:  # also what UnicodeDecodeError is
        raise FileFormatError(f"read_gpt2_ranks: {vocab}, {merges}: {error}") from error
    rows = [line for line in text.split("\n") if line and not line.startswith("#version")]
    tokens = [*letters, *("".join(row.split(" ")) for row in rows)]
    try:
        ranks = {bytes(letters[char] for char in token): ids[token] for token in tokens}
    except (KeyError, TypeError) as error:
        raise FileFormatError(
            f"read_gpt2_ranks: {merges} has a token that {vocab} lacks, or is no byte-level "
            f"vocabulary: {error}"
        ) from error
    order = [ids[token] for token in tokens[256:]]
    if order != sorted(order):
        raise FileFormatError(
            f"read_gpt2_ranks: the ids of {vocab} do not grow with the merges of {merges}, so "
            "they are no ranks; use Tokenizer.from_merges"
        )
    check_ranks(ranks, str(vocab))
    return ranks
