"""Affine maps, and rows looked up by number."""

from __future__ import annotations

from ... import dtypes
from ...autograd.modes import no_grad
from ...errors import BoundsError, ShapeError
from ...ops.creation import cast_to
from ...ops.linalg import einsum, matmul
from ...ops.reduce import norm
from ...prims import composite, create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor
from .arguments import check_range

__all__ = ["bilinear", "embedding", "linear", "one_hot"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias.

    Args:
        input: (..., d).
        weight: (o, d), or (d,) for a single output without an axis of its own.
        bias: (o,).

    Returns:
        (..., o).

    Raises:
        ShapeError: feature counts differ.
        DTypeError: dtypes differ.

    Example:
        >>> linear(ones(2, 3), ones(4, 3)).shape
        Size([2, 4])
    """
    if weight.ndim == 1:
        out = matmul(input, weight)
        return out if bias is None else ew.add(out, bias)
    if bias is None:
        return composite.linear(input, weight)
    if bias.ndim != 1:
        return ew.add(composite.linear(input, weight), bias)
    return composite.linear(input, weight, bias)


@computes_in("widest")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1 @ weight[k] @ x2 + bias[k] for every output k.

    Args:
        input1: (..., d1).
        input2: (..., d2), with the same leading axes.
        weight: (o, d1, d2).
        bias: (o,).

    Returns:
        (..., o).

    Raises:
        ShapeError: leading axes or feature counts differ.
    """
    fits = input1.shape[:-1] == input2.shape[:-1] and weight.ndim == 3
    if not fits or weight.shape[1:] != (input1.shape[-1], input2.shape[-1]):
        raise ShapeError(
            f"bilinear: inputs {tuple(input1.shape)} and {tuple(input2.shape)} want one lead and a "
            f"weight (out, {input1.shape[-1]}, {input2.shape[-1]}), got {tuple(weight.shape)}"
        )
    out = einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else ew.add(out, bias)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of a table, by number.

    Args:
        input: integers of any shape, 0 to v - 1.
        weight: (v, e) the table.
        padding_idx: a row that gets no gradient; negative counts from the end.
        max_norm: rows that are looked up and longer than this are shortened in the table first.
        norm_type: the p of that length.
        scale_grad_by_freq: divide a row's gradient by how often the row appears in input.
        sparse: accepted for torch's sake; gradients are dense.

    Returns:
        (*input.shape, e).

    Raises:
        BoundsError: an index or padding_idx is outside the table.
        DTypeError: input is not integer.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: wanted a weight (v, e), got {tuple(weight.shape)}")
    check_range("embedding", input, weight.shape[0])
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    rows = ix.index(weight, input, key=(Slot(0),))
    if scale_grad_by_freq:
        rows = by_frequency(rows, input, input, weight.shape[0])
    if padding_idx is None:
        return rows
    padding = _row_number(padding_idx, weight.shape[0])
    return ew.where(_column(ew.eq(input, padding)), rows.detach(), rows)


def _row_number(padding_idx: int, count: int) -> int:
    if not -count <= padding_idx < count:
        raise BoundsError(
            f"embedding: padding_idx {padding_idx} is outside a table of {count} rows"
        )
    return padding_idx % count


def _column(x: Tensor) -> Tensor:
    return mv.reshape(x, shape=(*x.shape, 1))


def _shorten(weight: Tensor, index: Tensor, max_norm: float, p: float) -> None:
    with no_grad():
        lengths = norm(weight, p, 1, True)
        used = ew.gt(_counts(index, weight.shape[0]), 0)
        long = ew.logical_and(ew.gt(lengths, max_norm), _column(used))
        scale = ew.div(max_norm, ew.add(lengths, 1e-7))  # torch's guard
        weight.copy_(ew.where(long, ew.mul(weight, scale), weight))


def _counts(index: Tensor, count: int) -> Tensor:
    flat = mv.reshape(index, shape=(index._data.size,))
    ones = ew.fill_like(flat, value=1)
    return ix.unindex(ones, flat, shape=(count,), key=(Slot(0),))


def by_frequency(rows: Tensor, index: Tensor, seen: Tensor, count: int) -> Tensor:
    """Rows whose gradients are divided by how often their numbers, index, are among those seen."""
    times = ix.index(_counts(seen, count), index, key=(Slot(0),))
    scaled = ew.div(rows, cast_to(_column(times), rows._data.dtype))
    return ew.add(rows.detach(), ew.sub(scaled, scaled.detach()))  # the value of rows, exactly


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Zeros with a one where the class is.

    Args:
        tensor: integers of any shape, 0 to num_classes - 1.
        num_classes: length of the new last axis; -1 for the largest class + 1.

    Returns:
        (*tensor.shape, num_classes) int64.

    Raises:
        BoundsError: a class is out of range.

    Example:
        >>> one_hot(tensor([1, 0]), 3).tolist()
        [[0, 1, 0], [1, 0, 0]]
    """
    if num_classes < 0:
        if not tensor._data.size:
            raise ShapeError(
                "one_hot: the number of classes cannot be read off no elements; give it"
            )
        num_classes = int(tensor.max()) + 1
    check_range("one_hot", tensor, num_classes)
    classes = create.arange(
        shape=(num_classes,), dtype=tensor._data.dtype, device=tensor.device, start=0, step=1
    )
    return ew.cast(ew.eq(_column(tensor), classes), dtype=dtypes.INT64)
