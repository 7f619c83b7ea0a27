"""`opcheck`: the battery's checks for a custom operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.api import grad
from ..autograd.numerical import gradcheck
from ..errors import TriptychError
from ..graph import capture, replay
from ..ops.compare import equal
from ..tensor import Tensor
from ..testing.close import assert_close
from ..tree import flatten, tree_map
from .custom import CustomOpDef, Layout
from .registration import operation
from .schema import CustomOpError

TESTS = (
    "test_schema",
    "test_autograd_registration",
    "test_faketensor",
    "test_aot_dispatch_dynamic",
)


def _fresh(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.detach().clone().requires_grad_(value.requires_grad)


def _tensors(value: Any) -> list[Tensor]:
    return [x for x in flatten(value)[0] if isinstance(x, Tensor)]


def _check_schema(op: CustomOpDef, args: Any, kwargs: Any) -> None:
    """It writes to what it says, and gives nothing back that it was given."""
    layout = _layout(op, args, kwargs)
    tensors = [t.detach().clone() for t in layout.tensors]
    before = [t.clone() for t in tensors]
    written = [id(t) for t in op._targets(layout, tensors)]
    device = tensors[0].device.type
    outs = op._listed(op._call(op._kernel(device), layout, tensors))
    for i, (t, old) in enumerate(zip(tensors, before, strict=True)):
        if id(t) not in written and not equal(t, old):
            raise CustomOpError(
                f"{op._qualname}: writes to tensor {i} of its arguments, which mutates_args does "
                "not name"
            )
    for out in outs:
        if any(_overlap(out, t) for t in tensors):
            raise CustomOpError(
                f"{op._qualname}: gives back memory of an argument; return a clone() of it"
            )


def _overlap(one: Tensor, two: Tensor) -> bool:
    import numpy as np

    a, b = one._data, two._data
    return a is b or (isinstance(a, np.ndarray) and np.may_share_memory(a, b))


def _layout(op: CustomOpDef, args: Any, kwargs: Any) -> Layout:
    bound = op._schema.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return Layout(tuple(bound.arguments.values()))


def _check_autograd(op: CustomOpDef, args: Any, kwargs: Any) -> None:
    """Inputs that require grad get one; in double precision it agrees with finite differences."""
    args, kwargs = tree_map(_fresh, (args, kwargs))
    wanted = [t for t in _tensors((args, kwargs)) if t.requires_grad]
    if not wanted:
        return
    if op._backward is None:
        raise CustomOpError(f"{op._qualname}: there is no derivative; see register_autograd")
    outs = [o for o in _tensors(op(*args, **kwargs)) if o.requires_grad]
    grad(outs, wanted, [o.detach() * 0 + 1 for o in outs], allow_unused=True)
    if all(t.dtype.name in ("float64", "complex128") for t in wanted):
        layout = _layout(op, args, kwargs)

        def call(*tensors: Tensor) -> list[Tensor]:
            return _tensors(op._call(op, layout, tensors))

        gradcheck(call, layout.tensors)


def _check_fake(op: CustomOpDef, args: Any, kwargs: Any) -> None:
    """The fake function gives the shapes and dtypes of the real one."""
    if op._fake is None:
        raise CustomOpError(f"{op._qualname}: there is no fake function; see register_fake")
    args, kwargs = tree_map(_fresh, (args, kwargs))
    layout = _layout(op, args, kwargs)
    raw = [t._data for t in layout.tensors]
    said = op._prim.aval(*raw, layout=layout)
    found = op._prim.call(*raw, layout=layout)
    several = op._prim.outputs > 1
    for aval, y in zip(said if several else [said], found if several else [found], strict=True):
        if (tuple(aval.shape), aval.dtype) != (tuple(y.shape), y.dtype):
            raise CustomOpError(
                f"{op._qualname}: the fake function gives {aval.dtype}{list(aval.shape)}, the "
                f"kernel {y.dtype}{list(y.shape)}"
            )


def _check_replay(op: CustomOpDef, args: Any, kwargs: Any) -> None:
    """A captured graph of forward and backward gives what eager mode gives."""

    def run(*args: Any, **kwargs: Any) -> list[Tensor]:
        # Copies, which an operation that writes to its arguments may change.
        args, kwargs = tree_map(_copied, (args, kwargs))
        outs = _tensors(op(*args, **kwargs))
        wanted = [t for t in _tensors((args, kwargs)) if t.requires_grad]
        starts = [o for o in outs if o.requires_grad]
        kept = [o.detach() for o in outs] + [t.detach() for t in _tensors((args, kwargs))]
        if not starts or not wanted:
            return kept
        ones = [o.detach() * 0 + 1 for o in starts]
        return kept + list(grad(starts, wanted, ones, materialize_grads=True))

    args, kwargs = tree_map(_fresh, (args, kwargs))
    graph = capture(run, *args, **kwargs)
    assert_close(replay(graph, *args, **kwargs), run(*args, **kwargs), equal_nan=True)


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


_CHECKS: dict[str, Callable[[CustomOpDef, Any, Any], None]] = dict(
    zip(TESTS, (_check_schema, _check_autograd, _check_fake, _check_replay), strict=True)
)


def opcheck(
    op: str | CustomOpDef,
    args: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    *,
    test_utils: str | Sequence[str] = TESTS,
    raise_exception: bool = True,
) -> dict[str, str]:
    """Whether a custom operation keeps the rules, on one example of its arguments.

    Args:
        op: the operation or its name.
        args, kwargs: arguments; with double precision inputs that require grad, the derivative is
            compared with finite differences.
        test_utils: which checks: "test_schema" that it writes to what mutates_args names and gives
            back no argument; "test_autograd_registration" that there is a right derivative;
            "test_faketensor" that the fake function agrees with the kernel;
            "test_aot_dispatch_dynamic" that a captured graph of forward and backward does.
        raise_exception: raise at the first check that fails.

    Returns:
        For each check "SUCCESS" or the text of its error.

    Raises:
        CustomOpError: a check fails, or has another name.
        GradError: the derivative is wrong.
    """
    found, names = operation(op), [test_utils] if isinstance(test_utils, str) else test_utils
    results = {}
    for name in names:
        if name not in _CHECKS:
            raise CustomOpError(f"opcheck: wanted one of {', '.join(TESTS)}, got {name!r}")
        try:
            _CHECKS[name](found, tuple(args), dict(kwargs or {}))
        except (TriptychError, AssertionError) as error:
            if raise_exception:
                raise
            results[name] = f"{type(error).__name__}: {error}"
        else:
            results[name] = "SUCCESS"
    return results
