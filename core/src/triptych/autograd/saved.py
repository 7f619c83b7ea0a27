"""What backward keeps of forward, and who may keep it in another form.

A node keeps raw arrays. A trace such as `graph.saved_tensors_hooks` may take them over when the
node is recorded: the arrays are packed into what a user's function makes of them, and unpacked when
backward reads them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..backends import copied
from ..errors import GradError
from ..state import state
from ..tensor import Tensor, box

if TYPE_CHECKING:
    from .node import Cell, Node

Hook = Callable[[Any], Any]


class Packed:
    """One value in the form that a pack function gave it.

    Args:
        raw: the array.
        pack, unpack: from a detached tensor to anything, and back.
    """

    __slots__ = ("_cell", "_dtype", "_given", "_held", "_shape", "_unpack", "cells")

    def __init__(self, raw: Any, pack: Hook, unpack: Hook) -> None:
        given = box(raw)
        before, state.grad = state.grad, False
        try:
            self._held = pack(given)
        finally:
            state.grad = before
        if given._cell[0]:
            raise GradError(
                "saved_tensors_hooks: the pack hook wrote into its tensor, which the forward "
                "still uses; work on a clone()"
            )
        self._unpack, self._cell, self._given = unpack, given._cell, weakref.ref(given)
        self._shape, self._dtype = tuple(raw.shape), raw.dtype
        self.cells: tuple[Any, ...] = ()  # (version cell, version) of the memory

    def unpacked(self) -> tuple[Any, bool]:
        """The raw value, and whether a write into the memory that was saved would change it.

        Raises:
            GradError: the unpack hook gives no tensor, or one of another shape or dtype.
        """
        found = self._unpack(self._held)
        if not isinstance(found, Tensor):
            raise GradError(
                "saved_tensors_hooks: the unpack hook must give a tensor, got "
                f"{type(found).__name__}"
            )
        came = tuple(found.shape), found._data.dtype
        if came != (self._shape, self._dtype):
            raise GradError(
                f"saved_tensors_hooks: the unpack hook gave {came[1]}{list(came[0])}, what was "
                f"packed is {self._dtype}{list(self._shape)}"
            )
        raw = found._data if state.trace is None else state.trace.enter(found)
        return raw, found._cell is self._cell or getattr(self._held, "versioned", False)

    def keep_apart(self, memory: Any) -> None:
        """Swap the tensor that a pack function kept for a copy: its memory is to be written."""
        given = self._given()
        if given is not None and given._data is memory:
            given._data = copied(memory)
            self.cells = ()


class PackedValues:
    """The saved values of a node after packing; stands where the tuple of inputs was."""

    __slots__ = ("xs", "y")

    def __init__(self, node: Node, pack: Hook, unpack: Hook) -> None:
        def packed(value: Any) -> Any:
            return Packed(value, pack, unpack) if hasattr(value, "dtype") else value

        self.xs = tuple(packed(x) for x in node.xs)
        many = type(node.y) is tuple
        self.y = tuple(packed(v) for v in node.y) if many else packed(node.y)
        values = [held for held in self if type(held) is Packed]
        own = len(values) == len(node.cells)  # else some came as arrays, and have no cell
        for i, held in enumerate(values):
            held.cells = node.cells[i : i + 1] if own else node.cells

    def __iter__(self) -> Iterator[Any]:
        yield from self.xs
        yield from self.y if type(self.y) is tuple else (self.y,)

    def unpacked(self, node: Node) -> tuple[tuple[Any, ...], Any]:
        """The raw inputs and output.

        Raises:
            GradError: an unpack hook gives something else, or the memory was written to.
        """

        def value(held: Any) -> Any:
            if type(held) is not Packed:
                return held
            raw, same = held.unpacked()
            if same:
                node.check_cells(held.cells)
            return raw

        xs = tuple(value(x) for x in self.xs)
        return xs, tuple(value(v) for v in self.y) if type(self.y) is tuple else value(self.y)

    def keep_apart(self, memory: Any) -> None:
        """Have no value lie in memory that is to be written."""
        for held in self:
            if type(held) is Packed:
                held.keep_apart(memory)


class Kept:
    """A tensor kept for backward outside the table: by `Function`, or as input of a checkpoint.

    Args:
        tensor: what to keep.
        name: of who keeps it, for errors.
    """

    __slots__ = ("__weakref__", "cell", "held", "name", "version")

    def __init__(self, tensor: Tensor, name: str) -> None:
        trace = state.trace
        self.held: Any = tensor._data if trace is None else trace.enter(tensor)
        self.cell: Cell | None = tensor._cell
        self.version, self.name = tensor._cell[0], name
        if trace is not None:
            trace.kept(self)

    def pack(self, pack: Hook, unpack: Hook) -> None:
        """Hand the value to a pack function, unless it was packed before."""
        if type(self.held) is not Packed:
            self.held = Packed(self.held, pack, unpack)

    def raw(self) -> Any:
        """The raw value.

        Raises:
            GradError: its memory was written to since.
        """
        raw, same = self.held.unpacked() if type(self.held) is Packed else (self.held, True)
        if same and self.cell is not None and self.cell[0] != self.version:
            raise GradError(
                f"{self.name}: a saved tensor was modified in place since forward; clone() it "
                "before the write"
            )
        return raw

    def separate(self) -> None:
        """Keep a copy of the memory, which is about to be written to."""
        if type(self.held) is not Packed and self.cell is not None:
            self.held, self.cell = copied(self.held), None
