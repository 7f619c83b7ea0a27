"""Vocabularies that torchtext saved with torch.save, read without running what is in them."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
import zlib
from collections import OrderedDict
from typing import Any

from triptych.errors import FileFormatError, UnsafeFileError

from .vocab import Vocab

__all__ = ["read_torch_vocab"]

# What damaged archives and pickles make their readers raise; RuntimeError for too deep nesting.
DAMAGE = (AttributeError, EOFError, LookupError, RuntimeError, StopIteration, TypeError, ValueError,
          pickle.UnpicklingError, zipfile.BadZipFile, zlib.error)  # fmt: skip
INERT = ("torch", "torchtext")  # packages whose classes become records, never calls


class _Record:
    """Stands for an object of a class that is not loaded; keeps what it was made from."""

    contents: list[Any]

    def __new__(cls, *contents: Any) -> _Record:  # pickles make objects without __init__, too
        made = super().__new__(cls)
        made.contents = list(contents)
        return made

    def __init__(self, *contents: Any) -> None:
        """Nothing more."""

    def __setstate__(self, state: Any) -> None:
        self.contents.append(state)


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module.split(".")[0] in INERT:
            return type(name, (_Record,), {})
        raise UnsafeFileError(
            f"read_torch_vocab: the file asks for {module}.{name}, which no vocabulary needs"
        )

    def persistent_load(self, pid: Any) -> Any:
        return None


def _token_lists(found: Any) -> list[list[str]]:
    if isinstance(found, _Record):
        return [row for part in vars(found).values() for row in _token_lists(part)]
    if isinstance(found, dict):
        return [row for value in found.values() for row in _token_lists(value)]
    if isinstance(found, list) and found and all(isinstance(token, str) for token in found):
        return [found]
    if isinstance(found, list | tuple):
        return [row for value in found for row in _token_lists(value)]
    return []


def read_torch_vocab(path: str | os.PathLike[str]) -> Vocab:
    """Vocabulary of a file such as torchtext's `roberta.vocab.pt`.

    Classes named in the file are not imported; only lists, dicts, texts and numbers are made.

    Args:
        path: a file of torch.save, in the zip format of torch 1.6 and later.

    Returns:
        The vocabulary, without a default index.

    Raises:
        FileFormatError: it is no such file, or holds no list of tokens.
        UnsafeFileError: it asks for something that no vocabulary needs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
            content = archive.read(name)
        rows = _token_lists(_Reader(io.BytesIO(content)).load())
    except UnsafeFileError:
        raise
    except DAMAGE as error:
        raise FileFormatError(f"read_torch_vocab: {path} is no file of torch.save: {error}") from (
            error
        )
    if not rows:
        raise FileFormatError(f"read_torch_vocab: {path} holds no list of tokens")
    return Vocab(sorted(rows, key=_length)[-1])


def _length(tokens: list[str]) -> int:
    return len(tokens)
