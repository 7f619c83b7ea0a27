"""Functions that run around a module's forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autograd.hooks import Handle
from ..autograd.node import Node, Port
from ..errors import GradError
from ..state import state
from ..tensor import Tensor, box, current_edge

Call = Callable[..., Any]


@dataclass(eq=False, slots=True)
class Hook:
    """A registered function; compared by identity, so that its handle removes only this one."""

    call: Call
    with_kwargs: bool = False
    always_call: bool = False


EVERYWHERE: list[tuple[str, Hook]] = []  # (kind, hook) for all modules of the process


def _hooks(module: Any, kind: str) -> list[Hook]:
    """Hooks of a kind, those for all modules first."""
    own: list[Hook] = getattr(module, f"_{kind}_hooks")
    return [hook for other, hook in EVERYWHERE if other == kind] + own


def attach(hooks: list[Any], hook: Any, prepend: bool = False) -> Handle:
    """Add a hook to the end of a list, or to its front; gives the handle that removes it."""
    handle = Handle(hooks, hook)
    if prepend:
        hooks.insert(0, hooks.pop())
    return handle


class Hooks:
    """The part of `Module` that keeps and runs hooks."""

    _forward_pre_hooks: list[Hook]
    _forward_hooks: list[Hook]
    _backward_pre_hooks: list[Hook]
    _backward_hooks: list[Hook]

    def register_forward_pre_hook(
        self, hook: Call, *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args)`` before each forward; what it returns, if anything, takes the
        place of the positional arguments.

        Args:
            hook: with `with_kwargs`, called as ``hook(module, args, kwargs)`` and returns None or
                a pair (args, kwargs).
            prepend: run it before the hooks that are there.

        Returns:
            A handle with ``remove()``.
        """
        return attach(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Call,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """Call ``hook(module, args, output)`` after each forward; what it returns, if anything,
        takes the place of the output.

        Args:
            hook: with `with_kwargs`, called as ``hook(module, args, kwargs, output)``.
            prepend: run it before the hooks that are there.
            always_call: run it with output None when forward, or a hook, has raised.

        Returns:
            A handle with ``remove()``.
        """
        return attach(self._forward_hooks, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Call, prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_output)`` before gradients pass back through the module; what it
        returns, if anything, takes the place of the gradients of the outputs.
        """
        return attach(self._backward_pre_hooks, Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Call, prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradients of the inputs are
        there; what it returns, if anything, takes their place.

        Both are tuples with an entry per positional argument or output; None where there is no
        gradient. A module with such a hook must not write into its input in place.
        """
        return attach(self._backward_hooks, Hook(hook), prepend)

    register_backward_hook = register_full_backward_hook  # torch's old name

    def _is_watched(self) -> bool:
        """Whether a call does more than the forward of the class."""
        own = self._forward_hooks, self._forward_pre_hooks
        return bool(
            any(own) or self._backward_hooks or self._backward_pre_hooks or EVERYWHERE
        ) or "forward" in vars(self)

    def _call_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            args, kwargs = _before(self, args, kwargs)
            crossing = None
            if state.grad and (_hooks(self, "backward") or _hooks(self, "backward_pre")):
                crossing = Crossing(self)
                args = crossing.enter(args)
            out = self.forward(*args, **kwargs)  # type: ignore[attr-defined]
            out = _after(self, _hooks(self, "forward"), args, kwargs, out)
            return out if crossing is None else crossing.leave(out)
        except Exception:
            forced = [hook for hook in _hooks(self, "forward") if hook.always_call]
            _after(self, forced, args, kwargs, None)
            raise


def _before(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments after the pre-hooks."""
    for hook in _hooks(module, "forward_pre"):
        if hook.with_kwargs:
            changed = hook.call(module, args, kwargs)
            if changed is not None:
                args, kwargs = _pair(changed)
        else:
            changed = hook.call(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _after(
    module: Any, hooks: list[Hook], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    """The output after some of the forward hooks."""
    for hook in tuple(hooks):
        given = (args, kwargs) if hook.with_kwargs else (args,)
        changed = hook.call(module, *given, out)
        out = out if changed is None else changed
    return out


def _pair(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not (isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[1], dict)):
        raise TypeError(
            "forward pre-hook with kwargs: wanted None or a pair (args, kwargs), "
            f"got {type(changed).__name__}"
        )
    args, kwargs = changed
    return (args if isinstance(args, tuple) else (args,)), kwargs


class Crossing:
    """One call of a module with backward hooks: an identity on the tape where its inputs enter and
    another where its outputs leave.

    Args:
        module: whose hooks to run.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.grad_output: tuple[Any, ...] = ()
        self.num_inputs = 0
        self.recorded = False  # whether an input passes gradients on

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with tensors on the tape behind the identity."""
        self.num_inputs = len(args)
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        self.recorded = any(current_edge(args[i]) is not None for i in places)
        if not self.recorded:
            return args
        aliases = _identity([args[i] for i in places], lambda grads: self._leaving(grads, places))
        self.versions = [(args[i]._cell, args[i]._cell[0]) for i in places]
        renewed = dict(zip(places, aliases, strict=True))
        return tuple(renewed.get(i, a) for i, a in enumerate(args))

    def leave(self, out: Any) -> Any:
        """The outputs, with tensors on the tape before the identity.

        Raises:
            GradError: the module wrote into its input.
        """
        if self.recorded and any(cell[0] != version for cell, version in self.versions):
            raise GradError(
                f"full backward hook: {type(self.module).__name__} wrote into its input in "
                "place, so "
                "the gradient of the input is lost; use inplace=False, or hook the module around it"
            )
        outs = (
            (out,)
            if isinstance(out, Tensor)
            else tuple(out)
            if isinstance(out, (tuple, list))
            else ()
        )
        places = [
            i for i, t in enumerate(outs) if isinstance(t, Tensor) and current_edge(t) is not None
        ]
        if not places:
            return out
        aliases = _identity(
            [outs[i] for i in places], lambda grads: self._arriving(grads, places, len(outs))
        )
        renewed = dict(zip(places, aliases, strict=True))
        if isinstance(out, Tensor):
            return renewed[0]
        values = [renewed.get(i, t) for i, t in enumerate(outs)]
        return type(out)(*values) if hasattr(out, "_fields") else type(out)(values)

    def _arriving(self, grads: list[Any], places: list[int], total: int) -> list[Any]:
        full = _spread(grads, places, total)
        for hook in _hooks(self.module, "backward_pre"):
            full = _replaced(full, hook.call(self.module, full), "register_full_backward_pre_hook")
        self.grad_output = full
        if not self.recorded:
            self._run(tuple([None] * self.num_inputs))
        return [full[i] for i in places]

    def _leaving(self, grads: list[Any], places: list[int]) -> list[Any]:
        full = self._run(_spread(grads, places, self.num_inputs))
        return [full[i] for i in places]

    def _run(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in _hooks(self.module, "backward"):
            changed = hook.call(self.module, grad_input, self.grad_output)
            grad_input = _replaced(grad_input, changed, "register_full_backward_hook")
        return grad_input


def _spread(grads: list[Any], places: list[int], total: int) -> tuple[Any, ...]:
    full: list[Any] = [None] * total
    for i, grad in zip(places, grads, strict=True):
        full[i] = grad
    return tuple(full)


def _replaced(grads: tuple[Any, ...], changed: Any, name: str) -> tuple[Any, ...]:
    if changed is None:
        return grads
    new = changed if isinstance(changed, tuple) else (changed,)
    if len(new) != len(grads):
        raise GradError(f"{name}: the hook returned {len(new)} gradients, wanted {len(grads)}")
    return new


class _Boundary:
    """What the engine reads of a primitive, for an identity that calls back in backward."""

    name, kind, partials, rules = "module_boundary", "boundary", False, ()

    def __init__(self, call: Callable[[list[Any]], list[Any]], outputs: int) -> None:
        self.call, self.outputs = call, outputs

    def joint(self, g: Any, node: Any, index: int, xs: Any, y: Any) -> list[Any]:
        """The gradients after the hooks, raw if they came raw."""
        grads = list(g) if self.outputs > 1 else [g]
        boxed = any(isinstance(grad, Tensor) for grad in grads)
        changed = self.call([grad if isinstance(grad, Tensor) else box(grad) for grad in grads])
        return changed if boxed else [c if c is None else c._data for c in changed]


def _identity(tensors: list[Tensor], call: Callable[[list[Any]], list[Any]]) -> list[Tensor]:
    """The same tensors behind one node of the tape that passes their gradients through `call`."""
    edges = tuple(current_edge(t) for t in tensors)
    shapes = tuple(tuple(t.shape) for t in tensors)
    prim: Any = _Boundary(call, len(tensors))
    node = Node(prim, {}, edges, (None,) * len(tensors), None, (), shapes)
    node.meta = [(t._data.shape, t._data.dtype, t.device) for t in tensors]
    if state.trace is not None:
        state.trace.recorded(node)
    out = []
    for i, t in enumerate(tensors):
        alias = t.detach()
        if t.is_floating_point() or t.is_complex():
            alias._edge = Port(node, i) if len(tensors) > 1 else node
        out.append(alias)
    return out
