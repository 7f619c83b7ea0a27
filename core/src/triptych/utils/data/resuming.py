"""What a loader's position consists of: random states, samplers and datasets with a state."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import numpy as np

from ... import random as tensor_random
from ...random import Generator

if TYPE_CHECKING:
    from .loader import DataLoader

__all__ = ["Requests", "Stateful", "draws", "generators_of", "has_state", "restore_draws"]


_END = object()


class Stateful(Protocol):
    """Something that can say where it is and go back there."""

    def state_dict(self) -> Any:
        """Where it is."""

    def load_state_dict(self, state_dict: Any) -> None:
        """Go back there."""


def has_state(thing: Any) -> TypeGuard[Stateful]:
    """Whether something can say where it is and go back there."""
    return hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")


def draws(generators: Iterable[Generator] = ()) -> dict[str, Any]:
    """The states of the default generators of Triptych, Python and NumPy, and of other generators,
    as plain values.
    """
    version, numbers, gauss = random.getstate()
    state: Any = np.random.get_state(legacy=True)
    name, keys, *rest = state
    return {
        "triptych": _state(tensor_random.default_generator),
        "python": [version, list(numbers), gauss],
        "numpy": [name, keys.tolist(), *rest],
        "generators": [_state(g) for g in generators],
    }


def _state(generator: Generator) -> list[int]:
    return [int(n) for n in generator.get_state().tolist()]


def _go_to(generator: Generator, state: list[int]) -> None:
    from ...ops.creation import tensor

    generator.set_state(tensor(state))


def restore_draws(state: dict[str, Any], generators: Iterable[Generator] = ()) -> None:
    """Go back to states from `draws`."""
    _go_to(tensor_random.default_generator, state["triptych"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.asarray(keys, np.uint32), *rest))
    for generator, saved in zip(generators, state["generators"], strict=True):
        _go_to(generator, saved)


def generators_of(loader: DataLoader[Any]) -> list[Generator]:
    """The generators that the loader and its samplers draw from, each once."""
    holders = [loader, loader.batch_sampler, loader.sampler]
    holders.append(getattr(loader.batch_sampler, "sampler", None))
    found: list[Generator] = []
    for holder in holders:
        generator = getattr(holder, "generator", None)
        if isinstance(generator, Generator) and not any(generator is g for g in found):
            found.append(generator)
    return found


class Requests(Iterator[Any]):
    """The requests of an epoch, with the state of the sampler after each of the latest.

    Args:
        loader: whose samplers make them.
        taken: how many were taken before.
        state: of the sampler at that point, if it has one; else it starts anew and goes forward.

    The first request is made at once, so that a sampler's draws come when the epoch begins.
    """

    def __init__(self, loader: DataLoader[Any], taken: int = 0, state: Any = None) -> None:
        candidates: list[Any] = [loader.batch_sampler, loader.sampler]
        candidates.append(getattr(loader.batch_sampler, "sampler", None))
        self._iterator: Any = iter(loader.requests())
        candidates.insert(0, self._iterator)
        self._holder = next((c for c in candidates if has_state(c)), None)
        if state is not None and self._holder is not None:
            self._holder.load_state_dict(copy.deepcopy(state))
            if self._holder is not candidates[0]:
                self._iterator = iter(loader.requests())
        self.taken = taken
        ahead = loader.num_workers * ((loader.prefetch_factor or 1) + 1)
        self._kept = ahead + (loader.snapshot_every_n_steps or 1) + 1  # none older is asked for
        self._states: dict[int, Any] = {}
        if state is None and not loader.streaming:  # requests to streams are all the same
            for _ in range(taken):
                next(self._iterator, None)
        self._note()
        self._ahead = [request for request in [next(self._iterator, _END)] if request is not _END]

    def __next__(self) -> Any:
        request = self._ahead.pop() if self._ahead else next(self._iterator)
        self.taken += 1
        self._note()
        return request

    def _note(self) -> None:
        if self._holder is not None:
            self._states[self.taken] = copy.deepcopy(self._holder.state_dict())
            self._states.pop(self.taken - self._kept, None)

    def state_at(self, taken: int) -> Any:
        """The sampler's state when so many were taken; None if it has none."""
        for earlier in [n for n in self._states if n < taken]:
            del self._states[earlier]
        return self._states.get(taken)
