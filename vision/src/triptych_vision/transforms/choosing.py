"""Groups of which one or some are applied, and pipelines that can be run again with equal draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, ShapeError

from .containers import Compose, _Steps
from .transform import checked_probability

__all__ = ["OneOf", "ReplayCompose", "SomeOf"]

Step = Callable[..., Any]


class OneOf(_Steps):
    """One transform of a list with a probability, else none.

    Args:
        transforms: callables. The one that is drawn still draws by its own `p`, if it has one.
        weights: how likely each is, in any unit; default all alike.
        p: probability that one is applied.
        generator: of the draws; the transforms have their own.
        per_sample: draws of its own for each sample of a batch; steps get only its images.

    Raises:
        ShapeError: not one weight per transform, or none above zero.

    Example:
        >>> from triptych_vision.transforms import Identity, RandomInvert
        >>> OneOf([RandomInvert(p=1), Identity()], weights=[1, 0], p=1)(tp.zeros(1, 1, 2)).tolist()
        [[[1.0, 1.0]]]
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        weights: Sequence[float] | None = None,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        given = [1.0] * len(transforms) if weights is None else [float(w) for w in weights]
        if len(given) != len(transforms) or not sum(given) > 0 or min(given) < 0:
            raise ShapeError(
                f"OneOf: wanted a weight for each of {len(transforms)} transforms, got {weights}"
            )
        self.weights = given
        self.p = checked_probability("OneOf", p)

    def order(self) -> Sequence[int]:
        """One step, or none."""
        if self.uniform() >= self.p:
            return ()
        weights = tp.tensor(self.weights, dtype=tp.float64)
        return [tp.multinomial(weights, 1, generator=self.generator).item()]


class SomeOf(_Steps):
    """Some transforms of a list in random order, with a probability, else none.

    Args:
        transforms: callables. Those that are drawn still draw by their own `p`, if they have one.
        n: how many; a pair draws a number in between.
        replace: whether one may come several times.
        p: probability that they are applied.
        generator: of the draws; the transforms have their own.
        per_sample: draws of its own for each sample of a batch; steps get only its images.

    Raises:
        BoundsError: n is below zero or, without replace, more than there are.
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        n: int | Sequence[int] = 1,
        replace: bool = False,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        pair = (n, n) if isinstance(n, int) else tuple(n)
        most = float("inf") if replace and transforms else len(transforms)
        if len(pair) != 2 or not 0 <= pair[0] <= pair[1] <= most:
            raise BoundsError(f"SomeOf: n is from 0 to {most}, the lesser first, got {n!r}")
        self.n, self.replace = pair, replace
        self.p = checked_probability("SomeOf", p)

    def order(self) -> Sequence[int]:
        """The steps that were drawn."""
        if self.uniform() >= self.p:
            return ()
        count = self.integer(*self.n)
        if self.replace:
            return [self.integer(0, len(self.transforms) - 1) for _ in range(count)]
        return tp.randperm(len(self.transforms), generator=self.generator).tolist()[:count]


Record = list[tp.Tensor]


class ReplayCompose(Compose):
    """`Compose` that says what it drew, so that other samples can be changed alike.

    Args:
        transforms: callables; each gets what the one before returned. Those that draw from
            elsewhere than generators of this library are not replayed.
        bbox_params: as of `Compose`.

    Example:
        >>> from triptych_vision.transforms import RandomCrop
        >>> crop = ReplayCompose([RandomCrop(2)])
        >>> image = tp.arange(64).reshape(1, 8, 8)
        >>> out, record = crop(image)
        >>> crop.replay(record, image).equal(out)
        True
    """

    def run(self, sample: Any) -> Any:
        """The new sample, and a record of the draws for `replay`."""
        record = [generator.get_state() for generator in self._generators()]
        return super().run(sample), record

    def replay(self, record: Record, *inputs: Any) -> Any:
        """Another sample changed by the draws of a record; later draws are not touched.

        Args:
            record: what came with a sample; it may be from a copy of this pipeline.
            *inputs: a sample. One of another size gets the same numbers in its own measure.

        Returns:
            The new sample.

        Raises:
            ShapeError: the record is from a pipeline with other generators.
        """
        generators = self._generators()
        if len(record) != len(generators):
            raise ShapeError(
                f"ReplayCompose.replay: the record has {len(record)} states for "
                f"{len(generators)} generators; it is from another pipeline"
            )
        kept = [generator.get_state() for generator in generators]
        try:
            for generator, state in zip(generators, record, strict=True):
                generator.set_state(state)
            return super().run(inputs if len(inputs) > 1 else inputs[0])
        finally:
            for generator, state in zip(generators, kept, strict=True):
                generator.set_state(state)

    def _generators(self) -> list[tp.Generator]:
        """The default one and those of the steps, each once, in a fixed order."""
        found: dict[int, tp.Generator] = {id(tp.default_generator): tp.default_generator}
        for step in _walk(self):
            own = getattr(step, "generator", None)
            if isinstance(own, tp.Generator):
                found.setdefault(id(own), own)
        return list(found.values())


def _walk(step: Any) -> Iterator[Any]:
    yield step
    for inner in getattr(step, "transforms", ()):
        yield from _walk(inner)
