"""What every builder of a segmenter does: a backbone with its weights, or weights of the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from triptych import nn

from ...weights import WeightsEnum
from .._building import build_model
from .._registry import register_model

__all__ = ["NUM_CLASSES", "segmenter_builder"]

M = TypeVar("M", bound=nn.Module)

NUM_CLASSES = 21  # of Pascal VOC, the background among them

BUILDER_TEXT = """{summary}

    Args:
        weights: a member of `{weights}`, its name, "DEFAULT", or None.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        num_classes: outputs, the background among them; default 21, or the weights'.
        aux_loss: {aux}.
        weights_backbone: of `{backbone}`, a member of its enumeration, its name, or None; taken
            only when weights is None.
        **kwargs: further arguments of the model.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes or aux_loss differs from the weights'.
    """
WITH_AUX = "have a second classifier in the middle, for training; with weights it is there"
WITHOUT_AUX = "only False or None: this model has no second classifier"


def segmenter_builder(
    name: str,
    model: type[M],
    weights: type[WeightsEnum],
    summary: str,
    backbone: Callable[..., nn.Module],
    backbone_weights: WeightsEnum,
    assemble: Callable[..., M],
    has_aux: bool = True,
    **backbone_config: Any,
) -> Callable[..., M]:
    """Make the builder of a segmenter, and register it under its name.

    Args:
        name: such as "fcn_resnet50".
        model: the class of what it builds.
        weights: the enumeration of its weights.
        summary: first line of its docstring.
        backbone: the builder of the backbone.
        backbone_weights: of the backbone, unless the user says otherwise.
        assemble: called with the backbone, num_classes and, where there is one, aux_loss.
        has_aux: whether there can be a second classifier.
        **backbone_config: arguments of the backbone.

    Returns:
        A function of keywords.
    """
    backbone_enum, kind = type(backbone_weights), weights

    def build(
        *,
        weights: WeightsEnum | str | None = None,
        progress: bool | None = None,
        num_classes: int | None = None,
        aux_loss: bool | None = None,
        weights_backbone: WeightsEnum | str | None = backbone_weights,
        **kwargs: Any,
    ) -> M:
        if aux_loss and not has_aux:
            raise ValueError(f"{name}: aux_loss is False or None, as there is no second classifier")
        chosen = kind.verify(weights)
        body_weights = backbone_enum.verify(weights_backbone) if chosen is None else None
        config = dict(kwargs)
        if num_classes is not None:
            config["num_classes"] = num_classes
        if has_aux and aux_loss is not None:
            config["aux_loss"] = aux_loss

        def make(num_classes: int = NUM_CLASSES, **rest: Any) -> M:
            body = backbone(weights=body_weights, progress=progress, **backbone_config)
            return assemble(body, num_classes, **rest)

        fixed = {"aux_loss": True} if has_aux else {}
        return build_model(name, make, chosen, progress, config, fixed)

    build.__name__ = build.__qualname__ = name
    build.__module__ = model.__module__
    build.__annotations__ = {
        "weights": weights | str | None,
        "progress": bool | None,
        "num_classes": int | None,
        "aux_loss": bool | None,
        "weights_backbone": backbone_enum | str | None,
        "return": model,
    }
    build.__doc__ = BUILDER_TEXT.format(
        summary=summary,
        weights=weights.__name__,
        backbone=backbone.__name__,
        aux=WITH_AUX if has_aux else WITHOUT_AUX,
    )
    return register_model()(build)
