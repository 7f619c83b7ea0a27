"""`Optimizer`: parameter groups, per-parameter state, checkpoints and hooks.

A subclass writes one method, `Optimizer.update`, the rule for one parameter; the base class walks
over the groups. Rules use in-place tensor methods only, so a captured graph records them as it
records a forward pass.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from ..autograd.modes import enable_grad, set_grad_enabled
from ..errors import CaptureError, DTypeError, GradError
from ..tensor import Tensor
from .rules import captured, tensor_option

__all__ = ["Optimizer", "Params"]

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]
Closure = Callable[[], Any]
_MOMENTS = ("before saving", "after saving", "before loading", "after loading")


class HookHandle:
    """Takes a hook away again with ``remove()``."""

    _ids = itertools.count()

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self._hooks, self._id = hooks, next(self._ids)
        hooks[self._id] = hook
        if prepend:
            hooks.move_to_end(self._id, last=False)  # type: ignore[attr-defined]

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        self._hooks.pop(self._id, None)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` between its hooks, counted; calls from inside a step run plainly."""

    @functools.wraps(step)
    def run(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if self._stepping:
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            for hook in tuple(self._pre_hooks.values()):
                changed = hook(self, args, kwargs)
                if changed is not None:
                    args, kwargs = changed
            result = step(self, *args, **kwargs)
        finally:
            self._stepping = False
        self._num_steps += 1
        for hook in tuple(self._post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return run


class Group(dict[str, Any]):
    """The options of some parameters. An option that is a tensor stays that tensor: assigning
    writes into it, so that a captured graph, which holds the tensor, sees the new value.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        held = self.get(key)
        if isinstance(held, Tensor) and held is not value:
            held.detach().fill_(value)
        else:
            super().__setitem__(key, value)


class Optimizer:
    """Base of all optimizers.

    Args:
        params: leaf tensors, or (name, tensor) pairs, or dicts with "params" and options of their
            own; several dicts make several groups.
        defaults: options of groups that do not set them.

    Attributes:
        param_groups: dicts of options, each with the list "params".
        state: for each parameter the dict of what the rule remembers.
        defaults: options for groups that do not set them.

    Raises:
        ValueError: params is empty, or a parameter comes twice.
        TypeError: params is one tensor, a set, or holds something that is no tensor.
        GradError: a parameter is the result of a recorded operation.

    Example:
        >>> class SignDescent(Optimizer):
        ...     def update(self, p, grad, state, group):
        ...         p.sub_(grad.sign() * group["lr"])
        >>> w = triptych.ones(2, requires_grad=True)
        >>> optimizer = SignDescent([w], {"lr": 0.5})
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.tolist()
        [0.5, 0.5]
    """

    # Whether `update` is right for complex parameters as it stands.
    takes_complex = False

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._prepare()
        for group in _as_groups(params):
            self.add_param_group(group)

    def _prepare(self) -> None:
        """What neither a checkpoint nor a pickle keeps."""
        self._stepping, self._num_steps = False, 0
        self._pre_hooks: dict[int, Any] = OrderedDict()
        self._post_hooks: dict[int, Any] = OrderedDict()
        self._state_hooks: dict[str, dict[int, Any]] = {name: OrderedDict() for name in _MOMENTS}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    # The update

    @_with_hooks
    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss again, with gradients; called first.

        Returns:
            What the closure returned, or None.

        Raises:
            CaptureError: a `cuda.CUDAGraph` records the step, which counts steps in a number.
        """
        self._check_recording()
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            with set_grad_enabled(bool(group.get("differentiable"))):
                for p in group["params"]:
                    if p.grad is not None:
                        self._update(p, p.grad, group)
        return loss

    def _check_recording(self) -> None:
        from ..cuda_graphs import is_current_stream_capturing

        for group in self.param_groups:
            counts = group.get("capturable") is False and any(p.is_cuda for p in group["params"])
            if counts and is_current_stream_capturing():
                name = type(self).__name__
                raise CaptureError(
                    f"{name}.step: a CUDA graph is being recorded, which would repeat this step's "
                    f"number for ever; make the optimizer with {name}(..., capturable=True)"
                )

    def _update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        if p.is_complex() and not self.takes_complex:
            raise DTypeError(
                f"{type(self).__name__}: a parameter of shape {tuple(p.shape)} is {p.dtype}; keep "
                "its real and imaginary parts as one real tensor, or use SGD"
            )
        state = self.state[p]
        if captured(grad):
            tensor_option(group, "lr", p)
        elif self.fused_update(p, grad, state, group):
            return
        self.update(p, -grad if group.get("maximize") else grad, state, group)

    def fused_update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> bool:
        """The same as `update` by a native kernel in one pass, with the gradient as it is; False
        where there is none for these tensors, and then nothing is done.
        """
        return False

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; runs without recording. To be written by subclasses.

        Args:
            p: the parameter, to be changed in place.
            grad: its gradient, negated where the group says "maximize"; not to be changed.
            state: what the rule remembers about p; empty at first. A number that changes with
                every step belongs to `count`.
            group: the options.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither update() nor step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients.

        Args:
            set_to_none: drop them, which frees memory; else fill them with zeros.
        """
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach().zero_()

    def parameters(self) -> Iterator[Tensor]:
        """All parameters, group by group."""
        for group in self.param_groups:
            yield from group["params"]

    # Groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, for example layers that were frozen so far.

        Args:
            param_group: "params" (a tensor, a list of tensors, or of (name, tensor)) and options;
                what is missing comes from `defaults`.

        Raises:
            ValueError: a parameter comes twice; TypeError, GradError: as for the class.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"add_param_group: wanted a dict with 'params', got {_brief(param_group)}"
            )
        group = Group({**param_group, **_split_names(param_group["params"])})
        for i, p in enumerate(group["params"]):
            self._check(p, i)
        _refuse_repeats(group["params"], list(self.parameters()))
        if self.param_groups and ("param_names" in group) != (
            "param_names" in self.param_groups[0]
        ):
            raise ValueError("add_param_group: either all groups name their parameters, or none")
        for key, value in self.defaults.items():
            group.setdefault(key, value)
        self.param_groups.append(group)

    def _check(self, p: Any, i: int) -> None:
        name = type(self).__name__
        if not isinstance(p, Tensor):
            raise TypeError(f"{name}: parameter {i} should be a Tensor, got {_brief(p)}")
        if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
            raise GradError(
                f"{name}: parameter {i} of shape {tuple(p.shape)} is the result of "
                f"{p.grad_fn.name()}, and only leaves can be optimized; pass the tensor it was "
                "computed from, or use .detach().requires_grad_()"
            )

    # Checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Everything but the parameters, which stand as numbers in the order of the groups.

        Returns:
            {"state": {0: {...}, ...}, "param_groups": [{..., "params": [0, ...]}, ...]}; the
            tensors are not copies.
        """
        for hook in tuple(self._state_hooks["before saving"].values()):
            hook(self)
        numbers = {id(p): i for i, p in enumerate(self.parameters())}
        groups = [
            {k: _plain(v) for k, v in g.items() if k != "params"}
            | {"params": [numbers[id(p)] for p in g["params"]]}
            for g in self.param_groups
        ]
        saved = {
            "state": {numbers[id(p)]: s for p, s in self.state.items()},
            "param_groups": groups,
        }
        for hook in tuple(self._state_hooks["after saving"].values()):
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state from `state_dict`, also one that torch saved.

        State of floating parameters is converted to their dtype and device. Parameters are
        matched by their order.

        Raises:
            ValueError: the groups are not of the same sizes as this optimizer's.
        """
        state_dict = dict(state_dict)
        for hook in tuple(self._state_hooks["before loading"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = state_dict["param_groups"]
        sizes = [len(g["params"]) for g in self.param_groups]
        theirs = [len(g["params"]) for g in saved]
        if sizes != theirs:
            raise ValueError(
                f"load_state_dict: this optimizer has groups of {sizes} parameters, the saved "
                f"state {theirs}; make it from the same parameters in the same groups"
            )
        order = itertools.chain.from_iterable(g["params"] for g in saved)
        matched = dict(zip(order, self.parameters(), strict=True))
        fresh: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, entry in state_dict["state"].items():
            p = matched.get(number)
            fresh[number if p is None else p] = _adopted(entry, p)
        for group, other in zip(self.param_groups, saved, strict=True):
            kept = {"params": group["params"]}
            if "param_names" in group:
                kept["param_names"] = group["param_names"]
            for key, value in {**self.defaults, **other, **kept}.items():
                group[key] = value if key in kept else copy.deepcopy(value)
        self.state = fresh
        for hook in tuple(self._state_hooks["after loading"].values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        hidden = ("_stepping", "_num_steps", "_pre_hooks", "_post_hooks", "_state_hooks")
        return {k: v for k, v in self.__dict__.items() if k not in hidden}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__dict__.update(saved)
        self._prepare()

    # Hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ones."""
        return HookHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return HookHandle(self._post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer)`` before `state_dict` looks; prepend: before other such hooks."""
        return HookHandle(self._state_hooks["before saving"], hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer, state_dict)`` on what `state_dict` gives; it may replace it."""
        return HookHandle(self._state_hooks["after saving"], hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer, state_dict)`` before loading a shallow copy of it; it may return
        another."""
        return HookHandle(self._state_hooks["before loading"], hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer)`` after loading."""
        return HookHandle(self._state_hooks["after loading"], hook, prepend)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join([*lines, ")"])


def _plain(option: Any) -> Any:
    """An option as it is saved: one-element tensors, such as a captured rate, as numbers."""
    return option.item() if isinstance(option, Tensor) else option


def _as_groups(params: Any) -> list[dict[str, Any]]:
    if isinstance(params, Tensor):
        raise TypeError("an optimizer takes an iterable of tensors, got one tensor; pass [tensor]")
    if not isinstance(params, Iterable):
        raise TypeError(f"an optimizer takes an iterable of tensors, got {_brief(params)}")
    if isinstance(params, (set, frozenset)):
        raise TypeError("an optimizer takes parameters in a fixed order, got a set; pass a list")
    listed = list(params)
    if not listed:
        raise ValueError(
            "an optimizer got an empty parameter list; was a generator used up, or does the model "
            "have no parameters?"
        )
    return listed if isinstance(listed[0], dict) else [{"params": listed}]


def _split_names(params: Any) -> dict[str, Any]:
    if isinstance(params, Tensor):
        return {"params": [params]}
    if isinstance(params, (set, frozenset)):
        raise TypeError("add_param_group: parameters need a fixed order, got a set; pass a list")
    listed = list(params)
    named = [isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], str) for x in listed]
    if not any(named):
        return {"params": listed}
    if not all(named):
        raise ValueError("add_param_group: either all parameters come as (name, tensor), or none")
    return {"params": [p for _, p in listed], "param_names": [name for name, _ in listed]}


def _refuse_repeats(new: list[Tensor], old: list[Tensor]) -> None:
    seen = {id(p) for p in old}
    for i, p in enumerate(new):
        if id(p) in seen:
            raise ValueError(
                f"parameter {i} of shape {tuple(p.shape)} comes twice; each parameter belongs to "
                "one group, once"
            )
        seen.add(id(p))


# 0-d tensors in torch's files, numbers here; `rules.scalar` makes tensors of them where needed.
_NUMBERS: dict[Hashable, Callable[[Any], Any]] = {"step": int, "mu_product": float}


def _adopted(entry: Any, p: Tensor | None) -> Any:
    """A copy of a saved state entry, in the dtype and on the device of its parameter."""
    if not isinstance(entry, Mapping):
        return copy.deepcopy(entry)
    return {key: _adopt_value(key, value, p) for key, value in entry.items()}


def _adopt_value(key: Hashable, value: Any, p: Tensor | None) -> Any:
    if key in _NUMBERS:
        return _NUMBERS[key](value)
    if not isinstance(value, Tensor):
        return copy.deepcopy(value)
    value = value.detach().clone()
    if p is None or not p.is_floating_point():
        return value
    return value.to(device=p.device, dtype=p.dtype)


def _brief(x: Any) -> str:
    return f"{type(x).__name__} {x!r:.60}"
