"""Recurrent layers over sequences; their single-step cells are in `cells`."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from ...errors import DTypeError, ShapeError, UnknownNameError
from ...ops.creation import arange, empty, zeros
from ...ops.pointwise import where
from ...ops.shape import cat, stack
from ...prims.recurrence import gru_scan, lstm_scan, rnn_scan
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..module import Module
from ..parameter import Parameter
from ..utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

States = list[Any]  # h, and c for an LSTM


class Recurrence(Module):
    """One kind of recurrence: how many gates and states it has, and how a layer of it runs."""

    _num_gates: ClassVar[int] = 1
    _num_states: ClassVar[int] = 1
    nonlinearity: str
    hidden_size: int

    def _scan(self, x: Tensor, states: States, weights: list[Any]) -> tuple[Tensor, States]:
        """All outputs of a layer in one direction, and a sequence (t, n, ...) per state."""
        w_ih, w_hh, b_ih, b_hh = weights[:4]
        gates = F.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
        outputs, _ = rnn_scan(gates, w_hh, states[0], relu=self.nonlinearity == "relu")
        return outputs, [outputs]

    def _set_nonlinearity(self, nonlinearity: str) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise UnknownNameError(
                f"{type(self).__name__}: nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}"
            )
        self.nonlinearity = nonlinearity

    def reset_parameters(self) -> None:
        """Draw new starting values, uniform within ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for param in self.parameters():
            init.uniform_(param, -bound, bound)


class LSTMRecurrence(Recurrence):
    """Four gates, and a cell state beside h."""

    _num_gates, _num_states = 4, 2

    def _scan(self, x: Tensor, states: States, weights: list[Any]) -> tuple[Tensor, States]:
        w_ih, w_hh, b_ih, b_hh, *projection = weights
        gates = F.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
        outputs, cells = lstm_scan(gates, w_hh, *states, *projection)
        return outputs, [outputs, cells]


class GRURecurrence(Recurrence):
    """Three gates; the reset gate multiplies after the product."""

    _num_gates = 3

    def _scan(self, x: Tensor, states: States, weights: list[Any]) -> tuple[Tensor, States]:
        w_ih, w_hh, b_ih, b_hh = weights[:4]
        h = self.hidden_size
        if b_ih is None:
            bias, inner = None, zeros(h, dtype=w_ih.dtype, device=w_ih.device)
        else:
            bias, inner = cat([b_ih[: 2 * h] + b_hh[: 2 * h], b_ih[2 * h :]]), b_hh[2 * h :]
        outputs, _ = gru_scan(F.linear(x, w_ih, bias), w_hh, states[0], inner)
        return outputs, [outputs]


def given_states(name: str, hx: Any, count: int) -> list[Any]:
    """The states a caller passed: one tensor, or for an LSTM the pair (h, c).

    Raises:
        DTypeError: something else came.
    """
    if count == 1 and isinstance(hx, Tensor):
        return [hx]
    if count > 1 and isinstance(hx, (tuple, list)) and len(hx) == count:
        return list(hx)
    wanted = "one tensor h" if count == 1 else "a pair of tensors (h, c)"
    came = f"{type(hx).__name__} of {len(hx)}" if hasattr(hx, "__len__") else type(hx).__name__
    raise DTypeError(f"{name}: wanted the states to start from as {wanted}, got a {came}")


class RNNBase(Recurrence):
    """Layers of a recurrence over whole sequences: what `RNN`, `LSTM` and `GRU` derive from."""

    def _build(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: Any,
        dtype: Any,
        proj_size: int = 0,
    ) -> None:
        name = type(self).__name__
        if hidden_size <= 0 or num_layers <= 0 or not 0 <= proj_size < hidden_size:
            raise ShapeError(
                f"{name}: wanted hidden_size > proj_size >= 0 and num_layers > 0, got "
                f"hidden_size={hidden_size}, proj_size={proj_size}, num_layers={num_layers}"
            )
        if not 0 <= dropout <= 1:
            raise ShapeError(f"{name}: dropout is a probability from 0 to 1, got {dropout}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} has no effect with one layer; it acts between layers",
                stacklevel=3,
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._create(device, dtype)
        self.reset_parameters()

    def _create(self, device: Any, dtype: Any) -> None:
        size, given = self._num_gates * self.hidden_size, self.proj_size or self.hidden_size
        for layer in range(self.num_layers):
            width = given * self._directions if layer else self.input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (size, width),
                "weight_hh": (size, given),
            }
            if self.bias:
                shapes |= {"bias_ih": (size,), "bias_hh": (size,)}
            if self.proj_size:
                shapes["weight_hr"] = (self.proj_size, self.hidden_size)
            for suffix in ("", "_reverse")[: self._directions]:
                for kind, shape in shapes.items():
                    param = Parameter(empty(*shape, device=device, dtype=dtype))
                    self.register_parameter(f"{kind}_l{layer}{suffix}", param)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _weights(self, layer: int, direction: int) -> list[Any]:
        suffix = f"_l{layer}{'_reverse' if direction else ''}"
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + ["weight_hr"] * bool(
            self.proj_size
        )
        return [self._parameters.get(name + suffix) for name in names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        pairs = [(la, d) for la in range(self.num_layers) for d in range(self._directions)]
        return [[w for w in self._weights(*pair) if w is not None] for pair in pairs]

    def flatten_parameters(self) -> None:
        """Does nothing; here for code written for torch."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Run over sequences.

        Args:
            input: (t, n, d), with `batch_first` (n, t, d), unbatched (t, d), or a `PackedSequence`.
            hx: the states to start from, (layers · directions, n, h) each; default zeros.

        Returns:
            The outputs of the last layer, shaped as the input, with directions side by side in the
            last dim; and the last states, shaped as hx.

        Raises:
            ShapeError: input or hx do not fit.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ShapeError(
                f"{type(self).__name__}: wanted 2 or 3 dims, got input {tuple(input.shape)}"
            )
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        x = x.transpose(0, 1) if batched and self.batch_first else x
        states = self._initial(hx, x, batched)
        out, last = self._run(x, states, None)
        if not batched:
            return out.squeeze(1), self._packed_states([s.squeeze(1) for s in last])
        return (out.transpose(0, 1) if self.batch_first else out), self._packed_states(last)

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> tuple[Any, Any]:
        x, lengths = pad_packed_sequence(
            packed._replace(sorted_indices=None, unsorted_indices=None)
        )
        states = self._initial(hx, x, True)
        if packed.sorted_indices is not None:
            states = [s.index_select(1, packed.sorted_indices) for s in states]
        out, last = self._run(x, states, lengths.to(x.device))
        again = pack_padded_sequence(out, lengths)
        if packed.unsorted_indices is not None:
            last = [s.index_select(1, packed.unsorted_indices) for s in last]
        kept = packed._replace(data=again.data)
        return kept, self._packed_states(last)

    def _packed_states(self, states: list[Tensor]) -> Any:
        return states[0] if self._num_states == 1 else tuple(states)

    def _initial(self, hx: Any, x: Tensor, batched: bool) -> States:
        """The starting states (layers · directions, n, ...)."""
        name = type(self).__name__
        if x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: wanted input with {self.input_size} features, got {x.shape[-1]} "
                f"(batch_first is {self.batch_first})"
            )
        rows, n = self.num_layers * self._directions, x.shape[1]
        wanted = [(rows, n, self.proj_size or self.hidden_size), (rows, n, self.hidden_size)]
        wanted = wanted[: self._num_states]
        if hx is None:
            return [zeros(*shape, dtype=x.dtype, device=x.device) for shape in wanted]
        given = given_states(name, hx, self._num_states)
        states = [s if batched else s.unsqueeze(1) for s in given]
        if [tuple(s.shape) for s in states] != wanted:
            raise ShapeError(
                f"{name}: wanted states of shapes {wanted}, got {[tuple(s.shape) for s in given]}"
            )
        return states

    def _run(self, x: Any, states: States, lengths: Tensor | None) -> tuple[Tensor, States]:
        last: list[list[Tensor]] = [[] for _ in states]
        order = None if lengths is None else _reversal(lengths, x.shape[0])
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            outs = []
            for direction in range(self._directions):
                row = layer * self._directions + direction
                given = _reversed(x, order) if direction else x
                start = [s[row] for s in states]
                out, sequences = self._scan(given, start, self._weights(layer, direction))
                outs.append(_reversed(out, order) if direction else out)
                for kept, sequence in zip(last, sequences, strict=True):
                    kept.append(_final(sequence, lengths))
            x = outs[0] if len(outs) == 1 else cat(outs, -1)
        return x, [stack(kept) for kept in last]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        for name, default in (defaults | {"dropout": 0.0, "bidirectional": False}).items():
            value = getattr(self, name)
            text += "" if value == default else f", {name}={value}"
        return text


def _reversal(lengths: Any, steps: int) -> tuple[Tensor, Tensor]:
    """Index that turns each sequence around within its length and leaves the padding."""
    t = arange(steps, device=lengths.device).unsqueeze(1)
    rows = where(t < lengths, lengths - 1 - t, t)
    return rows, arange(lengths.shape[0], device=lengths.device)


def _reversed(x: Any, order: tuple[Tensor, Tensor] | None) -> Tensor:
    return x.flip(0) if order is None else x[order]


def _final(sequence: Any, lengths: Any) -> Tensor:
    if lengths is None:
        return sequence[-1]
    return sequence[lengths - 1, arange(lengths.shape[0], device=lengths.device)]


class RNN(RNNBase):
    """Elman network: h = tanh(W_ih x + b_ih + W_hh h + b_hh) at every step.

    Args:
        input_size: d, features of the input.
        hidden_size: h, features of the state.
        num_layers: each layer runs over the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: learn b_ih and b_hh.
        batch_first: sequences are (n, t, d) rather than (t, n, d); states stay as they are.
        dropout: probability of zeros between layers in training.
        bidirectional: a second set of weights runs backwards; outputs are side by side.
        device, dtype: of the parameters.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0: of layer 0, and so on; those of the
            backward direction end in _reverse. Uniform within ±1/√h at first.

    Example:
        >>> out, h = RNN(3, 5)(triptych.zeros(7, 2, 3))
        >>> out.shape, h.shape
        (Size([7, 2, 5]), Size([1, 2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set_nonlinearity(nonlinearity)
        self._build(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
        )


class LSTM(LSTMRecurrence, RNNBase):
    """Long short-term memory.

    Called with sequences and, optionally, a pair of states (h, c); gives the outputs and the pair
    of last states.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device,
            dtype: as for `RNN`.
        proj_size: p, project the state that is given out to this many features; 0 does not.

    Attributes:
        weight_ih_l0: (4 h, d) for the input, forget, cell and output gates, and so on.
        weight_hr_l0: (p, h), with a projection.

    Example:
        >>> out, (h, c) = LSTM(3, 5, num_layers=2, batch_first=True)(triptych.zeros(2, 7, 3))
        >>> out.shape, h.shape, c.shape
        (Size([2, 7, 5]), Size([2, 2, 5]), Size([2, 2, 5]))

    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000; projection: Sak et al. 2014.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            proj_size,
        )


class GRU(GRURecurrence, RNNBase):
    """Gated recurrent unit; arguments as for `RNN`, without nonlinearity.

    Attributes:
        weight_ih_l0: (3 h, d) for the reset, update and new gates, and so on.

    Source: Cho et al. 2014, in the form where the reset gate multiplies after the product.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
        )
