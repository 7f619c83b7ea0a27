"""How a box-shaped room sounds: impulse responses from mirrored sources."""

from __future__ import annotations

import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["simulate_rir_ism"]

WALLS = 6  # west, east, south, north, floor, ceiling
OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # centres of bands, in Hz
BAND_FFT = 512  # frame of the filters that separate the bands


@same_kind
def simulate_rir_ism(
    room: Tensor,
    source: Tensor,
    mic_array: Tensor,
    max_order: int,
    absorption: float | Tensor,
    output_length: int | None = None,
    delay_filter_length: int = 81,
    center_frequency: Tensor | None = None,
    sound_speed: float = 343.0,
    sample_rate: float = 16000.0,
) -> Tensor:
    """Impulse responses from a source to microphones in a box-shaped room.

    A reflection is as loud as a source behind the wall, mirrored once for each wall on the way.
    Every one arrives late by its distance, also between two samples, and weakened by the walls.

    Args:
        room: (3,) size in metres: width, length, height. One corner is the origin.
        source: (3,) its place in metres.
        mic_array: (c, 3) places of the microphones.
        max_order: how many walls sound may meet on its way.
        absorption: share of the energy that a wall takes: a number for all; (6,) for the walls
            west, east, south, north, floor and ceiling; (7, 6) for octave bands, too.
        output_length: samples wanted; default as far as the last echo reaches.
        delay_filter_length: length of the windowed sinc that delays a fraction of a sample, odd.
        center_frequency: (bands,) centres of the bands in Hz; default the octaves from 125 Hz.
        sound_speed: in metres per second.
        sample_rate: in Hz.

    Returns:
        (c, t) impulse responses. Gradients flow to everything that is an array.

    Raises:
        ShapeError: shapes that do not fit.
        DomainError: negative absorption or order, or an even delay_filter_length.

    Example:
        >>> room, source = tp.tensor([4.0, 5.0, 3.0]), tp.tensor([1.0, 1.0, 1.0])
        >>> rir = simulate_rir_ism(room, source, tp.tensor([[3.0, 4.0, 2.0]]), 2, 0.3)
        >>> rir.shape[0]
        1

    Source: Allen and Berkley 1979; fractional delays and bands of pyroomacoustics (Scheibler,
        Bezzam and Dokmanic 2018), arguments of torchaudio.
    """
    _check(room, source, mic_array, max_order, delay_filter_length)
    walls = _coefficients(absorption, room)
    images, attenuation = _images(room, source, max_order, walls)  # (s, 3), (bands, s)
    distance = tp.linalg.norm(images[:, None] - mic_array[None], dim=-1)  # (s, c)
    delay = distance * (sample_rate / sound_speed)
    whole = delay.detach().ceil()
    half = delay_filter_length // 2
    taps = tp.arange(-half, half + 1, device=room.device) + (whole - delay)[..., None]
    hann = tp.where(taps.abs() <= half, 0.5 * (1 + (math.pi / half * taps).cos()), 0.0)
    echoes = (attenuation[..., None] / distance)[..., None] * (tp.sinc(taps) * hann)
    responses = _summed(echoes, whole.to(tp.int64))  # (bands, c, t)
    if walls.shape[0] > 1:
        responses = _band_filtered(responses, center_frequency, sample_rate)
    response = responses.sum(0)
    if output_length is None:
        return response
    missing = max(output_length - response.shape[-1], 0)
    return tp.nn.functional.pad(response, (0, missing))[..., :output_length]


def _check(
    room: Tensor, source: Tensor, mic_array: Tensor, max_order: int, delay_filter_length: int
) -> None:
    shapes = tuple(room.shape), tuple(source.shape), tuple(mic_array.shape)
    if shapes[:2] != ((3,), (3,)) or mic_array.ndim != 2 or mic_array.shape[1] != 3:
        raise ShapeError(
            "simulate_rir_ism: wanted room (3,), source (3,) and mic_array (c, 3), got "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    if max_order < 0 or delay_filter_length % 2 != 1:
        raise DomainError(
            "simulate_rir_ism: wanted max_order of 0 or more and an odd delay_filter_length, got "
            f"{max_order} and {delay_filter_length}"
        )


def _coefficients(absorption: float | Tensor, room: Tensor) -> Tensor:
    """(bands, 6)."""
    if isinstance(absorption, (int, float)):
        walls = tp.full((1, WALLS), float(absorption), dtype=room.dtype, device=room.device)
    elif isinstance(absorption, Tensor):
        walls = absorption.unsqueeze(0) if absorption.ndim == 1 else absorption
    else:
        raise DTypeError(
            f"simulate_rir_ism: absorption is a number or an array, got {absorption!r}"
        )
    if walls.ndim != 2 or walls.shape[1] != WALLS:
        raise ShapeError(
            f"simulate_rir_ism: wanted absorption ({WALLS},) or (bands, {WALLS}), got "
            f"{tuple(walls.shape)}"
        )
    if bool((walls < 0).any()):
        raise DomainError(f"simulate_rir_ism: absorption is 0 or more, got {walls.tolist()}")
    return walls


def _images(room: Tensor, source: Tensor, max_order: int, walls: Tensor) -> tuple[Tensor, Tensor]:
    """(s, 3) places of the mirrored sources and (bands, s) what the walls leave of them."""
    span = np.arange(-max_order, max_order + 1)
    grid = np.stack(np.meshgrid(span, span, span, indexing="ij"), -1).reshape(-1, 3)
    grid = grid[np.abs(grid).sum(1) <= max_order]  # how often mirrored along each axis
    times = tp.as_tensor(grid).to(device=room.device, dtype=room.dtype)
    odd = tp.as_tensor(grid % 2 == 1).to(room.device)
    places = tp.where(odd, room * (times + 1) - source, room * times + source)
    left = (1 - walls).sqrt()  # of the amplitude
    low, high = np.abs(grid // 2), np.abs((grid + 1) // 2)  # hits of the walls at 0 and beyond
    hits = tp.as_tensor(np.stack([low, high], -1).reshape(-1, WALLS)).to(room.device)
    return places, (left[:, None] ** hits).prod(-1)


def _summed(echoes: Tensor, start: Tensor) -> Tensor:
    """(bands, s, c, taps) echoes that begin at (s, c), to (bands, c, t)."""
    bands, _, channels, taps = echoes.shape
    length = int(start.max()) + taps
    place = start[..., None] + tp.arange(taps, device=start.device)
    place = place + length * tp.arange(channels, device=start.device)[:, None]
    place = place.reshape(1, -1).expand(bands, -1)
    silence = tp.zeros(bands, channels * length, dtype=echoes.dtype, device=echoes.device)
    summed = silence.scatter_add(1, place, echoes.reshape(bands, -1))
    return summed.reshape(bands, channels, length)


def _band_filtered(responses: Tensor, centres: Tensor | None, sample_rate: float) -> Tensor:
    """Each band through the filter that lets it alone pass."""
    hertz = np.array(OCTAVES) if centres is None else centres.numpy(force=True)
    if hertz.shape != (responses.shape[0],):
        raise ShapeError(
            f"simulate_rir_ism: absorption has {responses.shape[0]} bands, but center_frequency "
            f"{hertz.shape}"
        )
    filters = tp.as_tensor(_filters(hertz, sample_rate)).to(
        device=responses.device, dtype=responses.dtype
    )
    taps, length = filters.shape[-1], responses.shape[-1]
    size = taps + length - 1
    spectra = tp.fft.rfft(responses, size) * tp.fft.rfft(filters, size)[:, None]
    start = (taps - 1) // 2  # what fftconvolve's mode "same" keeps
    return tp.fft.irfft(spectra, size)[..., start : start + length]


def _filters(centres: np.ndarray, sample_rate: float) -> np.ndarray:
    """(bands, taps): each band rises and falls like half a cosine between its neighbours."""
    hertz = np.arange(BAND_FFT // 2 + 1) / BAND_FFT * sample_rate
    lower = np.concatenate([centres[:1] / 2, centres[:-1]])
    upper = np.concatenate([centres[1:], [sample_rate / 2]])
    response = np.zeros((len(centres), len(hertz)))
    for band, (low, centre, high) in enumerate(zip(lower, centres, upper, strict=True)):
        rising, falling = (hertz >= low) & (hertz < centre), (hertz >= centre) & (hertz < high)
        response[band, rising] = 0.5 * (1 + np.cos(2 * np.pi * hertz[rising] / centre))
        response[band, falling] = 0.5 * (1 - np.cos(2 * np.pi * hertz[falling] / high))
    response[-1, hertz >= centres[-1]] = 1.0  # the last band has no end
    return np.fft.fftshift(np.fft.irfft(response, BAND_FFT), -1)[:, 1:]
