"""Parts of a spectrogram hidden at random, to train with."""

from __future__ import annotations

from typing import Any

from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind

__all__ = ["FrequencyMasking", "SpecAugment", "TimeMasking"]

# Axes of (..., f, frames), counted from the end
FREQUENCY, TIME = 2, 1


def _check(name: str, p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise DomainError(f"{name}: p is from 0 to 1, got {p}")


class _AxisMasking(Module):
    """One band of an axis, hidden."""

    def __init__(
        self, mask_param: int, from_end: int, iid_masks: bool, p: float, generator: Any
    ) -> None:
        super().__init__()
        _check(type(self).__name__, p)
        self.mask_param, self.iid_masks, self.p = mask_param, iid_masks, p
        self.axis = 3 - from_end  # as in torchaudio, of (channels, f, frames)
        self.generator = generator

    @same_kind
    def forward(self, specgram: Tensor, mask_value: float | Tensor = 0.0) -> Tensor:
        """The spectrogram, in the same shape.

        Args:
            specgram: (..., f, frames).
            mask_value: what is put in the place of the band.
        """
        mask = F.mask_along_axis_iid if self.iid_masks else F.mask_along_axis
        axis = self.axis + specgram.ndim - 3
        return mask(specgram, self.mask_param, mask_value, axis, self.p, generator=self.generator)


class FrequencyMasking(_AxisMasking):
    """Hide a band of frequencies of random width and place.

    Args:
        freq_mask_param: the width is drawn uniformly from 0 to below this, in bins.
        iid_masks: each example and channel has its own; needs three axes or more.
        generator: source of the numbers.

    Source: Park et al. 2019, SpecAugment.
    """

    def __init__(
        self, freq_mask_param: int, iid_masks: bool = False, *, generator: Any = None
    ) -> None:
        super().__init__(freq_mask_param, FREQUENCY, iid_masks, 1.0, generator)


class TimeMasking(_AxisMasking):
    """Hide a stretch of time of random length and place.

    Args:
        time_mask_param: the length is drawn uniformly from 0 to below this, in frames.
        iid_masks: each example and channel has its own; needs three axes or more.
        p: at most this share of the frames is hidden.
        generator: source of the numbers.

    Source: Park et al. 2019, SpecAugment.
    """

    def __init__(
        self,
        time_mask_param: int,
        iid_masks: bool = False,
        p: float = 1.0,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(time_mask_param, TIME, iid_masks, p, generator)


class SpecAugment(Module):
    """Hide several stretches of time and bands of frequencies.

    Args:
        n_time_masks: how many stretches of time.
        time_mask_param: their lengths are drawn uniformly from 0 to below this, in frames.
        n_freq_masks: how many bands of frequencies.
        freq_mask_param: their widths are drawn uniformly from 0 to below this, in bins.
        iid_masks: each example and channel has its own, where there are three axes or more.
        p: each covers at most this share of its axis.
        zero_masking: put zeros there; else the mean of all that comes in.
        generator: source of the numbers.

    Source: Park et al. 2019, SpecAugment.
    """

    def __init__(
        self,
        n_time_masks: int,
        time_mask_param: int,
        n_freq_masks: int,
        freq_mask_param: int,
        iid_masks: bool = True,
        p: float = 1.0,
        zero_masking: bool = False,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        _check("SpecAugment", p)
        self.n_time_masks, self.time_mask_param = n_time_masks, time_mask_param
        self.n_freq_masks, self.freq_mask_param = n_freq_masks, freq_mask_param
        self.iid_masks, self.p, self.zero_masking = iid_masks, p, zero_masking
        self.generator = generator

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The spectrogram, in the same shape.

        Args:
            specgram: (..., f, frames).
        """
        value = 0.0 if self.zero_masking else specgram.mean()
        each = self.iid_masks and specgram.ndim > 2
        mask = F.mask_along_axis_iid if each else F.mask_along_axis
        plan = (
            (self.n_time_masks, self.time_mask_param, TIME),
            (self.n_freq_masks, self.freq_mask_param, FREQUENCY),
        )
        for count, param, from_end in plan:
            axis = specgram.ndim - from_end
            for _ in range(count):
                specgram = mask(specgram, param, value, axis, self.p, generator=self.generator)
        return specgram
