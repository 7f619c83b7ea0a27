"""Loudness, distortion and modulation by their names in SoX."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from triptych import Tensor
from triptych.nn.functional import pad
from triptych_audio import functional as F
from triptych_audio.sox_effects.arguments import Arguments, Sound

__all__ = ["LEVELS"]


def _normalized(waveform: Tensor, level_db: float) -> Tensor:
    peak = float(waveform.abs().max()) if waveform.numel() else 0.0
    return waveform * (10 ** (level_db / 20) / peak) if peak else waveform


def contrast(sound: Sound, args: Arguments) -> Sound:
    """[enhancement-amount(75)]"""
    return sound._replace(waveform=F.contrast(sound.waveform, args.number(75.0)))


def dcshift(sound: Sound, args: Arguments) -> Sound:
    """shift [limitergain]"""
    shift = args.number()
    limiter_gain = args.number() if args.left else None
    return sound._replace(waveform=F.dcshift(sound.waveform, shift, limiter_gain))


def flanger(sound: Sound, args: Arguments) -> Sound:
    """[delay depth regen width speed shape phase interp]"""
    names = ("delay", "depth", "regen", "width", "speed")
    defaults = zip(names, (0.0, 2.0, 0.0, 71.0, 0.5), strict=True)
    options: dict[str, Any] = {name: args.number(default) for name, default in defaults}
    shape = args.text() if args.left else "sine"
    options["modulation"] = {"sine": "sinusoidal", "triangle": "triangular"}.get(shape, shape)
    options["phase"] = args.number(25.0)
    options["interpolation"] = args.text() if args.left else "linear"
    return sound._replace(waveform=F.flanger(sound.waveform, round(sound.rate), **options))


def gain(sound: Sound, args: Arguments) -> Sound:
    """[-n] [-l] [gain-dB]"""
    flags = set()
    while flag := args.flag("-n", "-l"):
        flags.add(flag)
    level = args.number(0.0, "dB")
    waveform = sound.waveform
    waveform = _normalized(waveform, level) if "-n" in flags else F.gain(waveform, level)
    if "-l" in flags:
        waveform = F.limiter(waveform, round(sound.rate), 0.0)
    return sound._replace(waveform=waveform)


def norm(sound: Sound, args: Arguments) -> Sound:
    """[dB-level]"""
    return sound._replace(waveform=_normalized(sound.waveform, args.number(0.0, "dB")))


def overdrive(sound: Sound, args: Arguments) -> Sound:
    """[gain(20) [colour(20)]]"""
    drive, colour = args.number(20.0), args.number(20.0)
    return sound._replace(waveform=F.overdrive(sound.waveform, drive, colour))


def phaser(sound: Sound, args: Arguments) -> Sound:
    """gain-in gain-out delay decay speed [-s|-t]"""
    names = ("gain_in", "gain_out", "delay_ms", "decay", "mod_speed")
    options: dict[str, Any] = {name: args.number() for name in names}
    options["sinusoidal"] = args.flag("-s", "-t") != "-t"
    phased = F.phaser(sound.waveform, round(sound.rate), **options)
    return sound._replace(waveform=phased)


def reverb(sound: Sound, args: Arguments) -> Sound:
    """[-w] [reverberance(50%) [HF-damping(50%) [room-scale(100%) [stereo-depth(100%)
    [pre-delay(0ms) [wet-gain(0dB)]]]]]]"""
    dry = 0.0 if args.flag("-w", "--wet-only") else 0.5  # of a full scale of 2
    values = [args.number(default) for default in (50.0, 50.0, 100.0, 100.0)]
    reverberance, damping, scale, depth = (value / 100 for value in values)
    late = round(args.number(0.0) / 1000 * sound.rate)
    wet = min(1.0, 10 ** (args.number(0.0, "dB") / 20) / 3)
    options = (min(1.0, reverberance * (0.5 + scale / 2)), damping, wet, 0.0, depth)
    room = F.reverb(sound.waveform, round(sound.rate), *options)
    t = room.shape[-1]
    room = pad(room, (late, 0))[..., :t] if late else room
    return sound._replace(waveform=room + sound.waveform * (2 * dry))


# Factor by how the gain is given
VOLUMES: dict[str, Callable[[float], float]] = {
    "amplitude": lambda gain: gain,
    "dB": lambda gain: 10 ** (gain / 20),
    "power": lambda gain: math.copysign(math.sqrt(abs(gain)), gain),
}


def vol(sound: Sound, args: Arguments) -> Sound:
    """gain [amplitude|power|dB]"""
    text = args.text()
    kind = "dB" if text.endswith("dB") else args.text() if args.left else "amplitude"
    if kind not in VOLUMES:
        raise ValueError(f"{kind!r} is no kind of gain")
    return sound._replace(waveform=sound.waveform * VOLUMES[kind](float(text.removesuffix("dB"))))


_ALL = (contrast, dcshift, flanger, gain, norm, overdrive, phaser, reverb, vol)
LEVELS = {effect.__name__: effect for effect in _ALL}
