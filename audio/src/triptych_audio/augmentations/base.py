"""The base of all augmentations: draw once, apply, and the same again if wanted."""

from __future__ import annotations

import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError
from triptych.nn import Module
from triptych_audio.interop import same_kind

__all__ = [
    "Augmentation",
    "Drawing",
    "amplitude",
    "check_choice",
    "check_range",
    "draws_noise",
    "rms",
]

QUIET = 1e-9  # root mean square that counts as silence


def check_range(name: str, low: float, high: float, what: str = "", **limits: float) -> None:
    """Raise for a range that is empty or reaches too far.

    Args:
        name: of the caller, for errors.
        low: its lower end.
        high: its upper end.
        what: is drawn from it, for errors.
        limits: `at_least` and `at_most`, where the ends may lie.

    Raises:
        DomainError: high is below low, or an end lies outside the limits.
    """
    at_least, at_most = limits.get("at_least", -math.inf), limits.get("at_most", math.inf)
    if not at_least <= low <= high <= at_most:
        raise DomainError(
            f"{name}: wanted {at_least} <= min_{what} <= max_{what} <= {at_most}, got {low} and "
            f"{high}"
        )


def check_choice(name: str, what: str, value: str, known: tuple[str, ...]) -> None:
    """Raise for a word that is not among those known.

    Args:
        name: of the caller, for errors.
        what: the argument.
        value: its value.
        known: what it may be.

    Raises:
        DomainError: it is none of them.
    """
    if value not in known:
        raise DomainError(f"{name}: {what} is one of {known}, got {value!r}")


def amplitude(decibels: float) -> float:
    """The factor of amplitude that is so many dB."""
    return float(10.0 ** (decibels / 20))


def rms(samples: Tensor) -> Tensor:
    """Root mean square over all axes, a number."""
    return samples.square().mean().sqrt()


def draws_noise(like: Tensor, seed: int) -> Tensor:
    """White noise in the shape, dtype and device of a tensor, the same for the same seed."""
    generator = tp.Generator(like.device).manual_seed(seed)
    return tp.randn(*like.shape, generator=generator, dtype=like.dtype, device=like.device)


class Drawing(Module):
    """What draws something for each call, and can be told to do the same again.

    Args:
        p: probability that anything is done.
        sample_rate: of the waveforms in Hz, if it is not given with each call.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Attributes:
        drawn: what the last call drew: "should_apply", and the parameters if so; None before.
        are_parameters_frozen: whether calls draw nothing but use that again.

    Raises:
        DomainError: p is no probability.
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        sample_rate: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise DomainError(f"{type(self).__name__}: p is from 0 to 1, got {p}")
        self.p, self.sample_rate, self.generator = p, sample_rate, generator
        self.drawn: dict[str, Any] | None = None
        self.are_parameters_frozen = False

    def freeze_parameters(self) -> None:
        """Do with the next calls what the last one did, such as for several takes of one sound."""
        self.are_parameters_frozen = True

    def unfreeze_parameters(self) -> None:
        """Draw anew with each call, as in the beginning."""
        self.are_parameters_frozen = False

    def snapshot(self) -> dict[str, Any] | None:
        """What the last call drew, for `restore`."""
        return None if self.drawn is None else dict(self.drawn)

    def restore(self, drawn: dict[str, Any] | None) -> None:
        """Set what frozen calls use.

        Args:
            drawn: what `snapshot` gave, of this augmentation or one like it.
        """
        self.drawn = None if drawn is None else dict(drawn)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number from low up to, not including, high."""
        drawn = tp.rand(1, generator=self.generator, dtype=tp.float64).item()
        return low + (high - low) * float(drawn)

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(tp.randint(low, high + 1, (1,), generator=self.generator).item())

    def seed(self) -> int:
        """A seed for noise, so that it can be made again."""
        return self.integer(0, 2**31 - 2)

    def rate(self, sample_rate: int | None) -> int:
        """The sample rate of a call.

        Raises:
            DomainError: neither the call nor the constructor gave one.
        """
        rate = self.sample_rate if sample_rate is None else sample_rate
        if rate is None:
            raise DomainError(
                f"{type(self).__name__}: wanted a sample_rate, with the call or in the constructor"
            )
        return rate

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        hidden = ("training", "generator", "drawn", "are_parameters_frozen", "sample_rate")
        return ", ".join(
            f"{name}={value!r}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name not in hidden
        )


class Augmentation(Drawing):
    """Changes a waveform at random.

    Write `transform`, and `make_params` if there is something to draw or to measure first. What is
    drawn determines the result, noise included.

    Args:
        p: probability that the waveform is changed at all.
        sample_rate: of the waveforms in Hz, if it is not given with each call.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Example:
        >>> class Softer(Augmentation):
        ...     def make_params(self, samples, sample_rate):
        ...         return {"factor": self.uniform(0.1, 1.0)}
        ...     def transform(self, samples, sample_rate, factor):
        ...         return samples * factor
        >>> augment = Softer(p=1.0)
        >>> bool((augment(tp.ones(3)) < 1).all())
        True
    """

    needs_sample_rate: bool = False

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """The parameters of one call.

        Args:
            samples: (..., t) the waveform.
            sample_rate: in Hz; 0 if unknown and not needed.

        Returns:
            Handed to `transform` by name.
        """
        return {}

    def transform(self, *args: Any, **drawn: Any) -> Tensor:
        """The changed waveform.

        Args:
            args: the waveform, (..., t), and its sample rate in Hz, 0 if unknown and not needed.
            drawn: what `make_params` returned.
        """
        raise NotImplementedError(f"{type(self).__name__}.transform is not written")

    @same_kind
    def forward(self, samples: Tensor, sample_rate: int | None = None) -> Tensor:
        """The waveform, changed or not.

        Args:
            samples: (..., t), floating; all axes get the same parameters, see
                `PerExampleBatchAugment`.
            sample_rate: in Hz; default that of the constructor.

        Raises:
            DomainError: the sample rate is needed and not known.
            DTypeError: samples are integers.
        """
        if not samples.is_floating_point():
            raise DTypeError(
                f"{type(self).__name__}: wanted floating samples, got {samples.dtype}; divide by "
                "their full scale"
            )
        known = sample_rate if sample_rate is not None else self.sample_rate
        rate = self.rate(sample_rate) if self.needs_sample_rate else int(known or 0)
        if self.drawn is None or not self.are_parameters_frozen:
            applies = self.uniform() < self.p and samples.numel() > 0
            found = self.make_params(samples, rate) if applies else {}
            self.drawn = {"should_apply": applies, **found}
        parameters = {k: v for k, v in self.drawn.items() if k != "should_apply"}
        if not self.drawn["should_apply"]:
            return samples
        return self.transform(samples, rate, **parameters)
