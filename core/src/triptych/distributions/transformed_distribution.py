"""A distribution seen through transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..autograd.modes import no_grad
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from . import constraints
from .composed_transforms import ComposeTransform, sum_rightmost
from .distribution import Distribution
from .independent import Independent
from .transform import Transform

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of t(x) for x from a base distribution: the change of variables.

    Args:
        base_distribution: of x.
        transforms: one map, or several that are applied in order.

    Example:
        >>> log_normal = TransformedDistribution(Normal(0.0, 1.0), ExpTransform())
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    base_dist: Any

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise DTypeError(f"TransformedDistribution: wanted transforms, got {transforms!r}")
        base_shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        base_events = len(base_distribution.event_shape)
        whole = ComposeTransform(self.transforms)
        if len(base_shape) < whole.domain.event_dim:
            raise ShapeError(
                f"TransformedDistribution: {whole!r} maps events of {whole.domain.event_dim} dims, "
                f"the base distribution has the shape {base_shape}"
            )
        after = whole.forward_shape(base_shape)
        wanted = whole.inverse_shape(after)  # the maps may broadcast, or take batch dims as events
        if wanted != tuple(base_shape):
            cut = len(wanted) - base_events
            base_distribution = base_distribution.expand(wanted[:cut])
        raised = whole.domain.event_dim - base_events
        if raised > 0:
            base_distribution = Independent(base_distribution, raised)
        self.base_dist = base_distribution
        change = whole.codomain.event_dim - whole.domain.event_dim
        events = max(whole.codomain.event_dim, len(self.base_dist.event_shape) + change)
        cut = len(after) - events
        super().__init__(after[:cut], after[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base distribution has reparameterised draws."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Any:
        """Where the last map takes its values."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        missing = len(self.event_shape) - found.event_dim
        return constraints.independent(found, missing) if missing > 0 else found

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = type(self).__new__(type(self)) if _instance is None else _instance
        shape = (*batch_shape, *self.event_shape)
        for t in reversed(self.transforms):
            shape = t.inverse_shape(shape)
        cut = len(shape) - len(self.base_dist.event_shape)
        new.base_dist = self.base_dist.expand(shape[:cut])
        new.transforms = self.transforms
        new._validate_args = False
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            return self._mapped(self.base_dist.sample(sample_shape, generator))

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self._mapped(self.base_dist.rsample(sample_shape, generator))

    def _mapped(self, x: Tensor) -> Tensor:
        for t in self.transforms:
            x = t(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        dims, y = len(self.event_shape), value
        total: Any = 0.0
        for t in reversed(self.transforms):
            x = t.inv(y)
            dims += t.domain.event_dim - t.codomain.event_dim
            change = t.log_abs_det_jacobian(x, y)
            total = total - sum_rightmost(change, dims - t.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return total + sum_rightmost(base, dims - len(self.base_dist.event_shape))

    def _turned(self, probability: Tensor) -> Tensor:
        """1 - p where the maps are decreasing, p elsewhere."""
        sign: Any = 1
        for t in self.transforms:
            sign = sign * t.sign
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        for t in reversed(self.transforms):
            value = t.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._mapped(self.base_dist.icdf(self._turned(value)))
