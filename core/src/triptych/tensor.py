"""`Tensor`: an array, an edge to the tape when gradients are wanted, and nothing else.

Only the record itself is here. Operators and methods are the functions of `triptych.ops`, bound
in `methods.py`, so every operation has one signature and one docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dtypes
from .autograd.node import Cell, Leaf
from .backends import Device, backend_of
from .errors import BoundsError, CaptureError, DTypeError, GradError, ShapeError
from .state import state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np


class View:
    """How a tensor looks into another: the base tensor and the movements that lead from it.

    Attributes:
        base, chain: the tensor whose memory it is, and (primitive, parameters) from there.
        version: of the shared memory when the history of the view was last brought up to date.
        edge: of the base at that time.
        tracked: whether the view has the history of its base; not if it was made under no_grad.
    """

    __slots__ = ("base", "chain", "edge", "tracked", "version")

    def __init__(self, base: Tensor, chain: tuple[Any, ...], version: int, tracked: bool) -> None:
        self.base, self.chain, self.version, self.tracked = base, chain, version, tracked
        self.edge = base._edge


class Alias(View):
    """A detached tensor inside a capture: the memory of its base under a history of its own."""

    __slots__ = ()

    def __init__(self, base: Tensor, version: int) -> None:
        super().__init__(base, (), version, False)


class Tensor:
    """An n-dimensional array that can record the operations applied to it.

    Made by `triptych.tensor`, `zeros`, `from_numpy` and the like.
    """

    # Class-level defaults keep construction to three stores.
    _data: Any
    _cell: Cell
    _edge: Any = None
    _view: View | None = None
    _grad: Tensor | None = None
    _names: tuple[str | None, ...] | None = None  # of the dims; None when no dim has one
    _retained: Any = None  # the Retain hook, once retain_grad() was called
    __array_priority__ = 1000

    def __init__(self, data: Any = (), *sizes: int) -> None:
        from .ops.creation import legacy_tensor

        self._data = legacy_tensor(data, *sizes)
        self._cell = [0]

    # What a tensor is

    @property
    def shape(self) -> Size:
        """The lengths of the axes."""
        return Size(self._data.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._data.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.from_numpy_dtype(self._data.dtype)

    @property
    def device(self) -> Device:
        """Where the elements are."""
        data = self._data
        return data.device if isinstance(data, Symbol) else backend_of(data).device_of(data)

    @property
    def names(self) -> tuple[str | None, ...]:
        """A name or None per dim. Set it to names, or to None to take all away.

        Setting it raises NamesError unless there is one for each dim, each an identifier of its
        own or None.
        """
        return self._names or (None,) * len(self._data.shape)

    @names.setter
    def names(self, names: Iterable[str | None] | None) -> None:
        from .ops.named import set_names

        set_names(self, names)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._data.size * self._data.dtype.itemsize

    # Gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded for backward."""
        return current_edge(self) is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) recording operations on this leaf; returns self.

        Raises:
            GradError: elements are integers or booleans, or the tensor is the result of a recorded
                operation.
        """
        if self._edge is not None and not isinstance(self._edge, Leaf):
            if requires_grad:
                return self
            raise GradError(
                "requires_grad_(False): the tensor is the result of a recorded operation; "
                "use detach() to get it without its history"
            )
        if requires_grad and not dtypes.is_inexact(self._data.dtype):
            raise GradError(
                f"requires_grad_: only floating and complex tensors have gradients, got "
                f"{self.dtype}; convert with .float()"
            )
        if requires_grad:
            self._edge = self._edge or Leaf(self)
        else:
            self._edge = None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        edge = current_edge(self)
        return edge is None or isinstance(edge, Leaf)

    @property
    def grad_fn(self) -> Any:
        """The tape node that made this tensor, or None for a leaf."""
        edge = current_edge(self)
        return None if edge is None or isinstance(edge, Leaf) else edge.target()[0]

    @property
    def output_nr(self) -> int:
        """Which output of its `grad_fn` this tensor is."""
        return 0 if self._edge is None else self._edge.target()[1]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward has accumulated here, or None.

        Setting it raises GradError unless it is a tensor of the same shape, dtype and device.
        """
        if state.trace is not None:
            state.trace.touched_grad(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        if state.trace is not None:
            state.trace.touched_grad(self)
        self._grad = value

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise GradError(f"grad: wanted a tensor or None, got {type(value).__name__}")
        for what in ("shape", "dtype", "device"):
            wanted, came = getattr(self, what), getattr(value, what)
            if wanted != came:
                raise GradError(f"grad: wanted {what} {wanted} like the tensor, got {came}")

    @property
    def _version(self) -> int:
        return self._cell[0]

    @property
    def data(self) -> Tensor:
        """The same memory without history; writes through it are not tracked.

        Setting it gives the tensor other memory and keeps its history and gradient.

        Raises:
            DTypeError: set to something that is no tensor.
            CaptureError: set to another shape or dtype while a graph is captured.
        """
        if state.trace is not None:
            return self.detach()
        out = box(self._data)
        if self._names is not None:
            out._names = self._names
        return out

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise DTypeError(f"data: wanted a tensor, got {type(value).__name__}; use tensor()")
        if state.trace is not None and state.trace.replace(self, value):
            return
        self._data = value._data
        self._cell = [0]
        self._view = None
        self._names = value._names

    def __hash__(self) -> int:
        return id(self)

    if TYPE_CHECKING:
        # What methods.py binds, as far as type checkers need to know.
        def __getattr__(self, name: str) -> Any: ...
        def _unary(self) -> Any: ...
        def _binary(self, other: Any) -> Any: ...
        @classmethod
        def _rebuild(cls, tensor: Tensor, requires_grad: bool) -> Tensor: ...
        def __getitem__(self, key: Any) -> Any: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def __iter__(self) -> Iterator[Any]: ...
        def __len__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __int__(self) -> int: ...
        def __index__(self) -> int: ...
        def __float__(self) -> float: ...
        def __complex__(self) -> complex: ...
        def __eq__(self, other: object) -> Any: ...
        def __ne__(self, other: object) -> Any: ...

        __neg__ = __pos__ = __abs__ = __invert__ = _unary
        __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _binary
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = _binary
        __pow__ = __matmul__ = __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = _binary
        __rpow__ = __rmatmul__ = __rand__ = __ror__ = __rxor__ = _binary


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that knows its element count."""

    __slots__ = ()

    def numel(self) -> int:
        """The product of the lengths."""
        count = 1
        for n in self:
            count *= n
        return count

    def __repr__(self) -> str:
        return f"Size({list(self)})"


class Symbol:
    """The raw value of a tensor inside a captured graph: an aval with an identity.

    `layout` is "packed" when eager mode would hold the elements in row-major order without gaps,
    "strided" when it may not, and "unknown" for a reshape of the latter, which eager mode may or
    may not copy.
    """

    __slots__ = ("device", "dtype", "layout", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, device: Device) -> None:
        self.shape, self.dtype, self.device = tuple(shape), dtype, device
        self.layout = "packed"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return Size(self.shape).numel()

    def numbers(self, call: str) -> Any:
        """The array, for a call that needs its elements; a symbol has none.

        Raises:
            CaptureError: always.
        """
        raise CaptureError(
            f"{call}: the value of a traced tensor ({self.dtype}, shape {self.shape}) is not known "
            "while a graph is captured; compute with tensors (where, masked_fill), pass the value "
            "as a plain Python argument, or do this outside the compiled function"
        )

    def misused(self, call: str) -> Exception:
        """The error for a call outside what the symbol belongs to."""
        return CaptureError(
            f"{call}: a tensor of a captured graph was used after the capture; it has no numbers: "
            "return it from the captured function"
        )

    def check_kept_by(self, tensor: Tensor) -> None:
        """Raise if a tensor must not keep this as its gradient."""

    def shares_memory(self, other: Any) -> bool:
        """Whether this, the result of a movement that can be a view of another symbol, is one."""
        return True

    def __repr__(self) -> str:
        return f"%{id(self) & 0xFFFF:x}:{self.dtype}{list(self.shape)}"


_new = object.__new__


def box(data: Any, edge: Any = None) -> Tensor:
    """A tensor around a raw array."""
    t = _new(Tensor)
    t._data = data
    t._cell = [0]
    if edge is not None:
        t._edge = edge
    return t


def raw_dtype(x: Any) -> np.dtype:
    """The NumPy dtype of a tensor or a raw value."""
    return x._data.dtype if isinstance(x, Tensor) else x.dtype


def current_edge(t: Tensor) -> Any:
    """The edge of a tensor, brought up to date if it is a view of something written to."""
    view = t._view
    if view is not None and view.version != t._cell[0]:
        refresh(t, view)
    return t._edge


_LOST = (
    "a view of shape {} is used after a write to the tensor it was made from, and that tensor has "
    "been reshaped in place since (squeeze_, t_, transpose_ ...): make the view again"
)


def refresh(t: Tensor, view: View) -> None:
    """Rebuild a view from its base after an in-place write to the shared memory."""
    trace = state.trace
    if trace is not None:
        if trace.elsewhere(refresh, t, view):
            return
        trace.changing(t)
    view.version = t._cell[0]
    base, traced = view.base, isinstance(t._data, Symbol)
    if base._cell is not t._cell or (current_edge(base) is view.edge and not traced):
        return  # other memory by now, or a write that left the history as it was
    if traced and t._data.layout == "unknown":
        raise CaptureError(
            "a reshape of a permuted or sliced tensor is used after a write to that tensor: "
            "whether it shows the write depends on the memory layout, which is not known while a "
            "function is traced; reshape again after the write"
        )
    y, before = base, state.grad
    state.grad = view.tracked
    try:
        for prim, params in view.chain:
            y = prim.call(y, **params)
    except (BoundsError, ShapeError) as error:
        raise GradError(_LOST.format(tuple(t._data.shape))) from error
    finally:
        state.grad = before
    if tuple(y._data.shape) != tuple(t._data.shape):
        raise GradError(_LOST.format(tuple(t._data.shape)))
    if traced:
        t._data = trace.enter(y) if trace is not None else y._data
    if view.tracked:
        set_edge(t, y._edge)
        view.edge = base._edge


def set_edge(t: Tensor, edge: Any) -> None:
    """Give a tensor another history; a gradient to be retained is that of the new one."""
    t._edge = edge
    if t._retained is not None:
        t._retained.move(edge)
