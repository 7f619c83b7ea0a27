"""All first or second derivatives at once: `jacrev`, `jacfwd` and `hessian`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..errors import DTypeError
from ..ops.creation import eye, zeros
from ..ops.shape import cat, movedim, reshape, split
from ..tensor import Tensor
from ..tree import flatten, unflatten
from .batching import vmap
from .forward import jvp
from .reverse import Argnums, as_chosen, vjp, with_arguments


def basis(leaves: list[Tensor]) -> list[Tensor]:
    """Unit tangents of several tensors together: for each tensor one of shape (n, *its shape),
    where n counts all their elements.
    """
    counts = [int(t.numel()) for t in leaves]
    out = []
    for i, t in enumerate(leaves):
        options: dict[str, Any] = {"dtype": t.dtype, "device": t.device}
        above = zeros(sum(counts[:i]), counts[i], **options)
        below = zeros(sum(counts[i + 1 :]), counts[i], **options)
        block = cat([above, eye(counts[i], **options), below], 0)
        out.append(reshape(block, (sum(counts), *t.shape)))
    return out


def _checked(name: str, leaves: list[Any]) -> list[Tensor]:
    for t in leaves:
        if not isinstance(t, Tensor):
            raise DTypeError(f"{name}: wanted tensors, got {type(t).__name__}")
    return leaves


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian, a row per backward, all rows batched.

    The choice where there are fewer results than arguments.

    Args:
        func: a function of tensors that gives tensors, nested in any way.
        argnums: which arguments to differentiate by.
        has_aux: func gives (result, anything else).
        chunk_size: at most so many rows at a time, to bound memory.

    Returns:
        A function that gives, nested like the result and in there like the argument (a tuple of
        them for a tuple of argnums), tensors of shape (*result, *argument).

    Example:
        >>> jacrev(lambda x: x * x)(triptych.arange(2.0))
        tensor([[0., 0.],
                [0., 2.]])
    """

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        of_chosen, chosen = with_arguments("jacrev", func, args, kwargs, argnums)
        out, pull, *aux = vjp(of_chosen, *chosen, has_aux=has_aux)
        leaves, spec = flatten(out)
        units = basis(leaves)

        def row(*cotangents: Tensor) -> Any:
            return flatten(pull(unflatten(spec, list(cotangents))))[0]

        rows = vmap(row, chunk_size=chunk_size)(*units)
        inputs, in_spec = flatten(chosen)
        columns = [split(r, [int(t.numel()) for t in leaves], 0) for r in rows]
        jacobians = []
        for i, t in enumerate(leaves):
            found = [
                reshape(column[i], (*t.shape, *x.shape))
                for column, x in zip(columns, inputs, strict=True)
            ]
            jacobians.append(as_chosen(unflatten(in_spec, found), argnums))
        result = unflatten(spec, jacobians)
        return (result, aux[0]) if has_aux else result

    return wrapped


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that gives the Jacobian in forward mode, all columns batched.

    The choice where there are fewer arguments than results.

    Args:
        func: a function of tensors that gives tensors, nested in any way.
        argnums: which arguments to differentiate by.
        has_aux: func gives (result, anything else).
        randomness: what random numbers in func are (see `vmap`).

    Returns:
        A function that gives what that of `jacrev` gives.

    Example:
        >>> jacfwd(lambda x: x * x)(triptych.arange(2.0))
        tensor([[0., 0.],
                [0., 2.]])
    """

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        of_chosen, chosen = with_arguments("jacfwd", func, args, kwargs, argnums)
        inputs, in_spec = flatten(chosen)
        units = basis(_checked("jacfwd", inputs))
        seen: dict[str, Any] = {}

        def column(*tangents: Tensor) -> Any:
            whole = unflatten(in_spec, list(tangents))
            _, change, *aux = jvp(of_chosen, chosen, whole, has_aux=has_aux)
            changes, seen["spec"] = flatten(change)
            seen["aux"], seen["aux spec"] = flatten(aux)
            return changes, [x for x in seen["aux"] if isinstance(x, Tensor)]

        changes, kept = vmap(column, out_dims=(0, None), randomness=randomness)(*units)
        counts = [int(t.numel()) for t in inputs]
        jacobians = []
        for change in changes:
            parts = [
                reshape(movedim(part, 0, -1), (*change.shape[1:], *x.shape))
                for part, x in zip(split(change, counts, 0), inputs, strict=True)
            ]
            jacobians.append(as_chosen(unflatten(in_spec, parts), argnums))
        result = unflatten(seen["spec"], jacobians)
        if not has_aux:
            return result
        tensors = iter(kept)
        leaves = [next(tensors) if isinstance(x, Tensor) else x for x in seen["aux"]]
        return result, unflatten(seen["aux spec"], leaves)[0]

    return wrapped


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives all second derivatives, forward over reverse.

    Args:
        func: a function of tensors, usually to a scalar.
        argnums: which arguments to differentiate by.

    Returns:
        A function that gives, for a result of shape r and an argument of shape a, (*r, *a, *a).

    Example:
        >>> hessian(lambda x: (x**3).sum())(triptych.ones(2))
        tensor([[6., 0.],
                [0., 6.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
