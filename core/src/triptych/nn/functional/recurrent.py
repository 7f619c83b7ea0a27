"""Recurrent layers over all time steps at once, given the projected input.

They are what `nn.RNN`, `nn.LSTM` and `nn.GRU` run per layer and direction. The input side of the
gates is one product over all steps, made before; here only the state is multiplied step by step.
"""

from __future__ import annotations

from ...prims import recurrence
from ...tensor import Tensor

__all__ = ["gru_scan", "lstm_scan", "rnn_scan"]


def rnn_scan(gates: Tensor, weight: Tensor, h0: Tensor, *, relu: bool = False) -> Tensor:
    """The outputs of a simple recurrent layer.

    Args:
        gates: (t, n, h) the input times weight_ih, plus both biases.
        weight: (h, h) weight_hh.
        h0: (n, h) the state before the first step.
        relu: clip at zero instead of tanh.

    Returns:
        (t, n, h); the last one is the final state.

    Raises:
        ShapeError: lengths do not fit together.
    """
    return recurrence.rnn_scan(gates, weight, h0, relu=relu)[0]


def lstm_scan(
    gates: Tensor, weight: Tensor, h0: Tensor, c0: Tensor, projection: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The outputs and cells of an LSTM layer.

    Args:
        gates: (t, n, 4 h) the input times weight_ih, plus both biases, in the order i, f, g, o.
        weight: (4 h, p) weight_hh; p is h without a projection.
        h0: (n, p) the output before the first step.
        c0: (n, h) the cell before the first step.
        projection: (p, h) weight_hr, which maps outputs from h to p.

    Returns:
        Outputs (t, n, p) and cells (t, n, h); the last ones are the final state.

    Raises:
        ShapeError: lengths do not fit together.
    """
    extra = () if projection is None else (projection,)
    return recurrence.lstm_scan(gates, weight, h0, c0, *extra)


def gru_scan(gates: Tensor, weight: Tensor, h0: Tensor, bias: Tensor) -> Tensor:
    """The outputs of a GRU layer.

    Args:
        gates: (t, n, 3 h) the input times weight_ih, in the order r, z, n, plus both biases for r
            and z and the input's own for n.
        weight: (3 h, h) weight_hh.
        h0: (n, h) the state before the first step.
        bias: (h,) the part of bias_hh that the reset gate multiplies.

    Returns:
        (t, n, h); the last one is the final state.

    Raises:
        ShapeError: lengths do not fit together.
    """
    return recurrence.gru_scan(gates, weight, h0, bias)[0]
