"""`triptych-text train-tokenizer`: a vocabulary out of text files."""

from __future__ import annotations

import argparse
import sys
from itertools import chain

from ..tokenizers import train_tokenizer
from .texts import lines_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Learn, and write a tokenizer.json.

    Args:
        arguments: `files`, `output`, `kind`, `vocab_size`, `min_frequency` and `lowercase`.

    Returns:
        0.

    Raises:
        DomainError: no text, or a vocabulary smaller than what must be in it.
        FileFormatError: a file is not UTF-8.
        OSError: a file cannot be read or written.
    """
    tokenizer = train_tokenizer(
        chain.from_iterable(map(lines_of, arguments.files)),
        arguments.kind,
        vocab_size=arguments.vocab_size,
        min_frequency=arguments.min_frequency,
        lowercase=arguments.lowercase,
    )
    tokenizer.save(arguments.output)
    print(f"{arguments.output}: {len(tokenizer):,} tokens", file=sys.stderr)
    return 0
