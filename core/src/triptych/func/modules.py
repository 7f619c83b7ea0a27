"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import DTypeError, ShapeError, UnknownNameError
from ..nn.module import Module
from ..nn.pytree import TABLES, tensors_of
from ..ops.shape import stack
from ..tensor import Tensor
from ..tree import flatten


def frozen(tree: Any) -> Iterator[Tensor]:
    """The buffers of modules in a tree: leaves that nothing is differentiated by."""
    found, _ = flatten(tree, is_leaf=lambda x: isinstance(x, Module))
    for x in found:
        if isinstance(x, Module):
            yield from x.buffers()


class Substituted:
    """Other tensors in the place of a module's own, for the length of a block.

    Args:
        module: any module.
        values: full name of a parameter or buffer to a tensor.
        tie_weights: a tensor that has several names is replaced under all of them.
        strict: every parameter and buffer must be there.

    Raises:
        UnknownNameError: there is no such parameter or buffer, or with strict one is missing.
        ShapeError: tied names get different tensors.
    """

    def __init__(
        self, module: Module, values: dict[str, Any], tie_weights: bool, strict: bool
    ) -> None:
        self.named = tensors_of(module)
        self.homes = _homes(module)
        self.values = self._tied(values) if tie_weights else dict(values)
        self._check(module, values, strict)
        self.before: list[tuple[dict[str, Any], str, Any]] = []

    def _check(self, module: Module, given: dict[str, Any], strict: bool) -> None:
        unknown = sorted(n for n in given if n not in self.homes)
        if unknown:
            raise UnknownNameError(
                f"functional_call: {type(module).__name__} has no parameter or buffer "
                f"{', '.join(unknown)}; it has {', '.join(sorted(self.homes)) or 'none'}"
            )
        missing = sorted(n for n, _ in self.named if n not in self.values)
        if strict and missing:
            raise UnknownNameError(
                f"functional_call: strict=True, but {', '.join(missing)} is not given"
            )

    def _tied(self, values: dict[str, Any]) -> dict[str, Any]:
        names: dict[int, list[str]] = {}
        for name, tensor in self.named:
            names.setdefault(id(tensor), []).append(name)
        out = dict(values)
        for group in names.values():
            given = [n for n in group if n in values]
            if len({id(values[n]) for n in given}) > 1:
                raise ShapeError(
                    f"functional_call: {' and '.join(given)} are one tensor in the module, but get "
                    "different ones; give one of them, or pass tie_weights=False"
                )
            out.update({n: values[given[0]] for n in group if given})
        return out

    def __enter__(self) -> None:
        for name, value in self.values.items():
            table, key = self.homes[name]
            self.before.append((table, key, table[key]))
            table[key] = value

    def __exit__(self, *error: object) -> None:
        for table, key, value in reversed(self.before):
            table[key] = value


def _homes(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Full name to (table, name in it) of every parameter and buffer, None included."""
    out = {}
    for path, part in module.named_modules(remove_duplicate=False):
        for kind in TABLES:
            table = part.__dict__[kind]
            for name in table:
                out[f"{path}.{name}" if path else name] = (table, name)
    return out


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Any] | Sequence[dict[str, Any]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers than its own.

    Args:
        module: any module; it is the same afterwards.
        parameter_and_buffer_dicts: full names such as ``"fc.weight"`` to tensors, or several such
            dicts with different names. What is not named stays the module's own. In-place writes to
            buffers reach the tensors given.
        args: the arguments: a tuple, or the only one.
        kwargs: keyword arguments.
        tie_weights: a tensor that has several names is replaced under all of them.
        strict: every parameter and buffer must be given.

    Raises:
        UnknownNameError: there is no such parameter or buffer, or with strict one is missing.
        ShapeError: two dicts have one name, or tied names get different tensors.

    Example:
        >>> net = triptych.nn.Linear(2, 1, bias=False)
        >>> functional_call(net, {"weight": triptych.ones(1, 2)}, (triptych.ones(2),))
        tensor([2.])
    """
    values = _merged(parameter_and_buffer_dicts)
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with Substituted(module, values, tie_weights, strict):
        return module(*given, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence) or not all(isinstance(d, dict) for d in dicts):
        raise DTypeError(
            "functional_call: wanted a dict of names to tensors, or a sequence of such dicts, got "
            f"{type(dicts).__name__}"
        )
    out: dict[str, Any] = {}
    for d in dicts:
        twice = sorted(set(out) & set(d))
        if twice:
            raise ShapeError(f"functional_call: {', '.join(twice)} comes in several dicts")
        out.update(d)
    return out


def stack_module_state(
    models: Iterable[Module],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several models of one make, stacked along a new dim 0: what
    `vmap` over `functional_call` takes to run an ensemble.

    Args:
        models: of one class, all in training or all in evaluation.

    Returns:
        (parameters, buffers) by full name; the parameters are leaves that require grad.

    Raises:
        ShapeError: there are no models, or they differ.
    """
    listed = list(models)
    if not listed:
        raise ShapeError("stack_module_state: wanted at least one model")
    if len({type(m) for m in listed}) > 1:
        raise ShapeError("stack_module_state: the models are of different classes")
    if len({m.training for m in listed}) > 1:
        raise ShapeError(
            "stack_module_state: some models are in training and some in evaluation; call train() "
            "or eval() on all"
        )
    params = _stacked([dict(m.named_parameters()) for m in listed])
    buffers = _stacked([dict(m.named_buffers()) for m in listed])
    return {n: t.requires_grad_() for n, t in params.items()}, buffers


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    if any(set(s) != set(states[0]) for s in states):
        raise ShapeError("stack_module_state: the models have tensors of different names")
    return {n: stack([s[n].detach() for s in states]) for n in states[0]}


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Make every batch norm below a module keep no running statistics, in place; returns it.

    Without them a training step writes to no buffer, which `vmap` over samples could not follow.
    """
    for part in root.modules():
        if getattr(part, "track_running_stats", False) and "running_mean" in part._buffers:
            part.track_running_stats = False
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                if name in part._buffers:
                    part._buffers[name] = None
    return root
