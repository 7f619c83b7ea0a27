"""Augmentations made of augmentations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych.nn import Module, ModuleList
from triptych_audio.augmentations.base import Drawing
from triptych_audio.interop import same_kind

__all__ = ["Compose", "OneOf", "PerExampleBatchAugment", "SomeOf"]

Step = Callable[..., Any]


class _Steps(Drawing):
    """Runs some of its steps, one after the other; `order` says which."""

    def __init__(
        self,
        transforms: Sequence[Step],
        p: float = 1.0,
        *,
        sample_rate: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(p, sample_rate=sample_rate, generator=generator)
        if not transforms or not all(map(callable, transforms)):
            raise DomainError(
                f"{type(self).__name__}: wanted a sequence of augmentations, got {transforms!r}"
            )
        self.steps = list(transforms)
        self.transforms = ModuleList([s for s in self.steps if isinstance(s, Module)])

    def order(self) -> list[int]:
        """Which steps are run; drawn once per call."""
        raise NotImplementedError

    def freeze_parameters(self) -> None:
        """Do with the next calls what the last one did, in the steps, too."""
        super().freeze_parameters()
        for step in self._drawing():
            step.freeze_parameters()

    def unfreeze_parameters(self) -> None:
        """Draw anew with each call, in the steps, too."""
        super().unfreeze_parameters()
        for step in self._drawing():
            step.unfreeze_parameters()

    def snapshot(self) -> dict[str, Any] | None:
        """What the last call drew, and the steps."""
        if self.drawn is None:
            return None
        return {**self.drawn, "steps": [step.snapshot() for step in self._drawing()]}

    def restore(self, drawn: dict[str, Any] | None) -> None:
        """Set what frozen calls use, in the steps, too."""
        steps = [] if drawn is None else drawn["steps"]
        super().restore(drawn)
        for step, part in zip(self._drawing(), steps, strict=False):
            step.restore(part)

    def _drawing(self) -> list[Drawing]:
        return [step for step in self.steps if isinstance(step, Drawing)]

    @same_kind
    def forward(self, samples: Tensor, sample_rate: int | None = None) -> Tensor:
        """The waveform through the steps that were drawn.

        Args:
            samples: (..., t), floating.
            sample_rate: in Hz; default that of the constructor. Steps that are no augmentations
                get the waveform alone.
        """
        known = sample_rate if sample_rate is not None else self.sample_rate
        if self.drawn is None or not self.are_parameters_frozen:
            applies = self.uniform() < self.p
            self.drawn = {"should_apply": applies, "order": self.order() if applies else []}
        for place in self.drawn["order"]:
            step = self.steps[place]
            samples = step(samples, known) if isinstance(step, Drawing) else step(samples)
        return samples

    def extra_repr(self) -> str:
        """The probability; the steps are printed as modules."""
        return f"p={self.p}"


class Compose(_Steps):
    """One augmentation after the other.

    Args:
        transforms: augmentations, or other functions of a waveform.
        p: probability that anything is done.
        shuffle: in another order with each call.
        sample_rate: of the waveforms in Hz, if it is not given with each call.
        generator: of the draws of its own; the steps have theirs.

    Example:
        >>> from triptych_audio.augmentations import AddGaussianNoise, Gain
        >>> augment = Compose([AddGaussianNoise(p=1.0), Gain(p=0.5)])
        >>> augment(tp.zeros(1, 16000), 16000).shape
        Size([1, 16000])
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        p: float = 1.0,
        shuffle: bool = False,
        *,
        sample_rate: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(transforms, p, sample_rate=sample_rate, generator=generator)
        self.shuffle = shuffle

    def order(self) -> list[int]:
        """All, in order or shuffled."""
        n = len(self.steps)
        if not self.shuffle:
            return list(range(n))
        return [int(i) for i in tp.randperm(n, generator=self.generator).tolist()]


class SomeOf(_Steps):
    """Some of several augmentations, in their order.

    Args:
        num_transforms: how many, or the fewest and the most; None as the most is all.
        transforms: augmentations, or other functions of a waveform.
        p: probability that anything is done.
        sample_rate: of the waveforms in Hz, if it is not given with each call.
        generator: of the draws of its own; the steps have theirs.

    Raises:
        DomainError: there are not so many.
    """

    def __init__(
        self,
        num_transforms: int | tuple[int, int | None],
        transforms: Sequence[Step],
        p: float = 1.0,
        *,
        sample_rate: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(transforms, p, sample_rate=sample_rate, generator=generator)
        pair = num_transforms if isinstance(num_transforms, tuple) else (num_transforms,) * 2
        self.fewest = int(pair[0] or 0)
        self.most = len(self.steps) if pair[1] is None else pair[1]
        if not 0 <= self.fewest <= self.most <= len(self.steps):
            raise DomainError(
                f"SomeOf: wanted from 0 to {len(self.steps)} of the transforms, got "
                f"{num_transforms}"
            )

    def order(self) -> list[int]:
        """As many as drawn."""
        count = self.integer(self.fewest, self.most)
        shuffled = tp.randperm(len(self.steps), generator=self.generator).tolist()
        return sorted(int(i) for i in shuffled[:count])


class OneOf(_Steps):
    """One of several augmentations.

    Args:
        transforms: augmentations, or other functions of a waveform.
        p: probability that anything is done.
        weights: how likely each is, in any unit; default all alike.
        sample_rate: of the waveforms in Hz, if it is not given with each call.
        generator: of the draws of its own; the steps have theirs.

    Raises:
        DomainError: not one weight for each, or none above zero.
    """

    def __init__(
        self,
        transforms: Sequence[Step],
        p: float = 1.0,
        weights: Sequence[float] | None = None,
        *,
        sample_rate: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(transforms, p, sample_rate=sample_rate, generator=generator)
        self.weights = [1.0] * len(self.steps) if weights is None else [float(w) for w in weights]
        if len(self.weights) != len(self.steps) or min(self.weights) < 0 or not sum(self.weights):
            raise DomainError(
                f"OneOf: wanted {len(self.steps)} weights of 0 or more, not all 0, got {weights}"
            )

    def order(self) -> list[int]:
        """The one."""
        weights = tp.tensor(self.weights, dtype=tp.float64)
        return [int(tp.multinomial(weights, 1, generator=self.generator).item())]


class PerExampleBatchAugment(Module):
    """Other parameters for each example of a batch.

    Args:
        augment: an augmentation, or several in a container.
        mode: "per_example", the first axis is the batch; or "per_channel", the first two are.

    Raises:
        DomainError: another mode.

    Example:
        >>> from triptych_audio.augmentations import Gain
        >>> batch = PerExampleBatchAugment(Gain(p=1.0))(tp.ones(4, 1, 8))
        >>> len(set(batch[:, 0, 0].tolist()))
        4
    """

    def __init__(self, augment: Drawing, mode: str = "per_example") -> None:
        super().__init__()
        if mode not in ("per_example", "per_channel"):
            raise DomainError(
                f"PerExampleBatchAugment: mode is 'per_example' or 'per_channel', got {mode!r}"
            )
        self.augment, self.mode = augment, mode
        self.drawn: list[dict[str, Any] | None] = []
        self.are_parameters_frozen = False

    def freeze_parameters(self) -> None:
        """Do with each example of the next batches what was done with that of the last one."""
        self.are_parameters_frozen = True

    def unfreeze_parameters(self) -> None:
        """Draw anew with each call."""
        self.are_parameters_frozen = False
        self.augment.unfreeze_parameters()

    @same_kind
    def forward(self, samples: Tensor, sample_rate: int | None = None) -> Tensor:
        """The batch, each example changed on its own.

        Args:
            samples: (n, ..., t), floating.
            sample_rate: in Hz; default that of the augmentation.

        Raises:
            ShapeError: there is no batch, the results differ in length, or the batch is longer
                than the one whose parameters are frozen.
        """
        axes = 1 if self.mode == "per_example" else 2
        if samples.ndim <= axes:
            raise ShapeError(
                f"PerExampleBatchAugment: {self.mode} wants {axes} axes before the last ones, got "
                f"{tuple(samples.shape)}"
            )
        rows = samples.reshape(-1, *samples.shape[axes:])
        changed = self._each(rows, sample_rate)
        lengths = sorted({row.shape[-1] for row in changed})
        if len(lengths) > 1:
            raise ShapeError(
                f"PerExampleBatchAugment: the results are {lengths[0]} to {lengths[-1]} samples "
                "long; add AdjustDuration(p=1.0) at the end of the augmentations"
            )
        if not changed:
            return samples
        return tp.stack(changed).reshape(*samples.shape[:axes], *changed[0].shape)

    def _each(self, rows: Tensor, sample_rate: int | None) -> list[Tensor]:
        if not (self.are_parameters_frozen and self.drawn):
            changed = []
            self.drawn = []
            for row in rows:
                changed.append(self.augment(row, sample_rate))
                self.drawn.append(self.augment.snapshot())
            return changed
        if len(rows) > len(self.drawn):
            raise ShapeError(
                f"PerExampleBatchAugment: parameters of {len(self.drawn)} examples are frozen, got "
                f"{len(rows)}"
            )
        self.augment.freeze_parameters()
        changed = []
        for row, drawn in zip(rows, self.drawn, strict=False):
            self.augment.restore(drawn)
            changed.append(self.augment(row, sample_rate))
        self.augment.unfreeze_parameters()
        return changed
