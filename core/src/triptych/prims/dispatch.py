"""Eager dispatch: unbox, one thread-local test, kernel, box, record.

Unary and binary elementwise calls have a path of their own, since on small arrays they are nearly
all overhead; everything else goes through `apply`. Nothing here looks anything up by name, binds a
signature or opens a context manager.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.node import Node, Port
from ..avals import shape_of
from ..backends import backend_of
from ..dtypes import is_inexact
from ..errors import TriptychError
from ..state import state
from ..tensor import Symbol, Tensor, View, _new, box, current_edge, refresh
from . import naming
from .compute import compute, compute_created
from .promotion import SCALARS
from .table import Prim


def callable_for(prim: Prim) -> Callable[..., Any]:
    """The function that applies a primitive; kept as `prim.call`, the record as its `.prim`."""
    elementwise = prim.kind == "unary" or (prim.kind == "composite" and prim.partials)
    if elementwise and not prim.needs_dtypes:
        call = _unary(prim)
    elif prim.kind == "binary":
        call = _binary(prim)
    elif (
        prim.kind in ("reduction", "movement", "scan", "cast")
        and prim.outputs == 1
        and not prim.joint
    ):
        call = _single(prim)
    elif prim.check == "shapes late":
        call = _pair(prim)
    elif prim.kind in ("contraction", "composite") and prim.outputs == 1 and prim.promote is None:
        call = _several(prim)
    else:
        call = _generic(prim)
    call.prim = prim  # type: ignore[attr-defined]
    call.__name__ = call.__qualname__ = prim.name
    prim.call = call
    return call


def _generic(prim: Prim) -> Callable[..., Any]:
    if prim.kind == "create":
        return _create(prim)

    def call(*xs: Any, **params: Any) -> Any:
        return apply(prim, xs, params)

    return call


def _create(prim: Prim) -> Callable[..., Any]:
    def call(*xs: Any, **params: Any) -> Any:
        return apply(prim, xs, params) if xs else create(prim, params)

    return call


def _single(prim: Prim) -> Callable[..., Any]:
    """Calls with one array input and parameters."""
    kernels, aval, check_first, view = prim.kernels, prim.aval, prim.check == "first", prim.view
    keep_x, keep_y = 0 in prim.keep(1)[0], prim.keep(1)[1]

    def call(x: Any, *others: Any, **params: Any) -> Any:
        run = state.run
        boxed = isinstance(x, Tensor)
        a = x._data if boxed else x
        kernel = kernels.get(type(a))
        if run is None or kernel is None or others or (boxed and x._names is not None):
            return apply(prim, (x, *others), params)
        if check_first:
            aval(a, **params)
        try:
            y = run(kernel, a, **params)
        except Exception:
            return apply(prim, (x,), params)  # the same failure again, explained
        if type(y) is not type(a):
            y = backend_of(a).asarray(y)
        if not boxed:
            return y
        edge = x._edge if x._view is None else current_edge(x)
        t = _new(Tensor)
        t._data = y
        t._cell = [0]
        if view:
            _link_view(prim, x, params, t, a)
        if edge is not None and prim.differentiable and state.grad and is_inexact(y.dtype):
            cells: tuple[Any, ...] = ((x._cell, x._cell[0]),) if keep_x else ()
            if keep_y:
                cells += ((t._cell, t._cell[0]),)
            saved = (a if keep_x else None,)
            node = Node(prim, params, (edge,), saved, y if keep_y else None, cells, (a.shape,))
            node.dtypes = (a.dtype,)
            t._edge = node
        return t

    return call


def _pair(prim: Prim) -> Callable[..., Any]:
    """Calls with two arrays of one dtype, whose shapes the kernel itself checks."""
    kernels = prim.kernels
    keeps = [_binary_keep(prim, mask) for mask in range(4)]

    def call(x1: Any, x2: Any) -> Any:
        run = state.run
        boxed = isinstance(x1, Tensor) and isinstance(x2, Tensor)
        a, b = (x1._data, x2._data) if boxed else (x1, x2)
        kernel = kernels.get(type(a))
        if run is None or kernel is None or type(b) is not type(a) or a.dtype is not b.dtype:
            return apply(prim, (x1, x2), {})
        if boxed and (x1._names is not None or x2._names is not None):
            return apply(prim, (x1, x2), {})
        try:
            y = run(kernel, a, b)
        except Exception:
            return apply(prim, (x1, x2), {})  # the same failure again, explained
        if not boxed:
            return y
        t = _new(Tensor)
        t._data = y
        t._cell = [0]
        edge1 = x1._edge if x1._view is None else current_edge(x1)
        edge2 = x2._edge if x2._view is None else current_edge(x2)
        if (edge1 is not None or edge2 is not None) and state.grad:
            t._edge = _pair_node(prim, keeps, x1, x2, b, t, edge1, edge2)
        return t

    return call


def _several(prim: Prim) -> Callable[..., Any]:
    """Calls with array inputs of one kind, all tensors or all raw, that need no promotion."""
    kernels, aval, differentiable = prim.kernels, prim.aval, prim.differentiable
    check_first = prim.check == "first"

    def call(*xs: Any, **params: Any) -> Any:
        run = state.run
        raw: Any = xs
        if boxed := isinstance(xs[0], Tensor):
            raw = [x._data if isinstance(x, Tensor) and x._names is None else x for x in xs]
        kind = type(raw[0])
        kernel = kernels.get(kind)
        if run is None or kernel is None:
            return apply(prim, xs, params)
        for a in raw:
            if type(a) is not kind:
                return apply(prim, xs, params)
        if check_first:
            aval(*raw, **params)
        try:
            y = run(kernel, *raw, **params)
        except Exception:
            return apply(prim, xs, params)  # the same failure again, explained
        if not boxed:
            return y
        t = _new(Tensor)
        t._data = y
        t._cell = [0]
        if differentiable and state.grad:
            edges = tuple(current_edge(x) if isinstance(x, Tensor) else None for x in xs)
            if edges.count(None) != len(edges):
                _record(prim, params, edges, xs, tuple(raw), y, [t])
        return t

    return call


def _unary(prim: Prim) -> Callable[..., Any]:
    kernels, direct = prim.kernels, prim.promote.direct  # type: ignore[union-attr]
    _, keep_y = prim.keep(1)
    keep_x = 0 in prim.keep(1)[0]
    differentiable = prim.differentiable

    def call(input: Any, *, out: Any = None) -> Any:
        if out is not None:
            return _written(prim, out, call(input))
        x = input
        run = state.run
        if not isinstance(x, Tensor):
            if isinstance(x, SCALARS):
                return _of_numbers(prim, x)
            kernel = kernels.get(type(x))
            if run is None or kernel is None or x.dtype not in direct:
                return apply(prim, (x,), {})
            y = run(kernel, x)
            return y if type(y) is type(x) else backend_of(x).asarray(y)
        if run is None or x._names is not None:
            return apply(prim, (x,), {})
        a = x._data
        kernel = kernels.get(type(a))
        if kernel is None or a.dtype not in direct:
            return apply(prim, (x,), {})
        try:
            y = run(kernel, a)
        except Exception:
            return apply(prim, (x,), {})  # the same failure again, explained
        if type(y) is not type(a):
            y = backend_of(a).asarray(y)  # NumPy gives scalars for 0-d
        t = _new(Tensor)
        t._data = y
        t._cell = [0]
        if not differentiable:
            return t
        edge = x._edge if x._view is None else current_edge(x)
        if edge is not None and state.grad:
            kept = x._cell if keep_x else t._cell
            cell: tuple[Any, ...] = ()
            if keep_x or keep_y:
                cell = ((kept, kept[0]),)
            t._edge = Node(
                prim, {}, (edge,), (a if keep_x else None,), y if keep_y else None, cell, (a.shape,)
            )
        return t

    return call


def _binary(prim: Prim) -> Callable[..., Any]:
    kernels, direct = prim.kernels, prim.promote.direct  # type: ignore[union-attr]
    keeps = [_binary_keep(prim, mask) for mask in range(4)]
    differentiable = prim.differentiable

    def raw_call(run: Any, a: Any, b: Any) -> Any:
        if isinstance(a, SCALARS) and isinstance(b, SCALARS):
            return _of_numbers(prim, a, b)
        kernel = kernels.get(type(a))
        if run is not None and kernel is not None and (weak := direct.get(a.dtype)) is not None:
            alike = b.dtype is a.dtype if type(b) is type(a) else type(b) in weak
            if alike:
                y = run(kernel, a, b)
                return y if type(y) is type(a) else backend_of(a).asarray(y)
        return apply(prim, (a, b), {})

    def scalar_first(run: Any, a: Any, x2: Tensor) -> Any:
        b = x2._data
        kernel, weak = kernels.get(type(b)), direct.get(b.dtype)
        if run is None or kernel is None or weak is None or type(a) not in weak:
            return apply(prim, (a, x2), {})
        if x2._names is not None:
            return apply(prim, (a, x2), {})
        try:
            y = run(kernel, a, b)
        except Exception:
            return apply(prim, (a, x2), {})  # the same failure again, explained
        t = box(y if type(y) is type(b) else backend_of(b).asarray(y))
        if differentiable and (edge := current_edge(x2)) is not None and state.grad:
            keep_a, keep_b, keep_y = keeps[2]
            cells: tuple[Any, ...] = ((x2._cell, x2._cell[0]),) if keep_b else ()
            if keep_y:
                cells += ((t._cell, 0),)
            saved = (a if keep_a else None, b if keep_b else None)
            y = t._data if keep_y else None
            t._edge = Node(prim, {}, (None, edge), saved, y, cells, ((), b.shape))
        return t

    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        if out is not None:
            return _written(prim, out, call(input, other))
        x1, x2 = input, other
        run = state.run
        if not isinstance(x1, Tensor):
            if isinstance(x2, Tensor):
                return scalar_first(run, x1, x2)
            return raw_call(run, x1, x2)
        if run is None or x1._names is not None:
            return apply(prim, (x1, x2), {})
        a = x1._data
        dtype = a.dtype
        weak = direct.get(dtype)
        if isinstance(x2, Tensor):
            b = x2._data
            if weak is None or b.dtype is not dtype or type(b) is not type(a):
                return apply(prim, (x1, x2), {})
            if x2._names is not None:
                return apply(prim, (x1, x2), {})
            edge2 = x2._edge if x2._view is None else current_edge(x2)
        elif weak is not None and type(x2) in weak:
            b, edge2 = x2, None
        else:
            return apply(prim, (x1, x2), {})
        kernel = kernels.get(type(a))
        if kernel is None:
            return apply(prim, (x1, x2), {})
        try:
            y = run(kernel, a, b)
        except Exception:
            return apply(prim, (x1, x2), {})  # the same failure again, explained
        if type(y) is not type(a):
            y = backend_of(a).asarray(y)
        t = _new(Tensor)
        t._data = y
        t._cell = [0]
        if differentiable:
            edge1 = x1._edge if x1._view is None else current_edge(x1)
            if (edge1 is not None or edge2 is not None) and state.grad:
                t._edge = _pair_node(prim, keeps, x1, x2, b, t, edge1, edge2)
        return t

    return call


def _written(prim: Prim, out: Any, found: Any) -> Any:
    from ..spelling import written

    return written(prim.name, out, found)


def _pair_node(
    prim: Prim,
    keeps: list[tuple[bool, bool, bool]],
    x1: Tensor,
    x2: Any,
    b: Any,
    t: Tensor,
    edge1: Any,
    edge2: Any,
) -> Node:
    """What a recorded call with two inputs leaves on the tape; x2 may be a Python number."""
    keep_a, keep_b, keep_y = keeps[(edge1 is not None) + 2 * (edge2 is not None)]
    a = x1._data
    cells: tuple[Any, ...] = ((x1._cell, x1._cell[0]),) if keep_a else ()
    if keep_b and b is not x2:
        cells += ((x2._cell, x2._cell[0]),)
    if keep_y:
        cells += ((t._cell, 0),)
    saved = (a if keep_a else None, b if keep_b else None)
    shapes = (a.shape, shape_of(b))
    return Node(prim, {}, (edge1, edge2), saved, t._data if keep_y else None, cells, shapes)


def _of_numbers(prim: Prim, *numbers: Any) -> Any:
    """A function of Python numbers alone is a Python number, in double precision and weak."""
    return compute(prim, tuple(map(np.asarray, numbers)), {}).item()


def _binary_keep(prim: Prim, mask: int) -> tuple[bool, bool, bool]:
    inputs, output = prim.keep(mask)
    return 0 in inputs, 1 in inputs, bool(output)


def apply(prim: Prim, xs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply any primitive: the general path.

    Tensors in, tensors out; raw values in, raw values out, which lets first-order backward run the
    same derivative rules without boxing.
    """
    trace = state.trace
    if trace is not None:
        xs = trace.adapt(prim, xs)
    if prim.promote is not None:
        xs = prim.promote(prim.name, xs)
    boxed = named = False
    raw = []
    for x in xs:
        if isinstance(x, Tensor):
            boxed = True
            named = named or x._names is not None
            view = x._view
            if view is not None and view.version != x._cell[0]:
                refresh(x, view)
            raw.append(x._data if trace is None else trace.enter(x))
        else:
            raw.append(x)
    values = tuple(raw)
    if named:
        return _apply_named(prim, xs, values, params, trace)
    y = compute(prim, values, params) if trace is None else trace.process(prim, values, params)
    if not boxed:
        return y
    return _wrap(prim, xs, values, params, y, trace)


def _apply_named(
    prim: Prim, xs: tuple[Any, ...], raw: tuple[Any, ...], params: dict[str, Any], trace: Any
) -> Any:
    """`apply` where some input has named dims: the outputs get names by the rule of the record."""
    try:
        y = compute(prim, raw, params) if trace is None else trace.process(prim, raw, params)
    except TriptychError as error:
        raise naming.explained(prim, xs, params, error) from None
    names = naming.infer(prim, xs, params)
    out = _wrap(prim, xs, raw, params, y, trace)
    for t, given in zip(out if prim.outputs > 1 else (out,), names, strict=True):
        if given is not None:
            t._names = given
    return out


def create(prim: Prim, params: dict[str, Any]) -> Tensor:
    """Apply a primitive that has no inputs."""
    if state.trace is not None:
        return box(state.trace.process(prim, (), params))
    return box(compute_created(prim, params))


def _wrap(
    prim: Prim,
    xs: tuple[Any, ...],
    raw: tuple[Any, ...],
    params: dict[str, Any],
    y: Any,
    trace: Any,
) -> Any:
    outs = [box(v) for v in (y if prim.outputs > 1 else (y,))]
    if prim.view:
        _link_view(prim, xs[0], params, outs[0], raw[0])
    if prim.differentiable and state.grad:
        edges = tuple(x._edge if isinstance(x, Tensor) else None for x in xs)
        if trace is not None:
            edges = trace.own_edges(xs, edges)
        if any(e is not None for e in edges):
            node = _record(prim, params, edges, xs, raw, y, outs)
            if trace is not None:
                trace.recorded(node)
    return tuple(outs) if prim.outputs > 1 else outs[0]


def _record(
    prim: Prim,
    params: dict[str, Any],
    edges: tuple[Any, ...],
    xs: tuple[Any, ...],
    raw: tuple[Any, ...],
    y: Any,
    outs: list[Tensor],
) -> Node:
    needed = sum(1 << i for i, e in enumerate(edges) if e is not None)
    inputs, output = prim.keep(needed)
    kept = [i in inputs for i in range(len(raw))]
    cells = [
        (x._cell, x._cell[0]) for x, k in zip(xs, kept, strict=True) if k and isinstance(x, Tensor)
    ]
    if output:
        cells += [(t._cell, 0) for t in (outs[1:] if output == "rest" else outs)]
        y = (None, *y[1:]) if output == "rest" else y
    saved = tuple(r if k else None for r, k in zip(raw, kept, strict=True))
    shapes = tuple(shape_of(r) for r in raw)
    node = Node(prim, params, edges, saved, y if output else None, tuple(cells), shapes)
    if prim.needs_dtypes:
        node.dtypes = tuple(getattr(r, "dtype", None) for r in raw)
    if prim.outputs > 1:
        node.meta = [(t._data.shape, t._data.dtype, t.device) for t in outs]
    for i, t in enumerate(outs):
        if is_inexact(t._data.dtype):
            t._edge = Port(node, i) if prim.outputs > 1 else node
    return node


def _link_view(prim: Prim, x: Any, params: dict[str, Any], out: Tensor, raw: Any) -> None:
    """Share the version cell with the tensor whose memory the output looks into."""
    if not isinstance(x, Tensor) or not shares_memory(prim, out._data, raw):
        return
    above = x._view
    base, chain, tracked = x, ((prim, params),), state.grad
    if above is not None and type(above) is View:
        base, chain, tracked = above.base, (*above.chain, *chain), tracked and above.tracked
    out._cell = x._cell
    out._view = View(base, chain, x._cell[0], tracked)


def shares_memory(prim: Prim, y: Any, x: Any) -> bool:
    """Whether the output of a movement is a view; of all movements only reshape may copy."""
    if isinstance(y, Symbol):
        return y.shares_memory(x)
    if prim.name != "reshape":
        return True
    return y.base is not None and (y.base is x or y.base is x.base)
