"""Drop whole residual branches while training."""

from __future__ import annotations

import triptych as tp
from triptych import nn
from triptych.errors import DomainError

__all__ = ["StochasticDepth", "stochastic_depth"]

MODES = ("batch", "row")


def stochastic_depth(input: tp.Tensor, p: float, mode: str, training: bool = True) -> tp.Tensor:
    """Zero the whole input, or whole samples of it, at random, and scale the rest up.

    Args:
        input: (n, ...) output of a residual branch.
        p: probability of zeros, from 0 to 1.
        mode: "batch" for one draw, "row" for one for each of the n samples.
        training: False gives the input back.

    Returns:
        Same shape; what is kept is divided by 1 - p.

    Raises:
        DomainError: p is no probability, or there is no such mode.

    Source: Huang, Sun, Liu, Sedra and Weinberger 2016, section 3.
    """
    if not 0.0 <= p <= 1.0:
        raise DomainError(f"stochastic_depth: drop probability p is from 0 to 1, got {p}")
    if mode not in MODES:
        raise DomainError(f"stochastic_depth: mode is one of {MODES}, got {mode!r}")
    if not training or p == 0.0:
        return input
    size = [input.shape[0] if mode == "row" else 1] + [1] * (input.ndim - 1)
    kept = tp.empty(size, dtype=input.dtype, device=input.device).bernoulli_(1.0 - p)
    return input * (kept / (1.0 - p) if p < 1.0 else kept)


class StochasticDepth(nn.Module):
    """Layer of `stochastic_depth`.

    Args:
        p: probability of zeros, from 0 to 1.
        mode: "batch" or "row".

    Example:
        >>> StochasticDepth(0.5, "row").eval()(tp.ones(2, 3)).sum()
        tensor(6.)
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """Any shape (n, ...), to the same."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"p={self.p}, mode={self.mode}"
