"""What every builder of a detector does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from triptych import nn

from ...ops.blocks import FrozenBatchNorm2d, Layer
from ...weights import WeightsEnum
from .backbone_utils import overwrite_eps, trainable_layers_of

__all__ = ["Choice", "build_detector", "choose"]

M = TypeVar("M", bound=nn.Module)


class Choice(NamedTuple):
    """What a builder's arguments mean together.

    Args:
        weights: of the whole detector, or None.
        weights_backbone: of the backbone; None if the detector's weights hold them.
        num_classes: with the background.
        trainable_layers: stages of the backbone that learn.
        progress: show a bar while fetching weights.
    """

    weights: WeightsEnum | None
    weights_backbone: WeightsEnum | None
    num_classes: int
    trainable_layers: int
    progress: bool | None

    @property
    def norm_layer(self) -> Layer:
        """Of the backbone: frozen where there are weights."""
        trained = self.weights is not None or self.weights_backbone is not None
        return FrozenBatchNorm2d if trained else nn.BatchNorm2d


def choose(
    name: str,
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    num_classes: int | None,
    trainable_layers: int | None,
    progress: bool | None,
    *,
    stages: tuple[int, int] = (5, 3),
    classes: int = 91,
) -> Choice:
    """The choice.

    Args:
        name: of the builder, for the error's text.
        weights: of the whole detector, or None.
        weights_backbone: of the backbone, or None.
        num_classes: what the user wants, or None.
        trainable_layers: likewise.
        progress: show a bar while fetching weights.
        stages: of the backbone, and how many learn by default.
        classes: default without weights.

    Returns:
        The choice.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    if weights is not None:
        weights_backbone, held = None, len(weights.meta["categories"])
        if num_classes not in (None, held):
            raise ValueError(
                f"{name}: {weights!r} has num_classes={held}, num_classes is {num_classes}; leave "
                "num_classes out, and put a new last layer on the model afterwards"
            )
        num_classes = held
    trained = weights is not None or weights_backbone is not None
    layers = trainable_layers_of(trained, trainable_layers, *stages)
    chosen = classes if num_classes is None else num_classes
    return Choice(weights, weights_backbone, chosen, layers, progress)


def build_detector(make: Callable[[], M], choice: Choice, eps: float | None = None) -> M:
    """A detector, with its weights loaded if there are any.

    Args:
        make: makes it.
        choice: which weights.
        eps: of the frozen normalisations with these weights; None lets it be.

    Returns:
        The detector, in training mode.
    """
    if choice.weights is None:
        return make()
    with nn.init.skipped():  # the file overwrites whatever would be drawn
        model = make()
    model.load_state_dict(choice.weights.get_state_dict(choice.progress))
    if eps is not None:
        overwrite_eps(model, eps)
    return model
