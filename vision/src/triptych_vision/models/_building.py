"""What every builder does: make the model, and load the weights that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from triptych import nn

from ..weights import WeightsEnum
from ._registry import register_model

__all__ = ["build_model", "builder", "fixed_config"]

M = TypeVar("M", bound=nn.Module)

BUILDER_TEXT = """{summary}

    Args:
        weights: {weights}
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        **kwargs: arguments of `{model}` that the name does not fix.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """


def build_model(
    name: str,
    make: Callable[..., M],
    weights: WeightsEnum | None,
    progress: bool | None,
    config: Mapping[str, Any],
    needs: Mapping[str, Any] | None = None,
) -> M:
    """A model, with its weights loaded if there are any.

    Args:
        name: of the builder, for the error's text.
        make: the model's class.
        weights: a member, or None.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        config: arguments of the class; with weights, num_classes is theirs.
        needs: further arguments that the weights decide.

    Returns:
        The model, in training mode.

    Raises:
        ValueError: num_classes, or what the weights need, differs from the weights'.
    """
    if weights is None:
        return make(**config)
    categories = weights.meta.get("categories")
    fixed = dict(needs or {})
    if categories is not None:
        fixed["num_classes"] = len(categories)
    with nn.init.skipped():  # the file overwrites whatever would be drawn
        model = make(**fixed_config(name, weights, config, fixed))
    model.load_state_dict(weights.get_state_dict(progress))
    return model


def fixed_config(
    name: str, weights: WeightsEnum, config: Mapping[str, Any], fixed: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of a model where its weights decide some.

    Args:
        name: of the builder, for the error's text.
        weights: the member that was asked for.
        config: what the user gave.
        fixed: what the weights demand.

    Returns:
        Both together.

    Raises:
        ValueError: they contradict each other.
    """
    for key, wanted in fixed.items():
        if config.get(key, wanted) != wanted:
            raise ValueError(
                f"{name}: {weights!r} has {key}={wanted}, {key} is {config[key]}; leave {key} out"
                + (
                    ", and put a new last layer on the model afterwards"
                    if key == "num_classes"
                    else ""
                )
            )
    return {**config, **fixed}


def _choices(weights: type[WeightsEnum]) -> str:
    if weights is WeightsEnum:
        return "None; no file is registered."
    return f'a member of `{weights.__name__}`, its name, "DEFAULT", or None.'


def builder(
    name: str,
    model: type[M],
    weights: type[WeightsEnum],
    summary: str,
    make: Callable[..., M] | None = None,
    needs: Callable[[WeightsEnum], Mapping[str, Any]] | None = None,
    **own: Any,
) -> Callable[..., M]:
    """Make the builder of a model, and register it under its name.

    Args:
        name: such as "resnet50".
        model: the class of what it builds, in the module of the builder.
        weights: the enumeration of its weights; `WeightsEnum` itself when there are none.
        summary: first line of its docstring.
        make: called with the arguments; default the class.
        needs: called with chosen weights, gives arguments that they decide.
        **own: defaults of arguments that are the builder's own; users may give others.

    Returns:
        A function of keywords: weights, progress, and arguments of the class.
    """
    create = make or model

    def build(
        *, weights: WeightsEnum | str | None = None, progress: bool | None = None, **kwargs: Any
    ) -> M:
        chosen = kind.verify(weights)
        fixed = needs(chosen) if needs is not None and chosen is not None else {}
        config = {**{k: v for k, v in own.items() if k not in fixed}, **kwargs}
        return build_model(name, create, chosen, progress, config, fixed)

    kind = weights
    build.__name__ = build.__qualname__ = name
    build.__module__ = model.__module__
    build.__annotations__ = {
        "weights": weights | str | None,
        "progress": bool | None,
        "return": model,
    }
    build.__doc__ = BUILDER_TEXT.format(
        summary=summary, weights=_choices(weights), model=model.__name__
    )
    return register_model()(build)
