"""A pickle reader that builds tensors and plain containers, and can do nothing else.

It is Python's own pure-Python unpickler with its table of opcodes cut down to the ones that data
needs, and with every opcode that could call, change or hash something replaced. The C unpickler
will not do: it serves extension codes from a process-wide cache without asking `find_class`, and a
nine-byte LONG_BINPUT makes it allocate gigabytes.
"""

from __future__ import annotations

import pickle
import struct
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

from ..errors import UnsafeFileError
from .allowed_classes import allowed_base, set_state, stand_in
from .limits import are_counts, check_key
from .source import Source
from .torch_globals import ALLOWED, REFUSED
from .torch_records import Call, NumpyArray, NumpyDType, Storage, StorageType

__all__ = ["DataUnpickler", "unpickle"]

_KEPT = """
PROTO FRAME STOP MARK POP POP_MARK DUP MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET BINPERSID
NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 BINFLOAT
BINSTRING SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8
EMPTY_LIST EMPTY_DICT EMPTY_SET EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 LIST
GLOBAL STACK_GLOBAL INST OBJ
"""
_LENGTH = struct.Struct("<Q")
_DICTS = (dict, OrderedDict, defaultdict)
_ARGUMENTS_PER_BYTE = 2  # of calls; honest files spell each argument, hostile ones refer back


class _Opcodes(dict[int, Callable[[Any], None]]):
    """Opcode -> handler; whatever is not listed is refused."""

    def __missing__(self, code: int) -> NoReturn:
        names = [n for n, v in vars(pickle).items() if v == bytes([code]) and n.isupper()]
        raise pickle.UnpicklingError(f"opcode {names[0] if names else hex(code)} is not for data")


class DataUnpickler(pickle._Unpickler):
    """Reads one pickle; `storages` lists the storages it mentioned, by key.

    Args:
        stream: where the pickle starts; left right after it.
        source: the file, for errors.
        nbytes: upper bound of the pickle's length, which bounds how much it may copy.
        encoding: of the byte strings that Python 2 wrote.
    """

    stack: list[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]
    dispatch = _Opcodes(
        (code, pickle._Unpickler.dispatch[code])
        for code in (getattr(pickle, name)[0] for name in _KEPT.split())
    )

    def __init__(
        self, stream: BinaryIO, source: Source, nbytes: int, encoding: str = "utf-8"
    ) -> None:
        super().__init__(stream, encoding=encoding)
        self._source = source
        self._budget = _ARGUMENTS_PER_BYTE * nbytes
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The inert stand-in for a global; never an import.

        Raises:
            FileFormatError: a kind of tensor that cannot be read.
            UnsafeFileError: anything outside the table.
        """
        full = f"{module}.{name}"
        if full in ALLOWED:
            return ALLOWED[full]
        if full in REFUSED:
            raise self._source.error(f"holds {REFUSED[full]}")
        if (allowed := stand_in(full)) is not None:
            return allowed
        raise self._source.error(
            f"asks for the global {full[:200]!r}; only tensors and plain containers are built, and "
            "nothing was executed; in the program that made the file, save plain data: "
            "torch.save(model.state_dict(), path). If it is a plain class of yours, allow it with "
            "triptych.serialization.add_safe_globals",
            UnsafeFileError,
        )

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, from torch's ("storage", type, key, location, numel[, view])."""
        if type(pid) is not tuple or len(pid) not in (5, 6) or pid[0] != "storage":
            raise pickle.UnpicklingError("a persistent id that is no storage")
        _, kind, key, _, numel, *view = pid
        if not isinstance(kind, StorageType) or type(key) is not str:
            raise pickle.UnpicklingError("a storage without a type and a key")
        start, length = view[0][1:] if view and view[0] is not None else (0, numel)
        if not are_counts([numel, start, length]):
            raise pickle.UnpicklingError("a storage whose sizes are not counts")
        if start + length > numel:
            raise self._source.error(
                f"storage {key!r} is viewed up to element {start + length}, it has {numel}"
            )
        storage = Storage(key, kind.dtype, numel, start, length)
        self.storages.setdefault(key, storage)
        return storage

    def _spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise self._source.error(
                "copies its own values over and over; refused before it fills the memory",
                UnsafeFileError,
            )

    def _call(self, target: Any, args: Any) -> Any:
        if not isinstance(target, Call) or type(args) is not tuple:
            kind = type(target).__name__
            raise self._source.error(f"calls a {kind}; nothing was executed", UnsafeFileError)
        self._spend(sum(len(arg) for arg in args if hasattr(arg, "__len__")))
        return target.build(*args)

    def _load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], args)

    def _instantiate(self, target: Any, args: list[Any]) -> None:
        self.append(self._call(target, tuple(args)))

    def _load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, NumpyDType | NumpyArray):
            self._spend(target.set_state(state))
        elif type(state) is dict and type(target) is OrderedDict:
            if type(state.get("_metadata")) in _DICTS:  # versions, on a module's state_dict
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif type(state) is dict and type(target) is types.SimpleNamespace:
            vars(target).update((k, v) for k, v in state.items() if type(k) is str)
            self._spend(len(state))
        elif allowed_base(target) is not None:
            self._spend(set_state(target, state))
        else:
            kind = type(target).__name__
            raise self._source.error(f"sets the state of a {kind}; refused", UnsafeFileError)

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        base = type(target) if type(target) in _DICTS else allowed_base(target)
        if base not in _DICTS or len(items) % 2:
            raise pickle.UnpicklingError(f"dict items for a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            check_key(key)
            base.__setitem__(target, key, value)

    def _append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list and allowed_base(target) is not list:
            raise pickle.UnpicklingError(f"list items for a {type(target).__name__}")
        list.extend(target, items)

    def _load_append(self) -> None:
        self._append([self.stack.pop()])

    def _load_appends(self) -> None:
        self._append(self.pop_mark())

    def _load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def _load_setitems(self) -> None:
        self._set_items(self.pop_mark())

    def _load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._set_items(items)

    def _load_additems(self) -> None:
        items = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise pickle.UnpicklingError(f"set members for a {type(self.stack[-1]).__name__}")
        for item in items:
            check_key(item)
        self.stack[-1].update(items)

    def _load_bytearray8(self) -> None:
        (nbytes,) = _LENGTH.unpack(self.read(_LENGTH.size))
        self.append(bytearray(self.read(nbytes)))  # the stream clamps what it is asked for

    def _load_frozenset(self) -> None:
        items = self.pop_mark()
        for item in items:
            check_key(item)
        self.append(frozenset(items))

    dispatch.update(
        {
            pickle.REDUCE[0]: _load_reduce,
            pickle.NEWOBJ[0]: _load_reduce,  # cls.__new__(cls, *args) and cls(*args): one builder
            pickle.BUILD[0]: _load_build,
            pickle.APPEND[0]: _load_append,
            pickle.APPENDS[0]: _load_appends,
            pickle.SETITEM[0]: _load_setitem,
            pickle.SETITEMS[0]: _load_setitems,
            pickle.DICT[0]: _load_dict,
            pickle.ADDITEMS[0]: _load_additems,
            pickle.BYTEARRAY8[0]: _load_bytearray8,
            pickle.FROZENSET[0]: _load_frozenset,
        }
    )


def unpickle(
    stream: BinaryIO, source: Source, part: str, nbytes: int
) -> tuple[Any, dict[str, Storage]]:
    """Read one pickle from a stream.

    Args:
        stream: stands at the pickle; left right after it.
        source: the file, for errors.
        part: what the pickle is, for errors.
        nbytes: at most how long it is.

    Returns:
        What it holds, tensors still as records, and the storages it mentions by key.

    Raises:
        FileFormatError: damaged.
        UnsafeFileError: asks for anything but data.
    """
    reader = DataUnpickler(stream, source, nbytes)
    with source.damage(part):
        return reader.load(), reader.storages
