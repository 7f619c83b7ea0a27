"""torch's functions that complete a custom operation by its name, and `Library`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .custom import OPERATIONS, CustomOpDef, _forget
from .schema import CustomOpError

Call = Callable[..., Any]


def operation(op: str | CustomOpDef | Any) -> CustomOpDef:
    """The custom operation of a name such as ``"mylib::scaled"``; itself if it is one.

    Raises:
        UnknownNameError: there is none of this name.
        CustomOpError: op is neither a name nor a custom operation.
    """
    if isinstance(op, CustomOpDef):
        return op
    if isinstance(op, str):
        return OPERATIONS[op]
    raise CustomOpError(f"wanted a custom operation or its name, got {type(op).__name__}")


def register_kernel(
    op: str | CustomOpDef,
    device_types: str | Sequence[str] | None,
    func: Call | None = None,
    /,
    *,
    lib: Any = None,
) -> Any:
    """Another implementation of a custom operation for some devices; also as a decorator.

    Args:
        op: the operation or its name.
        device_types: "cpu", "cuda", both, or None for all.
        func: the implementation.
        lib: here for torch's signature.
    """
    return operation(op).register_kernel(device_types, func)


def register_fake(op: str | CustomOpDef, func: Call | None = None, /, *, lib: Any = None) -> Any:
    """The shapes and dtypes of a custom operation: a function of the same arguments that gives
    empty tensors; also as a decorator.

    Args:
        op: the operation or its name.
        func: must not read the numbers of its arguments, since there are none.
        lib: here for torch's signature.
    """
    if func is None:
        return operation(op).register_fake
    return operation(op).register_fake(func)


def register_autograd(
    op: str | CustomOpDef,
    backward: Call,
    /,
    *,
    setup_context: Call | None = None,
    lib: Any = None,
) -> None:
    """The derivative of a custom operation.

    Args:
        op: the operation or its name.
        backward: ``backward(ctx, *grads)`` gives a gradient, or None, per argument.
        setup_context: ``setup_context(ctx, inputs, output)`` saves what backward needs.
        lib: here for torch's signature.
    """
    operation(op).register_autograd(backward, setup_context=setup_context)


def register_vmap(op: str | CustomOpDef, func: Call | None = None, /, *, lib: Any = None) -> Any:
    """How a custom operation runs on a batch of inputs; also as a decorator. Without one,
    `func.vmap` runs it once per sample.

    Args:
        op: the operation or its name.
        func: ``func(info, in_dims, *args)`` gives the outputs and where their batch axis is.
        lib: here for torch's signature.
    """
    return operation(op).register_vmap(func)


class Library:
    """A namespace of custom operations, defined by schema and implemented piece by piece.

    Args:
        ns: the namespace.
        kind: "DEF" or "FRAGMENT"; both do the same.

    Example:
        >>> lib = Library("docs", "FRAGMENT")
        >>> lib.define("twice(Tensor x) -> Tensor")
        'twice'
        >>> lib.impl("twice", lambda x: x + x)
        >>> operation("docs::twice")(triptych.ones(2))
        tensor([2., 2.])
    """

    def __init__(self, ns: str, kind: str = "FRAGMENT", dispatch_key: str = "") -> None:
        if kind not in ("DEF", "FRAGMENT"):
            raise CustomOpError(f"Library: wanted 'DEF' or 'FRAGMENT', got {kind!r}")
        self.ns, self.kind = ns, kind
        self._defined: list[str] = []

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Add an operation ``"name(Tensor x) -> Tensor"``; gives its name."""
        name, opening, rest = schema.partition("(")
        self._defined.append(f"{self.ns}::{name.strip()}")
        define(self._defined[-1], opening + rest)
        return name.strip()

    def impl(
        self, op_name: str | CustomOpDef, fn: Call, dispatch_key: str = "", **options: Any
    ) -> None:
        """Implement an operation, for the devices of a dispatch key."""
        if isinstance(op_name, str):
            op_name = op_name if "::" in op_name else f"{self.ns}::{op_name}"
        impl(op_name, dispatch_key or "CompositeExplicitAutograd", fn)

    def _destroy(self) -> None:
        """Take the operations of this library away."""
        for name in self._defined:
            _forget(name)
        self._defined = []


def define(qualname: str, schema: str, *, lib: Any = None, tags: Any = ()) -> None:
    """Add an operation without an implementation.

    Args:
        qualname: ``"namespace::name"``.
        schema: ``"(Tensor x) -> Tensor"``.
        lib, tags: here for torch's signature.
    """
    _forget(qualname)
    CustomOpDef(qualname, schema)


# torch's dispatch keys and device types
_KEYS: dict[str, str | None] = {
    "cpu": "cpu",
    "CPU": "cpu",
    "cuda": "cuda",
    "CUDA": "cuda",
    "default": None,
    "CompositeExplicitAutograd": None,
    "CompositeImplicitAutograd": None,
}


def impl(
    qualname: str | CustomOpDef,
    types: str | Sequence[str],
    func: Call | None = None,
    *,
    lib: Any = None,
) -> Any:
    """Implement an operation that was defined; also as a decorator.

    Args:
        qualname: the operation or its name.
        types: "cpu", "cuda", "default" for all, torch's dispatch keys of the same names, or "Meta"
            for shapes and dtypes as in `register_fake`.
        func: the implementation.
        lib: here for torch's signature.

    Raises:
        CustomOpError: a type is another.
    """
    op = operation(qualname)

    def register(fn: Call) -> None:
        for key in (types,) if isinstance(types, str) else types:
            if key == "Meta":
                op.register_fake(fn)
            elif key in _KEYS:
                op.register_kernel(_KEYS[key], fn)
            else:
                known = ", ".join([*_KEYS, "Meta"])
                raise CustomOpError(f"impl: wanted one of {known}, got {key!r}")

    return register if func is None else register(func)
