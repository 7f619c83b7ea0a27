"""Templates of the `vmap` column: a primitive on a batch of every input at once.

A rule is called as ``rule(prim, size, xs, on, params)``. `size` is the length of the batch; `xs`
are tensors and Python numbers; `on` says which of them carry the batch, always as axis 0. All
outputs carry it at axis 0, too. Inside `func.vmap` shapes, axes and params are those of one sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .table import TABLE, Prim

Flags = Sequence[bool]
Params = dict[str, Any]
Step = tuple[Prim, Params]


class Decomposed:
    """Marks a composite that is batched through its decomposition."""

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        raise RuntimeError(f"{prim.name}: the decomposition is run by the transform")


DECOMPOSED = Decomposed()


class Random:
    """Marks a primitive that draws numbers: what a batch gets is up to ``randomness=``."""

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        """Numbers of its own for every sample."""
        if not xs:
            return prim.call(**{**params, "shape": (size, *params["shape"])})
        full = [batched(x, size, flag) for x, flag in zip(xs, on, strict=True)]
        return prim.call(*aligned(full, [True] * len(full)), **params)


RANDOM = Random()


class Constant:
    """Marks a primitive that gives every sample the same."""

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        return batched(prim.call(**params), size, False)


CONSTANT = Constant()

# Pieces of rules


def reshape(x: Any, shape: Sequence[int]) -> Any:
    """x under another shape; itself if it has it."""
    shape = tuple(shape)
    return x if tuple(x.shape) == shape else TABLE["reshape"].call(x, shape=shape)


def permute(x: Any, axes: Sequence[int]) -> Any:
    """x with its axes in another order; itself if they are in it."""
    axes = tuple(axes)
    return x if axes == tuple(range(len(axes))) else TABLE["permute"].call(x, axes=axes)


def moved(x: Any, source: int, target: int) -> Any:
    """x with one axis in another place."""
    axes = [i for i in range(len(x.shape)) if i != source]
    axes.insert(target, source)
    return permute(x, axes)


def batched(x: Any, size: int, flag: bool) -> Any:
    """x with the batch at axis 0: a view that repeats it, unless it is there already."""
    if flag or not hasattr(x, "shape"):
        return x
    return TABLE["expand"].call(x, shape=(size, *x.shape))


def ranks(xs: Sequence[Any], on: Flags) -> list[int]:
    """The number of axes of each input without the batch."""
    return [
        len(x.shape) - flag if hasattr(x, "shape") else 0 for x, flag in zip(xs, on, strict=True)
    ]


def aligned(xs: Sequence[Any], on: Flags) -> list[Any]:
    """Inputs that broadcast as one sample would: axes of length 1 behind the batch."""
    counts = ranks(xs, on)
    most = max(counts)
    return [
        reshape(x, (x.shape[0], *[1] * (most - n), *x.shape[1:])) if flag and n < most else x
        for x, flag, n in zip(xs, on, counts, strict=True)
    ]


def merged(x: Any, axis: int) -> Any:
    """The batch of axis 0 folded into what is axis `axis` of a sample, ahead of it."""
    x = moved(x, 0, axis)
    shape = tuple(x.shape)
    return reshape(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def split(x: Any, axis: int, size: int) -> Any:
    """Undo `merged`."""
    shape = tuple(x.shape)
    x = reshape(x, (*shape[:axis], size, shape[axis] // size, *shape[axis + 1 :]))
    return moved(x, axis, 0)


# Templates


def elementwise(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Inputs broadcast, and so do stacks of matrices."""
    return prim.call(*aligned(xs, on), **params)


class Stacks:
    """Inputs whose leading axes broadcast, ahead of so many axes of their own.

    Args:
        cores: the number of own axes of each input.
    """

    def __init__(self, *cores: int) -> None:
        self.cores = cores

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        counts = ranks(xs, on)
        most = max(n - core for n, core in zip(counts, self.cores, strict=True))
        given = [
            reshape(x, (x.shape[0], *[1] * (most - n + core), *x.shape[1:])) if flag else x
            for x, flag, n, core in zip(xs, on, counts, self.cores, strict=True)
        ]
        return prim.call(*given, **params)


def leading(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """One input, whose leading axes the primitive leaves alone."""
    return prim.call(*xs, **params)


def along(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """One input; `axis` or `axes` count from the front."""
    return prim.call(*xs, **shifted(params))


def shifted(params: Params) -> Params:
    """Parameters that name axes, when another axis comes in front."""
    out = dict(params)
    for name in ("axis", "axis1", "axis2"):
        if name in out:
            out[name] += 1
    if "axes" in out:
        out["axes"] = tuple(a + 1 for a in out["axes"])
    return out


def together(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Several inputs of one rank; those without the batch repeat."""
    full = [batched(x, size, flag) for x, flag in zip(xs, on, strict=True)]
    return prim.call(*full, **_shaped(shifted(params), size))


def _shaped(params: Params, size: int) -> Params:
    return {**params, "shape": (size, *params["shape"])} if "shape" in params else params


class Moves:
    """A movement of one input: for a batch it is one movement, or several one after the other.

    Args:
        steps: gives (primitive, parameters) of each, from the primitive, the shape of a sample, the
            size of the batch, and the parameters.
    """

    def __init__(
        self, steps: Callable[[Prim, tuple[int, ...], int, Params], list[Step]] | None = None
    ) -> None:
        self.steps = steps or _same_step

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        x = xs[0]
        for step, options in self.steps(prim, tuple(x.shape[1:]), size, params):
            x = step.call(x, **options)
        return x


def _same_step(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    return [(prim, _shaped(shifted(params), size))]


moves = Moves()
"""A movement whose parameters are `axis`, `axes` or `shape`."""


def _key_step(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    return [(prim, {**_shaped(params, size), "key": (slice(None), *params["key"])})]


keyed = Moves(_key_step)
"""A movement whose parameter is the `key` of an index."""


def _permute_step(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    return [(prim, {"axes": (0, *(a + 1 for a in params["axes"]))})]


permuted = Moves(_permute_step)


def _expand_steps(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    target = tuple(params["shape"])
    lined_up = (size, *[1] * (len(target) - len(shape)), *shape)
    first = [(TABLE["reshape"], {"shape": lined_up})] if len(shape) < len(target) else []
    return [*first, (prim, {"shape": (size, *target)})]


expanded = Moves(_expand_steps)


def _pad_step(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    return [(prim, {**params, "widths": ((0, 0), *params["widths"])})]


padded = Moves(_pad_step)


def _last_axes_step(prim: Prim, shape: tuple[int, ...], size: int, params: Params) -> list[Step]:
    return [(prim, _shaped(params, size))]


last_axes = Moves(_last_axes_step)
"""A movement that counts axes from the back; a `shape` grows at the front."""


def chain_steps(chain: Sequence[Step], shape: tuple[int, ...], size: int) -> tuple[Step, ...]:
    """A chain of views of a sample as one of the whole batch."""
    out: list[Step] = []
    for prim, params in chain:
        out += prim.vmap.steps(prim, shape, size, params)
        shape = tuple(prim.aval(_Shaped(shape), **params).shape)
    return tuple(out)


class _Shaped:
    """Enough of an array for the shape rule of a movement."""

    dtype = None

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.ndim = shape, len(shape)


def written(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """A write through a chain of views."""
    x, v = (batched(x, size, flag) for x, flag in zip(xs, on, strict=True))
    return prim.call(x, v, chain=chain_steps(params["chain"], tuple(x.shape[1:]), size))


def default(kind: str, effect: bool, inputs: bool) -> Any:
    """The rule of a record that does not state one."""
    if effect:
        return RANDOM
    return VMAP.get(kind) if inputs else CONSTANT


VMAP: dict[str, Any] = {
    "unary": elementwise,
    "binary": elementwise,
    "select": elementwise,
    "special": elementwise,
    "cast": elementwise,
    "transfer": elementwise,
    "linalg": elementwise,
    "reduction": along,
    "scan": along,
    "spectral": along,
    "composite": DECOMPOSED,
    "index": together,
    "window": leading,
}
"""By kind, unless a record says otherwise."""
