"""Signatures of custom operations in torch's language: ``(Tensor x, float y=1.0) -> Tensor``."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ..dtypes import dtype
from ..errors import TriptychError
from ..tensor import Tensor

_SCALARS = {
    Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    complex: "complex",
    dtype: "ScalarType",
}
_SEQUENCES = {Tensor: "Tensor[]", int: "SymInt[]", float: "float[]", bool: "bool[]", str: "str[]"}


class CustomOpError(TriptychError, RuntimeError):
    """A custom operation that is not declared as it behaves."""


@dataclass(frozen=True)
class Schema:
    """What a schema says.

    Attributes:
        text: the schema itself.
        signature: of the operation, to bind arguments.
        mutates: names of the arguments it writes to.
        outputs: how many tensors it gives.
        several: whether they come as a tuple.
    """

    text: str
    signature: inspect.Signature
    mutates: tuple[str, ...]
    outputs: int
    several: bool


def infer_schema(
    prototype_function: Callable[..., Any],
    /,
    *,
    mutates_args: str | Iterable[str] = (),
    op_name: str | None = None,
) -> str:
    """The schema of an annotated function.

    Args:
        prototype_function: every parameter and the result must be annotated: with Tensor, int,
            float, bool, str, complex, a dtype, sequences of the first five, Optional of these; the
            result with Tensor, a tuple of Tensor, or None.
        mutates_args: names of the parameters the function writes to, or "unknown" for all tensors.
        op_name: put in front.

    Raises:
        CustomOpError: an annotation is missing or is none of these.

    Example:
        >>> def scaled(x: triptych.Tensor, by: float = 2.0) -> triptych.Tensor:
        ...     return x * by
        >>> infer_schema(scaled)
        '(Tensor x, float by=2.0) -> Tensor'
    """
    name = getattr(prototype_function, "__name__", "function")
    try:
        hints = typing.get_type_hints(prototype_function)
    except NameError as error:
        raise CustomOpError(f"{name}: an annotation cannot be resolved: {error}") from None
    parts, starred = [], False
    parameters = inspect.signature(prototype_function).parameters
    written = _written(mutates_args, parameters, hints)
    for p in parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise CustomOpError(f"{name}: a custom operation has no *args or **kwargs")
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if p.name not in hints:
            raise CustomOpError(f"{name}: parameter {p.name} has no annotation")
        kind = _spelled(name, p.name, hints[p.name])
        if p.name in written:
            kind = kind.replace("Tensor", f"Tensor(a{len(parts) - starred}!)", 1)
        default = "" if p.default is p.empty else f"={_shown(p.default)}"
        parts.append(f"{kind} {p.name}{default}")
    text = f"({', '.join(parts)}) -> {_result(name, hints)}"
    return text if op_name is None else f"{op_name}{text}"


def _written(mutates: str | Iterable[str], parameters: Any, hints: Any) -> set[str]:
    if mutates == "unknown":
        return {n for n, kind in hints.items() if n != "return" and Tensor in _inside(kind)}
    found = {mutates} if isinstance(mutates, str) else set(mutates)
    unknown = found - set(parameters)
    if unknown:
        raise CustomOpError(f"mutates_args: no parameter is named {', '.join(sorted(unknown))}")
    return found


def _inside(kind: Any) -> set[Any]:
    return {kind, *typing.get_args(kind)}


def _spelled(name: str, parameter: str, kind: Any) -> str:
    if kind in _SCALARS:
        return _SCALARS[kind]
    args = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType) and type(None) in args and len(args) == 2:
        inner = args[0] if args[1] is type(None) else args[1]
        return f"{_spelled(name, parameter, inner)}?"
    if origin in (list, Sequence) and args[0] in _SEQUENCES:
        return _SEQUENCES[args[0]]
    if origin in (list, Sequence) and args[0] == Tensor | None:
        return "Tensor?[]"
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis and args[0] in _SEQUENCES:
        return _SEQUENCES[args[0]]
    raise CustomOpError(
        f"{name}: parameter {parameter} is annotated {kind}; wanted Tensor, int, float, bool, str, "
        "complex, dtype, a Sequence of the first five, or Optional of these"
    )


def _shown(default: Any) -> str:
    if isinstance(default, str):
        return f'"{default}"'
    return str(default).removeprefix("triptych.")


def _result(name: str, hints: dict[str, Any]) -> str:
    if "return" not in hints:
        raise CustomOpError(f"{name}: the result has no annotation; write -> Tensor, or -> None")
    kind = hints["return"]
    if kind is type(None):
        return "()"
    if kind is Tensor:
        return "Tensor"
    args = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and args and all(a is Tensor for a in args):
        return f"({', '.join(['Tensor'] * len(args))})"
    raise CustomOpError(
        f"{name}: the result is annotated {kind}; wanted Tensor, a tuple of a fixed number of "
        "Tensor, or None"
    )


_PARAMETER = re.compile(
    r"(?P<kind>\w+(?:\([a-z]\d*!?\))?(?P<rest>[?\[\]\d]*))\s+(?P<name>\w+)(?:=(?P<default>.*))?"
)


def parse(text: str) -> Schema:
    """What a schema says.

    Raises:
        CustomOpError: it cannot be read.
    """
    head, arrow, result = text.strip().partition("->")
    head = head.strip()
    if not arrow or "(" not in head or not head.endswith(")"):
        raise CustomOpError(f"schema: wanted '(Tensor x, ...) -> Tensor', got {text!r}")
    inner = head[head.index("(") + 1 : -1]
    parameters, mutates, named = [], [], False
    for part in _split(inner):
        if part == "*":
            named = True
            continue
        found = _PARAMETER.fullmatch(part)
        if found is None:
            raise CustomOpError(f"schema: cannot read parameter {part!r} of {text!r}")
        default = found["default"]
        value = inspect.Parameter.empty if default is None else _value(default)
        kind = inspect.Parameter.KEYWORD_ONLY if named else inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(inspect.Parameter(found["name"], kind, default=value))
        if "!" in found["kind"]:
            mutates.append(found["name"])
    outputs, several = _outputs(result.strip(), text)
    return Schema(text, inspect.Signature(parameters), tuple(mutates), outputs, several)


def _split(inner: str) -> list[str]:
    """Parts between commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(inner):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(inner[start:i].strip())
            start = i + 1
    return [p for p in (*parts, inner[start:].strip()) if p]


_WORDS = {"None": None, "True": True, "False": False}


def _value(text: str) -> Any:
    import ast

    if text in _WORDS:
        return _WORDS[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        from .. import dtypes

        return getattr(dtypes, text, text)


def _outputs(result: str, text: str) -> tuple[int, bool]:
    if result.startswith("(") and result.endswith(")"):
        kinds = _split(result[1:-1])
        several = True
    else:
        kinds, several = [result], False
    if any(not re.fullmatch(r"Tensor(\([a-z]\d*!?\))?( \w+)?", kind) for kind in kinds):
        raise CustomOpError(
            f"schema: the result of {text!r} is no tensor and no fixed number of them"
        )
    return len(kinds), several
