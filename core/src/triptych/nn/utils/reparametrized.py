"""Weight and spectral norm in their older form: a hook computes the weight before each forward.

The form in `parametrizations` is to be preferred; this one loads older checkpoints.
"""

from __future__ import annotations

from typing import Any

from ...autograd.modes import no_grad
from ...errors import ShapeError
from ...ops.linalg import matmul
from ...ops.random import randn
from ...tensor import Tensor
from .. import functional as F
from ..hooks import Hook
from ..module import Module
from ..parameter import Parameter
from .parametrizations.norms import as_rows, directed, iterate, norm_except, output_axis

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class WeightNorm:
    """A hook that sets ``weight`` from ``weight_g`` and ``weight_v``.

    Args:
        name: of the parameter.
        dim: the axis whose slices have a norm each; -1 for one norm of everything.
    """

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute_weight(self, module: Module) -> Any:
        """The weight, with history."""
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return directed(v, g, self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


class SpectralNorm:
    """A hook that sets ``weight`` from ``weight_orig`` and the vectors ``weight_u``, ``weight_v``.

    Args:
        name: of the parameter.
        n_power_iterations: rounds per forward in training.
        dim: the axis of the outputs.
        eps: least norm to divide by.
    """

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations < 1:
            raise ShapeError(
                f"spectral_norm: n_power_iterations is at least 1, got {n_power_iterations}"
            )
        self.name, self.dim, self.eps = name, dim, eps
        self.n_power_iterations = n_power_iterations

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """The weight, with history.

        Args:
            module: that has the parameter.
            do_power_iteration: improve the vectors first.
        """
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_rows(weight, self.dim)
        if do_power_iteration:
            found = iterate(matrix.detach(), (u, v), self.n_power_iterations, self.eps)
            with no_grad():
                for own, new in zip((u, v), found, strict=True):
                    own.copy_(new)
        u, v = u.clone(), v.clone()
        return weight / (u * matmul(matrix, v)).sum()

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def _take(module: Module, name: str, kind: type) -> Any:
    """The parameter to be hooked, taken off the module."""
    if _find(module, name, kind) is not None:
        raise ShapeError(f"{kind.__name__}: {name!r} of {type(module).__name__} has one already")
    weight = module._parameters.get(name)
    if weight is None:
        raise ShapeError(f"{kind.__name__}: {type(module).__name__} has no parameter {name!r}")
    del module._parameters[name]
    return weight


def _find(module: Module, name: str, kind: type) -> Hook | None:
    for hook in module._forward_pre_hooks:
        if isinstance(hook.call, kind) and hook.call.name == name:  # type: ignore[attr-defined]
            return hook
    return None


def _drop(module: Module, name: str, kind: type) -> Any:
    """Take a hook off a module; gives it."""
    hook = _find(module, name, kind)
    if hook is None:
        raise ShapeError(f"{kind.__name__} of {name!r} not found in {type(module).__name__}")
    module._forward_pre_hooks.remove(hook)
    return hook.call


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight as its norms, ``weight_g``, and its direction, ``weight_v``.

    Args:
        module: changed in place, and returned.
        name: the parameter.
        dim: the axis whose slices have a norm each; None for one norm of everything.

    Raises:
        ShapeError: there is no such parameter, or it has a weight norm.

    Source: Salimans and Kingma 2016, eq. 2.
    """
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = _take(module, name, WeightNorm)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight, hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight))
    hook(module, None)
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Turn a weight with the hook `weight_norm` back into a parameter; returns the module.

    Raises:
        ShapeError: it has none.
    """
    weight = _drop(module, name, WeightNorm).compute_weight(module)
    for part in (name, f"{name}_g", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight))
    return module


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight, kept as ``weight_orig``, by its largest singular value.

    Args:
        module: changed in place, and returned.
        name: the parameter; axes but `dim` are read as one.
        n_power_iterations: rounds of the power method per forward in training.
        eps: least norm to divide by.
        dim: the axis of the outputs; default 0, and 1 for transposed convolutions.

    Raises:
        ShapeError: there is no such parameter, or it has a spectral norm.

    Source: Miyato et al. 2018, algorithm 1.
    """
    hook = SpectralNorm(name, n_power_iterations, output_axis(module, dim), eps)
    weight = _take(module, name, SpectralNorm)
    matrix = as_rows(weight.detach(), hook.dim)
    where = {"dtype": matrix.dtype, "device": matrix.device}
    module.register_parameter(f"{name}_orig", weight)
    object.__setattr__(module, name, weight.detach())
    for part, n in zip("uv", matrix.shape, strict=True):
        start: Tensor = F.normalize(randn(n, **where), dim=0, eps=eps)
        module.register_buffer(f"{name}_{part}", start)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Turn a weight with the hook `spectral_norm` back into a parameter; returns the module.

    Raises:
        ShapeError: it has none.
    """
    with no_grad():
        weight = _drop(module, name, SpectralNorm).compute_weight(module, False)
    for part in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight))
    return module
