"""What every builder of a classifier does: build, and load the weights that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from triptych import nn

from ..weights import WeightsEnum

__all__ = ["build_model"]

M = TypeVar("M", bound=nn.Module)


def build_model(
    name: str,
    make: Callable[..., M],
    weights: WeightsEnum | None,
    progress: bool | None,
    config: Mapping[str, Any],
) -> M:
    """A model, with its weights loaded if there are any.

    Args:
        name: of the builder, for the error's text.
        make: the model's class.
        weights: a member, or None.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        config: arguments of the class; with weights, num_classes is theirs.

    Returns:
        The model, in training mode.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    if weights is None:
        return make(**config)
    num_classes = len(weights.meta["categories"])
    if config.get("num_classes", num_classes) != num_classes:
        raise ValueError(
            f"{name}: {weights!r} has {num_classes} classes, num_classes is "
            f"{config['num_classes']}; leave num_classes out, and put a new last layer on the "
            "model afterwards"
        )
    with nn.init.skipped():  # the file overwrites whatever would be drawn
        model = make(**{**config, "num_classes": num_classes})
    model.load_state_dict(weights.get_state_dict(progress))
    return model
