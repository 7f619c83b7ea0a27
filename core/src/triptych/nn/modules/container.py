"""Modules and parameters in order, or by name."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import BoundsError, DTypeError
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter
from .joined import chain

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Ordered(Module):
    """Children named 0, 1, 2 ...; the list operations that `Sequential` and `ModuleList` share."""

    def _name(self, index: Any) -> str:
        try:
            position = operator.index(index)
        except TypeError:
            raise DTypeError(
                f"{type(self).__name__}: wanted an int or a slice as index, got "
                f"{type(index).__name__}"
            ) from None
        if not -len(self) <= position < len(self):
            raise BoundsError(
                f"{type(self).__name__}: index {position} is outside the {len(self)} modules"
            )
        return list(self._modules)[position]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._sliced(list(self._modules.items())[index])
        return self._modules[self._name(index)]

    def _sliced(self, items: list[tuple[str, Any]]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        name = self._name(index)
        self.add_module(name, _checked(self, module))

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name(index)]:
            del self._modules[name]
        self._renumber(list(self._modules.items()))

    def _renumber(self, items: list[tuple[str, Any]]) -> None:
        """Name numbered children by their position again; names that were given stay."""
        self._modules.clear()
        for i, (name, module) in enumerate(items):
            self._modules[str(i) if name.isdigit() else name] = module

    def append(self, module: Module) -> Any:
        """Add a module at the end; returns self."""
        self.add_module(str(len(self)), _checked(self, module))
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before the one at index; returns self."""
        items = list(self._modules.items())
        items.insert(index, (str(len(items)), _checked(self, module)))
        self._renumber(items)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end; returns self."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, key: int = -1) -> Module:
        """Take a module out and give it."""
        module = self[key]
        del self[key]
        return module


def _checked(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise DTypeError(f"{type(owner).__name__}: wanted a Module, got {type(module).__name__}")
    return module


class Sequential(_Ordered):
    """Modules that run one after the other, each on what the one before it gave.

    Args:
        modules: in order; or one ordered dict of names to modules.

    Example:
        >>> import triptych.nn as nn
        >>> model = Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> model(triptych.zeros(1, 4)).shape, len(model[:2])
        (Size([1, 2]), 2)
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named: Iterable[tuple[str, Any]] = modules[0].items()
        else:
            named = ((str(i), m) for i, m in enumerate(modules))
        for name, module in named:
            self.add_module(name, _checked(self, module))

    def forward(self, input: Any) -> Any:
        return chain(input, *self._modules.values())

    def _sliced(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(OrderedDict(items))

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * times)

    __rmul__ = __mul__


class ModuleList(_Ordered):
    """A list of modules, which are registered; it has no forward.

    Example:
        >>> import triptych.nn as nn
        >>> len(ModuleList([nn.Linear(2, 2) for _ in range(3)]))
        3
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _sliced(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(module for _, module in items)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> ModuleList:
        return self.extend(other)

    def __repr__(self) -> str:
        if not len(self):
            return f"{self._get_name()}()"
        texts = [repr(m) for m in self]
        starts = [i for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]]
        lines = []
        for start, stop in zip(starts, [*starts[1:], len(texts)], strict=True):
            text = texts[start].replace("\n", "\n  ")
            alike = stop - start
            lines.append(
                f"  ({start}): {text}"
                if alike == 1
                else f"  ({start}-{stop - 1}): {alike} x {text}"
            )
        return "\n".join([f"{self._get_name()}(", *lines, ")"])


class ModuleDict(Module):
    """Modules by name, in the order they were added; it has no forward.

    Example:
        >>> import triptych.nn as nn
        >>> heads = ModuleDict({"a": nn.Linear(2, 3), "b": nn.Linear(2, 5)})
        >>> heads["b"](triptych.zeros(1, 2)).shape
        Size([1, 5])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, _checked(self, module))

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out and give it."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """(name, module) pairs."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add modules from a mapping or from (name, module) pairs."""
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module


def _as_parameter(value: Any) -> Any:
    """Tensors become parameters; anything else is kept as it is."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value, requires_grad=value.is_floating_point() or value.is_complex())
    return value


class ParameterList(Module):
    """A list of parameters, which are registered; tensors that are put in become parameters.

    Example:
        >>> len(list(ParameterList([triptych.zeros(2), triptych.ones(3)]).parameters()))
        2
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(values or ())

    def _name(self, index: Any) -> str:
        position = operator.index(index)
        if not -self._size <= position < self._size:
            raise BoundsError(
                f"ParameterList: index {position} is outside the {self._size} entries"
            )
        return str(position % self._size)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(getattr(self, str(i)) for i in range(*index.indices(self._size)))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(self._size))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end; returns self."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end; returns self."""
        for value in list(values):
            self.append(value)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take an entry out and give it."""
        values = list(self)
        value = values.pop(operator.index(index))
        for i in range(self._size):
            delattr(self, str(i))
        self._size = 0
        self.extend(values)
        return value

    def extra_repr(self) -> str:
        return "\n".join(f"({i}): {_summary(v)}" for i, v in enumerate(self))


class ParameterDict(Module):
    """Parameters by name; tensors that are put in become parameters.

    Example:
        >>> ParameterDict({"scale": triptych.ones(3)})["scale"].shape
        Size([3])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update(parameters or {})

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, str(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, str(key), _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, str(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> Any:
        """The names."""
        return self._keys.keys()

    def values(self) -> Any:
        """The parameters."""
        return [self[k] for k in self._keys]

    def items(self) -> Any:
        """(name, parameter) pairs."""
        return [(k, self[k]) for k in self._keys]

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, or the default."""
        return self[key] if key in self._keys else default

    def pop(self, key: str) -> Any:
        """Take a parameter out and give it."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Take all parameters out."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Add parameters from a mapping or from (name, parameter) pairs."""
        for key, value in parameters.items() if hasattr(parameters, "items") else parameters:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(f"({k}): {_summary(v)}" for k, v in self.items())


def _summary(value: Any) -> str:
    if isinstance(value, Tensor):
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
    return f"Object of type: {type(value).__name__}"
