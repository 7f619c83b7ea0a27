"""Reverse mode: `grad`, `grad_and_value`, `vjp` and `linearize`.

There is one tape. A transform gives the function aliases of its arguments: leaves of its own, or
where an argument has a history, nodes that lead on to it. So derivatives of derivatives need
nothing special, and results keep a history only where something beyond those aliases asks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..autograd.engine import key, raw_of, sweep
from ..autograd.node import Leaf, Node
from ..dtypes import is_inexact
from ..errors import DTypeError, GradError, ShapeError
from ..prims import TABLE
from ..state import state
from ..tensor import Tensor, box, current_edge
from ..tree import TreeSpec, flatten, tree_map, unflatten
from .forward import split_aux
from .lifted import innermost
from .modules import frozen


def recording(run: Callable[[], Any]) -> Any:
    """Call run() with the tape on, here and in no world further out."""
    trace = innermost()
    if trace is not None:
        return trace.inside_only(run, grad=True)
    before, state.grad = state.grad, True
    try:
        return run()
    finally:
        state.grad = before


def own_edge(t: Tensor) -> Any:
    """The edge of a tensor on the tape of the world we are in."""
    edge = current_edge(t)
    return edge if edge is None or state.trace is None else state.trace.own_edges((t,), (edge,))[0]


def alias(t: Tensor) -> Tensor:
    """The same value at the beginning of what we differentiate."""
    out = bare(t)
    edge = own_edge(t) if state.grad else None
    if edge is None:
        out._edge = Leaf(out)
        return out
    shapes = (tuple(t._data.shape),)
    out._edge = Node(TABLE["copy"], {}, (edge,), (None,), None, (), shapes)
    if state.trace is not None:
        state.trace.recorded(out._edge)
    return out


def bare(t: Tensor) -> Tensor:
    """The same value without history in this world."""
    out = box(raw_of(t))
    out._cell, out._names = t._cell, t._names
    return out


def leads_beyond(edges: Iterable[Any], own: Sequence[Any]) -> bool:
    """Whether the tape behind some edges has a leaf that is not among our own."""
    seen: set[Any] = set()
    stack = [e.target()[0] for e in edges if e is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if type(node) is Leaf and not any(node is leaf for leaf in own):
            return True
        stack += [e.target()[0] for e in node.inputs if e is not None]
    return False


class Variables:
    """The arguments a function is differentiated by, and the aliases it gets for them."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.leaves, self.spec = flatten(args)
        kept = {id(t) for t in frozen(args)}
        self.aliases = [self._alias(name, x, kept) for x in self.leaves]
        self.places = [i for i, a in enumerate(self.aliases) if a is not None]
        self.edges = [self.aliases[i]._edge for i in self.places]
        self.args = unflatten(
            self.spec,
            [x if a is None else a for x, a in zip(self.leaves, self.aliases, strict=True)],
        )

    @staticmethod
    def _alias(name: str, x: Any, kept: set[int]) -> Any:
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"{name}: arguments to differentiate by are tensors, got {type(x).__name__}; pass "
                "others by closure or choose argnums"
            )
        if id(x) in kept:
            return None
        if not is_inexact(x._data.dtype):
            raise DTypeError(
                f"{name}: only floating and complex tensors have gradients, got {x.dtype}; convert "
                "with .float() or choose argnums"
            )
        return alias(x)

    def gradients(
        self, outs: list[Tensor], seeds: list[Tensor], retain: bool, history: bool
    ) -> Any:
        """The gradients of the arguments, nested like them; zeros where outs do not depend."""
        pairs = [
            (e, s) for t, s in zip(outs, seeds, strict=True) if (e := current_edge(t)) is not None
        ]
        found: dict[Any, Any] = {}
        if pairs:
            starts = [e for e, _ in pairs]
            given = [s if history else raw_of(s) for _, s in pairs]
            found = sweep(starts, given, self.edges, retain, history)
        grads = [self._zeros(x) for x in self.leaves]
        for place, edge in zip(self.places, self.edges, strict=True):
            g = found.get(key(edge))
            if g is not None:
                grads[place] = g if isinstance(g, Tensor) else box(g)
        return unflatten(self.spec, grads)

    @staticmethod
    def _zeros(x: Tensor) -> Tensor:
        from ..ops.creation import zeros_like

        return zeros_like(x)

    def released(self, t: Any, keep: bool) -> Any:
        """A result, without the history that leads to nothing but our aliases."""
        if not isinstance(t, Tensor) or own_edge(t) is None:
            return t
        return t if keep and leads_beyond([t._edge], self.edges) else bare(t)


Argnums = int | tuple[int, ...]


def _chosen(name: str, args: tuple[Any, ...], argnums: Argnums) -> list[int]:
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not numbers or not all(type(n) is int for n in numbers):
        raise DTypeError(f"{name}: argnums is an int or a tuple of ints, got {argnums!r}")
    out = []
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise ShapeError(f"{name}: argnums {n} is out of range for {len(args)} arguments")
        out.append(n % len(args))
    if len(set(out)) != len(out):
        raise ShapeError(f"{name}: argnums {argnums} name an argument twice")
    return out


def with_arguments(
    name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, argnums: Argnums
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A function of the chosen arguments alone, and these."""
    places = _chosen(name, args, argnums)

    def of_chosen(*chosen: Any) -> Any:
        full = list(args)
        for place, value in zip(places, chosen, strict=True):
            full[place] = value
        return func(*full, **kwargs)

    return of_chosen, tuple(args[i] for i in places)


def as_chosen(tree: tuple[Any, ...], argnums: Argnums) -> Any:
    """Per-argument results: the one for an int, a tuple for a tuple."""
    return tree if isinstance(argnums, tuple) else tree[0]


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar function, and its value.

    Args:
        func: gives a scalar tensor; with has_aux (scalar, anything else).
        argnums: which arguments to differentiate by: trees of floating tensors, or modules.
        has_aux: whether func gives other things, too.

    Returns:
        A function of the same arguments that gives (gradient, value), or (gradient, (value, aux)).

    Raises:
        GradError: by that function, when the result is no scalar.
        DTypeError: an argument to differentiate by holds something without gradients.

    Example:
        >>> grad_and_value(lambda x: (x**2).sum())(triptych.ones(2))
        (tensor([2., 2.]), tensor(2.))
    """

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        of_chosen, chosen = with_arguments("grad", func, args, kwargs, argnums)
        outer = state.grad
        variables = Variables("grad", chosen)
        found, value, aux = recording(
            lambda: _scalar_gradient(of_chosen, variables, has_aux, outer)
        )
        grads = as_chosen(found, argnums)
        return (grads, (value, aux)) if has_aux else (grads, value)

    return wrapped


def _scalar_gradient(
    of_chosen: Callable[..., Any], variables: Variables, has_aux: bool, outer: bool
) -> tuple[Any, Any, Any]:
    out, aux = split_aux("grad", of_chosen(*variables.args), has_aux)
    if not isinstance(out, Tensor) or out.ndim:
        came = f"shape {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
        raise GradError(
            f"grad: wanted a function that gives a scalar tensor, got {came}; reduce it with sum() "
            "or mean(), or use jacrev"
        )
    if not out.is_floating_point():
        raise GradError(f"grad: wanted a real floating scalar, got {out.dtype}")
    from ..ops.creation import ones_like

    history = outer and leads_beyond([own_edge(out)], variables.edges)
    found = variables.gradients([out], [ones_like(bare(out))], history, history)
    value = variables.released(out, outer)
    return found, value, tree_map(lambda t: variables.released(t, outer), aux)


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar function.

    Args:
        func: gives a scalar tensor; with has_aux (scalar, anything else).
        argnums: which arguments to differentiate by: trees of floating tensors, or modules.
        has_aux: whether func gives other things, too.

    Returns:
        A function of the same arguments that gives the gradient, nested like the argument (a tuple
        of them for a tuple of argnums), or (gradient, aux).

    Example:
        >>> grad(grad(triptych.sin))(triptych.tensor(0.0))
        tensor(-0.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapped


class Pullback:
    """The function that `vjp` gives: cotangents of the results to gradients of the arguments."""

    def __init__(self, variables: Variables, outs: list[Tensor], spec: TreeSpec) -> None:
        self.variables, self.outs, self.spec = variables, outs, spec

    def __call__(
        self,
        cotangents: Any,
        retain_graph: bool | None = None,
        create_graph: bool | None = None,
    ) -> tuple[Any, ...]:
        """The gradients, a tuple with one per argument.

        Args:
            cotangents: nested like the results of the function.
            retain_graph: keep what was saved for another call; default yes.
            create_graph: record the pass; default where something asks for it.
        """
        seeds, spec = flatten(cotangents)
        if spec != self.spec:
            raise ShapeError(f"vjp: cotangents are nested as {spec}, the results as {self.spec}")
        for i, (t, s) in enumerate(zip(self.outs, seeds, strict=True)):
            if not isinstance(s, Tensor) or tuple(s.shape) != tuple(t.shape):
                came = tuple(s.shape) if isinstance(s, Tensor) else type(s).__name__
                raise ShapeError(f"vjp: cotangent {i} is {came}, the result {tuple(t.shape)}")
        history = state.grad if create_graph is None else create_graph
        history = history and self._asked_for(seeds)
        keep = True if retain_graph is None else retain_graph
        found: tuple[Any, ...] = self.variables.gradients(self.outs, seeds, keep, history)
        return found

    def _asked_for(self, seeds: list[Tensor]) -> bool:
        edges = [current_edge(t) for t in (*self.outs, *seeds)]
        return leads_beyond(edges, self.variables.edges)


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of a function, and a function that carries gradients back to the arguments.

    Args:
        func: a function of tensors that gives tensors, nested in any way.
        primals: the arguments.
        has_aux: func gives (result, anything else).

    Returns:
        (result, pullback), and the other things with has_aux. The pullback takes cotangents nested
        like the result and gives a tuple with a gradient per argument; it can be called again.

    Example:
        >>> y, pull = vjp(triptych.sin, triptych.zeros(2))
        >>> pull(triptych.ones(2))
        (tensor([1., 1.]),)
    """
    if not primals:
        raise ShapeError("vjp: wanted at least one argument to differentiate by")
    outer = state.grad
    variables = Variables("vjp", primals)
    out, aux = recording(lambda: split_aux("vjp", func(*variables.args), has_aux))
    leaves, spec = flatten(out)
    for t in leaves:
        if not isinstance(t, Tensor):
            raise DTypeError(f"vjp: the function must return tensors, got {type(t).__name__}")
    results = unflatten(spec, [variables.released(t, outer) for t in leaves])
    pullback = Pullback(variables, leaves, spec)
    if not has_aux:
        return results, pullback
    return results, pullback, tree_map(lambda t: variables.released(t, outer), aux)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of a function, and the linear function that its changes follow.

    The function runs once; each call of the linear one costs about as much as a backward.

    Args:
        func: a function of tensors that gives tensors, nested in any way.
        primals: the arguments.

    Returns:
        (result, push): ``push(*tangents)`` gives the change of the result.

    Example:
        >>> y, push = linearize(triptych.sin, triptych.zeros(2))
        >>> push(triptych.ones(2))
        tensor([1., 1.])
    """
    result, pullback = vjp(func, *primals)
    dummies = [_zero_leaf(t) for t in pullback.outs]
    edges = [d._edge for d in dummies]
    found = recording(
        lambda: pullback.variables.gradients(pullback.outs, dummies, True, history=True)
    )
    backs, _ = flatten(found)

    def push(*tangents: Any) -> Any:
        changes, spec = flatten(tangents)
        if spec != pullback.variables.spec:
            raise ShapeError(
                f"linearize: tangents are nested as {spec}, the arguments as "
                f"{pullback.variables.spec}"
            )
        for i, (t, x) in enumerate(zip(changes, pullback.variables.leaves, strict=True)):
            if not isinstance(t, Tensor) or tuple(t.shape) != tuple(x.shape):
                raise ShapeError(f"linearize: tangent {i} does not have shape {tuple(x.shape)}")
        return _pushed(pullback, backs, edges, changes)

    return result, push


def _zero_leaf(t: Tensor) -> Tensor:
    from ..ops.creation import zeros_like

    zero = zeros_like(bare(t))
    if is_inexact(zero._data.dtype):
        zero._edge = Leaf(zero)
    return zero


def _pushed(pullback: Pullback, backs: list[Any], edges: list[Any], changes: list[Tensor]) -> Any:
    pairs = [(e, t) for b, t in zip(backs, changes, strict=True) if (e := own_edge(b)) is not None]
    own = [*edges, *pullback.variables.edges]
    history = state.grad and leads_beyond([*(e for e, _ in pairs), *map(own_edge, changes)], own)
    wanted = [e for e in edges if e is not None]
    seeds = [t if history else raw_of(t) for _, t in pairs]
    found = sweep([e for e, _ in pairs], seeds, wanted, True, history) if pairs else {}
    out = []
    for t, edge in zip(pullback.outs, edges, strict=True):
        g = None if edge is None else found.get(edge)
        out.append(
            Variables._zeros(bare(t)) if g is None else g if isinstance(g, Tensor) else box(g)
        )
    return unflatten(pullback.spec, out)
