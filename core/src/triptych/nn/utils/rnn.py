"""Sequences of different lengths in one tensor: padded, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import as_tensor, full
from ...ops.shape import cat
from ...tensor import Tensor

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """Sequences laid side by side, step by step; made by `pack_padded_sequence`.

    Attributes:
        data: (all steps of all sequences, ...), first every first step, longest sequence first.
        batch_sizes: (t,) how many sequences are that long.
        sorted_indices: (n,) where each packed sequence stood in the batch; None if in this order.
        unsorted_indices: (n,) the inverse.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On another device or in another dtype; `batch_sizes` stays in main memory."""
        data = self.data.to(*args, **kwargs)
        orders = [None if s is None else s.to(data.device) for s in self[2:]]
        return PackedSequence(data, self.batch_sizes, *orders)

    def cpu(self) -> PackedSequence:
        """In main memory."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> PackedSequence:
        """On a CUDA device."""
        return self.to("cuda" if device is None else device)

    def _as(self, dtype: Any) -> PackedSequence:
        return self._replace(data=self.data.to(dtype=dtype))

    def double(self) -> PackedSequence:
        """With data in float64."""
        return self._as(dtypes.float64)

    def float(self) -> PackedSequence:
        """With data in float32."""
        return self._as(dtypes.float32)

    def half(self) -> PackedSequence:
        """With data in float16."""
        return self._as(dtypes.float16)

    def long(self) -> PackedSequence:
        """With data in int64."""
        return self._as(dtypes.int64)

    def int(self) -> PackedSequence:
        """With data in int32."""
        return self._as(dtypes.int32)

    @property
    def is_cuda(self) -> bool:
        """Whether the data are on a CUDA device."""
        return self.data.device.type == "cuda"

    def pin_memory(self) -> PackedSequence:
        """Itself; here for code written for torch."""
        return self

    def is_pinned(self) -> bool:
        """False; memory is not pinned."""
        return False


def _places(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The step and the sequence of every row of packed data."""
    steps = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum(sizes) - sizes
    return steps, np.arange(int(sizes.sum())) - starts[steps]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding out.

    Args:
        input: (t, n, ...), or (n, t, ...) with batch_first.
        lengths: (n,) of each sequence, from 1 to t.
        batch_first: see input.
        enforce_sorted: insist that lengths fall; False sorts, and remembers the order.

    Raises:
        ShapeError: lengths do not fit, or are not sorted.

    Example:
        >>> packed = pack_padded_sequence(triptych.zeros(4, 2, 3), [4, 2])
        >>> packed.data.shape, packed.batch_sizes.tolist()
        (Size([6, 3]), [2, 2, 1, 1])
    """
    x: Any = input.transpose(0, 1) if batch_first else input
    sizes = np.asarray(lengths.cpu().numpy() if isinstance(lengths, Tensor) else lengths, np.int64)
    if sizes.shape != x.shape[1:2] or sizes.min() < 1 or sizes.max() > x.shape[0]:
        raise ShapeError(
            f"pack_padded_sequence: wanted {x.shape[1]} lengths from 1 to {x.shape[0]}, got "
            f"{sizes.tolist()}"
        )
    falling = bool((np.diff(sizes) <= 0).all())
    if enforce_sorted and not falling:
        raise ShapeError(
            f"pack_padded_sequence: lengths {sizes.tolist()} do not fall; sort the batch, or pass "
            "enforce_sorted=False"
        )
    order = None if enforce_sorted else np.argsort(-sizes, kind="stable")
    if order is not None:
        x, sizes = x.index_select(1, as_tensor(order, device=x.device)), sizes[order]
    batch_sizes = (sizes[None] > np.arange(sizes.max())[:, None]).sum(1)
    steps, rows = (as_tensor(p, device=x.device) for p in _places(batch_sizes))
    data = x[steps, rows]
    if order is None:
        return PackedSequence(data, as_tensor(batch_sizes))
    orders = [as_tensor(o, device=x.device) for o in (order, np.argsort(order))]
    return PackedSequence(data, as_tensor(batch_sizes), *orders)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`.

    Args:
        sequence: what was packed.
        batch_first: give (n, t, ...) rather than (t, n, ...).
        padding_value: what to fill up with.
        total_length: t; default the longest length.

    Returns:
        The padded tensor and the lengths (n,), in the original order.

    Raises:
        ShapeError: total_length is too short.
    """
    sizes: np.ndarray = sequence.batch_sizes.numpy()
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ShapeError(
            f"pad_packed_sequence: total_length {total_length} is shorter than the longest, "
            f"{longest}"
        )
    data = sequence.data
    shape = (total_length or longest, int(sizes[0]), *data.shape[1:])
    steps, rows = (as_tensor(p, device=data.device) for p in _places(sizes))
    out = full(shape, padding_value, dtype=data.dtype, device=data.device)
    out = out.index_put((steps, rows), data)
    lengths: Any = as_tensor((sizes[:, None] > np.arange(shape[1])).sum(0))
    if sequence.unsorted_indices is not None:
        out = out.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return (out.transpose(0, 1) if batch_first else out), lengths


def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (t_i, ...) as one tensor (t, n, ...), or (n, t, ...) with batch_first.

    Args:
        sequences: alike but for their first dim.
        batch_first: put the batch first.
        padding_value: what to fill up with.
        padding_side: "right" or "left".

    Raises:
        ShapeError: no sequences, shapes differ after the first dim, or no such side.

    Example:
        >>> pad_sequence([triptych.ones(2), triptych.ones(3)], batch_first=True)
        tensor([[1., 1., 0.],
                [1., 1., 1.]])
    """
    sequences = list(sequences)
    if not sequences or padding_side not in ("left", "right"):
        raise ShapeError(
            "pad_sequence: wanted a non-empty list of tensors and padding_side 'left' or "
            "'right', got "
            f"{len(sequences)} tensors and {padding_side!r}"
        )
    rest = sequences[0].shape[1:]
    if any(s.shape[1:] != rest for s in sequences):
        raise ShapeError(
            "pad_sequence: shapes differ after the first dim: "
            f"{sorted({tuple(s.shape) for s in sequences})}"
        )
    longest = max(s.shape[0] for s in sequences)
    rows = []
    for s in sequences:
        filler = s.new_full((longest - s.shape[0], *rest), padding_value)
        pair = [s, filler] if padding_side == "right" else [filler, s]
        rows.append(cat(pair).unsqueeze(0 if batch_first else 1))
    return cat(rows, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Undo `pad_sequence`: the sequences, each with its own length."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(x, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """`pad_sequence` and `pack_padded_sequence` in one."""
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`: the sequences, each with its own length, in their first order.

    Example:
        >>> packed = pack_sequence([triptych.ones(2), triptych.zeros(3)], enforce_sorted=False)
        >>> [len(s) for s in unpack_sequence(packed)]
        [2, 3]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
