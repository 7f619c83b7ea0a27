"""Models by name: builders register themselves, users look them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from triptych import Registry, nn
from triptych.errors import UnknownNameError

from ..weights import WeightsEnum

__all__ = [
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    "register_model",
]

Builder = Callable[..., nn.Module]
B = TypeVar("B", bound=Builder)
Patterns = str | Iterable[str] | None

MODELS: Registry[Builder] = Registry("model")


def register_model(name: str | None = None) -> Callable[[B], B]:
    """Decorator that makes a builder known under a name.

    Args:
        name: default the function's.

    Returns:
        The decorator, which gives the builder back.

    Raises:
        ValueError: the name is taken.
    """

    def add(builder: B) -> B:
        MODELS.register(name or builder.__name__, builder)
        return builder

    return add


def list_models(
    pattern: Patterns = None,
    *,
    module: ModuleType | None = None,
    include: Patterns = None,
    exclude: Patterns = None,
) -> list[str]:
    """Sorted names of the models.

    Args:
        pattern: shell pattern or several, such as "resnet*"; default all. `include` is the same.
        module: only builders defined in this module or below it.
        include: patterns of names to list.
        exclude: patterns of names to leave out.

    Returns:
        The names.

    Example:
        >>> "mobilenet_v2" in list_models("mobilenet*")
        True
    """
    wanted = [*_patterns(pattern), *_patterns(include)] or ["*"]
    unwanted = _patterns(exclude)
    return [
        name
        for name in MODELS.names()
        if any(fnmatchcase(name, p) for p in wanted)
        and not any(fnmatchcase(name, p) for p in unwanted)
        and (module is None or _lies_in(MODELS[name], module))
    ]


def _patterns(given: Patterns) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _lies_in(builder: Builder, module: ModuleType) -> bool:
    home = module.__name__
    return builder.__module__ == home or (
        builder.__module__.startswith(f"{home}.") and hasattr(module, builder.__name__)
    )


def get_model_builder(name: str) -> Builder:
    """The function that builds a model.

    Args:
        name: as in `list_models`; upper and lower case are the same.

    Returns:
        The builder.

    Raises:
        UnknownNameError: no model is called so; the text holds the closest names.
    """
    return MODELS[name.lower()]


def get_model(name: str, **config: Any) -> nn.Module:
    """Build a model.

    Args:
        name: as in `list_models`.
        **config: the builder's arguments, such as weights="DEFAULT".

    Returns:
        The model, in training mode as every new module.

    Example:
        >>> model = get_model("mobilenet_v2", num_classes=10)
        >>> model.classifier[1].out_features
        10
    """
    return get_model_builder(name)(**config)


def get_model_weights(name: str | Builder) -> type[WeightsEnum]:
    """The enumeration of a model's weights.

    Args:
        name: of the model, or its builder.

    Returns:
        The subclass of `WeightsEnum`.

    Raises:
        UnknownNameError: no model is called so.
        ValueError: the builder takes no weights.
    """
    builder = get_model_builder(name) if isinstance(name, str) else name
    hint = get_type_hints(builder).get("weights")
    for kind in getattr(hint, "__args__", (hint,)):
        if isinstance(kind, type) and issubclass(kind, WeightsEnum):
            return kind
    raise ValueError(
        f"get_model_weights: {builder.__name__} has no argument weights: SomeWeights | str | None"
    )


def get_weight(name: str) -> WeightsEnum:
    """One member by its full name.

    Args:
        name: "MobileNet_V2_Weights.IMAGENET1K_V1".

    Returns:
        The member.

    Raises:
        UnknownNameError: no such enumeration or member.
    """
    family, _, member = name.partition(".")
    for builder in MODELS.values():
        kind = get_model_weights(builder)
        if kind.__name__ == family:
            found = kind.verify(member)
            assert found is not None  # a string never means None
            return found
    kinds = {get_model_weights(builder) for builder in MODELS.values()} - {WeightsEnum}
    families = sorted(kind.__name__ for kind in kinds)
    raise UnknownNameError(
        f"get_weight: wanted ENUMERATION.MEMBER of one of {', '.join(families)}, got {name!r}"
    )
