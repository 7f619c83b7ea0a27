"""Modules that are a function with settings."""

from __future__ import annotations

import functools
import inspect
from typing import Any, ClassVar, dataclass_transform

from .. import functional as F
from ..module import Module


@dataclass_transform()
class Configured(Module):
    """A module whose annotated class attributes are its constructor's arguments, as in a dataclass.

    A subclass names its `_function` in `functional`; forward calls it with the inputs and, by name,
    the settings.
    """

    _function: ClassVar[str]
    __signature__: ClassVar[inspect.Signature]
    _hidden: ClassVar[tuple[str, ...]] = ()  # settings that are not printed
    _tensors: ClassVar[tuple[str, ...]] = ()  # settings that are buffers
    _arguments: ClassVar[inspect.Signature] = inspect.Signature()

    def __init_subclass__(cls) -> None:
        """Read the settings of the new class, after those of its base."""
        if "__init__" in cls.__dict__:  # it has arguments of its own
            cls.__signature__ = inspect.signature(functools.partial(cls.__dict__["__init__"], None))
            return
        fields = dict(cls._arguments.parameters)
        for name, annotation in inspect.get_annotations(cls).items():
            if str(annotation).startswith("ClassVar"):
                continue
            default = inspect.Parameter.empty
            if name in cls.__dict__:
                default = cls.__dict__[name]
                delattr(cls, name)  # it would hide a buffer of the same name
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            fields[name] = inspect.Parameter(name, kind, default=default, annotation=annotation)
        cls._arguments = cls.__signature__ = inspect.Signature(list(fields.values()))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        try:
            given = self._arguments.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{self._arguments}: {error}") from None
        given.apply_defaults()
        for name, value in given.arguments.items():
            if name in self._tensors:
                self._buffers[name] = None
            setattr(self, name, value)
        self._settle()

    def _settle(self) -> None:
        """Check and complete the settings."""

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._arguments.parameters}

    def forward(self, *inputs: Any) -> Any:
        return getattr(F, self._function)(*inputs, **self._settings())

    def extra_repr(self) -> str:
        hidden = {*self._hidden, *self._tensors}
        shown = {n: v for n, v in self._settings().items() if n not in hidden}
        if shown.get("inplace") is False:
            del shown["inplace"]
        return ", ".join(f"{n}={v!r}" for n, v in shown.items())
