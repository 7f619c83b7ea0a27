"""`triptych-text similar`: the lines that mean what a text means."""

from __future__ import annotations

import argparse

from triptych_datasets.tables import print_table

from ..embedding import SentenceEncoder, semantic_search
from .texts import argument, numbered_lines

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the closest lines, the closest first.

    Args:
        arguments: `query`, `corpus`, `model` and `top`.

    Returns:
        0.

    Raises:
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such model or file.
    """
    numbers, lines = zip(*numbered_lines(arguments.corpus), strict=True)
    encoder = SentenceEncoder.from_pretrained(arguments.model)
    found = semantic_search(
        encoder.encode([argument(arguments.query)]), encoder.encode(lines), arguments.top
    )
    rows = zip(found.scores[0].tolist(), found.indices[0].tolist(), strict=True)
    table = [(f"{score:.3f}", str(numbers[i]), lines[i]) for score, i in rows]
    print_table([("COSINE", "LINE", "TEXT"), *table], numbers=range(2))
    return 0
