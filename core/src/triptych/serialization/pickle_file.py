"""Read a pickle of plain data, such as a data set's, without running it."""

from __future__ import annotations

from typing import Any, NoReturn

from .source import File, Source
from .torch_records import Storage
from .torch_tensors import TreeBuilder
from .unpickler import DataUnpickler

__all__ = ["read_pickle"]


def read_pickle(file: File, *, encoding: str = "utf-8") -> Any:
    """What a pickle of plain data holds; nothing in it is ever called or imported.

    Builds dict, OrderedDict, defaultdict, list, tuple, set, numbers, str, bytes, None, and
    numeric NumPy arrays and scalars; of the binary protocols, 2 and newer.

    Args:
        file: a path or a seekable binary file.
        encoding: of the byte strings that Python 2 wrote; "latin1" for its NumPy arrays.

    Returns:
        The object that was pickled.

    Raises:
        FileFormatError: not a pickle, or damaged.
        UnsafeFileError: the file asks for anything but data; nothing was executed.

    Example:
        >>> import io, pickle
        >>> read_pickle(io.BytesIO(pickle.dumps({"labels": [3, 1]})))
        {'labels': [3, 1]}
    """
    with Source(file, caller="read_pickle") as source:
        reader = DataUnpickler(source.stream(), source, source.size, encoding)
        with source.damage("the pickle"):
            records = reader.load()

        def no_block(storage: Storage, whose: str) -> NoReturn:
            raise source.error(f"{whose} is torch's; read it with read_torch")

        return TreeBuilder(source, no_block, lambda value: value).build(records)
