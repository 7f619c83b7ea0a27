"""Parameters that are computed from others: constraints and re-parametrisations of layers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ...autograd.modes import no_grad
from ...errors import DTypeError, ShapeError, TriptychError
from ...tensor import Tensor
from ..module import Module
from ..modules.container import ModuleDict, ModuleList
from ..parameter import Parameter

__all__ = [
    "ParametrizationError",
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]


class ParametrizationError(TriptychError, ValueError):
    """A parametrization that does not fit its tensor, or is not there."""


class _Cache(threading.local):
    """Computed tensors by (module id, name), while `cached` contexts are open."""

    def __init__(self) -> None:
        self.depth = 0
        self.tensors: dict[tuple[int, str], Tensor] = {}


_cache = _Cache()


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Inside this context each parametrized tensor is computed once, when first read.

    Example:
        >>> layer = triptych.nn.utils.parametrizations.weight_norm(triptych.nn.Linear(2, 2))
        >>> with cached():
        ...     layer.weight is layer.weight
        True
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.tensors = {}


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order, and what they are applied to.

    Attributes:
        original: the tensor the first one takes; where it takes several, they are
            original0, original1 and so on.
        unsafe: whether shape and dtype may differ from those of the tensor.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ParametrizationError("ParametrizationList: wanted at least one parametrization")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            value: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
            self.is_tensor = isinstance(value, Tensor)
            self.ntensors = 1 if self.is_tensor else len(value)
            self._keep(original, value)
        if not unsafe:
            _check_kept("register_parametrization", original, self())

    def _keep(self, original: Tensor, value: Any) -> None:
        """Take the tensors to start from; the first of one shape stays the same object."""
        if self.is_tensor:
            if not self.unsafe and value.dtype != original.dtype:
                raise ParametrizationError(
                    f"register_parametrization: right_inverse gives {value.dtype}, the tensor is "
                    f"{original.dtype}; pass unsafe=True if that is meant"
                )
            original.data = value.detach() if value is not original else value
            self._register("original", original, original)
            return
        if not all(isinstance(v, Tensor) for v in value):
            raise DTypeError(
                "register_parametrization: right_inverse gives a tensor or several, got "
                f"{[type(v).__name__ for v in value]}"
            )
        for i, v in enumerate(value):
            self._register(f"original{i}", v, original)

    def _register(self, name: str, value: Tensor, like: Tensor) -> None:
        if isinstance(like, Parameter):
            learned = like.requires_grad and value.is_floating_point()
            same = isinstance(value, Parameter)
            self.register_parameter(name, value if same else Parameter(value, learned))  # type: ignore[arg-type]
        else:
            self.register_buffer(name, value)

    def _originals(self) -> list[Any]:
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def forward(self) -> Tensor:
        """The tensor, computed."""
        first, *rest = self
        value = first(*self._originals())
        for module in rest:
            value = module(value)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the computed tensor is `value`.

        Raises:
            NotImplementedError: a parametrization has no right_inverse.
            ParametrizationError: what the inverses give does not fit the originals.
        """
        with no_grad():
            found: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise NotImplementedError(
                        f"parametrization {type(module).__name__} has no right_inverse, so the "
                        "tensor cannot be assigned to"
                    )
                found = module.right_inverse(found)
            values = [found] if self.is_tensor else list(found)
            originals = self._originals()
            if len(values) != len(originals):
                raise ParametrizationError(
                    f"right_inverse: wanted {len(originals)} tensors, got {len(values)}"
                )
            for own, new in zip(originals, values, strict=True):
                if own.dtype != new.dtype:
                    raise ParametrizationError(
                        f"right_inverse: the original is {own.dtype}, got {new.dtype}"
                    )
                own.data = new.detach().clone()


def _check_kept(name: str, original: Any, made: Any) -> None:
    if not isinstance(made, Tensor):
        raise DTypeError(f"{name}: a parametrization gives a tensor, got {type(made).__name__}")
    if made.dtype != original.dtype or made.shape != original.shape:
        raise ParametrizationError(
            f"{name}: the tensor is {original.dtype} {tuple(original.shape)}, the parametrization "
            f"makes it {made.dtype} {tuple(made.shape)}; pass unsafe=True if that is meant"
        )


class _Parametrized(Module):
    """Mixed into the class of a module while some of its tensors are computed."""

    parametrizations: ModuleDict
    _plain: ClassVar[type[Module]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__["_modules"].get("parametrizations", ()):
            self.parametrizations[name].right_inverse(value)
        else:
            super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _restored, (self._plain, list(self.parametrizations), self.__getstate__())


def _restored(plain: type[Module], names: list[str], state: dict[str, Any]) -> Module:
    """A parametrized module, copied or unpickled."""
    module: Module = plain.__new__(plain)
    module.__setstate__(state)
    _change_class(module)
    for name in names:
        _add_property(module, name)
    return module


def _change_class(module: Module) -> None:
    plain = type(module)
    made = type(f"Parametrized{plain.__name__}", (_Parametrized, plain), {"_plain": plain})
    made.__module__ = plain.__module__
    module.__class__ = made


def _add_property(module: Module, name: str) -> None:
    def computed(self: Any) -> Tensor:
        if not _cache.depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache.tensors:
            _cache.tensors[key] = self.parametrizations[name]()
        return _cache.tensors[key]

    setattr(type(module), name, property(computed))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer of a module be computed by another module.

    Reading ``module.weight`` then gives ``parametrization(original)``; the original is learned and
    saved as ``parametrizations.weight.original``. If the parametrization has a ``right_inverse``,
    it makes the original from the present tensor, and ``module.weight = value`` works. A second
    parametrization of the same tensor is applied after the first.

    Args:
        module: changed in place, and returned.
        tensor_name: the parameter or buffer.
        parametrization: a module that gives a tensor.
        unsafe: allow the computed tensor to differ in shape or dtype.

    Raises:
        ParametrizationError: there is no such tensor, or shape or dtype would change.

    Example:
        >>> class Symmetric(triptych.nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).mT
        >>> layer = register_parametrization(triptych.nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.mT).all())
        True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        _append(module, tensor_name, parametrization, unsafe)
        return module
    tensors = {**module._parameters, **module._buffers}
    original = tensors.get(tensor_name)
    if original is None:
        raise ParametrizationError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer "
            f"{tensor_name!r}; it has {sorted(n for n, t in tensors.items() if t is not None)}"
        )
    computed = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _change_class(module)
        Module.__setattr__(module, "parametrizations", ModuleDict())
    _parametrizations(module)[tensor_name] = computed
    _add_property(module, tensor_name)
    return module


def _parametrizations(module: Any) -> Any:
    return module.parametrizations


def _append(module: Module, name: str, parametrization: Module, unsafe: bool) -> None:
    """Apply one more parametrization to a tensor that is computed already."""
    held = _parametrizations(module)[name]
    before = getattr(module, name)
    if unsafe and not held.unsafe:
        raise ParametrizationError(
            f"register_parametrization: {name!r} was first parametrized with unsafe=False"
        )
    if not unsafe:
        with no_grad():
            _check_kept("register_parametrization", before, parametrization(before))
    held.append(parametrization)
    if hasattr(parametrization, "right_inverse"):
        held.right_inverse(before)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of a module, or any, is computed by a parametrization."""
    held = module.__dict__["_modules"].get("parametrizations")
    if not isinstance(module, _Parametrized) or not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Turn a computed tensor back into a parameter or buffer.

    Args:
        module: changed in place, and returned.
        tensor_name: which tensor.
        leave_parametrized: keep the numbers as computed; False goes back to the original.

    Raises:
        ParametrizationError: it has no parametrization; or several originals, and
            leave_parametrized is False.
    """
    if not is_parametrized(module, tensor_name):
        raise ParametrizationError(
            f"remove_parametrizations: {type(module).__name__}.{tensor_name} has none"
        )
    held = _parametrizations(module)[tensor_name]
    if not held.is_tensor and not leave_parametrized:
        raise ParametrizationError(
            f"remove_parametrizations: {tensor_name!r} has {held.ntensors} originals, so there is "
            "none to go back to; pass leave_parametrized=True"
        )
    with no_grad():
        value = getattr(module, tensor_name)
    first = held._originals()[0]
    if held.is_tensor:
        if leave_parametrized:
            first.data = value.detach()
        kept = first
    elif isinstance(first, Parameter):
        kept = Parameter(value.detach(), first.requires_grad)
    else:
        kept = value.detach()
    del _parametrizations(module)[tensor_name]
    delattr(type(module), tensor_name)
    if not len(_parametrizations(module)):
        Module.__delattr__(module, "parametrizations")
        module.__class__ = type_before_parametrizations(module)
    if isinstance(kept, Parameter):
        module.register_parameter(tensor_name, kept)
    else:
        module.register_buffer(tensor_name, kept)
    return module


def type_before_parametrizations(module: Module) -> type[Module]:
    """The class of a module without its parametrizations."""
    return module._plain if isinstance(module, _Parametrized) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give another module the same parametrizations, sharing them and their originals.

    Args:
        from_module: parametrized.
        to_module: changed in place, and returned; has tensors of the same names.
        tensor_name: only this one; default all.

    Raises:
        ParametrizationError: from_module is not parametrized.
        ShapeError: a tensor of to_module has another shape.
    """
    if not is_parametrized(from_module, tensor_name):
        raise ParametrizationError(
            f"transfer_parametrizations_and_params: {type(from_module).__name__} is not "
            "parametrized"
        )
    names = list(_parametrizations(from_module)) if tensor_name is None else [tensor_name]
    for name in names:
        wanted, own = getattr(from_module, name), getattr(to_module, name, None)
        if own is not None and own.shape != wanted.shape:
            raise ShapeError(
                f"transfer_parametrizations_and_params: {name} is {tuple(wanted.shape)} in one and "
                f"{tuple(own.shape)} in the other"
            )
        if not is_parametrized(to_module):
            _change_class(to_module)
            Module.__setattr__(to_module, "parametrizations", ModuleDict())
        for table in (to_module._parameters, to_module._buffers):
            table.pop(name, None)
        _parametrizations(to_module)[name] = _parametrizations(from_module)[name]
        _add_property(to_module, name)
    return to_module
