"""Comparing derivatives with finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, GradError
from ..tensor import Tensor
from .api import grad

Inputs = Tensor | Sequence[Any]


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, Tensor) else list(value)


def _differentiable(outputs: Any) -> list[Tensor]:
    return [t for t in _listed(outputs) if t.is_floating_point() or t.is_complex()]


def _checked_inputs(name: str, inputs: list[Any]) -> list[Tensor]:
    wanted = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
    if not wanted:
        raise GradError(f"{name}: no input requires grad; make one with requires_grad=True")
    for t in wanted:
        if t.dtype.name not in ("float64", "complex128"):
            raise DTypeError(
                f"{name}: finite differences need double precision, got an input of {t.dtype}; "
                "use .double()"
            )
    return wanted


def _numeric(
    fn: Callable[..., Any], inputs: list[Any], x: Tensor, cotangents: list[np.ndarray], eps: float
) -> np.ndarray:
    """The gradient of sum(Re(conj(cotangent) * output)) by central differences over x."""
    array = x.detach().numpy()
    out = np.zeros(array.shape, array.dtype)
    for place in np.ndindex(array.shape):
        kept = array[place]
        for step in (1, 1j) if array.dtype.kind == "c" else (1,):
            values = []
            for sign in (1, -1):
                array[place] = kept + sign * step * eps
                values.append(_projected(fn, inputs, cotangents))
            array[place] = kept
            out[place] += step * (values[0] - values[1]) / (2 * eps)
    return out


def _projected(fn: Callable[..., Any], inputs: list[Any], cotangents: list[np.ndarray]) -> float:
    found = [t.detach().numpy() for t in _differentiable(fn(*inputs))]
    return float(sum(np.sum((np.conj(c) * o).real) for c, o in zip(cotangents, found, strict=True)))


def _cotangent(shape: Any, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    value = rng.uniform(0.5, 1.5, tuple(shape)) * rng.choice([-1.0, 1.0], tuple(shape))
    if dtype.kind == "c":
        value = value + 1j * rng.uniform(0.5, 1.5, tuple(shape))
    return np.asarray(value, dtype)


def gradcheck(
    func: Callable[..., Any],
    inputs: Inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether backward agrees with finite differences, for a random weighting of the outputs.

    Args:
        func: a function of the inputs that gives a tensor or several.
        inputs: those that require grad must be float64 or complex128.
        eps: the step of the differences.
        atol, rtol: how far the two may be apart.
        raise_exception: raise instead of returning False.

    Raises:
        GradError: they disagree; the text shows both for the first input that does.
        DTypeError: an input is not in double precision.
    """
    args = _listed(inputs)
    wanted = _checked_inputs("gradcheck", args)
    outputs = _differentiable(func(*args))
    rng = np.random.default_rng(0)
    cotangents = [_cotangent(o.shape, o.detach().numpy().dtype, rng) for o in outputs]
    from ..ops.creation import tensor

    used = [(o, tensor(c)) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
    found = (
        grad(
            [o for o, _ in used],
            wanted,
            [c for _, c in used],
            allow_unused=True,
            materialize_grads=True,
        )
        if used
        else [x.detach() * 0 for x in wanted]
    )
    for i, (x, g) in enumerate(zip(wanted, found, strict=True)):
        got = g.detach().numpy()
        expected = _numeric(func, args, x, cotangents, eps)
        if got.shape != expected.shape or not np.allclose(got, expected, rtol, atol):
            if not raise_exception:
                return False
            raise GradError(
                f"gradcheck: input {i} of shape {tuple(x.shape)}: backward gives\n{got}\n"
                f"finite differences give\n{expected}"
            )
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """`gradcheck` of the gradient: whether second derivatives are right.

    Raises:
        GradError: they disagree.
    """
    args = _listed(inputs)
    wanted = _checked_inputs("gradgradcheck", args)
    rng = np.random.default_rng(1)
    from ..ops.creation import tensor

    seeds = []
    for o in _differentiable(func(*args)):
        seed = tensor(_cotangent(o.shape, o.detach().numpy().dtype, rng))
        seeds.append(seed.requires_grad_())

    def first(*everything: Any) -> tuple[Any, ...]:
        xs, gs = everything[: len(args)], everything[len(args) :]
        pairs = [
            (o, g) for o, g in zip(_differentiable(func(*xs)), gs, strict=True) if o.requires_grad
        ]
        targets = [x for x in xs if any(x is w for w in wanted)]
        return grad(
            [o for o, _ in pairs],
            targets,
            [g for _, g in pairs],
            create_graph=True,
            materialize_grads=True,
        )

    return gradcheck(
        first, [*args, *seeds], eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )
