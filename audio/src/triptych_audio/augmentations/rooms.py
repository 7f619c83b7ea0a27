"""The sound of rooms, recorded or computed."""

from __future__ import annotations

import functools
import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych_audio.augmentations.base import Augmentation, check_choice, check_range
from triptych_audio.augmentations.sound_files import Paths, find_sounds, load_sound
from triptych_audio.functional.convolution import fftconvolve

__all__ = ["ApplyImpulseResponse", "RoomSimulator"]

SABINE = 0.161  # seconds per metre: reverberation time is this times volume over absorbing surface
CACHED_RESPONSES = 128
DELAY_FILTER = 81  # taps


def _reverberated(samples: Tensor, response: Tensor, same_length: bool, delay: int) -> Tensor:
    """The waveform in the room; the response is scaled to an energy of one.

    A response with as many channels as the waveform goes channel by channel, else its mean does.
    """
    response = response.to(samples.device, samples.dtype)
    paired = samples.ndim > 1 and samples.shape[-2] == response.shape[0] > 1
    response = response if paired else response.mean(0, keepdim=True)
    energy = response.square().sum(-1).mean()
    response = response / energy.sqrt().clamp(min=1e-12)
    if samples.ndim == 1:
        response = response[0]
    else:
        response = response.reshape(*[1] * (samples.ndim - 2), *response.shape)
    wet = fftconvolve(samples, response)[..., delay:]
    return wet[..., : samples.shape[-1]] if same_length else wet


class ApplyImpulseResponse(Augmentation):
    """Put a waveform into a random room, from recorded impulse responses.

    Responses are scaled to an energy of one, so that the loudness stays about the same.

    Args:
        ir_path: a file, a folder or several; folders are searched for wav, flac, ogg, mp3, ...
        leave_length_unchanged: cut off what the room adds at the end.
        compensate_for_propagation_delay: cut off what comes before the response's peak.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.

    Raises:
        FileNotFoundError: a path does not exist.
        DomainError: no sounds are there.
    """

    needs_sample_rate = True

    def __init__(
        self,
        ir_path: Paths,
        leave_length_unchanged: bool = True,
        compensate_for_propagation_delay: bool = False,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        self.ir_files = find_sounds("ApplyImpulseResponse", ir_path)
        self.leave_length_unchanged = leave_length_unchanged
        self.compensate_for_propagation_delay = compensate_for_propagation_delay

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A file."""
        return {"path": self.ir_files[self.integer(0, len(self.ir_files) - 1)]}

    def transform(self, samples: Tensor, sample_rate: int, path: str) -> Tensor:
        """The waveform in the room."""
        response = _response(path, sample_rate)
        delay = 0
        if self.compensate_for_propagation_delay:
            delay = int(response.abs().amax(0).argmax())
        return _reverberated(samples, response, self.leave_length_unchanged, delay)


@functools.lru_cache(maxsize=CACHED_RESPONSES)
def _response(path: str, sample_rate: int) -> Tensor:
    return load_sound(path, sample_rate)


class RoomSimulator(Augmentation):
    """Put a waveform into a random room, with a source and a microphone in it.

    The room is a box, and its response is that of sources mirrored at the walls, scaled to an
    energy of one. All lengths are in metres.

    Args:
        min_size_x: shortest room along x.
        max_size_x: longest room along x.
        min_size_y: shortest room along y.
        max_size_y: longest room along y.
        min_size_z: lowest room.
        max_size_z: highest room.
        min_absorption_value: least share of the energy that walls swallow, for "absorption".
        max_absorption_value: largest share, for "absorption".
        min_target_rt60: shortest time until the sound is 60 dB softer, in seconds, for "rt60".
        max_target_rt60: longest time, for "rt60".
        min_mic_distance: shortest way from the source to the microphone.
        max_mic_distance: longest way, where the room is large enough.
        calculation_mode: draw the walls' "absorption", or "rt60" and compute it from that.
        max_order: how many walls sound may meet on its way; more is longer and slower.
        leave_length_unchanged: cut off what the room adds at the end.
        padding: least distance from the walls.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_size_x: float = 3.6,
        max_size_x: float = 5.6,
        min_size_y: float = 3.6,
        max_size_y: float = 3.9,
        min_size_z: float = 2.4,
        max_size_z: float = 3.0,
        min_absorption_value: float = 0.075,
        max_absorption_value: float = 0.4,
        min_target_rt60: float = 0.15,
        max_target_rt60: float = 0.8,
        min_mic_distance: float = 0.15,
        max_mic_distance: float = 2.0,
        calculation_mode: str = "absorption",
        max_order: int = 8,
        leave_length_unchanged: bool = True,
        padding: float = 0.1,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        sizes = (min_size_x, max_size_x), (min_size_y, max_size_y), (min_size_z, max_size_z)
        for axis, ends in zip("xyz", sizes, strict=True):
            check_range("RoomSimulator", *ends, f"size_{axis}", at_least=2 * padding + 1e-3)
        walls = min_absorption_value, max_absorption_value
        check_range("RoomSimulator", *walls, "absorption_value", at_least=0, at_most=1)
        times = min_target_rt60, max_target_rt60
        check_range("RoomSimulator", *times, "target_rt60", at_least=1e-3)
        ways = min_mic_distance, max_mic_distance
        check_range("RoomSimulator", *ways, "mic_distance", at_least=1e-3)
        check_choice("RoomSimulator", "calculation_mode", calculation_mode, ("absorption", "rt60"))
        self.sizes, self.absorptions, self.times, self.distances = sizes, walls, times, ways
        self.calculation_mode, self.max_order = calculation_mode, max_order
        self.leave_length_unchanged, self.padding = leave_length_unchanged, padding

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """The room, the two places in it, and its walls."""
        room = [self.uniform(*ends) for ends in self.sizes]
        source = [self.uniform(self.padding, size - self.padding) for size in room]
        distance, azimuth = self.uniform(*self.distances), self.uniform(-math.pi, math.pi)
        height = self.uniform(-1.0, 1.0)  # of a point on a sphere
        level = math.sqrt(1 - height * height)
        way = (level * math.cos(azimuth), level * math.sin(azimuth), height)
        mic = [
            min(max(s + distance * w, self.padding), size - self.padding)
            for s, w, size in zip(source, way, room, strict=True)
        ]
        return {"room": room, "source": source, "mic": mic, "absorption": self._absorption(room)}

    def _absorption(self, room: list[float]) -> float:
        if self.calculation_mode == "absorption":
            return self.uniform(*self.absorptions)
        x, y, z = room
        surface = 2 * (x * y + y * z + z * x)
        return min(1.0, SABINE * x * y * z / (surface * self.uniform(*self.times)))

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        room: list[float],
        source: list[float],
        mic: list[float],
        absorption: float,
    ) -> Tensor:
        """The waveform in the room."""
        from triptych_audio.functional.room import simulate_rir_ism

        size, start, end = (tp.tensor(v, dtype=tp.float32) for v in (room, source, [mic]))
        response = simulate_rir_ism(
            size,
            start,
            end,
            self.max_order,
            absorption,
            delay_filter_length=DELAY_FILTER,
            sample_rate=float(sample_rate),
        )
        late = DELAY_FILTER // 2  # what the filters for fractions of a sample add
        return _reverberated(samples, response, self.leave_length_unchanged, late)
