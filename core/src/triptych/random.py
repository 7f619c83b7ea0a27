"""Random numbers: counter-based generators, one default per process.

Every draw depends on (seed, number of draws so far) alone, so a saved state replays exactly.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from .backends import Device, backend_for
from .errors import ShapeError

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


class Generator:
    """A stream of random numbers, seeded and counted.

    Example:
        >>> g = Generator().manual_seed(7)
        >>> a = triptych.rand(2, generator=g)
        >>> b = triptych.rand(2, generator=g.manual_seed(7))
        >>> bool((a == b).all())
        True
    """

    def __init__(self, device: str | Device = "cpu") -> None:
        self.device = Device(device)
        self._seed, self._offset = 67280421310721, 0

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed from its beginning; returns self."""
        self._seed, self._offset = int(seed) & 0xFFFFFFFFFFFFFFFF, 0
        return self

    def initial_seed(self) -> int:
        """The seed of the stream."""
        return self._seed

    def seed(self) -> int:
        """Seed from the operating system; returns the seed."""
        self.manual_seed(int.from_bytes(os.urandom(8)) >> 1)
        return self._seed

    def get_state(self) -> Any:
        """The seed and the position in its stream, as an int64 tensor (2,)."""
        from .ops.creation import tensor

        signed = self._seed - (1 << 64) if self._seed >> 63 else self._seed
        return tensor([signed, self._offset])

    def set_state(self, state: Any) -> Generator:
        """Go back to a state from `get_state`; returns self.

        Raises:
            ShapeError: it is no such state.
        """
        numbers = state.tolist()
        if not isinstance(numbers, list) or len(numbers) != 2:
            raise ShapeError(
                f"set_state: wanted the (2,) tensor of get_state(), got {tuple(state.shape)}"
            )
        self._seed, self._offset = int(numbers[0]) & 0xFFFFFFFFFFFFFFFF, int(numbers[1])
        return self

    def clone_state(self) -> Generator:
        """A generator of its own at the same point of the same stream."""
        twin = Generator(self.device)
        twin._seed, twin._offset = self._seed, self._offset
        return twin

    def source(self, device: Device | None = None) -> Any:
        """The backend's random source for the next draw; the stream moves on by one."""
        where = device or self.device
        made = backend_for(where).random(self._seed, self._offset, where)
        self._offset += 1
        return made

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed}, draws={self._offset})"


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, which all random functions use unless given another."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the default generator into a state from `get_rng_state`."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:
    """A block whose draws leave the default generator as it was before.

    Args:
        devices, device_type: taken for compatibility; one generator serves all devices.
        enabled: False makes the block do nothing.

    Example:
        >>> _ = manual_seed(1)
        >>> with fork_rng():
        ...     a = triptych.rand(2)
        >>> bool((a == triptych.rand(2)).all())
        True
    """
    if not enabled:
        yield
        return
    state = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(state)
