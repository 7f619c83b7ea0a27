"""The von Mises distribution of angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..autograd.modes import no_grad
from ..ops.creation import full, zeros
from ..ops.pointwise import where
from ..ops.random import rand
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution

__all__ = ["VonMises"]


class VonMises(Distribution):
    """The normal distribution's counterpart on the circle, exp(concentration * cos(x - loc)) up to
    a factor. Draws lie within [-pi, pi).

    Args:
        loc: mean angle in radians.
        concentration: positive; zero would be uniform.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real,
        "concentration": constraints.positive,
    }
    support: Any = constraints.real
    loc: Tensor
    concentration: Tensor

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, loc=loc, concentration=concentration)

    @property
    def mean(self) -> Tensor:
        """The mean angle."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """The circular variance, from 0 to 1."""
        k = self.concentration
        return 1 - special.i1e(k) / special.i0e(k)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self.concentration
        turned = k * ((value - self.loc).cos() - 1)  # i0(k) = exp(k) i0e(k)
        return turned - math.log(2 * math.pi) - special.i0e(k).log()

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        """Draws by rejection from a wrapped Cauchy distribution.

        Source: D. Best and N. Fisher 1979, "Efficient simulation of the von Mises distribution".
        """
        with no_grad():
            shape = self._extended_shape(sample_shape)
            k = self.concentration.double().expand(*shape)
            offsets = _centred(k, shape, generator)
            turned = offsets + self.loc.double() + math.pi
            return (turned % (2 * math.pi) - math.pi).to(self.loc.dtype)


def _proposal_shape(k: Tensor) -> Tensor:
    """Best and Fisher's r; 1 / k + k for small k, where its formula would cancel."""
    root = 1 + (1 + 4 * k * k).sqrt()
    rho = (root - (2 * root).sqrt()) / (2 * k)
    return where(k < 1e-5, 1 / k + k, (1 + rho * rho) / (2 * rho))


def _centred(k: Tensor, shape: Sequence[int], generator: Any) -> Tensor:
    r = _proposal_shape(k)
    angles = zeros(*shape, dtype=dtypes.float64, device=k.device)
    done = full(tuple(shape), False, device=k.device)
    while not bool(done.all()):
        u = rand(3, *shape, dtype=dtypes.float64, device=k.device, generator=generator)
        z = (math.pi * u[0]).cos()
        f = (1 + r * z) / (r + z)
        c = k * (r - f)
        accepted = (c * (2 - c) > u[1]) | ((c / u[1]).log() + 1 >= c)
        found = (u[2] - 0.5).sign() * f.clamp(-1, 1).acos()
        angles = where(accepted & ~done, found, angles)
        done = done | accepted
    return angles
