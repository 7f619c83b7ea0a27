"""Hertz, notes, octaves and decibels; frames, samples and seconds."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DomainError, DTypeError
from triptych_audio.functional.filterbanks import hz_to_mel, mel_to_hz

__all__ = [
    "a_weighting",
    "cqt_frequencies",
    "fft_frequencies",
    "frames_to_samples",
    "frames_to_time",
    "hz_to_midi",
    "hz_to_note",
    "hz_to_octs",
    "mel_frequencies",
    "midi_to_hz",
    "midi_to_note",
    "note_to_hz",
    "note_to_midi",
    "octs_to_hz",
    "samples_to_frames",
    "samples_to_time",
    "time_to_frames",
    "time_to_samples",
]

A4_HZ, A4_MIDI = 440.0, 69
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
STEPS = {"A": 9, "B": 11, "C": 0, "D": 2, "E": 4, "F": 5, "G": 7}
SIGNS = {"!": -1, "#": 1, "b": -1, "♭": -1, "♮": 0, "♯": 1, "𝄪": 2, "𝄫": -2}
NOTE = re.compile(rf"([A-Ga-g])([{''.join(SIGNS)}]*)([+-]?\d+)?([+-]\d+)?")
# IEC 61672-1, annex E: corner frequencies of the A curve in Hz
A_CORNERS_HZ = (20.598997, 107.65265, 737.86223, 12194.217)


def _alike(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function over an array take numbers, lists and tensors, and answer alike."""

    @functools.wraps(function)
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, tp.Tensor):
            out = function(x.detach().cpu().numpy(), *args, **kwargs)
            return tp.as_tensor(np.asarray(out), device=x.device)
        out = np.asarray(function(np.asarray(x), *args, **kwargs))
        return out if isinstance(x, np.ndarray) or out.ndim else out.item()

    return call


@_alike
def hz_to_midi(frequencies: Any) -> Any:
    """MIDI numbers of frequencies: 69 is A4, 440 Hz; fractions are parts of a semitone.

    Args:
        frequencies: number, list, array or tensor, in Hz, positive.

    Returns:
        The same shape.

    Example:
        >>> hz_to_midi(440.0)
        69.0
    """
    return 12 * np.log2(frequencies / A4_HZ) + A4_MIDI


@_alike
def midi_to_hz(notes: Any) -> Any:
    """Frequencies in Hz of MIDI numbers: the inverse of `hz_to_midi`.

    Args:
        notes: number, list, array or tensor.

    Returns:
        The same shape, in Hz.

    Example:
        >>> midi_to_hz([57, 69, 81]).tolist()
        [220.0, 440.0, 880.0]
    """
    return A4_HZ * 2.0 ** ((notes - A4_MIDI) / 12)


@_alike
def hz_to_octs(frequencies: Any, tuning: float = 0.0, bins_per_octave: int = 12) -> Any:
    """Octaves above A0, 27.5 Hz.

    Args:
        frequencies: number, list, array or tensor, in Hz, positive.
        tuning: how far A4 is from 440 Hz, in bins.
        bins_per_octave: bins in an octave.

    Returns:
        The same shape.

    Example:
        >>> hz_to_octs(440.0)
        4.0
    """
    return np.log2(frequencies / (A4_HZ / 16 * 2.0 ** (tuning / bins_per_octave)))


@_alike
def octs_to_hz(octs: Any, tuning: float = 0.0, bins_per_octave: int = 12) -> Any:
    """Frequencies in Hz of octaves above A0: the inverse of `hz_to_octs`.

    Args:
        octs: number, list, array or tensor.
        tuning: how far A4 is from 440 Hz, in bins.
        bins_per_octave: bins in an octave.

    Returns:
        The same shape, in Hz.
    """
    return A4_HZ / 16 * 2.0 ** (tuning / bins_per_octave + octs)


def note_to_midi(note: Any, *, round_midi: bool = True) -> Any:
    """MIDI numbers of notes by name.

    Args:
        note: such as "A4", "c#3", "Eb", "G4+25" (25 hundredths of a semitone above), or a list of
            them; without an octave, octave 0.
        round_midi: whole numbers only.

    Returns:
        A number, or an array for a list.

    Raises:
        DTypeError: a name cannot be read.

    Example:
        >>> note_to_midi("A4"), note_to_midi("Bb3")
        (69, 58)
    """
    if not isinstance(note, str):
        return np.array([note_to_midi(n, round_midi=round_midi) for n in note])
    match = NOTE.fullmatch(note)
    if match is None:
        raise DTypeError(f"note_to_midi: wanted a note such as 'A4', 'c#3' or 'Eb', got {note!r}")
    letter, signs, octave, cents = match.groups()
    steps = STEPS[letter.upper()] + sum(SIGNS[s] for s in signs)
    number = 12 * (int(octave or 0) + 1) + steps + int(cents or 0) / 100
    return round(number) if round_midi else number


def midi_to_note(midi: Any, *, octave: bool = True, cents: bool = False) -> Any:
    """Names of notes, nearest to MIDI numbers.

    Args:
        midi: number, list, array or tensor.
        octave: with the octave.
        cents: with the distance from the note, in hundredths of a semitone.

    Returns:
        A string, or a list of the same structure.

    Raises:
        DTypeError: cents without octave would be ambiguous.

    Example:
        >>> midi_to_note(61), midi_to_note(69.25, cents=True)
        ('C♯4', 'A4+25')
    """
    if cents and not octave:
        raise DTypeError("midi_to_note: cents=True needs octave=True: 'A+25' reads as octave 25")
    values = midi.tolist() if hasattr(midi, "tolist") else midi
    if isinstance(values, (list, tuple)):
        return [midi_to_note(v, octave=octave, cents=cents) for v in values]
    nearest = int(np.round(values))
    name = NOTES[nearest % 12]
    if octave:
        name += str(nearest // 12 - 1)
    return f"{name}{round(100 * (values - nearest)):+02d}" if cents else name


def note_to_hz(note: Any, *, round_midi: bool = True) -> Any:
    """Frequencies of notes by name, tuned evenly around A4 = 440 Hz.

    Args:
        note: as for `note_to_midi`.
        round_midi: drop cents.

    Returns:
        Hz, or an array for a list.

    Example:
        >>> note_to_hz("A3")
        220.0
    """
    return midi_to_hz(note_to_midi(note, round_midi=round_midi))


def hz_to_note(frequencies: Any, *, octave: bool = True, cents: bool = False) -> Any:
    """Names of notes, nearest to frequencies.

    Args:
        frequencies: number, list, array or tensor, in Hz, positive.
        octave: with the octave.
        cents: with the distance from the note, in hundredths of a semitone.

    Returns:
        A string, or a list of the same structure.

    Example:
        >>> hz_to_note([27.5, 261.63])
        ['A0', 'C4']
    """
    return midi_to_note(hz_to_midi(frequencies), octave=octave, cents=cents)


def _half(n_fft: int | None) -> int:
    return 0 if n_fft is None else n_fft // 2


@_alike
def frames_to_samples(frames: Any, hop_length: int = 512, n_fft: int | None = None) -> Any:
    """Where frames start in a waveform, in samples.

    Args:
        frames: number, list, array or tensor, counted from 0.
        hop_length: step between frames in samples.
        n_fft: give it for frames that are not centred: then the middle of the frame is meant.

    Returns:
        The same shape, int64.
    """
    return (frames * hop_length + _half(n_fft)).astype(np.int64)


@_alike
def samples_to_frames(samples: Any, hop_length: int = 512, n_fft: int | None = None) -> Any:
    """The frames that samples lie in: the inverse of `frames_to_samples`.

    Args:
        samples: number, list, array or tensor.
        hop_length: step between frames in samples.
        n_fft: give it for frames that are not centred.

    Returns:
        The same shape, int64.
    """
    return np.floor((samples - _half(n_fft)) // hop_length).astype(np.int64)


@_alike
def samples_to_time(samples: Any, sample_rate: float) -> Any:
    """Seconds of samples.

    Args:
        samples: number, list, array or tensor.
        sample_rate: in Hz.

    Returns:
        The same shape, float64.
    """
    return np.asarray(samples, np.float64) / sample_rate


@_alike
def time_to_samples(times: Any, sample_rate: float) -> Any:
    """Samples of seconds: the inverse of `samples_to_time`, rounded down.

    Args:
        times: number, list, array or tensor, in seconds.
        sample_rate: in Hz.

    Returns:
        The same shape, int64.
    """
    return (np.asarray(times) * sample_rate).astype(np.int64)


def frames_to_time(
    frames: Any, sample_rate: float, hop_length: int = 512, n_fft: int | None = None
) -> Any:
    """Seconds of frames.

    Args:
        frames: number, list, array or tensor, counted from 0.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        n_fft: give it for frames that are not centred: then the middle of the frame is meant.

    Returns:
        The same shape, float64.

    Example:
        >>> frames_to_time(100, 16000, 160)
        1.0
    """
    return samples_to_time(frames_to_samples(frames, hop_length, n_fft), sample_rate)


def time_to_frames(
    times: Any, sample_rate: float, hop_length: int = 512, n_fft: int | None = None
) -> Any:
    """Frames of seconds: the inverse of `frames_to_time`, rounded down.

    Args:
        times: number, list, array or tensor, in seconds.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        n_fft: give it for frames that are not centred.

    Returns:
        The same shape, int64.
    """
    return samples_to_frames(time_to_samples(times, sample_rate), hop_length, n_fft)


def fft_frequencies(sample_rate: float, n_fft: int = 2048) -> tp.Tensor:
    """Middles of the bins of a spectrum.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.

    Returns:
        (n_fft // 2 + 1,) float64, in Hz.
    """
    return tp.as_tensor(np.fft.rfftfreq(n_fft, 1 / sample_rate))


def mel_frequencies(
    n_mels: int = 128, f_min: float = 0.0, f_max: float = 11025.0, mel_scale: str = "htk"
) -> tp.Tensor:
    """Frequencies that are evenly spaced in mel.

    Args:
        n_mels: how many.
        f_min: the first in Hz.
        f_max: the last in Hz.
        mel_scale: "htk" or "slaney"; librosa's default is "slaney".

    Returns:
        (n_mels,) float64, in Hz.
    """
    mels = np.linspace(hz_to_mel(f_min, mel_scale), hz_to_mel(f_max, mel_scale), n_mels)
    return tp.as_tensor(mel_to_hz(mels, mel_scale))


def cqt_frequencies(
    n_bins: int, f_min: float, bins_per_octave: int = 12, tuning: float = 0.0
) -> tp.Tensor:
    """Middles of the bins of a constant-Q transform.

    Args:
        n_bins: how many.
        f_min: the first in Hz.
        bins_per_octave: bins in an octave.
        tuning: shift in bins.

    Returns:
        (n_bins,) float64, in Hz.

    Raises:
        DomainError: f_min is not positive.
    """
    if f_min <= 0:
        raise DomainError(f"cqt_frequencies: wanted f_min > 0, got {f_min}")
    return tp.as_tensor(f_min * 2.0 ** ((np.arange(n_bins) + tuning) / bins_per_octave))


@_alike
def a_weighting(frequencies: Any, min_db: float | None = -80.0) -> Any:
    """How loud frequencies seem to the ear, in dB: the A curve, 0 dB at 1 kHz.

    Args:
        frequencies: number, list, array or tensor, in Hz.
        min_db: the least value; None for no limit.

    Returns:
        The same shape, in dB.

    Source: IEC 61672-1:2013, annex E.
    """
    square = np.asarray(frequencies, np.float64) ** 2
    low, *middle, high = (c**2 for c in A_CORNERS_HZ)
    with np.errstate(divide="ignore"):
        level = 2.0 + 20 * np.log10(high * square**2 / ((square + low) * (square + high)))
    level = level - 10 * sum(np.log10(square + m) for m in middle)
    return level if min_db is None else np.maximum(level, min_db)
