"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from .box_params import BBoxParams
from .conversion import joined
from .transform import RandomTransform, Transform, checked_probability

__all__ = ["Compose", "Identity", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]

Step = Callable[..., Any]


class _Steps(RandomTransform):
    """Holds callables and runs some of them, one after the other."""

    def __init__(
        self,
        transforms: Sequence[Step],
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        if not isinstance(transforms, Sequence | nn.ModuleList):
            raise TypeError(
                f"{type(self).__name__}: wanted a sequence of transforms, got "
                f"{type(transforms).__name__}; put a single one into a list"
            )
        self.transforms = transforms

    def order(self) -> Sequence[int]:
        """Which steps are run, one after the other; drawn once per sample."""
        return range(len(self.transforms))

    def forward(self, *inputs: Any) -> Any:
        """The sample through steps; with per_sample, the images of each sample of a batch."""
        if self.per_sample:
            return super().forward(*inputs)
        return self.run(inputs if len(inputs) > 1 else inputs[0])

    def change_together(self, images: list[Any]) -> list[Any]:
        """The images of one sample of a batch through steps."""
        return self.run(images) if len(images) > 1 else [self.run(images[0])]

    def run(self, sample: Any) -> Any:
        """The sample through the steps that were drawn."""
        for place in self.order():
            sample = self.transforms[place](sample)
        return sample

    def extra_repr(self) -> str:
        """The steps, one a line."""
        lines = "".join(f"\n    {step!r}".replace("\n", "\n    ") for step in self.transforms)
        return lines + "\n" if lines else ""


class Compose(_Steps):
    """One transform after the other.

    Args:
        transforms: callables; each gets what the one before returned.
        bbox_params: which boxes are dropped at the end, as too little of them is left, and which
            labels with them; default none.

    Example:
        >>> from triptych_vision.transforms import CenterCrop, Resize
        >>> Compose([Resize(8), CenterCrop(4)])(tp.zeros(3, 16, 20)).shape
        Size([3, 4, 4])
    """

    def __init__(self, transforms: Sequence[Step], bbox_params: BBoxParams | None = None) -> None:
        super().__init__(transforms)
        self.bbox_params = bbox_params

    def run(self, sample: Any) -> Any:
        """The sample through all steps, without the boxes that are lost."""
        if self.bbox_params is None:
            return self._run_all(sample)
        return self.bbox_params.around(self._run_all, sample)

    def _run_all(self, sample: Any) -> Any:
        for step in joined(self.transforms):
            sample = step(sample)
        return sample


class RandomApply(_Steps):
    """All transforms of a list, or none.

    Args:
        transforms: callables.
        p: probability that they are applied.
        generator: of the draw; the transforms have their own.
        per_sample: a draw of its own for each sample of a batch; steps get only its images.
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        self.p = checked_probability("RandomApply", p)

    def order(self) -> Sequence[int]:
        """All steps, or none."""
        return super().order() if self.uniform() < self.p else ()


class RandomChoice(_Steps):
    """One transform of a list.

    Args:
        transforms: callables.
        p: how likely each is, in any unit; default all alike.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch; steps get only its images.

    Raises:
        ShapeError: not one probability per transform, or none above zero.
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        p: Sequence[float] | None = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        weights = [1.0] * len(transforms) if p is None else list(p)
        if len(weights) != len(transforms) or not sum(weights) > 0 or min(weights) < 0:
            raise ShapeError(
                f"RandomChoice: wanted one probability for each of {len(transforms)} transforms, "
                f"got {p}"
            )
        self.p = [weight / sum(weights) for weight in weights]

    def order(self) -> Sequence[int]:
        """One step."""
        weights = tp.tensor(self.p, dtype=tp.float64)
        return [tp.multinomial(weights, 1, generator=self.generator).item()]


class RandomOrder(_Steps):
    """All transforms of a list, in random order.

    Args:
        transforms: callables.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch; steps get only its images.
    """

    def order(self) -> Sequence[int]:
        """All steps in a random order."""
        return tp.randperm(len(self.transforms), generator=self.generator).tolist()


class Lambda(Transform):
    """A function of your own, for every part of a sample or for those of some types.

    Args:
        lambd: called with a part, returns the new one.
        types: the types it is for; default all.
    """

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or (object,)

    def selects(self, part: Any) -> bool:
        """Whether the part is of one of the types."""
        return isinstance(part, self.types)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """What the function makes of it."""
        return self.lambd(inpt)

    def extra_repr(self) -> str:
        """The function's name and the types."""
        name = getattr(self.lambd, "__name__", repr(self.lambd))
        return f"{name}, types={[kind.__name__ for kind in self.types]}"


class Identity(Transform):
    """The sample as it is."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image itself."""
        return inpt
