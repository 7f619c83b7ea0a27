"""Filters by their names in SoX."""

from __future__ import annotations

import math

from triptych_audio import functional as F
from triptych_audio.sox_effects.arguments import Arguments, Sound, quality

__all__ = ["FILTERS"]


def allpass(sound: Sound, args: Arguments) -> Sound:
    """frequency[k] width[h|k|o|q]"""
    freq = args.frequency()
    q = quality(args.width("0.707q", "h"), freq, sound.rate)
    return sound._replace(waveform=F.allpass_biquad(*sound, freq, q))


def band(sound: Sound, args: Arguments) -> Sound:
    """[-n] center[k] [width[h|k|o|q]]"""
    noise = args.flag("-n") is not None
    freq = args.frequency()
    q = quality(args.width(f"{freq / 2}h", "h"), freq, sound.rate)
    return sound._replace(waveform=F.band_biquad(*sound, freq, q, noise))


def bandpass(sound: Sound, args: Arguments) -> Sound:
    """[-c] frequency[k] width[h|k|o|q]"""
    skirt = args.flag("-c") is not None
    freq = args.frequency()
    q = quality(args.width("0.707q", "h"), freq, sound.rate)
    return sound._replace(waveform=F.bandpass_biquad(*sound, freq, q, skirt))


def bandreject(sound: Sound, args: Arguments) -> Sound:
    """frequency[k] width[h|k|o|q]"""
    freq = args.frequency()
    q = quality(args.width("0.707q", "h"), freq, sound.rate)
    return sound._replace(waveform=F.bandreject_biquad(*sound, freq, q))


def bass(sound: Sound, args: Arguments) -> Sound:
    """gain [frequency[k] [width[s|h|k|o|q]]]"""
    gain, freq = args.number(unit="dB"), args.frequency(100.0)
    q = quality(args.width("0.5s", "s"), freq, sound.rate, gain)
    return sound._replace(waveform=F.bass_biquad(*sound, gain, freq, q))


def treble(sound: Sound, args: Arguments) -> Sound:
    """gain [frequency[k] [width[s|h|k|o|q]]]"""
    gain, freq = args.number(unit="dB"), args.frequency(3000.0)
    q = quality(args.width("0.5s", "s"), freq, sound.rate, gain)
    return sound._replace(waveform=F.treble_biquad(*sound, gain, freq, q))


def biquad(sound: Sound, args: Arguments) -> Sound:
    """b0 b1 b2 a0 a1 a2"""
    values = [args.number() for _ in range(6)]
    return sound._replace(waveform=F.biquad(sound.waveform, *values))


def deemph(sound: Sound, args: Arguments) -> Sound:
    """(no arguments; 44100 or 48000 Hz)"""
    return sound._replace(waveform=F.deemph_biquad(*sound))


def equalizer(sound: Sound, args: Arguments) -> Sound:
    """frequency[k] width[q|o|h|k] gain"""
    freq = args.frequency()
    q = quality(args.width("", "q"), freq, sound.rate)
    return sound._replace(waveform=F.equalizer_biquad(*sound, freq, args.number(unit="dB"), q))


def highpass(sound: Sound, args: Arguments) -> Sound:
    """[-1|-2] frequency[k] [width[q|o|h|k]]"""
    one_pole, freq = args.flag("-1", "-2") == "-1", args.frequency()
    if one_pole:
        pole = -math.exp(-2 * math.pi * freq / sound.rate)
        b0 = (1 - pole) / 2
        return sound._replace(waveform=F.biquad(sound.waveform, b0, -b0, 0.0, 1.0, pole, 0.0))
    q = quality(args.width("0.707q", "q"), freq, sound.rate)
    return sound._replace(waveform=F.highpass_biquad(*sound, freq, q))


def lowpass(sound: Sound, args: Arguments) -> Sound:
    """[-1|-2] frequency[k] [width[q|o|h|k]]"""
    one_pole, freq = args.flag("-1", "-2") == "-1", args.frequency()
    if one_pole:
        pole = -math.exp(-2 * math.pi * freq / sound.rate)
        return sound._replace(waveform=F.biquad(sound.waveform, 1 + pole, 0.0, 0.0, 1.0, pole, 0.0))
    q = quality(args.width("0.707q", "q"), freq, sound.rate)
    return sound._replace(waveform=F.lowpass_biquad(*sound, freq, q))


def riaa(sound: Sound, args: Arguments) -> Sound:
    """(no arguments; 44100, 48000, 88200 or 96000 Hz)"""
    return sound._replace(waveform=F.riaa_biquad(*sound))


_ALL = (
    allpass,
    band,
    bandpass,
    bandreject,
    bass,
    biquad,
    deemph,
    equalizer,
    highpass,
    lowpass,
    riaa,
    treble,
)
FILTERS = {effect.__name__: effect for effect in _ALL}
