"""Derivatives of functions of tensors, under the older names of torch; `triptych.func` has the
newer ones, which nest and take trees.

Every function takes a tensor or a tuple of tensors and gives derivatives nested likewise: a tuple
for a tuple. Unless `create_graph` is set, results have no history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DTypeError, GradError, ShapeError
from ..func.jacobians import basis, jacfwd
from ..func.reverse import alias, bare, own_edge, recording
from ..ops.creation import ones_like, zeros, zeros_like
from ..ops.shape import reshape, split, stack
from ..tensor import Tensor
from .api import grad
from .modes import set_grad_enabled

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = Tensor | tuple[Tensor, ...]


def _tuple(name: str, what: str, value: Any) -> tuple[tuple[Tensor, ...], bool]:
    """The tensors, and whether they came as a tuple."""
    many = isinstance(value, (tuple, list))
    listed = tuple(value) if many else (value,)
    for i, t in enumerate(listed):
        if not isinstance(t, Tensor):
            raise DTypeError(
                f"{name}: {what} should be a tensor or a tuple of tensors, got "
                f"{type(t).__name__}{f' at place {i}' if many else ''}"
            )
    return listed, many


def _as_given(values: Any, many: bool) -> Any:
    return tuple(values) if many else values[0]


class _Run:
    """One call of the function on aliases of its inputs, recorded."""

    def __init__(
        self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool
    ) -> None:
        self.name, self.create_graph = name, create_graph
        self.inputs, self.many_in = _tuple(name, "inputs", inputs)
        with set_grad_enabled(create_graph):
            self.aliases = [alias(x) for x in self.inputs]
        out = recording(lambda: func(*self.aliases))
        self.outputs, self.many_out = _tuple(name, "what the function returns", out)

    def single(self) -> Tensor:
        """The only output, of one element."""
        if self.many_out or self.outputs[0].numel() != 1:
            raise ShapeError(
                f"{self.name}: the function should return one tensor with one element, got "
                f"{[tuple(t.shape) for t in self.outputs]}"
            )
        return self.outputs[0]

    def check_connected(self, strict: bool) -> None:
        """With strict, every output must depend on something that is recorded."""
        for i, t in enumerate(self.outputs):
            if strict and own_edge(t) is None:
                raise GradError(
                    f"{self.name}: output {i} does not depend on the inputs (strict=True)"
                )

    def gradients(self, seeds: Any, strict: bool, again: bool = False) -> list[Tensor]:
        """The gradients of the inputs; zeros, or with strict an error, where there is none."""
        return self.filled(self.found(seeds, again), strict)

    def found(self, seeds: Any, again: bool, batched: bool = False) -> list[Tensor | None]:
        """The gradients of the inputs, None where the outputs do not depend on them."""
        pairs = [
            (t, s) for t, s in zip(self.outputs, seeds, strict=True) if own_edge(t) is not None
        ]
        if not pairs:
            return [None] * len(self.aliases)
        return list(
            recording(
                lambda: grad(
                    [t for t, _ in pairs],
                    self.aliases,
                    [s for _, s in pairs],
                    retain_graph=again or self.create_graph,
                    create_graph=self.create_graph,
                    allow_unused=True,
                    is_grads_batched=batched,
                )
            )
        )

    def filled(self, found: list[Tensor | None], strict: bool) -> list[Tensor]:
        out = []
        for i, (g, x) in enumerate(zip(found, self.inputs, strict=True)):
            if g is None and strict:
                raise GradError(
                    f"{self.name}: the outputs do not depend on input {i} (strict=True)"
                )
            out.append(zeros_like(x) if g is None else self.released(g))
        return out

    def released(self, t: Tensor) -> Tensor:
        return t if self.create_graph else bare(t)

    def results(self) -> Any:
        """The outputs as the function returned them."""
        return _as_given([self.released(t) for t in self.outputs], self.many_out)


def _vector(run: _Run, v: Any, like: tuple[Tensor, ...], what: str) -> list[Tensor]:
    """The vector of a product, by default one for a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise ShapeError(f"{run.name}: v may be left out only for {what} of one element")
        return [ones_like(bare(like[0]))]
    given, _ = _tuple(run.name, "v", v)
    if len(given) != len(like):
        raise ShapeError(f"{run.name}: v has {len(given)} tensors for {len(like)} {what}")
    for i, (a, b) in enumerate(zip(given, like, strict=True)):
        if tuple(a.shape) != tuple(b.shape):
            raise ShapeError(
                f"{run.name}: v at place {i} has shape {tuple(a.shape)}, wanted {tuple(b.shape)}"
            )
    return list(given)


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The results of a function, and v times its Jacobian.

    Args:
        func: takes tensors and gives a tensor or a tuple of them.
        inputs: its arguments.
        v: like the results; may be left out for one result of one element.
        create_graph: record the derivative.
        strict: raise where a result does not depend on an input, instead of giving zeros.

    Returns:
        (results, v^T J), the latter like the inputs.

    Example:
        >>> vjp(lambda x: x * x, triptych.ones(2), triptych.ones(2))
        (tensor([1., 1.]), tensor([2., 2.]))
    """
    run = _Run("vjp", func, inputs, create_graph)
    run.check_connected(strict)
    seeds = _vector(run, v, run.outputs, "results")
    found = run.gradients(seeds, strict)
    return run.results(), _as_given(found, run.many_in)


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The results of a function, and its Jacobian times v, by differentiating backward.

    Args:
        func: takes tensors and gives a tensor or a tuple of them.
        inputs: its arguments.
        v: like the inputs; may be left out for one input of one element.
        create_graph: record the derivative.
        strict: raise where a result does not depend on an input, instead of giving zeros.

    Returns:
        (results, J v), the latter like the results.

    Example:
        >>> jvp(lambda x: x * x, triptych.ones(2), triptych.ones(2))
        (tensor([1., 1.]), tensor([2., 2.]))
    """
    run = _Run("jvp", func, inputs, create_graph)
    run.check_connected(strict)
    change = _vector(run, v, run.inputs, "inputs")
    moves = _twice(run, change, strict)
    return run.results(), _as_given(moves, run.many_out)


def _twice(run: _Run, change: list[Tensor], strict: bool) -> list[Tensor]:
    """J times change: backward is linear in its seeds, and J is the derivative by those."""

    def seeded() -> tuple[list[Tensor], list[Any]]:
        seeds = [zeros_like(bare(t)).requires_grad_() for t in run.outputs]
        pairs = [(t, s) for t, s in zip(run.outputs, seeds, strict=True) if own_edge(t) is not None]
        backs: Any = [None] * len(run.aliases)
        if pairs:
            outs, given = [t for t, _ in pairs], [s for _, s in pairs]
            backs = grad(outs, run.aliases, given, create_graph=True, allow_unused=True)
        return seeds, list(backs)

    seeds, backs = recording(seeded)
    used = [
        (b, c)
        for b, c in zip(backs, change, strict=True)
        if b is not None and own_edge(b) is not None
    ]
    if not used:
        found: Any = [None] * len(seeds)
    else:
        found = recording(
            lambda: grad(
                [b for b, _ in used],
                seeds,
                [c for _, c in used],
                create_graph=run.create_graph,
                allow_unused=True,
            )
        )
    out = []
    for i, (g, t) in enumerate(zip(found, run.outputs, strict=True)):
        if g is None and strict:
            raise GradError(f"{run.name}: output {i} does not depend on the inputs (strict=True)")
        out.append(zeros_like(bare(t)) if g is None else run.released(g))
    return out


STRATEGIES = ("forward-mode", "reverse-mode")


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function.

    Args:
        func: takes tensors and gives a tensor or a tuple of them.
        inputs: its arguments.
        create_graph: record the derivative.
        strict: raise where a result does not depend on an input, instead of giving zeros.
        vectorize: all rows in one batch instead of one after the other.
        strategy: "reverse-mode", or with vectorize "forward-mode".

    Returns:
        For a result of shape r and an input of shape a, a tensor (*r, *a); tuples of these for
        several results, and in there for several inputs.

    Example:
        >>> jacobian(lambda x: x * x, triptych.arange(2.0))
        tensor([[0., 0.],
                [0., 2.]])
    """
    _check_options("jacobian", strategy, vectorize, strict)
    if strategy == "forward-mode":
        return _forward_jacobian(func, inputs, create_graph)
    run = _Run("jacobian", func, inputs, create_graph)
    run.check_connected(strict)
    rows = _batched_rows(run) if vectorize else _single_rows(run, strict)
    shaped = [
        _as_given(
            [
                run.released(reshape(r, (*t.shape, *x.shape)))
                for r, x in zip(row, run.inputs, strict=True)
            ],
            run.many_in,
        )
        for row, t in zip(rows, run.outputs, strict=True)
    ]
    return _as_given(shaped, run.many_out)


def _check_options(name: str, strategy: str, vectorize: bool, strict: bool) -> None:
    if strategy not in STRATEGIES:
        raise ShapeError(f"{name}: strategy is one of {STRATEGIES}, got {strategy!r}")
    if strict and vectorize:
        raise GradError(f"{name}: strict=True does not go with vectorize=True")
    if strategy == "forward-mode" and not vectorize:
        raise GradError(f"{name}: strategy='forward-mode' needs vectorize=True")


def _forward_jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool) -> Any:
    listed, many = _tuple("jacobian", "inputs", inputs)
    with set_grad_enabled(create_graph):
        found = jacfwd(func, tuple(range(len(listed))))(*listed)
    if many:
        return found
    return tuple(f[0] for f in found) if isinstance(found[0], tuple) else found[0]


def _single_rows(run: _Run, strict: bool) -> list[list[Tensor]]:
    """Per output and input, the stacked gradients of the elements."""
    out = []
    for i, t in enumerate(run.outputs):
        units = basis([bare(t)])[0]
        rows = []
        for k in range(t.numel()):
            seeds = [units[k] if j == i else zeros_like(bare(o)) for j, o in enumerate(run.outputs)]
            rows.append(run.gradients(seeds, strict, again=True))
        columns = zip(*rows, strict=True) if rows else ([] for _ in run.inputs)
        out.append([_stacked(list(c), x) for c, x in zip(columns, run.inputs, strict=True)])
    return out


def _stacked(rows: list[Tensor], x: Tensor) -> Tensor:
    return stack(rows) if rows else zeros(0, *x.shape, dtype=x.dtype, device=x.device)


def _batched_rows(run: _Run) -> list[list[Tensor]]:
    """The same from one batched backward."""
    counts = [t.numel() for t in run.outputs]
    units = basis([bare(t) for t in run.outputs])
    found = run.found(units, again=False, batched=True)
    full = [
        zeros(sum(counts), *x.shape, dtype=x.dtype, device=x.device) if g is None else g
        for g, x in zip(found, run.inputs, strict=True)
    ]
    columns = [split(g, counts, 0) for g in full]
    return [[column[i] for column in columns] for i in range(len(counts))]


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a scalar function.

    Args:
        func: takes tensors and gives a tensor of one element.
        inputs: its arguments.
        create_graph: record the derivative.
        strict: raise where the result does not depend on an input, instead of giving zeros.
        vectorize: all rows in one batch instead of one after the other.
        outer_jacobian_strategy: "reverse-mode", or with vectorize "forward-mode".

    Returns:
        For an input of shape a, a tensor (*a, *a); tuples of tuples for several inputs.

    Example:
        >>> hessian(lambda x: (x**3).sum(), triptych.ones(2))
        tensor([[6., 0.],
                [0., 6.]])
    """
    _check_options("hessian", outer_jacobian_strategy, vectorize, strict)
    listed, many = _tuple("hessian", "inputs", inputs)

    def gradient(*xs: Tensor) -> tuple[Tensor, ...]:
        run = _Run("hessian", func, xs, True)
        run.check_connected(strict)
        seed = ones_like(bare(run.single()))
        return tuple(
            reshape(g, tuple(x.shape))
            for g, x in zip(run.gradients([seed], strict), xs, strict=True)
        )

    found = jacobian(gradient, listed, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if many else found[0][0]


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a scalar function, and v times its Hessian.

    Args:
        func: takes tensors and gives a tensor of one element.
        inputs: its arguments.
        v: like the inputs; may be left out for one input of one element.
        create_graph: record the derivative.
        strict: raise where the result does not depend on an input, instead of giving zeros.

    Returns:
        (value, v^T H), the latter like the inputs.

    Example:
        >>> vhp(lambda x: (x**3).sum(), triptych.ones(2), triptych.ones(2))
        (tensor(2.), tensor([6., 6.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a scalar function, and its Hessian times v, which by symmetry is `vhp`.

    Args:
        func: takes tensors and gives a tensor of one element.
        inputs: its arguments.
        v: like the inputs; may be left out for one input of one element.
        create_graph: record the derivative.
        strict: raise where the result does not depend on an input, instead of giving zeros.

    Returns:
        (value, H v), the latter like the inputs.

    Example:
        >>> hvp(lambda x: (x**3).sum(), triptych.ones(2), triptych.ones(2))
        (tensor(2.), tensor([6., 6.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    run = _Run(name, func, inputs, create_graph)
    run.check_connected(strict)
    value = run.single()
    vector = _vector(run, v, run.inputs, "inputs")

    def second() -> Any:
        first: Any = [None] * len(run.aliases)
        if own_edge(value) is not None:
            seed = ones_like(bare(value))
            first = grad(value, run.aliases, seed, create_graph=True, allow_unused=True)
        pairs = [
            (g, w)
            for g, w in zip(first, vector, strict=True)
            if g is not None and own_edge(g) is not None
        ]
        if not pairs:
            return [None] * len(run.aliases)
        return grad(
            [g for g, _ in pairs],
            run.aliases,
            [w for _, w in pairs],
            create_graph=run.create_graph,
            allow_unused=True,
        )

    found = recording(second)
    return run.results(), _as_given(run.filled(list(found), strict), run.many_in)
