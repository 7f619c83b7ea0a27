"""`Module`: the base class of all layers and models."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .hooks import EVERYWHERE, Hooks
from .members import (
    KINDS,
    ModuleError,
    NoAttribute,
    check_free,
    check_name,
    check_ready,
    forget,
    member,
    replaced,
)
from .moving import Movable
from .parameter import Buffer, Parameter
from .state_dict import Stateful

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module(Hooks, Stateful, Movable):
    """A function with parameters; layers and models derive from it and define ``forward``.

    Parameters, buffers and modules that are set as attributes are registered under their name, so
    that ``parameters()``, ``to()`` and ``state_dict()`` reach all of them.

    Example:
        >>> class Scale(Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = Parameter(triptych.tensor([2.0]))
        ...
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> Scale()(triptych.ones(1))
        tensor([2.], grad_fn=<MulBackward>)
    """

    training: bool = True

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _forward_pre_hooks=[],
            _forward_hooks=[],
            _backward_pre_hooks=[],
            _backward_hooks=[],
            _state_dict_hooks=[],
            _state_dict_pre_hooks=[],
            _load_state_dict_pre_hooks=[],
            _load_state_dict_post_hooks=[],
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if (
                self._forward_hooks
                or self._forward_pre_hooks
                or self._backward_hooks
                or self._backward_pre_hooks
                or EVERYWHERE
            ):
                return self._call_hooked(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            _locate(self, error)
            raise

    # Members

    def __getattr__(self, name: str) -> Any:
        members = self.__dict__
        try:  # called for every parameter that a layer reads
            for kind in KINDS:
                table = members[kind]
                if name in table:
                    return table[name]
        except KeyError:  # before super().__init__()
            pass
        made = getattr(type(self), name, None)
        if isinstance(made, property) and made.fget is not None:
            return made.fget(self)  # an AttributeError inside a property, which says what is wrong
        raise NoAttribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            check_ready(self, name, "module")
            forget(self, name, "_modules")
            self._modules[name] = value
        elif isinstance(value, Buffer):
            check_ready(self, name, "buffer")
            forget(self, name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif not replaced(self, name, value):
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for kind in KINDS:
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        members = {name for kind in KINDS for name in self.__dict__.get(kind, ())}
        return sorted(n for n in {*super().__dir__(), *members} if not n[0].isdigit())

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name for one that is not there.

        Raises:
            DTypeError: param is no Parameter.
            ModuleError: super().__init__() was not called yet.
        """
        check_name(self, name, "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise DTypeError(
                f"{type(self).__name__}.{name}: wanted a Parameter or None, got "
                f"{type(param).__name__}; wrap it: nn.Parameter(tensor)"
            )
        forget(self, name, "_parameters")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that moves with the module and is not learned.

        Args:
            name: how to reach it.
            tensor: None reserves the name.
            persistent: whether ``state_dict`` holds it.

        Raises:
            DTypeError: tensor is no Tensor.
            KeyError: the name is taken, empty, or contains a dot.
            ModuleError: super().__init__() was not called yet.
        """
        check_name(self, name, "buffer")
        if name not in self._buffers:
            check_free(self, name, "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise DTypeError(
                f"{type(self).__name__}.{name}: wanted a Tensor or None, got "
                f"{type(tensor).__name__}"
            )
        self._buffers[name] = tensor
        (
            self._non_persistent_buffers_set.discard
            if persistent
            else self._non_persistent_buffers_set.add
        )(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module; None reserves the name.

        Raises:
            DTypeError: module is no Module.
            KeyError: the name is taken, empty, or contains a dot.
            ModuleError: super().__init__() was not called yet.
        """
        check_name(self, name, "module")
        if module is not None and not isinstance(module, Module):
            raise DTypeError(
                f"{type(self).__name__}.{name}: wanted a Module or None, got "
                f"{type(module).__name__}"
            )
        if name not in self._modules:
            check_free(self, name, "module")
        self._modules[name] = module

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The module with a full name such as ``"layer1.0.conv1"``; "" is the module itself.

        Raises:
            AttributeError: there is none of that name.
        """
        module: Any = self
        for part in target.split(".") if target else ():
            module = getattr(module, part)
            if not isinstance(module, Module):
                raise ModuleError(f"get_submodule({target!r}): {part!r} is no module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of the one with a full name such as ``"layer1.0.conv1"``.

        Args:
            target: its full name; the module that holds it must be there.
            module: the new one.
            strict: the old one must be there as well.

        Raises:
            ShapeError: target is empty.
            DTypeError: module is no Module.
            AttributeError: the place is not there, or something else is in it.
        """
        if not target:
            raise ShapeError("set_submodule: target is empty; name a submodule, such as 'layer1.0'")
        if not isinstance(module, Module):
            raise DTypeError(f"set_submodule: wanted a Module, got {type(module).__name__}")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        held = getattr(owner, name, None)
        if (strict and held is None) or not isinstance(held, Module | None):
            came = "is not there" if held is None else f"is a {type(held).__name__}, no module"
            raise ModuleError(f"set_submodule({target!r}): {name!r} {came}")
        setattr(owner, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a full name such as ``"fc.weight"``.

        Raises:
            AttributeError: there is none of that name.
        """
        return member(self, target, "get_parameter", "_parameters")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a full name such as ``"bn1.running_mean"``.

        Raises:
            AttributeError: there is none of that name.
        """
        return member(self, target, "get_buffer", "_buffers")

    # Walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(full name, module) of this module, "", and all below it, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, parents first, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the direct children, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct children, each once."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        pairs: Iterable[tuple[str, Module]] = [(prefix, self)]
        if recurse:
            pairs = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        seen: set[int] = set()
        for path, module in pairs:
            for name, value in module.__dict__[table].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(full name, parameter) of this module and, with `recurse`, of all below it; parameters
        shared by several modules come once unless `remove_duplicate` is False.
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, with `recurse`, of all below it, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(full name, buffer) of this module and, with `recurse`, of all below it."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, with `recurse`, of all below it, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def apply(self: M, fn: Callable[[Module], None]) -> M:
        """Call fn with every module below this one, children first, then with it; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # Switching

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training, or back; returns self."""
        if not isinstance(mode, bool):
            raise DTypeError(f"train: wanted a bool, got {type(mode).__name__}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Switch to evaluation: dropout rests, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Want gradients for all parameters, or freeze them; returns self."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with False fill them with zeros."""
        for param in self.parameters():
            if param.grad is not None:
                param.grad = None if set_to_none else param.grad.detach() * 0

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Let calls of this module replay a captured graph; see `triptych.compile`.

        Hooks stay outside the graph. The result has no history, so this is for inference; for
        training compile the function that runs the whole step. Arguments are accepted for torch's
        sake and without effect. Copies and pickles of the module are not compiled.
        """
        from ..graph import compile as compile_

        compiled = compile_(type(self).forward.__get__(self))
        self.__dict__.update(forward=compiled, _compiled=True)

    def __getstate__(self) -> dict[str, Any]:
        members = dict(self.__dict__)
        if members.pop("_compiled", False):
            del members["forward"]
        return members

    def __setstate__(self, members: dict[str, Any]) -> None:
        self.__dict__.update(members)

    # Printing

    def extra_repr(self) -> str:
        """What a subclass adds to its line in the printed model, such as its sizes."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({k}): {_indent(repr(m))}" for k, m in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "".join(f"\n  {line}" for line in lines + children)
        return f"{self._get_name()}({body}\n)"


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


class _Trail(threading.local):
    """The innermost layer that the last error of this thread came from, and the path so far.

    It is kept beside the error, which must stay small enough to be sent to another process.
    """

    error: int = 0  # its id
    outer: Callable[[], Module | None] = staticmethod(lambda: None)
    path = kind = note = ""


_trail = _Trail()


def _locate(module: Module, error: Exception) -> None:
    """Note on an error in which layer it was raised; each module around it extends the path."""
    notes = getattr(error, "__notes__", [])
    if _trail.error != id(error) or _trail.note not in notes:
        _trail.error, _trail.path, _trail.kind = id(error), "", type(module).__name__
        note = f"in layer {_trail.kind}"
    else:
        outer = _trail.outer()
        names = {m: name for name, m in module.named_modules()}
        if outer is None or outer is module or outer not in names:
            return
        _trail.path = ".".join(filter(None, (names[outer], _trail.path)))
        note = f"in layer {_trail.path} ({_trail.kind}) of {type(module).__name__}"
        notes.remove(_trail.note)
    error.add_note(note)
    _trail.outer, _trail.note = weakref.ref(module), note
