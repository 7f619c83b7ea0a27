"""Bounds that a chat template runs within, since it comes with a download: size, steps, time."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from triptych.errors import TriptychError

from .chat_growth import grown, weight

__all__ = ["ChatTemplateError", "Meter", "bounded_environment", "measured"]

OFTEN = 10_000  # characters and entries beyond which a look at a value is followed by one at time
WIDE = re.compile(r"\d{6,}|\*")  # a field width in a format that would fill the memory


class ChatTemplateError(TriptychError, ValueError):
    """A chat template that is malformed, refuses the messages, or would not come to an end."""


@dataclass(slots=True)
class Meter:
    """Counts what one rendering uses.

    Args:
        steps: passes of loops and calls of macros, at most.
        size: characters or entries of one value, at most.
        seconds: of time, at most.
        deadline: when the time of a rendering is over; `start` sets it.
        left: steps that are left of a rendering; `start` sets them.
    """

    steps: int = 1_000_000
    size: int = 10_000_000
    seconds: float = 10.0
    deadline: float = 0.0
    left: int = 0

    def start(self) -> None:
        """Begin a rendering."""
        self.left, self.deadline = self.steps, time.monotonic() + self.seconds

    def step(self) -> None:
        """Count one step.

        Raises:
            ChatTemplateError: there were too many, or the time is over.
        """
        self.left -= 1
        if self.left < 0:
            raise ChatTemplateError(
                f"chat template: stopped after {self.steps:,} passes of loops and calls; is it "
                "cyclic?"
            )
        if self.left % 64 == 0 and time.monotonic() > self.deadline:
            raise ChatTemplateError(f"chat template: stopped after {self.seconds:g} seconds")

    def counted(self, values: Iterable[Any]) -> Iterable[Any]:
        """The values of a loop, each pass counted.

        Args:
            values: of the loop.
        """
        entries = list(values) if not hasattr(values, "__len__") else values
        self.sized(entries)
        return _Counted(entries, self)

    def sized(self, value: Any) -> Any:
        """A value that is not too large, with all of its parts.

        Args:
            value: anything.

        Raises:
            ChatTemplateError: it is.
        """
        amount = weight(value, self.size)
        if amount > self.size:
            raise ChatTemplateError(
                f"chat template: stopped at a value of {amount:,} characters or entries, or more; "
                f"the limit is {self.size:,}"
            )
        if amount > OFTEN and 0 < self.deadline < time.monotonic():
            raise ChatTemplateError(f"chat template: stopped after {self.seconds:g} seconds")
        if type(value) is int and value.bit_length() > 4096:
            raise ChatTemplateError("chat template: stopped at a number of over 4,096 bits")
        return value

    def product(self, left: Any, right: Any) -> None:
        """See that `left * right` will not be too large.

        Args:
            left: a factor.
            right: the other one.

        Raises:
            ChatTemplateError: it will.
        """
        for value, times in ((left, right), (right, left)):
            if not isinstance(value, str | bytes | list | tuple) or not isinstance(times, int):
                continue
            if len(value) * max(times, 0) > self.size:
                raise ChatTemplateError(
                    f"chat template: {len(value)} times {times} entries are over the limit of "
                    f"{self.size:,}"
                )

    def arguments(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """See that the arguments of a call, and its result, do not fill the memory.

        Args:
            function: what is called: a function, a filter, or a method of a value.
            args: of the call.
            kwargs: of the call.

        Raises:
            ChatTemplateError: they do.
        """
        if grown(function, args, kwargs) > self.size:
            raise ChatTemplateError(
                f"chat template: a call of {function.__name__} whose result would be over the "
                f"limit of {self.size:,} characters"
            )
        for value in (*args, *kwargs.values()):
            self.sized(value)
            if type(value) is int and abs(value) > self.size:
                raise ChatTemplateError(
                    f"chat template: a call with the number {value}; the limit is {self.size:,}"
                )


class _Counted:
    """Entries of a loop; has a length where Jinja asks for `loop.length`."""

    def __init__(self, values: Any, meter: Meter) -> None:
        self.values, self.meter = values, meter

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        for value in self.values:
            self.meter.step()
            yield value


def bounded_environment(meter: Meter) -> Any:
    """Jinja environment without access to Python's insides, that counts what it does.

    Args:
        meter: holds the limits; `start` it before each rendering.

    Returns:
        A `jinja2.sandbox.ImmutableSandboxedEnvironment`.
    """
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.visitor import NodeTransformer

    class Guard(NodeTransformer):
        def visit_For(self, node: Any) -> Any:
            self.generic_visit(node)
            node.iter = called("__counted", node.iter)
            return node

        def visit_Concat(self, node: Any) -> Any:
            self.generic_visit(node)
            return called("__sized", node)

        visit_Dict = visit_List = visit_Concat

        def visit_Tuple(self, node: Any) -> Any:
            self.generic_visit(node)
            return called("__sized", node) if node.ctx == "load" else node

    def called(name: str, node: Any) -> Any:
        target = nodes.Name(name, "load", lineno=node.lineno)
        return nodes.Call(target, [node], [], None, None, lineno=node.lineno)

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "+", "%"})

        def _parse(self, source: Any, name: Any, filename: Any) -> Any:
            return Guard().visit(super()._parse(source, name, filename))

        def wrap_str_format(self, value: Any) -> Any:
            wrapped = super().wrap_str_format(value)
            if wrapped is None:
                return None
            _check_format(value.__self__)

            def bounded(*args: Any, **kwargs: Any) -> Any:
                meter.arguments(value, args, kwargs)
                return wrapped(*args, **kwargs)

            return bounded

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" and not (abs(left) <= 2**32 and abs(right) <= 128):
                raise ChatTemplateError(f"chat template: {left} ** {right} is over the limit")
            if operator == "*":
                meter.product(left, right)
            if operator == "%" and isinstance(left, str):
                _check_format(left)
                meter.arguments(left.format, (right,), {})
            return meter.sized(super().call_binop(context, operator, left, right))

        def call(self, context: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            if function in (meter.counted, meter.sized):
                return function(*args)
            meter.step()
            meter.arguments(function, args, kwargs)
            return meter.sized(super().call(context, function, *args, **kwargs))

    made = Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
        finalize=meter.sized,
    )
    made.filters = {name: measured(f, meter) for name, f in made.filters.items()}
    made.globals |= {"__counted": meter.counted, "__sized": meter.sized}
    return made


def _check_format(pattern: str) -> None:
    if WIDE.search(pattern):
        raise ChatTemplateError(f"chat template: a format with a wide field: {pattern[:40]!r}")


def measured(function: Callable[..., Any], meter: Meter) -> Callable[..., Any]:
    """A filter whose arguments and result are looked at.

    Args:
        function: the filter.
        meter: holds the limits.
    """

    @functools.wraps(function)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        meter.step()
        meter.arguments(function, args, kwargs)
        if function.__name__ == "do_format":
            _check_format(str(args[0]))
        return meter.sized(function(*args, **kwargs))

    return looked_at
