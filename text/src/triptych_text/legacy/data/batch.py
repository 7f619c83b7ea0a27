"""Examples of a batch as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["Batch"]


class Batch:
    """A tensor for each field, as attributes.

    Args:
        data: the examples.
        dataset: says which fields there are.
        device: where tensors go.

    Attributes:
        batch_size: number of examples.
        input_fields: names of the fields that are no targets.
        target_fields: names of those that are.
    """

    def __init__(
        self, data: Sequence[Any] | None = None, dataset: Any = None, device: Any = None
    ) -> None:
        self.batch_size, self.dataset = len(data or ()), dataset
        self.fields: list[str] = []
        self.input_fields: list[str] = []
        self.target_fields: list[str] = []
        if data is None or dataset is None:
            return
        for name, field in dataset.fields.items():
            if field is None:
                continue
            self.fields.append(name)
            (self.target_fields if field.is_target else self.input_fields).append(name)
            column = [getattr(example, name) for example in data]
            setattr(self, name, field.process(column, device=device))

    @classmethod
    def fromvars(cls, dataset: Any, batch_size: int, train: Any = None, **kwargs: Any) -> Batch:
        """Batch of tensors that are there already.

        Args:
            dataset: says which fields there are.
            batch_size: number of examples.
            train: not used; kept for torchtext's order of arguments.
            **kwargs: name -> tensor.
        """
        batch = cls()
        batch.batch_size, batch.dataset = batch_size, dataset
        batch.fields = list(dataset.fields)
        for name, value in kwargs.items():
            setattr(batch, name, value)
        return batch

    def __len__(self) -> int:
        return self.batch_size

    def __iter__(self) -> Iterator[Any]:
        """Inputs, then targets; one of a kind on its own, several as a tuple."""
        yield self._some(self.input_fields)
        yield self._some(self.target_fields)

    def _some(self, names: list[str]) -> Any:
        values = tuple(getattr(self, name) for name in names)
        return values[0] if len(values) == 1 else values or None

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}={_shape(getattr(self, name))}" for name in self.fields)
        return f"Batch({self.batch_size} examples; {shapes})"


def _shape(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_shape, value))
    return tuple(value.shape) if hasattr(value, "shape") else type(value).__name__
