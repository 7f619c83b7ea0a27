"""Trading time for memory: what a part of the forward saves is computed again in backward.

A checkpointed function runs under hooks that keep a place and no numbers for each value that is
saved. When backward comes to the first place, the function runs again, up to the last value that
was saved, and the values fill the places. Everything else is ordinary autograd: keyword arguments,
closures, nested checkpoints, `autograd.grad` and gradients of gradients work.

Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from ..amp.autocast_mode import active_settings
from ..autograd.graph import Packing
from ..autograd.saved import Kept
from ..errors import GradError, ShapeError
from ..graph.compiled import is_capturing
from ..prims.table import Prim
from ..prims.trace import Trace
from ..random import Generator, default_generator
from ..state import state
from ..tensor import Tensor, box, current_edge
from ..tree import flatten, unflatten

__all__ = [
    "CheckpointError",
    "checkpoint",
    "checkpoint_sequential",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(GradError):
    """The second run of a checkpointed function saved other values than the first."""


class _Settings(threading.local):
    early_stop = True
    debug: bool | None = None


_settings = _Settings()


def noop_context_fn() -> tuple[Any, Any]:
    """The contexts of the two runs when nothing else is asked for: none."""
    return nullcontext(), nullcontext()


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether checkpoints called inside stop their second run at the last value that is needed;
    they do so by default.
    """
    before, _settings.early_stop = _settings.early_stop, bool(enable)
    try:
        yield
    finally:
        _settings.early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether checkpoints called inside list the operations of both runs when they differ; None
    leaves it to the argument `debug`.
    """
    before, _settings.debug = _settings.debug, enabled
    try:
        yield
    finally:
        _settings.debug = before


class _Stop(BaseException):
    """The second run has saved all there is to save."""


class _Place:
    """Stands for a value that was saved in the first run."""

    versioned = True  # a write since then means that the second run finds other numbers
    __slots__ = ("__weakref__", "aval", "frame", "index")

    def __init__(self, frame: _Frame, index: int, given: Tensor) -> None:
        self.frame, self.index, self.aval = frame, index, _aval(given)


def _aval(t: Tensor) -> tuple[Any, ...]:
    return tuple(t.shape), str(t.dtype), str(t.device)


class _Log(Trace):
    """Lists the primitives that run."""

    alters = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in raw if hasattr(x, "dtype"))
        self.lines.append(f"{prim.name}({shapes})")
        return super().process(prim, raw, params)


class _Frame:
    """One call of a checkpointed function.

    Args:
        fn, args, kwargs: what was called.
        options: see `checkpoint`.
    """

    def __init__(
        self, fn: Any, args: Any, kwargs: Any, *, rng: bool, again: Any, check: bool, debug: bool
    ) -> None:
        leaves, self.spec = flatten((args, kwargs))
        self.fn, self.again, self.check, self.debug = fn, again, check, debug
        self.leaves = [_Argument(x) if isinstance(x, Tensor) else x for x in leaves]
        self.rng = default_generator.clone_state() if rng else None
        self.autocast = active_settings()
        self.early_stop = _settings.early_stop
        self.places: list[weakref.ref[_Place]] = []
        self.values: dict[int, Tensor] = {}
        self.first, self.second = _Log(), _Log()

    def pack(self, t: Tensor) -> _Place:
        """Keep a place for a value."""
        place = _Place(self, len(self.places), t)
        self.places.append(weakref.ref(place))
        return place

    @staticmethod
    def unpack(place: _Place) -> Tensor:
        """The value for a place; the function runs again if it is not there."""
        frame = place.frame
        if place.index not in frame.values:
            frame.run_again()
        return frame.values.pop(place.index)

    def run_again(self) -> None:
        """Fill all places that something still refers to."""
        self.second = _Log()
        found: list[int] = []
        before, state.grad = state.grad, True
        try:
            with ExitStack() as stack:
                self._restore(stack)
                stack.enter_context(Packing(lambda t: self._keep(t, found), lambda t: t))
                args, kwargs = unflatten(
                    self.spec, [x.get() if type(x) is _Argument else x for x in self.leaves]
                )
                self.fn(*args, **kwargs)
        except _Stop:
            pass
        finally:
            state.grad = before
        if self.check and len(found) < len(self.places):
            raise CheckpointError(
                f"checkpoint: the first run of the function saved {len(self.places)} tensors, the "
                f"second {len(found)}; {self._hint()}"
            )

    def _restore(self, stack: ExitStack) -> None:
        """Random numbers, autocast and the user's context, as in the first run."""
        if self.rng is not None:
            stack.callback(_move_to, default_generator.clone_state())
            _move_to(self.rng)
        if self.debug:
            stack.enter_context(self.second)
        for region in self.autocast:
            stack.enter_context(region())
        stack.enter_context(self.again)

    def _keep(self, t: Tensor, found: list[int]) -> Tensor:
        """Called with each value that the second run saves; gives it back."""
        index = len(found)
        if index < len(self.places):
            place = self.places[index]()
            if place is not None:
                if self.check and place.aval != _aval(t):
                    raise CheckpointError(
                        f"checkpoint: saved tensor {index} is {place.aval} in the first run of the "
                        f"function and {_aval(t)} in the second; {self._hint()}"
                    )
                self.values.setdefault(index, t)
        elif self.check:
            raise CheckpointError(
                f"checkpoint: the second run of the function saved more than the "
                f"{len(self.places)} tensors of the first; {self._hint()}"
            )
        found.append(index)
        if self.early_stop and len(found) == len(self.places):
            raise _Stop
        return t

    def _hint(self) -> str:
        if not self.debug:
            return (
                "the function must do the same both times: look for branches on changing values, "
                "or pass debug=True to see the operations of both runs"
            )
        runs = ("first run", self.first.lines), ("second run", self.second.lines)
        return "\n".join(f"{name}:\n  " + "\n  ".join(lines) for name, lines in runs)


def _move_to(point: Generator) -> None:
    """Put the default generator where another stands."""
    default_generator._seed, default_generator._offset = point._seed, point._offset


class _Argument:
    """A tensor among the arguments, kept as the hooks around the checkpoint keep what is saved."""

    __slots__ = ("edge", "kept")

    def __init__(self, t: Tensor) -> None:
        self.edge, self.kept = current_edge(t), Kept(t, "checkpoint")

    def get(self) -> Tensor:
        """The tensor for the second run."""
        return box(self.kept.raw(), self.edge)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function without keeping what it saves for backward; backward calls it again.

    Inside a capture the function is called as it is: a graph has a memory plan of its own.

    Args:
        function: gives the same results when it is called again with the same arguments.
        args, kwargs: its arguments, also nested ones.
        use_reentrant: here for torch's signature; True and False do the same.
        context_fn: gives two context managers, for the first run and for the second.
        determinism_check: "default" compares number, shapes, dtypes and devices of what the two
            runs save; "none" does not.
        debug: list the operations of both runs when they differ.
        early_stop: end the second run at the last value that is needed.
        preserve_rng_state: draw the same random numbers from the default generator in both runs.

    Returns:
        What the function returns.

    Raises:
        ShapeError: determinism_check is another word.
        CheckpointError: in backward, the second run saves other values than the first.

    Example:
        >>> x = triptych.ones(2, requires_grad=True)
        >>> checkpoint(lambda t: (t.exp() * t).sum(), x).backward()
        >>> x.grad
        tensor([5.4366, 5.4366])
    """
    if determinism_check not in ("default", "none"):
        raise ShapeError(
            f"checkpoint: wanted determinism_check 'default' or 'none', got {determinism_check!r}"
        )
    if not state.grad or is_capturing():
        return function(*args, **kwargs)
    first, again = context_fn()
    frame = _Frame(
        function,
        args,
        kwargs,
        rng=preserve_rng_state,
        again=again,
        check=determinism_check == "default",
        debug=debug if _settings.debug is None else _settings.debug,
    )
    frame.early_stop = frame.early_stop and early_stop
    with ExitStack() as stack:
        if frame.debug:
            stack.enter_context(frame.first)
        stack.enter_context(first)
        stack.enter_context(Packing(frame.pack, frame.unpack))
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Run layers one after the other, in segments that are checkpointed; all but the last.

    Args:
        functions: a Sequential, or a list of modules or functions of one argument.
        segments: how many parts of about equal length; at most the number of layers.
        input: what the first layer gets.
        use_reentrant, preserve_rng_state: see `checkpoint`.

    Returns:
        What the last layer gives.

    Raises:
        ShapeError: segments is not between 1 and the number of layers.

    Example:
        >>> layers = [triptych.nn.Linear(4, 4) for _ in range(4)]
        >>> checkpoint_sequential(layers, 2, triptych.ones(1, 4, requires_grad=True)).shape
        Size([1, 4])
    """
    children = getattr(functions, "children", None)
    layers = list(functions if children is None else children())
    if not 1 <= segments <= len(layers):
        raise ShapeError(
            f"checkpoint_sequential: wanted 1 to {len(layers)} segments for {len(layers)} layers, "
            f"got {segments}"
        )
    size = len(layers) // segments
    for start in range(0, size * (segments - 1), size):
        part = layers[start : start + size]
        input = checkpoint(
            _chained(part),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return _chained(layers[size * (segments - 1) :])(input)


def _chained(layers: Sequence[Any]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return run
