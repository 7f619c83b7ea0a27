"""`triptych-text embed`: texts as vectors."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import triptych as tp
from triptych.errors import DomainError

from ..embedding import SentenceEncoder
from .texts import texts_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the vectors, or write them into a file.

    Args:
        arguments: `texts`, `model` and `output`.

    Returns:
        0.

    Raises:
        DomainError: the file's name says neither .npy nor .safetensors.
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such model.
    """
    output = None if arguments.output is None else Path(arguments.output)
    if output is not None and output.suffix not in (".npy", ".safetensors"):
        raise DomainError(f"{output}: wanted a name that ends with .npy or .safetensors")
    vectors = SentenceEncoder.from_pretrained(arguments.model).encode(texts_of(arguments))
    if output is None:
        for vector in vectors.tolist():
            print(json.dumps([round(number, 6) for number in vector]))
        return 0
    if output.suffix == ".npy":
        np.save(output, vectors.numpy())
    else:
        tp.save({"embeddings": vectors}, output)
    print(f"{output}: {vectors.shape[0]} vectors of {vectors.shape[1]} numbers", file=sys.stderr)
    return 0
