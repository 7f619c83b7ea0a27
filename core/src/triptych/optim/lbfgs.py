"""L-BFGS: a quasi-Newton method for full batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.modes import enable_grad, no_grad
from ..errors import GradError
from ..ops.shape import cat
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, Params
from .rules import check_options

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS: directions from the last differences of parameters and gradients.

    One `step` runs up to max_iter iterations, each of which evaluates the closure once or, with a
    line search, several times. All parameters are in one group, and their state is kept as that of
    the first; it takes memory for ``2 * history_size`` copies of all parameters.

    Args:
        params: tensors; see `Optimizer`.
        lr: length of the step along the direction; where a line search begins.
        max_iter: iterations per step.
        max_eval: evaluations of the closure per step; default ``max_iter * 5 // 4``.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when neither parameters nor loss change by more.
        history_size: how many differences are kept.
        line_search_fn: None, or "strong_wolfe".

    Raises:
        ValueError: there are several groups, or an option is out of its range.

    Example:
        >>> w = triptych.tensor([3.0, -2.0], requires_grad=True)
        >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((w - 1) ** 4).sum()
        ...     loss.backward()
        ...     return loss
        >>> _ = optimizer.step(closure)
        >>> bool((w - 1).abs().max() < 0.1)
        True

    Source: Nocedal and Wright 2006, algorithms 7.4 and 7.5.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_options("LBFGS", lr=lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn should be None or 'strong_wolfe', got {line_search_fn!r}"
            )
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS: takes one group of parameters, got {len(self.param_groups)}")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run up to max_iter iterations.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned first.

        Raises:
            GradError: there is no closure.
        """
        if closure is None:
            raise GradError("LBFGS: step() needs a closure that computes the loss again")
        with no_grad():
            return _Run(self, closure).iterate()


class _Run:
    """One call of `LBFGS.step`."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any]) -> None:
        (self.group,) = optimizer.param_groups
        self.params: list[Tensor] = self.group["params"]
        self.closure, self.evaluations = closure, 0
        self.state = optimizer.state[self.params[0]]
        for key, start in (("func_evals", 0), ("n_iter", 0), ("H_diag", 1.0), ("d", None)):
            self.state.setdefault(key, start)
        for key in ("old_dirs", "old_stps", "ro"):
            self.state.setdefault(key, [])

    def iterate(self) -> Any:
        group, state = self.group, self.state
        returned = self.evaluate()
        loss, grad = float(returned), self.gradient()
        iteration = 0
        while not self.small(grad) and iteration < group["max_iter"]:
            iteration += 1
            state["n_iter"] += 1
            direction = self.direction(grad)
            start = Point(0.0, loss, grad, grad.dot(direction).item())
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            state["d"], state["t"] = direction, self.first_length(grad)
            if start.slope > -group["tolerance_change"]:
                break
            last = iteration == group["max_iter"]
            loss, grad = self.move(start, direction, last)
            if self.evaluations >= group["max_eval"] or self.stalled(loss):
                break
        return returned

    def evaluate(self) -> Any:
        self.evaluations += 1
        self.state["func_evals"] += 1
        with enable_grad():
            return self.closure()

    def gradient(self) -> Tensor:
        """All gradients end to end; zeros where a parameter has none."""
        found = [p.new_zeros(p.numel()) if p.grad is None else p.grad for p in self.params]
        flat: Tensor = cat([g.reshape(-1) for g in found], 0)
        return flat

    def small(self, grad: Tensor) -> bool:
        return bool(grad.abs().max() <= self.group["tolerance_grad"])

    def stalled(self, loss: float) -> bool:
        state, least = self.state, self.group["tolerance_change"]
        furthest = state["d"].abs().max().item() * state["t"]
        return furthest <= least or abs(loss - state["prev_loss"]) < least

    def first_length(self, grad: Tensor) -> float:
        lr = float(self.group["lr"])
        return min(1.0, 1.0 / grad.abs().sum().item()) * lr if self.state["n_iter"] == 1 else lr

    def direction(self, grad: Tensor) -> Tensor:
        """Minus the gradient, times the approximate inverse of the Hessian."""
        state = self.state
        if state["n_iter"] == 1:
            return grad.neg()
        self.remember(grad.sub(state["prev_flat_grad"]), state["d"].mul(state["t"]))
        pairs = list(zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True))
        direction, weights = grad.neg(), []
        for change, moved, inverse in reversed(pairs):
            weights.append((moved.dot(direction) * inverse).item())
            direction = direction.sub_(change * weights[-1])
        direction = direction.mul_(state["H_diag"])
        for (change, moved, inverse), weight in zip(pairs, reversed(weights), strict=True):
            direction = direction.add_(moved * (weight - (change.dot(direction) * inverse).item()))
        return direction

    def remember(self, change: Tensor, moved: Tensor) -> None:
        """Add a difference of gradients and of parameters, if the curvature between is positive."""
        state, curvature = self.state, change.dot(moved)
        if not curvature > 1e-10:
            return
        for key, value in (("old_dirs", change), ("old_stps", moved), ("ro", 1.0 / curvature)):
            state[key] = [*state[key], value][-self.group["history_size"] :]
        state["H_diag"] = curvature / change.dot(change)

    def move(self, start: Point, direction: Tensor, last: bool) -> tuple[float, Tensor]:
        """Go along the direction; gives the loss and the gradient there."""
        state, before = self.state, [p.clone() for p in self.params]
        if self.group["line_search_fn"] is None:
            self.place(before, direction, state["t"])
            if last:
                return start.loss, start.grad  # nobody asks for those of the last point
            return float(self.evaluate()), self.gradient()

        def at(t: float) -> Point:
            self.place(before, direction, t)
            loss, grad = float(self.evaluate()), self.gradient()
            return Point(t, loss, grad, grad.dot(direction).item())

        length, group = direction.abs().max().item(), self.group
        most = group["max_eval"] - self.evaluations
        point, _ = strong_wolfe(at, start, state["t"], length, group["tolerance_change"], most)
        self.place(before, direction, point.t)
        state["t"] = point.t
        return point.loss, point.grad

    def place(self, before: list[Tensor], direction: Tensor, t: float) -> None:
        """Set the parameters to what they were, plus t times the direction."""
        offset = 0
        for p, start in zip(self.params, before, strict=True):
            part = direction[offset : offset + p.numel()].reshape(p.shape)
            p.copy_(start + part * t)
            offset += p.numel()
