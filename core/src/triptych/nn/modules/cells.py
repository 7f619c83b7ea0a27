"""Single steps of the recurrent layers in `rnn`."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...ops.creation import empty, zeros
from ...tensor import Tensor
from ..parameter import Parameter
from .rnn import GRURecurrence, LSTMRecurrence, Recurrence, States, given_states

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Recurrence):
    """One step of a recurrence: what `RNNCell`, `LSTMCell` and `GRUCell` derive from."""

    def _build(
        self, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: Any
    ) -> None:
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        size = self._num_gates * hidden_size
        shapes = {"weight_ih": (size, input_size), "weight_hh": (size, hidden_size)}
        for name, shape in shapes.items():
            self.register_parameter(name, Parameter(empty(*shape, device=device, dtype=dtype)))
        for name in ("bias_ih", "bias_hh"):
            param = Parameter(empty(size, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, param)
        self.reset_parameters()

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """One step.

        Args:
            input: (n, d) or (d,).
            hx: the state before, (n, h) or (h,), for an LSTM a pair; default zeros.

        Returns:
            The state after, shaped as hx.

        Raises:
            ShapeError: input or hx do not fit.
        """
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: wanted input (n, {self.input_size}) or "
                f"({self.input_size},), "
                f"got {tuple(input.shape)}"
            )
        x = input.reshape(1, -1, self.input_size)
        states = self._starting(hx, input, x.shape[1])
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        _, sequences = self._scan(x, states, weights)
        after = [s[0] if input.ndim == 2 else s[0, 0] for s in sequences]
        return after[0] if self._num_states == 1 else tuple(after)

    def _starting(self, hx: Any, input: Tensor, n: int) -> States:
        if hx is None:
            state = zeros(n, self.hidden_size, dtype=input.dtype, device=input.device)
            return [state] * self._num_states
        given = given_states(type(self).__name__, hx, self._num_states)
        wanted = (*input.shape[:-1], self.hidden_size)
        if any(tuple(s.shape) != wanted for s in given):
            raise ShapeError(
                f"{type(self).__name__}: wanted {self._num_states} state(s) of shape {wanted}, got "
                f"{[tuple(s.shape) for s in given]}"
            )
        return [s.reshape(n, self.hidden_size) for s in given]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an `RNN` layer.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: (h, d), (h, h), (h,), (h,), uniform within ±1/√h.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set_nonlinearity(nonlinearity)
        self._build(input_size, hidden_size, bias, device, dtype)


class LSTMCell(LSTMRecurrence, RNNCellBase):
    """One step of an `LSTM` layer; takes and gives a pair (h, c).

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: (4 h, d), (4 h, h), (4 h,), (4 h,).

    Example:
        >>> h, c = LSTMCell(3, 5)(triptych.zeros(2, 3))
        >>> h.shape, c.shape
        (Size([2, 5]), Size([2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(input_size, hidden_size, bias, device, dtype)


class GRUCell(GRURecurrence, RNNCellBase):
    """One step of a `GRU` layer.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: (3 h, d), (3 h, h), (3 h,), (3 h,).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(input_size, hidden_size, bias, device, dtype)
