"""Pipelines as dicts of plain values, which JSON and YAML keep, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, FileFormatError, UnknownNameError

from .. import tv_tensors
from .autoaugment import AutoAugmentPolicy
from .box_params import BBoxParams
from .interpolation import InterpolationMode
from .transform import Transform

__all__ = ["from_dict", "to_dict"]

_VERSION = 1
_ENUMS = {"InterpolationMode": InterpolationMode, "AutoAugmentPolicy": AutoAugmentPolicy}
_KINDS = {
    kind.__name__: kind
    for kind in (
        tv_tensors.Image,
        tv_tensors.Video,
        tv_tensors.Mask,
        tv_tensors.BoundingBoxes,
        tv_tensors.KeyPoints,
    )
}
_SKIPPED = ("generator",)  # a pipeline draws from the default one when it is built again


def _known() -> dict[str, type[Transform]]:
    from .. import transforms

    public = {name: getattr(transforms, name) for name in transforms.__all__}
    return {
        name: value
        for name, value in public.items()
        if isinstance(value, type) and issubclass(value, Transform)
    }


def to_dict(transform: Transform) -> dict[str, Any]:
    """A transform, or a pipeline of them, by the names and arguments it was made with.

    Args:
        transform: of this package, or your own `Transform` whose arguments are plain values,
            enums, dtypes, tensors and other transforms. What was changed after it was made, and
            generators, are not in it.

    Returns:
        Made of dicts, lists, strings, numbers, bools and None.

    Raises:
        DTypeError: an argument is something else, a function say.

    Example:
        >>> from triptych_vision import transforms as T
        >>> steps = T.Compose([T.Resize(8), T.RandomHorizontalFlip(p=0.3)])
        >>> to_dict(steps)["transform"]["args"][0][1]
        {'class': 'RandomHorizontalFlip', 'args': [], 'kwargs': {'p': 0.3}}
        >>> from_dict(to_dict(steps)).transforms[1]
        RandomHorizontalFlip(p=0.3)
    """
    return {"version": _VERSION, "transform": _packed(transform)}


def from_dict(
    data: Mapping[str, Any], also: Mapping[str, Callable[..., Any]] | None = None
) -> Transform:
    """The transform that `to_dict` wrote down.

    Nothing is imported or run by name: classes are looked up among those of this package, and
    `also`, and called with the arguments.

    Args:
        data: from `to_dict`, or read from a file.
        also: classes of your own by name.

    Returns:
        A new transform.

    Raises:
        FileFormatError: data is not of this form or of a later version.
        UnknownNameError: a class is not known.
    """
    if not isinstance(data, Mapping) or data.get("version") != _VERSION or "transform" not in data:
        raise FileFormatError(
            f"from_dict: wanted a dict of to_dict with version {_VERSION}, got "
            f"{sorted(data) if isinstance(data, Mapping) else type(data).__name__}"
        )
    out = _unpacked(data["transform"], {**_known(), **(also or {})})
    if not isinstance(out, Transform):
        raise FileFormatError(f"from_dict: holds a {type(out).__name__}, which is no transform")
    return out


def _packed(value: Any) -> Any:
    for test, pack in _PACKERS:
        if test(value):
            return pack(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    raise DTypeError(
        f"to_dict: {type(value).__name__} cannot be written down; wanted plain values, enums, "
        "dtypes, tensors and transforms"
    )


def _pack_transform(transform: Transform) -> dict[str, Any]:
    args, kwargs = transform.__dict__["_arguments"]
    named = {name: _packed(v) for name, v in kwargs.items() if name not in _SKIPPED}
    return {
        "class": type(transform).__name__,
        "args": [_packed(v) for v in args],
        "kwargs": named,
    }


def _pack_tensor(value: tp.Tensor) -> dict[str, Any]:
    return {"tensor": value.tolist(), "dtype": value.dtype.name}


_PACKERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda v: isinstance(v, Transform), _pack_transform),
    (
        lambda v: isinstance(v, tuple(_ENUMS.values())),
        lambda v: {"enum": type(v).__name__, "name": v.name},
    ),
    (lambda v: isinstance(v, tp.dtype), lambda v: {"dtype": v.name}),
    (lambda v: isinstance(v, tp.Tensor), _pack_tensor),
    (lambda v: isinstance(v, BBoxParams), lambda v: {"boxes": _packed(dataclasses.asdict(v))}),
    (lambda v: isinstance(v, type) and v in _KINDS.values(), lambda v: {"kind": v.__name__}),
    (lambda v: isinstance(v, tuple), lambda v: {"tuple": [_packed(x) for x in v]}),
    (lambda v: isinstance(v, list | nn.ModuleList), lambda v: [_packed(x) for x in v]),
    (
        lambda v: isinstance(v, Mapping),
        lambda v: {"dict": [[_packed(k), _packed(x)] for k, x in v.items()]},
    ),
)

Known = dict[str, Callable[..., Any]]


def _unpacked(value: Any, known: Known) -> Any:
    if isinstance(value, list):
        return [_unpacked(v, known) for v in value]
    if not isinstance(value, Mapping):
        return value
    for key, unpack in _UNPACKERS.items():
        if key in value:
            return unpack(value, known)
    raise FileFormatError(f"from_dict: knows no value with the keys {sorted(map(str, value))}")


def _found(what: str, name: Any, table: Mapping[str, Any]) -> Any:
    if not isinstance(name, str) or name not in table:
        raise UnknownNameError(
            f"from_dict: {what} {name!r} is not known; add classes of your own by also="
        )
    return table[name]


def _unpack_transform(value: Mapping[str, Any], known: Known) -> Any:
    args, kwargs = value.get("args", []), value.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, Mapping):
        raise FileFormatError(f"from_dict: {value['class']!r} needs a list args and a dict kwargs")
    named = {str(name): _unpacked(v, known) for name, v in kwargs.items()}
    return _found("class", value["class"], known)(*(_unpacked(v, known) for v in args), **named)


def _unpack_enum(value: Mapping[str, Any], known: Known) -> Any:
    members = _found("enum", value["enum"], _ENUMS).__members__
    return _found("member", value.get("name"), members)


def _dtype(name: Any) -> Any:
    dtype = getattr(tp, name, None) if isinstance(name, str) else None
    if not isinstance(dtype, tp.dtype):
        raise UnknownNameError(f"from_dict: {name!r} is no dtype")
    return dtype


_UNPACKERS: dict[str, Callable[[Mapping[str, Any], Known], Any]] = {
    "class": _unpack_transform,
    "enum": _unpack_enum,
    "tensor": lambda v, known: tp.tensor(v["tensor"], dtype=_dtype(v.get("dtype"))),
    "dtype": lambda v, known: _dtype(v["dtype"]),
    "boxes": lambda v, known: BBoxParams(**_unpacked(v["boxes"], known)),
    "kind": lambda v, known: _found("kind", v["kind"], _KINDS),
    "float": lambda v, known: float(v["float"]),
    "tuple": lambda v, known: tuple(_unpacked(v["tuple"], known)),
    "dict": lambda v, known: dict(_unpacked(v["dict"], known)),
}
