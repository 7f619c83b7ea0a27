"""Features from the middle of a model."""

from __future__ import annotations

from collections.abc import Mapping

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError

__all__ = ["IntermediateLayerGetter"]


class IntermediateLayerGetter(nn.ModuleDict):
    """A model up to the last layer that is asked for; gives the outputs of the asked layers.

    The model calls its children one after the other, in the order it has them, as ResNet does
    up to its last stage. Names in the state dict stay.

    Args:
        model: whose children are used.
        return_layers: name of the output by name of the child.

    Raises:
        UnknownNameError: the model has no such child.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.ReLU())
        >>> getter = IntermediateLayerGetter(model, {"0": "early", "2": "late"})
        >>> {name: tuple(x.shape) for name, x in getter(tp.zeros(1, 3, 5, 5)).items()}
        {'early': (1, 4, 5, 5), 'late': (1, 8, 5, 5)}
    """

    def __init__(self, model: nn.Module, return_layers: Mapping[str, str]) -> None:
        children = dict(model.named_children())
        wanted = {str(layer): str(name) for layer, name in return_layers.items()}
        missing = sorted(set(wanted) - set(children))
        if missing:
            raise UnknownNameError(
                f"IntermediateLayerGetter: {type(model).__name__} has no {missing}; its children "
                f"are {list(children)}"
            )
        last = max(list(children).index(layer) for layer in wanted)
        super().__init__(dict(list(children.items())[: last + 1]))
        self.return_layers = wanted

    def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
        """Outputs of the asked layers, by their new names, in the model's order."""
        out = {}
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out
