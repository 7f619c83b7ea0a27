"""Weights as a length and a direction, or of spectral norm one."""

from __future__ import annotations

import functools
from typing import Any

from ....autograd.modes import no_grad
from ....errors import ShapeError
from ....ops.linalg import matmul
from ....ops.random import randn
from ....ops.reduce import norm
from ....tensor import Tensor
from ... import functional as F
from ...module import Module
from ...modules.conv import _ConvNd
from .. import parametrize

__all__ = ["spectral_norm", "weight_norm"]


def norm_except(v: Tensor, dim: int) -> Tensor:
    """The norms of the slices along dim, which keep their axes; of everything if dim is -1.

    Args:
        v: any shape.
        dim: the axis that is left.
    """
    if dim == -1:
        return norm(v)
    axes = [axis for axis in range(v.ndim) if axis != dim % v.ndim]
    return norm(v, 2, axes, True) if axes else v.abs()


def directed(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """v brought to the norms g along dim."""
    made: Any = v
    return made * (g / norm_except(v, dim))


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return directed(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except(weight, self.dim), weight


def _rename(name: str, state_dict: Any, prefix: str, *rest: Any) -> None:
    """Accept the keys under which the hook `nn.utils.weight_norm` saves."""
    for old, new in (("g", 0), ("v", 1)):
        key = f"{prefix}{name}_{old}"
        if key in state_dict:
            state_dict[f"{prefix}parametrizations.{name}.original{new}"] = state_dict.pop(key)


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight as its norms, ``parametrizations.weight.original0``, and its direction,
    ``parametrizations.weight.original1``.

    Args:
        module: changed in place, and returned.
        name: the parameter.
        dim: the axis whose slices have a norm each; None for one norm of everything.

    Example:
        >>> layer = weight_norm(triptych.nn.Linear(20, 40))
        >>> layer.parametrizations.weight.original0.shape
        Size([40, 1])

    Source: Salimans and Kingma 2016, eq. 2.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    module._register_load_state_dict_pre_hook(functools.partial(_rename, name))
    return module


def as_rows(weight: Any, dim: int) -> Any:
    """(weight.shape[dim], the rest)."""
    if dim:
        weight = weight.permute(dim, *(axis for axis in range(weight.ndim) if axis != dim))
    return weight.flatten(1)


def iterate(matrix: Any, starts: Any, rounds: int, eps: float) -> tuple[Any, Any]:
    """Approach the vectors of the largest singular value of a matrix (o, d): u (o,) and v (d,).

    Args:
        matrix: read without history.
        starts: u and v to start with.
        rounds: how many steps of the power method.
        eps: least norm to divide by.
    """
    u, v = starts
    with no_grad():
        for _ in range(rounds):
            u = F.normalize(matmul(matrix, v), dim=0, eps=eps)
            v = F.normalize(matmul(matrix.mT, u), dim=0, eps=eps)
    return u, v


class _SpectralNorm(Module):
    def __init__(self, weight: Any, rounds: int, dim: int, eps: float) -> None:
        super().__init__()
        if rounds < 1:
            raise ShapeError(f"spectral_norm: n_power_iterations is at least 1, got {rounds}")
        self.dim, self.eps, self.n_power_iterations = dim % max(weight.ndim, 1), eps, rounds
        self.is_vector = weight.ndim < 2
        if self.is_vector:
            return
        matrix = as_rows(weight.detach(), self.dim)
        where = {"dtype": matrix.dtype, "device": matrix.device}
        starts = [F.normalize(randn(n, **where), dim=0, eps=eps) for n in matrix.shape]
        # Fifteen rounds to start with, as in torch.
        u, v = iterate(matrix, starts, 15, eps)
        self.register_buffer("_u", u)
        self.register_buffer("_v", v)

    def forward(self, weight: Any) -> Any:
        if self.is_vector:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_rows(weight, self.dim)
        held: Any = self._u, self._v
        if self.training:
            found = iterate(matrix.detach(), held, self.n_power_iterations, self.eps)
            with no_grad():
                for own, new in zip(held, found, strict=True):
                    own.copy_(new)
        u, v = (t.clone() for t in held)
        return weight / (u * matmul(matrix, v)).sum()

    def right_inverse(self, value: Tensor) -> Tensor:
        return value  # taken to be of norm one already


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, which the power method follows in training.

    Args:
        module: changed in place, and returned.
        name: the parameter; axes but `dim` are read as one.
        n_power_iterations: rounds per forward in training.
        eps: least norm to divide by.
        dim: the axis of the outputs; default 0, and 1 for transposed convolutions.

    Raises:
        ParametrizationError: there is no such parameter.

    Example:
        >>> layer = spectral_norm(triptych.nn.Linear(20, 40))
        >>> float(triptych.linalg.matrix_norm(layer.weight, 2)) < 1.1
        True

    Source: Miyato et al. 2018, algorithm 1.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise parametrize.ParametrizationError(
            f"spectral_norm: {type(module).__name__} has no parameter {name!r}"
        )
    made = _SpectralNorm(weight, n_power_iterations, output_axis(module, dim), eps)
    return parametrize.register_parametrization(module, name, made)


def output_axis(module: Module, dim: int | None) -> int:
    """The axis of a weight that counts outputs, unless given."""
    if dim is not None:
        return dim
    return 1 if isinstance(module, _ConvNd) and module._transposed else 0
