"""The base of all transforms: one draw of parameters for a whole sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import triptych as tp
from triptych import nn

from .kinds import is_array, is_image, is_pil

__all__ = ["RandomTransform", "Transform"]


class Transform(nn.Module):
    """Changes the images of a sample and leaves the rest alone.

    A sample is an image alone, or images, labels and others nested in tuples, lists and dicts; it
    comes back in the same shape. Parameters are drawn once per call, so an image and all others of
    its sample are changed alike. What counts as an image says `triptych_vision.transforms.kinds`;
    a transform of your own may say otherwise in `selects`.

    Write `transform`, and `make_params` if there is something to draw or to measure first.

    Example:
        >>> class Darken(Transform):
        ...     def transform(self, inpt, params):
        ...         return inpt // 2
        >>> sample = {"image": tp.full((1, 2, 2), 200), "label": 200}
        >>> out = Darken()(sample)
        >>> out["image"].tolist(), out["label"]
        ([[[100, 100], [100, 100]]], 200)
    """

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise when the sample is not one this transform takes.

        Args:
            flat_inputs: all parts of the sample in order, images or not.
        """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What all images of the sample share: random draws, sizes. Called once per sample.

        Args:
            flat_inputs: the images of the sample in order.

        Returns:
            Handed to `transform`.
        """
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image changed.

        Args:
            inpt: a part of the sample that `selects` picked.
            params: what `make_params` returned.

        Returns:
            The new image.
        """
        raise NotImplementedError(f"{type(self).__name__}.transform is not written")

    def selects(self, part: Any) -> bool:
        """Whether a part of a nested sample is changed; the default picks images."""
        return is_image(part)

    def forward(self, *inputs: Any) -> Any:
        """The sample with its images changed; several arguments are one sample, a tuple."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        if is_pil(sample) or is_array(sample):  # alone, so it is the image whatever its axes
            self.check_inputs([sample])
            return self.transform(sample, self.make_params([sample]))
        parts = list(_parts(sample))
        self.check_inputs(parts)
        chosen = [self.selects(part) for part in parts]
        params = self.make_params([p for p, use in zip(parts, chosen, strict=True) if use])
        changed = (
            self.transform(part, params) if use else part
            for part, use in zip(parts, chosen, strict=True)
        )
        return _rebuilt(sample, changed)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return ", ".join(
            f"{name}={getattr(value, 'value', value)}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name not in ("training", "generator")
        )


class RandomTransform(Transform):
    """A transform that draws numbers.

    Args:
        generator: where they come from; default the one that `triptych.manual_seed` seeds.
    """

    def __init__(self, *, generator: tp.Generator | None = None) -> None:
        super().__init__()
        self.generator = generator

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number from low up to, not including, high."""
        return low + (high - low) * tp.rand(1, generator=self.generator, dtype=tp.float64).item()

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return tp.randint(low, high + 1, (1,), generator=self.generator).item()


def _children(node: Any) -> list[Any] | None:
    """What a container holds; None for a part that is none."""
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list | tuple) else None


def _parts(node: Any) -> Iterator[Any]:
    children = _children(node)
    if children is None:
        yield node
        return
    for child in children:
        yield from _parts(child)


def _rebuilt(node: Any, parts: Iterator[Any]) -> Any:
    """The containers of node around other parts; consumes one for each of its own."""
    children = _children(node)
    if children is None:
        return next(parts)
    return _REBUILD[_family(node)](node, [_rebuilt(child, parts) for child in children])


def _family(node: Any) -> type | str:
    if isinstance(node, dict):
        return dict
    if hasattr(node, "_fields"):
        return "named tuple"
    return tuple if isinstance(node, tuple) else list


_REBUILD: dict[type | str, Callable[[Any, list[Any]], Any]] = {
    dict: lambda node, new: type(node)(zip(node, new, strict=True)),
    "named tuple": lambda node, new: type(node)(*new),
    tuple: lambda node, new: type(node)(new),
    list: lambda node, new: type(node)(new),
}
