"""A softmax for many classes, few of which are frequent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import BoundsError, ShapeError
from ...ops.creation import zeros
from ...ops.pointwise import where
from ...ops.shape import cat
from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .container import ModuleList, Sequential
from .linear import Linear

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class Scored(NamedTuple):
    """Attributes:
    output: (n,) log probability of each target.
    loss: their mean, negated.
    """

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log probabilities of classes sorted by frequency: the frequent ones stand in the head, the
    others in clusters that are looked into only when needed.

    Args:
        in_features: d.
        n_classes: c.
        cutoffs: rising class numbers at which clusters start.
        div_value: each cluster works on div_value times fewer features than the one before.
        head_bias: learn a shift in the head.
        device, dtype: of the parameters.

    Attributes:
        head: `Linear` to the frequent classes and one number per cluster.
        tail: for each cluster two `Linear` without bias.

    Raises:
        ShapeError: cutoffs do not rise from 1 to n_classes - 1.

    Example:
        >>> layer = AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
        >>> layer(triptych.randn(4, 8), triptych.tensor([0, 6, 12, 19])).output.shape
        Size([4])

    Source: Grave et al. 2017, section 4.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        bounds = [*cutoffs]
        rising = bounds == sorted(set(bounds)) and all(int(c) == c for c in bounds)
        if not bounds or not rising or bounds[0] < 1 or bounds[-1] > n_classes - 1:
            raise ShapeError(
                "AdaptiveLogSoftmaxWithLoss: wanted cutoffs that rise from 1 or more to at most "
                f"{n_classes - 1}, got {bounds}"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs, self.div_value, self.head_bias = [*bounds, n_classes], div_value, head_bias
        self.shortlist_size, self.n_clusters = bounds[0], len(bounds)
        self.head_size = self.shortlist_size + self.n_clusters
        where_ = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **where_)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            parts = (
                Linear(in_features, width, False, **where_),
                Linear(width, size, False, **where_),
            )
            self.tail.append(Sequential(*parts))

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        self.head.reset_parameters()
        for pair in self.tail:
            for layer in pair:  # type: ignore[attr-defined]
                layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> Scored:
        """The log probability of each target, and the loss.

        Args:
            input: (n, d) or (d,).
            target: (n,) or () class numbers.

        Raises:
            ShapeError: shapes do not fit.
            BoundsError: a target is no class.
        """
        if target.ndim > 1 or input.ndim != target.ndim + 1:
            raise ShapeError(
                "AdaptiveLogSoftmaxWithLoss: wanted input (n, d) and target (n,), or (d,) and (), "
                f"got {tuple(input.shape)} and {tuple(target.shape)}"
            )
        x: Any = input if target.ndim else input.unsqueeze(0)
        goal: Any = target if target.ndim else target.unsqueeze(0)
        if x.shape[0] != goal.shape[0]:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: {x.shape[0]} inputs, but {goal.shape[0]} targets"
            )
        self._check(goal)
        head = F.log_softmax(self.head(x), 1)
        place = goal.clamp(max=self.shortlist_size - 1)
        output: Any = zeros(goal.shape[0], dtype=head.dtype, device=head.device)
        for i, cluster in enumerate(self.tail):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            inside = (goal >= low) & (goal < high)
            rows = inside.nonzero().reshape(-1)
            place = where(inside, self.shortlist_size + i, place)
            if rows.numel():
                scores = F.log_softmax(cluster(x.index_select(0, rows)), 1)
                found = scores.gather(1, (goal[rows] - low).unsqueeze(1)).squeeze(1)
                output = output.index_copy(0, rows, found)
        output = output + head.gather(1, place.unsqueeze(1)).squeeze(1)
        loss = -output.mean()
        return Scored(output if target.ndim else output.squeeze(0), loss)

    def _check(self, goal: Any) -> None:
        if goal.numel() and (int(goal.min()) < 0 or int(goal.max()) >= self.n_classes):
            raise BoundsError(
                f"AdaptiveLogSoftmaxWithLoss: wanted targets from 0 to {self.n_classes - 1}, got "
                f"{int(goal.min())} to {int(goal.max())}"
            )

    def log_prob(self, input: Tensor) -> Tensor:
        """(n, c) log probabilities of all classes, for (n, d)."""
        return self._all(input, F.log_softmax(self.head(input), 1))

    def _all(self, input: Tensor, head: Any) -> Tensor:
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            column = self.shortlist_size + i
            parts.append(F.log_softmax(cluster(input), 1) + head[:, column : column + 1])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """(n,) the most probable class of each row of (n, d)."""
        return self.log_prob(input).argmax(1)
