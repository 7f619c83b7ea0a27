"""The base of all transforms: one draw of parameters for a whole sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError

from .. import tv_tensors
from .dispatch import has_kernel
from .kinds import is_array, is_image, is_pil, stacked, unstacked

__all__ = [
    "RandomApplyTransform",
    "RandomTransform",
    "Transform",
    "checked_probability",
    "flattened",
    "rebuilt",
]


class Transform(nn.Module):
    """Changes the images of a sample and leaves the rest alone.

    A sample is an image alone, or images, boxes, labels and others nested in tuples, lists and
    dicts; it comes back in the same shape. Parameters are drawn once per call, so an image and all
    others of its sample are changed alike. Which parts are changed says `chosen`.

    Write `transform`, and `make_params` if there is something to draw or to measure first.

    Attributes:
        plain_arrays: which arrays without a kind (tensors, NumPy and DLPack arrays of three or
            more axes) are images: "first", the first one if the sample has no PIL image, `Image`
            or `Video`; "all"; or "none". Set it on a transform, or on this class for all of them.

    Example:
        >>> class Darken(Transform):
        ...     def transform(self, inpt, params):
        ...         return inpt // 2
        >>> sample = {"image": tp.full((1, 2, 2), 200), "label": 200}
        >>> out = Darken()(sample)
        >>> out["image"].tolist(), out["label"]
        ([[[100, 100], [100, 100]]], 200)
    """

    plain_arrays: ClassVar[str] = "first"
    _alone_is_image: ClassVar[bool] = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments as they were given, for `to_dict`."""
        self = super().__new__(cls)
        self.__dict__["_arguments"] = (args, kwargs)
        return self

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
        """Whether a part of a nested sample can be changed at all.

        The default picks PIL images, `tv_tensors`, and arrays of three or more axes.
        """
        return isinstance(part, tv_tensors.TVTensor) or is_image(part)

    def chosen(self, parts: list[Any]) -> list[bool]:
        """Which parts of a nested sample are changed; of plain arrays see `plain_arrays`.

        Args:
            parts: all parts of the sample in order.

        Returns:
            For each whether it is handed to `make_params` and `transform`.

        Raises:
            UnknownNameError: `plain_arrays` is another word.
        """
        if self.plain_arrays not in ("first", "all", "none"):
            raise UnknownNameError(
                f"{type(self).__name__}: plain_arrays is 'first', 'all' or 'none', got "
                f"{self.plain_arrays!r}"
            )
        picked = [self.selects(part) for part in parts]
        if self.plain_arrays == "all":
            return picked
        left = self.plain_arrays == "first" and not any(map(_is_explicit_image, parts))
        for place, part in enumerate(parts):
            if picked[place] and _is_plain_array(part):
                picked[place], left = left, False
        return picked

    def change(self, images: list[Any]) -> list[Any]:
        """The chosen parts of one sample, changed by one draw."""
        params = self.make_params(images)
        return [self.transform(image, params) for image in images]

    def forward(self, *inputs: Any) -> Any:
        """The sample with its images changed; several arguments are one sample, a tuple."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        alone = is_pil(sample) or _is_plain_array(sample)
        if alone and self._alone_is_image:  # whatever its axes
            self.check_inputs([sample])
            return self.change([sample])[0]
        parts = flattened(sample)
        self.check_inputs(parts)
        chosen = self.chosen(parts)
        new = iter(self.change([p for p, use in zip(parts, chosen, strict=True) if use]))
        changed = (next(new) if use else p for p, use in zip(parts, chosen, strict=True))
        return rebuilt(sample, changed)

    def call_kernel(
        self, functional: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """functional(inpt, ...), or inpt itself where the function has no kernel for its type."""
        return functional(inpt, *args, **kwargs) if has_kernel(functional, inpt) else inpt

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return ", ".join(
            f"{name}={getattr(value, 'value', value)}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name not in ("training", "generator", "per_sample")
        )


class RandomTransform(Transform):
    """A transform that draws numbers.

    Args:
        generator: where they come from; default the one that `triptych.manual_seed` seeds.
        per_sample: the first axis of every image, film, mask and set of points is a batch, and
            each sample of it gets a draw of its own.
    """

    def __init__(self, *, generator: tp.Generator | None = None, per_sample: bool = False) -> None:
        super().__init__()
        self.generator = generator
        self.per_sample = per_sample

    def change(self, images: list[Any]) -> list[Any]:
        """The chosen parts changed by one draw, or by one for each sample of the batch."""
        if not self.per_sample or not images:
            return self.change_together(images)
        samples = zip(*map(unstacked, images), strict=True)
        changed = [self.change_together(list(sample)) for sample in samples]
        return [
            stacked(list(p), i) for p, i in zip(zip(*changed, strict=True), images, strict=True)
        ]

    def change_together(self, images: list[Any]) -> list[Any]:
        """The chosen parts of one sample, changed by one draw."""
        return super().change(images)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number from low up to, not including, high."""
        return low + (high - low) * tp.rand(1, generator=self.generator, dtype=tp.float64).item()

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return tp.randint(low, high + 1, (1,), generator=self.generator).item()


class RandomApplyTransform(RandomTransform):
    """A transform that is applied with a probability; nothing else is drawn if it is not.

    Args:
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch, see `RandomTransform`.
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.p = checked_probability(type(self).__name__, p)

    def change_together(self, images: list[Any]) -> list[Any]:
        """The chosen parts, changed or not."""
        return super().change_together(images) if self.uniform() < self.p else images


def checked_probability(name: str, p: float) -> float:
    """p, if it is a probability.

    Raises:
        ValueError: it is not from 0 to 1.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{name}: p is a probability from 0 to 1, got {p}")
    return p


def _is_explicit_image(part: Any) -> bool:
    return is_pil(part) or isinstance(part, tv_tensors.Image | tv_tensors.Video)


def _is_plain_array(part: Any) -> bool:
    return is_array(part) and not isinstance(part, tv_tensors.TVTensor)


def _children(node: Any) -> list[Any] | None:
    """What a container holds; None for a part that is none."""
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list | tuple) else None


def flattened(sample: Any) -> list[Any]:
    """The parts of a sample in order, without the tuples, lists and dicts they are nested in."""
    return list(_walk(sample))


def _walk(node: Any) -> Iterator[Any]:
    children = _children(node)
    if children is None:
        yield node
        return
    for child in children:
        yield from _walk(child)


def rebuilt(node: Any, parts: Iterator[Any]) -> Any:
    """The containers of a sample around other parts; consumes one for each of its own."""
    children = _children(node)
    if children is None:
        return next(parts)
    return _REBUILD[_family(node)](node, [rebuilt(child, parts) for child in children])


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
