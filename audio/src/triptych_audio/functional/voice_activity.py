"""Cut off what comes before the first voice, as SoX does."""

from __future__ import annotations

import dataclasses
import math
import warnings

import numpy as np

from triptych import Tensor
from triptych.errors import DomainError
from triptych_audio.functional.recursive import rows_of
from triptych_audio.interop import same_kind

__all__ = ["vad"]

SHORTEST_DFT = 16
CEPSTRUM_FLOOR = 21  # added to the logarithm of the cepstral power, SoX vad


def _per_measure(time_s: float, measure_freq: float) -> float:
    """Share that is left of a value after one measurement, by its time constant."""
    return math.exp(-1.0 / (time_s * measure_freq))


@dataclasses.dataclass(frozen=True)
class _Plan:
    """Lengths in samples, bands in bins, and shares that stay from one measurement to the next."""

    measure: int
    period: int
    dft: int
    measures: int
    gap: int
    pre_trigger: int
    spectrum: slice
    cepstrum: slice
    spectrum_window: np.ndarray
    cepstrum_window: np.ndarray
    boot_measures: int
    noise_reduction: float
    trigger_level: float
    smooth: float
    noise_up: float
    noise_down: float
    trigger: float


def _hann(n: int) -> np.ndarray:
    window: np.ndarray = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return 2 / math.sqrt(n) * window


def _bands(
    sample_rate: int, dft: int, filters: tuple[float, float], lifters: tuple[float, float]
) -> tuple[slice, slice]:
    (high_pass, low_pass), (high_lifter, low_lifter) = filters, lifters
    first = max(int(high_pass / sample_rate * dft + 0.5), 1)
    last = min(int(low_pass / sample_rate * dft + 0.5), dft // 2)
    start = math.ceil(sample_rate * 0.5 / low_lifter)
    end = min(math.floor(sample_rate * 0.5 / high_lifter), dft // 4)
    if end <= start or last <= first:
        raise DomainError(
            f"vad: no cepstrum between the lifters {high_lifter} and {low_lifter} Hz, or no "
            f"spectrum between the filters {high_pass} and {low_pass} Hz, at {sample_rate} Hz"
        )
    return slice(first, last), slice(start, end)


class _Channel:
    """What is remembered of one channel."""

    def __init__(self, plan: _Plan) -> None:
        bins = plan.spectrum.stop - plan.spectrum.start
        self.plan = plan
        self.spectrum, self.noise = np.zeros(bins), np.zeros(bins)
        self.measures = np.zeros(plan.measures)
        self.mean = 0.0

    def measure(self, magnitudes: np.ndarray, booted: int, slot: int) -> None:
        """Take one frame in; booted counts the first ones, and is negative afterwards."""
        plan, booting = self.plan, booted >= 0
        keep = booted / (1.0 + booted) if booting else plan.smooth
        self.spectrum = self.spectrum * keep + magnitudes * (1 - keep)
        power = self.spectrum**2
        keep_noise = np.where(power > self.noise, plan.noise_up, plan.noise_down)
        keep_noise = np.zeros_like(keep_noise) if booting else keep_noise
        self.noise = self.noise * keep_noise + power * (1 - keep_noise)
        clean = np.sqrt(np.maximum(power - plan.noise_reduction * self.noise, 0))
        buffer = np.zeros(plan.dft // 2)
        buffer[plan.spectrum] = clean * plan.cepstrum_window
        cepstrum = np.abs(np.fft.rfft(buffer)[plan.cepstrum]) ** 2
        total = float(cepstrum.sum())
        level = math.log(total / len(cepstrum)) if total > 0 else -math.inf
        self.measures[slot] = max(0.0, CEPSTRUM_FLOOR + level)
        self.mean = self.mean * plan.trigger + self.measures[slot] * (1 - plan.trigger)

    def reach(self, slot: int) -> int:
        """How many measurements before the trigger belong to the voice."""
        n, plan = len(self.measures), self.plan
        trigger = zero = n
        for j in range(n):
            value = self.measures[(slot - j) % n]
            if value >= plan.trigger_level and j <= trigger + plan.gap:
                zero = trigger = j
            elif value == 0 and trigger >= zero:
                zero = j
        return min(n - 1, zero)


def _first_sample(rows: np.ndarray, plan: _Plan) -> int | None:
    """Where the voice starts, in any channel; None if there is none."""
    channels = [_Channel(plan) for _ in rows]
    booted, slot = 0, 0
    for end in range(plan.measure, rows.shape[-1], plan.period):
        frames = rows[:, end - plan.measure : end] * plan.spectrum_window
        magnitudes = np.abs(np.fft.rfft(frames, plan.dft))[:, plan.spectrum]
        flush, triggered = 0, False
        for channel, frame in zip(channels, magnitudes, strict=True):
            channel.measure(frame, booted, slot)
            triggered = triggered or channel.mean >= plan.trigger_level
            if triggered:
                flush = max(flush, channel.reach(slot))
        if triggered:
            searched = plan.measures * plan.period
            kept = (plan.measures - flush) * plan.period
            return max(end - (plan.pre_trigger + searched + plan.measure) + kept, 0)
        slot = (slot + 1) % plan.measures
        if booted >= 0:
            booted = -1 if booted == plan.boot_measures else booted + 1
    return None


@same_kind
def vad(
    waveform: Tensor,
    sample_rate: int,
    trigger_level: float = 7.0,
    trigger_time: float = 0.25,
    search_time: float = 1.0,
    allowed_gap: float = 0.25,
    pre_trigger_time: float = 0.0,
    boot_time: float = 0.35,
    noise_up_time: float = 0.1,
    noise_down_time: float = 0.01,
    noise_reduction_amount: float = 1.35,
    measure_freq: float = 20.0,
    measure_duration: float | None = None,
    measure_smooth_time: float = 0.4,
    hp_filter_freq: float = 50.0,
    lp_filter_freq: float = 6000.0,
    hp_lifter_freq: float = 150.0,
    lp_lifter_freq: float = 2000.0,
) -> Tensor:
    """Cut off silence and quiet noise before the first voice; all times are in seconds.

    The measure is the power of the cepstrum, which music has, too; the models of `pipelines` tell
    voices from other sounds better. Reverse a waveform to cut off its end.

    Args:
        waveform: (c, t) or (t,) samples in [-1, 1]; channels of one recording are cut alike, where
            the first of them has a voice.
        sample_rate: in Hz.
        trigger_level: measure from which on something is a voice.
        trigger_time: time constant that keeps short bursts from triggering.
        search_time: how far before the trigger quieter sounds are looked for.
        allowed_gap: longest pause between these and the trigger.
        pre_trigger_time: what to keep before all that.
        boot_time: of the first estimate of the noise.
        noise_up_time: time constant for noise that grows.
        noise_down_time: time constant for noise that shrinks.
        noise_reduction_amount: how much of the noise is subtracted.
        measure_freq: measurements per second.
        measure_duration: of a measurement; default twice the time between them.
        measure_smooth_time: time constant of the spectrum.
        hp_filter_freq: lowest frequency that counts, in Hz.
        lp_filter_freq: highest frequency that counts, in Hz.
        hp_lifter_freq: lowest pitch that counts, in Hz.
        lp_lifter_freq: highest pitch that counts, in Hz.

    Returns:
        (c, shorter t) or (shorter t,). Without a voice the first pre_trigger_time is left, nothing
        by default.

    Raises:
        DomainError: nothing is left between the filters or the lifters.

    Source: SoX, effect vad.
    """
    if waveform.ndim > 2:
        warnings.warn(
            f"vad: takes all {tuple(waveform.shape[:-1])} rows for channels of one recording; call "
            "it once per recording",
            stacklevel=3,
        )
    duration = 2.0 / measure_freq if measure_duration is None else measure_duration
    measure = int(sample_rate * duration + 0.5)
    dft = max(SHORTEST_DFT, 1 << max(0, measure - 1).bit_length())
    filters, lifters = (hp_filter_freq, lp_filter_freq), (hp_lifter_freq, lp_lifter_freq)
    spectrum, cepstrum = _bands(sample_rate, dft, filters, lifters)
    plan = _Plan(
        measure=measure,
        period=int(sample_rate / measure_freq + 0.5),
        dft=dft,
        measures=math.ceil(search_time * measure_freq),
        gap=int(allowed_gap * measure_freq + 0.5),
        pre_trigger=int(pre_trigger_time * sample_rate + 0.5),
        spectrum=spectrum,
        cepstrum=cepstrum,
        spectrum_window=_hann(measure),
        cepstrum_window=_hann(spectrum.stop - spectrum.start),
        boot_measures=int(boot_time * measure_freq - 0.5),
        noise_reduction=noise_reduction_amount,
        trigger_level=trigger_level,
        smooth=_per_measure(measure_smooth_time, measure_freq),
        noise_up=_per_measure(noise_up_time, measure_freq),
        noise_down=_per_measure(noise_down_time, measure_freq),
        trigger=_per_measure(trigger_time, measure_freq),
    )
    rows = rows_of(waveform.detach().cpu()).numpy()
    start = _first_sample(rows, plan)
    if start is not None:
        return waveform[..., start:]
    return waveform[..., : plan.pre_trigger] if waveform.shape[-1] >= plan.pre_trigger else waveform
