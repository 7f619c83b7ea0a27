"""Sample inputs for every primitive: what the generated tests run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backends import Device
from ..dtypes import BOOL, INT64
from ..ops.creation import tensor
from ..prims import TABLE, Prim
from ..prims.index import Slot
from ..random import Generator
from ..registry import Registry
from ..tensor import Tensor

F64, C128, F32 = np.dtype(np.float64), np.dtype(np.complex128), np.dtype(np.float32)
CPU = Device("cpu")


@dataclass
class Sample:
    """Arguments of one call: tensors and Python numbers, and keyword parameters.

    `prepare`, if given, maps the inputs to the domain of the primitive (a matrix to a symmetric
    one), so that finite differences stay inside it.
    """

    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[..., tuple[Any, ...]] | None = None


Maker = Callable[[np.random.Generator], list[Sample]]
SAMPLES: Registry[Maker] = Registry("sample maker")


def samples_for(prim: Prim) -> list[Sample]:
    """Sample calls of a primitive, the same at every call. Floating inputs are float64.

    Raises:
        UnknownNameError: a primitive of no elementwise kind has no samples of its own.
    """
    rng = np.random.default_rng(len(prim.name))
    if prim.name in SAMPLES:
        return SAMPLES[prim.name](rng)
    if prim.kind in ("unary", "binary"):
        return _elementwise(prim, rng)
    return SAMPLES[prim.name](rng)


def reals(rng: np.random.Generator, *shape: int, low: float = -2.0, high: float = 2.0) -> Tensor:
    """Distinct numbers at least a little apart, so that finite differences cross no tie."""
    count = int(np.prod(shape, dtype=int))
    grid = np.linspace(low, high, count + 2)[1:-1] + rng.uniform(-0.2, 0.2, count) * (
        high - low
    ) / (count + 2)
    return tensor(rng.permutation(grid).reshape(shape))


def complexes(rng: np.random.Generator, *shape: int) -> Tensor:
    """Complex numbers away from zero and from the branch cuts."""
    return tensor(rng.uniform(0.4, 0.8, shape) + 1j * rng.uniform(0.2, 0.6, shape))


def indices(rng: np.random.Generator, high: int, *shape: int) -> Tensor:
    """Integers below high."""
    return tensor(rng.integers(0, high, shape))


def _elementwise(prim: Prim, rng: np.random.Generator) -> list[Sample]:
    kinds = prim.promote.kinds  # type: ignore[union-attr]
    arity = 1 if prim.kind == "unary" else 2
    if "f" not in kinds:
        whole = [indices(rng, 6, 3, 4) for _ in range(arity)]
        return [Sample(tuple(whole)), Sample(tuple(t.bool() for t in whole))][
            : 2 if "b" in kinds else 1
        ]
    low, high = prim.domain if isinstance(prim.domain, tuple) else (-2.0, 2.0)
    full = [reals(rng, 3, 4, low=low, high=high) for _ in range(arity)]
    found = [
        Sample(tuple(full)),
        Sample(tuple(reals(rng, low=low, high=high) for _ in range(arity))),
    ]
    if arity == 2:
        found += [
            Sample((full[0], reals(rng, 4, low=low, high=high))),
            Sample((reals(rng, 3, 1, low=low, high=high), full[1])),
            Sample((full[0], 1.5)),
        ]
    if "c" in kinds:
        found.append(Sample(tuple(complexes(rng, 3) for _ in range(arity))))
    return found


def sampled(name: str) -> Callable[[Maker], Maker]:
    """Register the decorated function as the sample maker of a primitive."""

    def register(maker: Maker) -> Maker:
        return SAMPLES.register(name, maker)

    return register


def _register_reductions() -> None:
    for name in ("sum", "prod", "amax", "amin"):
        SAMPLES.register(name, _reductions)
    for name in ("any", "all"):
        SAMPLES.register(
            name, lambda rng: [Sample(s.inputs[:1], s.params) for s in _reductions(rng)]
        )
    for name in ("argmax", "argmin"):
        SAMPLES.register(
            name,
            lambda rng: [
                Sample((reals(rng, 2, 5),), {"axis": 1, "keepdim": k}) for k in (False, True)
            ],
        )


def _reductions(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 2, 3, 2)
    choices = ((0, 1, 2), (1,), (0, 2))
    return [
        Sample((x,), {"axes": axes, "keepdim": keep}) for axes in choices for keep in (False, True)
    ]


@sampled("cumsum")
def _cumsum(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 4),), {"axis": axis}) for axis in (0, 1)]


@sampled("cumprod")
def _cumprod(rng: np.random.Generator) -> list[Sample]:
    return _cumsum(rng)


@sampled("logcumsumexp")
def _logcumsumexp(rng: np.random.Generator) -> list[Sample]:
    return _cumsum(rng)


@sampled("polygamma")
def _polygamma(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 4, low=0.6, high=12.0),), {"n": n}) for n in (0, 1, 2)]


def _register_special() -> None:
    """Functions with no derivative by their first argument get a number there."""
    for name in ("zeta", "igamma", "igammac"):
        SAMPLES.register(name, _second_argument)
    for name in (
        "bessel_y0",
        "bessel_y1",
        "modified_bessel_k0",
        "modified_bessel_k1",
        "scaled_modified_bessel_k0",
        "scaled_modified_bessel_k1",
    ):
        SAMPLES.register(name, lambda rng: [Sample((_rates(rng),))])  # no number below zero
    for name in ("poisson", "log_gamma_draw"):
        SAMPLES.register(name, lambda rng: [Sample((_rates(rng),), _drawn())])
    SAMPLES.register(
        "binomial", lambda rng: [Sample((indices(rng, 9, 3).double(), tensor([0.5])), _drawn())]
    )


def _second_argument(rng: np.random.Generator) -> list[Sample]:
    x = reals(rng, 3, 2, low=0.5, high=4.0)
    return [Sample((1.7, x)), Sample((3, x)), Sample((indices(rng, 4, 2) + 2, x))]


def _rates(rng: np.random.Generator) -> Tensor:
    return reals(rng, 2, 3, low=0.3, high=9.0)


def _drawn() -> dict[str, Any]:
    return {"generator": Generator(), "device": CPU}


@sampled("where")
def _where(rng: np.random.Generator) -> list[Sample]:
    mask = tensor(rng.random((3, 4)) < 0.5)
    return [
        Sample((mask, reals(rng, 3, 4), reals(rng, 4))),
        Sample((mask, reals(rng, 3, 4), 2.0)),
        Sample((mask, complexes(rng, 3, 4), complexes(rng, 3, 1))),
    ]


@sampled("cast")
def _cast(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 3),), {"dtype": C128}),
        Sample((complexes(rng, 3),), {"dtype": F64}),
        Sample((reals(rng, 3),), {"dtype": INT64}),
        Sample((reals(rng, 3),), {"dtype": BOOL}),
    ]


@sampled("fill_like")
def _fill_like(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 3),), {"value": 2})]


@sampled("reshape")
def _reshape(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 6),), {"shape": (3, 4)}), Sample((reals(rng, 1),), {"shape": ()})]


@sampled("permute")
def _permute(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3, 4),), {"axes": (2, 0, 1)})]


@sampled("expand")
def _expand(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 3, 1),), {"shape": (2, 3, 4)}),
        Sample((reals(rng),), {"shape": (2,)}),
    ]


_KEYS = ((slice(None), 1), (Ellipsis, slice(None, None, 2)), (None, -1, slice(3, 0, -1)))


@sampled("slice")
def _slice(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 3, 4),), {"key": key}) for key in _KEYS]


@sampled("unslice")
def _unslice(rng: np.random.Generator) -> list[Sample]:
    shapes = [np.empty((3, 4))[key].shape for key in _KEYS]
    return [
        Sample((reals(rng, *shape),), {"shape": (3, 4), "key": key})
        for shape, key in zip(shapes, _KEYS, strict=True)
    ]


@sampled("pad")
def _pad(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3),), {"widths": ((1, 0), (0, 2)), "value": v}) for v in (0, 1.5)]


@sampled("flip")
def _flip(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3),), {"axes": axes}) for axes in ((0,), (0, 1))]


@sampled("copy")
def _copy(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3),))]


@sampled("transfer")
def _transfer(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3),), {"device": CPU})]


@sampled("concat")
def _concat(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3), reals(rng, 2, 1), reals(rng, 2, 2)), {"axis": 1})]


@sampled("stack")
def _stack(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2, 3), reals(rng, 2, 3)), {"axis": a}) for a in (0, 1, 2)]


@sampled("diagonal")
def _diagonal(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 3, 4),), {"offset": k, "axis1": 0, "axis2": 1}) for k in (-1, 0, 2)
    ] + [Sample((reals(rng, 2, 3, 2),), {"offset": 0, "axis1": 2, "axis2": 0})]


@sampled("undiagonal")
def _undiagonal(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 2),), {"shape": (3, 4), "offset": 2, "axis1": 0, "axis2": 1})]


@sampled("write_view")
def _write_view(rng: np.random.Generator) -> list[Sample]:
    step = (TABLE["slice"], {"key": (slice(1, 3),)})
    turn = (TABLE["permute"], {"axes": (1, 0)})
    return [Sample((reals(rng, 3, 4), reals(rng, 4, 2)), {"chain": (step, turn)})]


@sampled("as_strided")
def _as_strided(rng: np.random.Generator) -> list[Sample]:
    cases = (((3, 4), (3, 2), (4, 1), 1), ((3, 4), (2, 3), (1, 1), 0), ((5,), (4, 2), (1, 1), 0))
    return [
        Sample(
            (reals(rng, *shape),),
            {"size": size, "strides": strides, "shift": shift, "source": (4, 1)[2 - len(shape) :]},
        )
        for shape, size, strides, shift in cases
    ]


@sampled("view_as_real")
def _view_as_real(rng: np.random.Generator) -> list[Sample]:
    return [Sample((complexes(rng, 2, 3),)), Sample((complexes(rng),))]


@sampled("view_as_complex")
def _view_as_complex(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 3, 2),)), Sample((reals(rng, 2),))]


@sampled("frexp")
def _frexp(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 3, 4, low=0.6, high=0.9),)),
        Sample((reals(rng, 3, low=4.1, high=7),)),
    ]


@sampled("scatter_extreme")
def _scatter_extreme(rng: np.random.Generator) -> list[Sample]:
    places = tensor(np.array([[0, 2, 0], [3, 1, 3]]))
    x, src = reals(rng, 2, 4), reals(rng, 2, 3, low=-1.9, high=2.1)
    return [
        Sample((x, places, src), {"axis": 1, "largest": big, "include_self": own})
        for big in (False, True)
        for own in (False, True)
    ]


@sampled("index")
def _index(rng: np.random.Generator) -> list[Sample]:
    x, rows = reals(rng, 4, 3), indices(rng, 4, 2, 2)
    mask = tensor(np.array([True, False, True, True]))
    return [
        Sample((x, rows), {"key": (Slot(0),)}),
        Sample((x, indices(rng, 3, 5)), {"key": (slice(None), Slot(0))}),
        Sample((x, indices(rng, 4, 3), indices(rng, 3, 3)), {"key": (Slot(0), Slot(1))}),
        Sample((x, mask), {"key": (Slot(0),)}),
    ]


@sampled("unindex")
def _unindex(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 5, 3), indices(rng, 4, 5)), {"shape": (4, 3), "key": (Slot(0),)})]


@sampled("index_put")
def _index_put(rng: np.random.Generator) -> list[Sample]:
    places = tensor(np.array([2, 0]))
    return [
        Sample((reals(rng, 4, 3), v, places), {"key": (Slot(0),), "accumulate": add})
        for v in (reals(rng, 2, 3), reals(rng, 3))
        for add in (False, True)
    ]


@sampled("gather")
def _gather(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 4, 3), indices(rng, 4, 5, 3)), {"axis": 0}),
        Sample((reals(rng, 4, 3), indices(rng, 3, 2, 2)), {"axis": 1}),
    ]


@sampled("ungather")
def _ungather(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 5, 3), indices(rng, 4, 5, 3)), {"shape": (4, 3), "axis": 0})]


@sampled("scatter")
def _scatter(rng: np.random.Generator) -> list[Sample]:
    places = tensor(np.array([[0, 2], [3, 1]]))
    return [
        Sample((reals(rng, 4, 2), places, reals(rng, 2, 2)), {"axis": 0, "accumulate": add})
        for add in (False, True)
    ]


@sampled("sort")
def _sort(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 3, 4),), {"axis": a, "descending": d})
        for a in (0, 1)
        for d in (False, True)
    ]


@sampled("top_places")
def _top_places(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 5, 6),), {"axis": a, "k": k, "largest": high})
        for a in (0, 1)
        for k in (2, 4)
        for high in (False, True)
    ]


@sampled("kth_place")
def _kth_place(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 5, 6),), {"axis": a, "k": k}) for a in (0, 1) for k in (0, 3)]


@sampled("mode_place")
def _mode_place(rng: np.random.Generator) -> list[Sample]:
    return [Sample((indices(rng, 3, 5, 6),), {"axis": a}) for a in (0, 1)]


@sampled("nonzero")
def _nonzero(rng: np.random.Generator) -> list[Sample]:
    return [Sample((tensor(np.array([[1.0, 0.0], [0.0, 2.0]])),))]


@sampled("matmul")
def _matmul(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, 2, 3), reals(rng, 3, 4))),
        Sample((reals(rng, 2, 1, 2, 3), reals(rng, 3, 3, 2))),
        Sample((complexes(rng, 2, 3), complexes(rng, 3, 2))),
    ]


def _geometry(stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


_CONVS = (
    ((2, 2, 5, 4), (3, 2, 2, 3), _geometry((1, 1), ((0, 0), (0, 0)), (1, 1), 1)),
    ((1, 4, 6, 5), (4, 2, 3, 2), _geometry((2, 1), ((1, 0), (2, 1)), (1, 2), 2)),
    ((1, 3, 5), (3, 1, 3), _geometry((1,), ((1, 1),), (1,), 3)),
    ((1, 2, 3, 3), (4, 2, 1, 1), _geometry((1, 1), ((0, 0), (0, 0)), (1, 1), 1)),
)


def _conv_output(x: Any, w: Any, options: Any) -> tuple[int, ...]:
    from ..avals import Aval

    return TABLE["conv"].aval(Aval(x, F64), Aval(w, F64), **options).shape


@sampled("conv")
def _conv(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, *x), reals(rng, *w)), options) for x, w, options in _CONVS]


@sampled("conv_dx")
def _conv_dx(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, *_conv_output(x, w, o)), reals(rng, *w)), {"shape": x, **o})
        for x, w, o in _CONVS
    ]


@sampled("conv_dw")
def _conv_dw(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, *_conv_output(x, w, o)), reals(rng, *x)), {"shape": w, **o})
        for x, w, o in _CONVS
    ]


_WINDOWS = (
    ((2, 6), (3,), (2,), (1,)),
    ((1, 2, 5, 6), (2, 3), (1, 2), (2, 1)),
)


@sampled("windows")
def _windows(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((reals(rng, *shape),), {"size": size, "stride": stride, "dilation": dilation})
        for shape, size, stride, dilation in _WINDOWS
    ]


@sampled("overlap_add")
def _overlap_add(rng: np.random.Generator) -> list[Sample]:
    found = []
    for sample in _windows(rng):
        shape = tuple(sample.inputs[0].shape)
        out = TABLE["windows"].aval(sample.inputs[0].detach().numpy(), **sample.params).shape
        found.append(Sample((reals(rng, *out),), {"shape": shape, **sample.params}))
    return found


@sampled("max_pool")
@sampled("max_pool_alone")
def _max_pool(rng: np.random.Generator) -> list[Sample]:
    pads = ((0, 0),), ((1, 1), (0, 1))
    return [
        Sample(s.inputs, {**s.params, "padding": p})
        for s, p in zip(_windows(rng), pads, strict=True)
    ]


@sampled("fft")
def _fft(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((complexes(rng, 2, 5),), {"axis": a, "inverse": i})
        for a in (0, 1)
        for i in (False, True)
    ]


@sampled("rfft")
def _rfft(rng: np.random.Generator) -> list[Sample]:
    return [Sample((reals(rng, 3, n),), {"axis": 1}) for n in (5, 6)] + [
        Sample((reals(rng, 4, 2),), {"axis": 0})
    ]


@sampled("irfft")
def _irfft(rng: np.random.Generator) -> list[Sample]:
    return [Sample((complexes(rng, 2, 4),), {"axis": 1, "n": n}) for n in (6, 7)]


def _made(shape: tuple[int, ...], dtype: Any = F64, **params: Any) -> list[Sample]:
    return [Sample((), {"shape": shape, "dtype": np.dtype(dtype), "device": CPU, **params})]


def _register_creation() -> None:
    makers: dict[str, Callable[[], list[Sample]]] = {
        "full": lambda: _made((2, 3), value=1.5),
        "arange": lambda: _made((4,), start=1, step=0.5) + _made((4,), INT64, start=3, step=-1),
        "uniform": lambda: (
            _made((2, 3), generator=Generator()) + _made((2, 3), F32, generator=Generator())
        ),
        "normal": lambda: _made((2, 3), generator=Generator()),
        "integers": lambda: _made((5,), INT64, generator=Generator(), low=-2, high=3),
        "permutation": lambda: _made((5,), INT64, generator=Generator()),
    }
    for name, make in makers.items():
        SAMPLES.register(name, _without_rng(make))


def _without_rng(make: Callable[[], list[Sample]]) -> Callable[[np.random.Generator], list[Sample]]:
    return lambda rng: make()


_register_reductions()
_register_creation()
_register_special()
