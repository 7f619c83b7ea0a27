"""The `vmap` column of indexing by arrays.

NumPy puts the dims of index arrays where the first of them stands, or in front if other parts of
the key lie between them. A batch adds a part to the key, so the dims may come out in another order
than behind the batch; a `Plan` knows that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import TransformError
from ..tensor import raw_dtype
from .batching import Flags, Params, batched, permute, reshape
from .table import TABLE, Prim

Key = tuple[Any, ...]


class Plan:
    """How a key picks from a whole batch.

    Attributes:
        key, indices: the key and the index arrays for the batch.
        order: axes of what they pick, in the order (batch, dims of a sample).
        rank: the number of dims that one sample's key picks.
    """

    def __init__(
        self, key: Key, indices: Sequence[Any], on: Flags, ndim: int, size: int, target: bool
    ) -> None:
        """`ndim`: axes of a sample of what is indexed; `target`: whether that has the batch."""
        from .index import Slot

        self._check(indices, on)
        indices, on = list(indices), list(on)
        if any(on):
            key, indices, on = _without_masks(key, indices, on)
        key = _spelled_out(key, indices, ndim)
        places = [i for i, part in enumerate(key) if isinstance(part, (Slot, int))]
        together = places == list(range(places[0], places[0] + len(places)))
        before = places[0] if together else 0
        self.dims = max(_index_rank(i, flag) for i, flag in zip(indices, on, strict=True))
        self.rank = self.dims + len(key) - len(places)
        if not any(on):
            self.key: Key = (slice(None), *key)
            self.indices = indices
            first = [] if together else [self.dims]
            rest = [i for i in range(self.rank + 1) if i not in first]
            self.order = [*first, *rest]
            return
        indices = [self._lined_up(i, flag) for i, flag in zip(indices, on, strict=True)]
        if target:
            self.key = (Slot(len(indices)), *key)
            self.indices = [*indices, self._numbers(size, indices[0])]
            middle = range(1 + self.dims, 1 + self.dims + before)
            picked = range(1, 1 + self.dims)
            self.order = [0, *middle, *picked, *range(1 + self.dims + before, self.rank + 1)]
        else:
            self.key, self.indices = key, indices
            rest = [i for i in range(self.rank + 1) if i != before]
            self.order = [before, *rest]

    @staticmethod
    def _check(indices: Sequence[Any], on: Flags) -> None:
        for index, flag in zip(indices, on, strict=True):
            if flag and raw_dtype(index).kind == "b":
                raise TransformError(
                    "vmap: a boolean mask that differs from sample to sample picks another number "
                    "of elements in each; use where(mask, x, other) or masked_fill"
                )

    def _lined_up(self, index: Any, flag: bool) -> Any:
        if not flag:
            return index
        shape = tuple(index.shape)
        return reshape(index, (shape[0], *[1] * (self.dims + 1 - len(shape)), *shape[1:]))

    def _numbers(self, size: int, like: Any) -> Any:
        from .. import dtypes

        count = TABLE["arange"].call(
            shape=(size,), dtype=dtypes.INT64, device=like.device, start=0, step=1
        )
        return reshape(count, (size, *[1] * self.dims))

    def from_picked(self, y: Any) -> Any:
        """What was picked, with the batch in front."""
        return permute(y, self.order)

    def to_picked(self, g: Any, flag: bool) -> Any:
        """Values per sample, in the order in which the key picks; they may have fewer axes."""
        shape = tuple(g.shape[1:]) if flag else tuple(g.shape)
        while len(shape) > self.rank and shape[0] == 1:
            shape = shape[1:]
        front = g.shape[0] if flag else 1
        full = reshape(g, (front, *[1] * (self.rank - len(shape)), *shape))
        inverse = sorted(range(len(self.order)), key=self.order.__getitem__)
        return permute(full, inverse)


def _index_rank(index: Any, flag: bool) -> int:
    return 1 if raw_dtype(index).kind == "b" else len(index.shape) - flag


def _spelled_out(key: Key, indices: Sequence[Any], ndim: int) -> Key:
    """The key with a part for every axis, and no Ellipsis."""
    from .index import Slot

    used = 0
    for part in key:
        if isinstance(part, Slot):
            mask = raw_dtype(indices[part.index]).kind == "b"
            used += len(indices[part.index].shape) if mask else 1
        elif part is not None and part is not Ellipsis:
            used += 1
    place = next((i for i, part in enumerate(key) if part is Ellipsis), len(key))
    return (*key[:place], *[slice(None)] * (ndim - used), *key[place + 1 :])


def _without_masks(key: Key, indices: list[Any], on: list[bool]) -> Any:
    """Masks as the indices of the places where they hold."""
    from .index import Slot

    parts: list[Any] = []
    for part in key:
        if isinstance(part, Slot) and raw_dtype(indices[part.index]).kind == "b":
            found = TABLE["nonzero"].call(indices[part.index])
            for axis in range(found.shape[1]):
                parts.append(Slot(len(indices)))
                indices.append(TABLE["slice"].call(found, key=(slice(None), axis)))
                on.append(False)
        else:
            parts.append(part)
    used = [part.index for part in parts if isinstance(part, Slot)]
    renumbered = iter(range(len(used)))
    out = tuple(Slot(next(renumbered)) if isinstance(part, Slot) else part for part in parts)
    return out, [indices[i] for i in used], [on[i] for i in used]


def picked(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """`index`."""
    x, *indices = xs
    plan = Plan(params["key"], indices, on[1:], len(x.shape) - on[0], size, on[0])
    return plan.from_picked(prim.call(x, *plan.indices, key=plan.key))


def spread(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """`unindex`."""
    g, *indices = xs
    shape = tuple(params["shape"])
    plan = Plan(params["key"], indices, on[1:], len(shape), size, True)
    given = plan.to_picked(batched(g, size, on[0]), True)
    return prim.call(given, *plan.indices, shape=(size, *shape), key=plan.key)


def put(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """`index_put`."""
    x, v, *indices = xs
    x = batched(x, size, on[0])
    plan = Plan(params["key"], indices, on[2:], len(x.shape) - 1, size, True)
    given = plan.to_picked(v, on[1])
    return prim.call(x, given, *plan.indices, **{**params, "key": plan.key})
