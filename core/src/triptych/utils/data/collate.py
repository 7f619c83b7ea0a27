"""From a list of samples to one batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ...dtypes import float64
from ...errors import DTypeError, ShapeError
from ...ops.creation import from_numpy, tensor
from ...ops.shape import stack
from ...tensor import Tensor

__all__ = ["default_collate", "default_convert"]

Path = tuple[str, ...]


def default_collate(batch: Sequence[Any]) -> Any:
    """Put samples of the same structure into one batch with a new first axis.

    Args:
        batch: samples. Tensors and NumPy arrays are stacked, numbers become a tensor (floats
            float64), strings and bytes stay a list; in dicts, tuples, named tuples and lists each
            element is collated for itself.

    Returns:
        The structure of one sample; a plain tuple becomes a list, as in torch.

    Raises:
        ShapeError: samples differ in shape or length; the text names the element and the shapes.
        DTypeError: an element is of a type that no batch can be made of.

    Example:
        >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
        {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    if not len(batch):
        raise ShapeError("default_collate: wanted at least one sample, got an empty batch")
    return _collate(list(batch), ())


def _collate(batch: list[Any], path: Path) -> Any:
    first = batch[0]
    for kinds, rule in _RULES:
        if isinstance(first, kinds):
            return rule(batch, path)
    raise DTypeError(
        f"default_collate: cannot make a batch of {type(first).__name__}{_where(path)}; return "
        "tensors, NumPy arrays, numbers, strings, or dicts, tuples and lists of them, or pass "
        "collate_fn"
    )


def _where(path: Path) -> str:
    return f" (element sample{''.join(path)})" if path else ""


def _tensors(batch: list[Any], path: Path) -> Tensor:
    _same_shapes(batch, path)
    return stack(batch)


def _arrays(batch: list[Any], path: Path) -> Tensor:
    _same_shapes(batch, path)
    if batch[0].dtype.kind in "OSUVM":
        raise DTypeError(
            f"default_collate: no tensor holds NumPy elements of type {batch[0].dtype}"
            f"{_where(path)}; convert them to numbers, or to Python strings"
        )
    return from_numpy(np.stack(batch))


def _same_shapes(batch: list[Any], path: Path) -> None:
    wanted = tuple(batch[0].shape)
    for i, sample in enumerate(batch):
        shape = getattr(sample, "shape", None)
        if shape is None:
            _differ(batch, i, path)
        if tuple(shape) != wanted:
            raise ShapeError(
                f"default_collate: samples differ in shape{_where(path)}: sample 0 of the batch "
                f"has {wanted}, sample {i} has {tuple(shape)}; crop, resize or pad them to one "
                "shape, or pass a collate_fn that does"
            )


def _differ(batch: list[Any], i: int, path: Path) -> NoReturn:
    raise DTypeError(
        f"default_collate: samples differ in type{_where(path)}: sample 0 of the batch "
        f"is {type(batch[0]).__name__}, sample {i} is {type(batch[i]).__name__}"
    )


def _numbers(batch: list[Any], path: Path) -> Tensor:
    for i, x in enumerate(batch):
        if not isinstance(x, (bool, int, float, complex, np.generic)):
            _differ(batch, i, path)
    floats = isinstance(batch[0], float) and not isinstance(batch[0], np.generic)
    return tensor(batch, dtype=float64 if floats else None)


def _scalars(batch: list[Any], path: Path) -> Tensor:
    return _arrays([np.asarray(x) for x in batch], path)


def _mapping(batch: list[Any], path: Path) -> Any:
    first = batch[0]
    for i, sample in enumerate(batch):
        missing = [k for k in first if k not in sample] if isinstance(sample, Mapping) else None
        if missing is None:
            _differ(batch, i, path)
        if missing:
            raise ShapeError(
                f"default_collate: sample {i} of the batch lacks the keys {missing}{_where(path)}"
            )
    made = {k: _collate([s[k] for s in batch], (*path, f"[{k!r}]")) for k in first}
    return made if type(first) is dict else _like_mapping(first, made)


def _like_mapping(first: Any, made: dict[Any, Any]) -> Any:
    try:
        if isinstance(first, MutableMapping):
            out = copy.copy(first)  # keeps what a subclass knows besides its items
            out.update(made)
            return out
        return type(first)(made)
    except TypeError:  # a mapping that is not made from a dict
        return made


def _columns(batch: list[Any], path: Path, names: Sequence[str] | None = None) -> list[Any]:
    length = len(batch[0])
    for i, sample in enumerate(batch):
        if not isinstance(sample, Sequence):
            _differ(batch, i, path)
        if len(sample) != length:
            raise ShapeError(
                f"default_collate: samples differ in length{_where(path)}: sample 0 of the batch "
                f"has {length} elements, sample {i} has {len(sample)}; pad them, or pass a "
                "collate_fn that does"
            )
    steps = [f"[{i}]" for i in range(length)] if names is None else [f".{n}" for n in names]
    columns = zip(*batch, strict=True)
    return [_collate(list(c), (*path, s)) for c, s in zip(columns, steps, strict=True)]


def _tuples(batch: list[Any], path: Path) -> Any:
    fields = getattr(batch[0], "_fields", None)
    columns = _columns(batch, path, fields)
    return columns if fields is None else type(batch[0])(*columns)


def _sequences(batch: list[Any], path: Path) -> Any:
    columns = _columns(batch, path)
    if type(batch[0]) is list:
        return columns
    try:
        return type(batch[0])(columns)
    except TypeError:  # a sequence that is not made from a list, such as a range
        return columns


def _kept(batch: list[Any], path: Path) -> list[Any]:
    return batch


_RULES: tuple[tuple[Any, Callable[[list[Any], Path], Any]], ...] = (
    (Tensor, _tensors),
    (np.ndarray, _arrays),
    ((str, bytes), _kept),
    (np.generic, _scalars),
    ((bool, int, float, complex), _numbers),
    (Mapping, _mapping),
    (tuple, _tuples),
    (Sequence, _sequences),
)


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays and scalars in a structure into tensors; leave the rest as it is.

    What a `DataLoader` with ``batch_size=None`` applies to each sample.

    Example:
        >>> import numpy
        >>> default_convert({"x": numpy.zeros(2), "name": "a"})
        {'x': tensor([0., 0.], dtype=triptych.float64), 'name': 'a'}
    """
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "OSUVM" else from_numpy(np.asarray(data))
    if isinstance(data, Mapping):
        made = {k: default_convert(v) for k, v in data.items()}
        return made if type(data) is dict else _like_mapping(data, made)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(v) for v in data))
    if isinstance(data, (tuple, list)):
        converted = [default_convert(v) for v in data]
        return converted if isinstance(data, tuple) else type(data)(converted)
    return data
