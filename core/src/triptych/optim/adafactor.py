"""Adafactor: second moments of matrices kept as one row and one column."""

from __future__ import annotations

from typing import Any

from ..dtypes import finfo
from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_options, count, rate, zeros_like_param

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adaptive steps in sublinear memory, relative to the size of the parameter.

    The squares of the gradient of a matrix (the last two axes) are remembered as running means of
    its rows and of its columns, whose outer product stands for the second moment.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: upper bound of the relative step, which falls as ``step ** -0.5``.
        beta2_decay: the moments of step t are kept to ``1 - t ** beta2_decay``.
        eps: smallest second moment (default: the machine epsilon), and least size of a parameter.
        d: updates whose root mean square is larger are scaled down to it.
        weight_decay: rate of the decoupled decay.
        foreach: accepted for compatibility; it changes nothing.
        maximize: climb instead.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.ones(4, 3).requires_grad_()
        >>> optimizer = Adafactor([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [tuple(optimizer.state[w][k].shape) for k in ("row_var", "col_var")]
        [(4, 1), (1, 3)]

    Source: Shazeer and Stern 2018, algorithm 4 and section 8.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_options("Adafactor", lr=lr, eps2=eps[1], weight_decay=weight_decay)
        if beta2_decay > 0:
            raise ValueError(f"Adafactor: beta2_decay should be at most 0, got {beta2_decay}")
        if eps[0] is not None:
            check_options("Adafactor", eps1=eps[0])
        if d < 1:
            raise ValueError(f"Adafactor: d should be at least 1, got {d}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        step, lr = count(p, grad, state, group), rate(p, group)
        small, least = group["eps"]
        small = finfo(p.dtype).eps if small is None else small
        size = _rms(p).clamp(min=least)
        relative = (p.new_tensor(1.0) * step**-0.5).clamp(max=lr)
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        moment = _moment(p, grad, state, step ** group["beta2_decay"], small)
        update = grad * moment.clamp(min=small**2).rsqrt()
        p.sub_(update * (size * relative / (_rms(update) / group["d"]).clamp(min=1)))


def _rms(x: Tensor) -> Tensor:
    mean: Tensor = (x * x).mean().sqrt()
    return mean


def _moment(p: Tensor, grad: Tensor, state: dict[str, Any], share: Any, small: float) -> Tensor:
    """The running mean of the squared gradient, of which the newest makes up `share`."""
    square = grad * grad
    if grad.ndim < 2:
        if "variance" not in state:
            state["variance"] = zeros_like_param(p)
        whole: Tensor = state["variance"].lerp_(square, share)
        return whole
    if "row_var" not in state:
        state["row_var"] = zeros_like_param(p[..., :1])
        state["col_var"] = zeros_like_param(p[..., :1, :])
    rows = state["row_var"].lerp_(square.mean(-1, keepdim=True), share)
    columns = state["col_var"].lerp_(square.mean(-2, keepdim=True), share)
    product: Tensor = rows * columns / rows.mean(-2, keepdim=True).clamp(min=small)
    return product
