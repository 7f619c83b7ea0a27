"""`vmap`: a function of one sample, run on a whole batch at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import index
from typing import Any

from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError, TransformError
from ..ops.inplace import overwrite
from ..prims.batching import DECOMPOSED, RANDOM, batched, moved
from ..prims.table import NA, Prim
from ..random import default_generator
from ..tensor import Tensor, box
from ..tree import TreeSpec, flatten, spread, unflatten
from .lifted import Lifted, Transform

RANDOMNESS = ("error", "different", "same")


class Batched(Lifted):
    """One value, or a batch of them along axis 0 of the tensor outside."""

    __slots__ = ("varies",)

    def __init__(self, trace: Transform, tensor: Tensor, varies: bool) -> None:
        shape = tensor._data.shape
        super().__init__(trace, tensor, tuple(shape[1:] if varies else shape))
        self.varies = varies

    @property
    def constant(self) -> bool:
        return not self.varies

    def numbers(self, call: str) -> Any:
        if not self.trace.alive:
            raise self.misused(call)
        if self.varies:
            raise TransformError(
                f"{call}: inside vmap this value ({self.dtype}, shape {self.shape}) differs from "
                "sample to sample; compute with tensors (where, masked_fill) instead of branching "
                "on it, pass it with in_dims=None, or loop over the batch"
            )
        return super().numbers(call)


class VmapTrace(Transform):
    """Values inside stand for `size` samples.

    Args:
        size: the length of the batch.
        randomness: what random numbers are: "error", "different" or "same" for all samples.
    """

    name = "vmap"
    hint = (
        "use the out-of-place form, pass that tensor as an argument with an in_dims, or, for the "
        "running statistics of a norm layer, call eval() or track_running_stats=False"
    )

    def __init__(self, size: int, randomness: str = "error") -> None:
        super().__init__()
        self.size, self.randomness = size, randomness

    def lift(self, tensor: Tensor) -> Batched:
        return Batched(self, tensor, False)

    def whole(self, tensor: Tensor) -> Batched:
        """The lifted value of a tensor outside that holds a value per sample along axis 0."""
        return Batched(self, tensor, True)

    def cut(self, lifted: Any, tensor: Tensor) -> Batched:
        return Batched(self, tensor, lifted.varies)

    def argument(self, tensor: Tensor, axis: int) -> Tensor:
        """The tensor inside for one outside with its samples along an axis."""
        out = box(self.whole(self.outside(moved, tensor, axis, 0)))
        names = tensor._names
        if names is not None:
            rest = names[:axis] + names[axis + 1 :]
            out._names = rest if any(rest) else None
        return out

    def _compute(self, prim: Prim, values: list[Any], raw: tuple[Any, ...], params: Any) -> Any:
        rule = prim.vmap
        if isinstance(rule, NA) or rule is None:
            raise TransformError(f"{prim.name}: cannot run inside vmap: {_reason(rule)}")
        if prim.effect and not self._draws(prim):
            self._check_same(prim, values)
            return self.outside(self._compute_constant, prim, values, params)
        if prim.kind != "index":  # which looks at values that shape rules of symbols do not have
            prim.aval(*values, **params)
        if rule is not DECOMPOSED:
            out = self.outside(self.compute, prim, values, raw, params)
            if out is not NotImplemented:
                return out
        return prim.decomp(*values, **params)

    def compute(self, prim: Prim, xs: list[Any], raw: tuple[Any, ...], params: Any) -> Any:
        on = [isinstance(x, Batched) and x.varies for x in xs]
        given = [x.tensor if isinstance(x, Lifted) else x for x in xs]
        y = prim.vmap(prim, self.size, given, on, params)
        if y is NotImplemented:
            return y
        return tuple(map(self.whole, y)) if prim.outputs > 1 else self.whole(y)

    def compute_created(self, prim: Prim, params: dict[str, Any]) -> Lifted:
        if prim.vmap is RANDOM and self._draws(prim):
            return self.whole(prim.vmap(prim, self.size, (), (), params))
        return self.lift(prim.call(**params))

    @staticmethod
    def _check_same(prim: Prim, values: list[Any]) -> None:
        if any(isinstance(x, Batched) and x.varies for x in values):
            raise TransformError(
                f"{prim.name}: randomness='same' inside vmap, but what is drawn depends on inputs "
                "that differ from sample to sample; use randomness='different'"
            )

    def custom(self, function: Any, args: tuple[Any, ...]) -> Any:
        from .custom import run_batched

        return lambda: run_batched(self, function, args)

    def _draws(self, prim: Prim) -> bool:
        """Whether every sample draws numbers of its own."""
        if self.randomness == "error":
            raise TransformError(
                f"{prim.name}: random numbers inside vmap: pass randomness='different' to draw "
                "for every sample, or randomness='same' to draw once for all"
            )
        return self.randomness == "different"


def _reason(column: Any) -> str:
    return column.reason if isinstance(column, NA) else "there is no rule for batches"


# Arguments and results


def _normalized(dims: list[Any], leaves: list[Any]) -> list[int | None]:
    out: list[int | None] = []
    for dim, x in zip(dims, leaves, strict=True):
        if dim is None:
            out.append(None)
            continue
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"vmap: in_dims={dim} for an argument of type {type(x).__name__}; only tensors "
                "have dims to map over: give None for it"
            )
        if x.ndim == 0:
            raise ShapeError(f"vmap: in_dims={dim} for a tensor without dims; give None for it")
        out.append(normalize_axis("vmap: in_dims", dim, x.ndim, x))
    return out


def _spread_in_dims(in_dims: Any, spec: TreeSpec) -> list[Any]:
    wanted = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    if not isinstance(wanted, (int, tuple)) or isinstance(wanted, bool):
        raise DTypeError(
            f"vmap: in_dims is an int or a tuple of ints and None, nested like the arguments, got "
            f"{in_dims!r}"
        )
    found = spread(wanted, spec)
    if found is None or not all(d is None or type(d) is int for d in found):
        raise ShapeError(
            f"vmap: in_dims={in_dims!r} does not fit the arguments, nested as {spec}; wanted an "
            "int or None for each, or for a whole branch"
        )
    return found


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise ShapeError("vmap: no argument to map over; at least one in_dims must be an int")
    if len(set(sizes)) > 1:
        raise ShapeError(f"vmap: the mapped dims have different lengths: {sizes}")
    return int(sizes[0])


def _spread_out_dims(out_dims: Any, out: Any, spec: TreeSpec) -> list[Any]:
    wanted = out_dims
    if isinstance(out, Tensor) and isinstance(out_dims, (tuple, list)) and len(out_dims) == 1:
        wanted = out_dims[0]
    elif isinstance(out, (tuple, list)) and isinstance(out_dims, (tuple, list)):
        wanted = type(out)(out_dims) if type(out) in (tuple, list) else out_dims
    found = spread(wanted, spec)
    if found is None or not all(d is None or type(d) is int for d in found):
        raise ShapeError(
            f"vmap: out_dims={out_dims!r} does not fit the result, nested as {spec}; wanted an int "
            "or None for each tensor"
        )
    return found


def _result(trace: VmapTrace, t: Any, dim: int | None) -> Tensor:
    """The tensor outside for one that the function returned."""
    if not isinstance(t, Tensor):
        raise DTypeError(
            f"vmap: the function must return tensors, got {type(t).__name__}; convert numbers with "
            "tensor()"
        )
    lifted: Any = trace.enter(t)
    if dim is None:
        if lifted.varies:
            raise TransformError(
                "vmap: out_dims=None for a result that differs from sample to sample; give the dim "
                "that shall hold the samples"
            )
        return lifted.tensor
    axis = normalize_axis("vmap: out_dims", dim, t.ndim + 1)
    whole = trace.outside(batched, lifted.tensor, trace.size, lifted.varies)
    out: Tensor = trace.outside(moved, whole, 0, axis)
    if t._names is not None:
        out = box(out._data, out._edge) if out is lifted.tensor else out
        out._names = (*t._names[:axis], None, *t._names[axis:])
    return out


class _Call:
    """One call of a mapped function, its arguments taken apart."""

    def __init__(self, fn: Any, in_dims: Any, out_dims: Any, args: Any, kwargs: Any) -> None:
        self.fn, self.out_dims, self.kwargs = fn, out_dims, kwargs
        self.leaves, self.spec = flatten(args)
        self.dims = _normalized(_spread_in_dims(in_dims, self.spec), self.leaves)
        self.size = _batch_size(self.leaves, self.dims)
        self.found_dims: list[Any] = []
        self.found_spec: Any = None

    def run(self, leaves: list[Any], size: int, randomness: str) -> list[Tensor]:
        """The flat results for a batch."""
        trace = VmapTrace(size, randomness)
        with trace:
            inside = [
                x if d is None else trace.argument(x, d)
                for x, d in zip(leaves, self.dims, strict=True)
            ]
            before = [x._data if isinstance(x, Tensor) else None for x in inside]
            out = self.fn(*unflatten(self.spec, inside), **self.kwargs)
            flat, self.found_spec = flatten(out)
            self.found_dims = _spread_out_dims(self.out_dims, out, self.found_spec)
            found = [_result(trace, t, d) for t, d in zip(flat, self.found_dims, strict=True)]
            changed = [
                self._changed(trace, *row) for row in zip(inside, before, leaves, strict=True)
            ]
        for x, value, d in zip(leaves, changed, self.dims, strict=True):
            if value is not None:
                overwrite(x, moved(value, 0, d), "vmap: an in-place write")  # type: ignore[arg-type]
        return found

    @staticmethod
    def _changed(trace: VmapTrace, t: Any, before: Any, given: Any) -> Tensor | None:
        """The new values of an argument that the function wrote to."""
        if t is given or t._data is before:
            return None
        lifted: Any = trace.enter(t)
        return trace.outside(batched, lifted.tensor, trace.size, lifted.varies)

    def in_chunks(self, chunk: int, randomness: str) -> list[Tensor]:
        """The same, `chunk` samples at a time."""
        from ..ops.shape import cat

        start = default_generator.get_state() if randomness == "same" else None
        parts = []
        for begin in range(0, self.size, chunk):
            if start is not None:
                default_generator.set_state(start)
            count = min(chunk, self.size - begin)
            leaves = [
                x if d is None else x.narrow(d, begin, count)
                for x, d in zip(self.leaves, self.dims, strict=True)
            ]
            parts.append(self.run(leaves, count, randomness))
        return [
            column[0] if d is None else cat(list(column), d)
            for column, d in zip(zip(*parts, strict=True), self.found_dims, strict=True)
        ]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over a dim of its arguments, all samples at once.

    Args:
        func: a function of one sample that gives tensors, nested in any way.
        in_dims: which dim of each argument counts samples: an int for all, or a tuple nested like
            the arguments; None for what is the same for all samples. Keyword arguments are.
        out_dims: where the results have that dim; None for a result that is the same for all.
        randomness: "error" refuses random numbers, "different" draws for every sample, "same" draws
            once for all.
        chunk_size: at most so many samples at a time, to bound memory; None for all at once.

    Returns:
        A function of whole batches.

    Raises:
        TransformError: by that function, when `func` needs the value of a sample (``item()``, an
            `if`), gives a number of elements that depends on values, draws random numbers without
            leave, or writes what differs from sample to sample into a tensor from outside.
        ShapeError: in_dims or out_dims do not fit, or the dims differ in length.

    Example:
        >>> dot = vmap(lambda a, b: (a * b).sum(), in_dims=(0, None))
        >>> dot(triptych.ones(2, 3), triptych.arange(3.0))
        tensor([3., 3.])
    """
    if randomness not in RANDOMNESS:
        raise ShapeError(f"vmap: randomness is one of {RANDOMNESS}, got {randomness!r}")
    if chunk_size is not None and index(chunk_size) < 1:
        raise ShapeError(f"vmap: chunk_size should be at least 1, got {chunk_size}")

    @functools.wraps(func, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, in_dims, out_dims, args, kwargs)
        if chunk_size is None or chunk_size >= call.size:
            found = call.run(call.leaves, call.size, randomness)
        else:
            found = call.in_chunks(chunk_size, randomness)
        return unflatten(call.found_spec, found)

    return mapped
