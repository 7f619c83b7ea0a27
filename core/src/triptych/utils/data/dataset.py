"""Collections of samples, and ways to combine and split them."""

from __future__ import annotations

import bisect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from ...errors import BoundsError, ShapeError
from ...ops.random import randperm
from ...random import Generator
from ...tensor import Tensor
from .collate import default_collate

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A collection of samples by number. A subclass writes ``__getitem__`` and ``__len__``.

    Two more methods are used where there are any. ``__getitems__(indices)`` returns a list of
    samples, for datasets that fetch many at once faster than one by one. ``__getbatch__(indices)``
    returns what `default_collate` would make of these samples, and is used in its place. A subclass
    that defines ``__getitem__`` anew does without both, unless it defines them anew as well.

    Example:
        >>> class Squares(Dataset):
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, index):
        ...         return index * index
        >>> Squares()[3]
        9
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


def bulk_method(dataset: Any, name: str) -> Callable[[list[int]], Any] | None:
    """A method that fetches many samples at once; None if there is none that agrees with
    ``__getitem__``, because that was defined anew further down.
    """
    for kind in type(dataset).__mro__:
        if name in vars(kind):
            method: Callable[[list[int]], Any] = getattr(dataset, name)
            return method
        if "__getitem__" in vars(kind) or "__getitems__" in vars(kind):
            return None
    return None


class IterableDataset(Dataset[T_co]):
    """A stream of samples. A subclass writes ``__iter__``.

    With several workers each iterates over a copy of its own; to share the work out, ask
    `get_worker_info` in ``__iter__`` which part is this worker's.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other: Dataset[T_co]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Rows of tensors: sample i is the tuple of every tensor's row i.

    Args:
        tensors: each (n, ...), with the same n.

    Raises:
        ShapeError: there is no tensor, or the lengths differ.

    Example:
        >>> pairs = TensorDataset(triptych.arange(3), triptych.zeros(3, 2))
        >>> len(pairs), pairs[2][0].item()
        (3, 2)
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [t.shape[0] if t.ndim else None for t in tensors]
        if not tensors or None in lengths or len(set(lengths)) > 1:
            raise ShapeError(
                "TensorDataset: wanted tensors of one length along their first axis, got shapes "
                f"{[tuple(t.shape) for t in tensors]}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __getbatch__(self, indices: list[int]) -> list[Tensor]:
        return [t[indices] for t in self.tensors]

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample i holds every dataset's sample i.

    Args:
        datasets: by position, for samples that are tuples, or by name, for samples that are dicts.

    Raises:
        ValueError: none is given, both ways are mixed, or the lengths differ.
    """

    def __init__(self, *datasets: Dataset[Any], **named: Dataset[Any]) -> None:
        if bool(datasets) == bool(named):
            raise ValueError("StackDataset: give datasets either by position or by name")
        self.datasets: Any = datasets or named
        lengths = [len(d) for d in datasets or named.values()]  # type: ignore[arg-type]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: the datasets have different lengths, {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Datasets one after another.

    Args:
        datasets: at least one, each with a length.

    Raises:
        ValueError: there is none; TypeError: one is an `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: wanted at least one dataset")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no index; use ChainDataset")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> T_co:
        length = len(self)
        if not -length <= index < length:
            raise BoundsError(f"ConcatDataset: index {index} is outside a dataset of {length}")
        index %= length
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """Streams one after another.

    Args:
        datasets: `IterableDataset`s.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError(
                    f"ChainDataset: wanted IterableDatasets, got {type(dataset).__name__}; "
                    "use ConcatDataset"
                )

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset  # type: ignore[misc]

    def __len__(self) -> int:
        return sum(len(d) for d in self.datasets)  # type: ignore[misc,arg-type]


class Subset(Dataset[T_co]):
    """Some samples of a dataset.

    Args:
        dataset: the whole.
        indices: which samples, in which order.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        fetch = bulk_method(self.dataset, "__getitems__")
        return fetch(chosen) if fetch is not None else [self.dataset[i] for i in chosen]

    def __getbatch__(self, indices: list[int]) -> Any:
        fetch = bulk_method(self.dataset, "__getbatch__")
        if fetch is None:
            return default_collate(self.__getitems__(indices))
        return fetch([self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T_co],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[T_co]]:
    """Split a dataset at random into parts that do not overlap.

    Args:
        dataset: the whole, of length n.
        lengths: sizes that add up to n, or fractions that add up to 1; what rounding down leaves
            over goes one by one to the first parts.
        generator: draws the split; default: the default generator.

    Returns:
        A `Subset` per length.

    Raises:
        ValueError: the lengths do not add up, or a fraction is outside [0, 1].

    Example:
        >>> train, test = random_split(range(10), [0.8, 0.2])
        >>> len(train), len(test)
        (8, 2)
    """
    n = len(dataset)  # type: ignore[arg-type]
    sizes = _sizes(list(lengths), n)
    if sum(sizes) != n:
        raise ValueError(
            f"random_split: lengths {list(lengths)} add up to {sum(sizes)}, the dataset has {n}; "
            "give sizes that add up to it, or fractions that add up to 1"
        )
    order = randperm(n, generator=generator).tolist()
    ends = accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _sizes(lengths: list[int | float], n: int) -> list[int]:
    """The sizes of the parts; fractions are turned into them."""
    if not (math.isclose(sum(lengths), 1) and sum(lengths) <= 1):
        return [int(size) for size in lengths]
    for fraction in lengths:
        if not 0 <= fraction <= 1:
            raise ValueError(f"random_split: fractions are between 0 and 1, got {fraction}")
    sizes = [math.floor(n * fraction) for fraction in lengths]
    for i in range(n - sum(sizes)):
        sizes[i % len(sizes)] += 1
    for i, size in enumerate(sizes):
        if size == 0:
            warnings.warn(f"random_split: part {i} is empty", stacklevel=3)
    return sizes
