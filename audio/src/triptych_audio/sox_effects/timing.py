"""Time, speed and channels by their names in SoX."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.nn.functional import pad as padded
from triptych_audio import functional as F
from triptych_audio.sox_effects.arguments import Arguments, Sound, samples_of

__all__ = ["TIMING"]

STRETCH_FFT = 1024  # frame of the phase vocoder

# Loudness by the part x of a fade that is over; SoX fade.c
FADES: dict[str, Callable[[Tensor], Tensor]] = {
    "h": lambda x: (1 - (x * math.pi).cos()) / 2,
    "l": lambda x: 0.1 ** ((1 - x) * 5),
    "p": lambda x: 1 - (1 - x) ** 2,
    "q": lambda x: (x * (math.pi / 2)).sin(),
    "t": lambda x: x,
}
PART = re.compile(r"(\d*)(-?)(\d*)(?:([vpi])(-?[\d.]*))?")


def _stretched(waveform: Tensor, factor: float) -> Tensor:
    """As much faster at the same pitch."""
    if factor <= 0:
        raise ValueError(f"a factor is above 0, got {factor}")
    frame = min(STRETCH_FFT, 1 << max(1, (2 * waveform.shape[-1] - 1).bit_length() - 1))
    return F.time_stretch(waveform, factor, frame) if waveform.shape[-1] > 1 else waveform


def channels(sound: Sound, args: Arguments) -> Sound:
    """number"""
    n, c = int(args.text()), sound.waveform.shape[0]
    if n < 1:
        raise ValueError(f"wanted a channel at least, got {n}")
    if n >= c:
        return sound._replace(waveform=tp.stack([sound.waveform[i % c] for i in range(n)]))
    return sound._replace(waveform=tp.stack([sound.waveform[i::n].mean(0) for i in range(n)]))


def delay(sound: Sound, args: Arguments) -> Sound:
    """{length}, one for each channel"""
    c = sound.waveform.shape[0]
    lags = [args.samples(sound.rate) for _ in range(min(c, len(args.left)))]
    longest = max(lags, default=0)
    lags += [0] * (c - len(lags))
    rows = [padded(row, (n, longest - n)) for row, n in zip(sound.waveform, lags, strict=True)]
    return sound._replace(waveform=tp.stack(rows))


def echo(sound: Sound, args: Arguments) -> Sound:
    """gain-in gain-out {delay-ms decay}"""
    gain_in, gain_out = args.number(), args.number()
    pairs = []
    while args.left:
        pairs.append((round(args.number() / 1000 * sound.rate), args.number()))
    longest = max(lag for lag, _ in pairs) if pairs else 0
    mixed = padded(sound.waveform * gain_in, (0, longest))
    for lag, decay in pairs:
        mixed = mixed + padded(sound.waveform * decay, (lag, longest - lag))
    return sound._replace(waveform=mixed * gain_out)


def fade(sound: Sound, args: Arguments) -> Sound:
    """[h|l|p|q|t] fade-in-length [stop-position(=) [fade-out-length]]"""
    letter = args.flag(*FADES, *(f"-{name}" for name in FADES)) or "l"
    shape = FADES[letter.removeprefix("-")]
    waveform, fade_in = sound.waveform, args.samples(sound.rate)
    t = waveform.shape[-1]
    stop, fade_out = t, 0
    if args.left:
        stop = args.position(sound.rate, 0, t) or t
        fade_out = args.samples(sound.rate) if args.left else fade_in
    waveform = waveform[..., :stop]
    places = tp.arange(waveform.shape[-1], dtype=waveform.dtype, device=waveform.device)
    if fade_in:
        waveform = waveform * shape((places / fade_in).clamp(max=1.0))
    if fade_out:
        waveform = waveform * shape(((stop - 1 - places) / fade_out).clamp(0.0, 1.0))
    return sound._replace(waveform=waveform)


def pad(sound: Sound, args: Arguments) -> Sound:
    """{length[@position]}, without positions at the start and the end"""
    waveform, t = sound.waveform, sound.waveform.shape[-1]
    places: list[tuple[int, int]] = []
    for count, text in enumerate(args.left):
        amount, _, place = text.partition("@")
        default = 0 if count == 0 else t
        where = samples_of(place, sound.rate) if place else default
        if where > t:
            raise ValueError(f"{text} lies behind the end")
        places.append((where, samples_of(amount, sound.rate)))
    args.left.clear()
    pieces, before = [], 0
    for where, length in sorted(places):
        silence = tp.zeros_like(waveform[..., :1]).expand(-1, length)
        pieces += [waveform[..., before:where], silence]
        before = where
    return sound._replace(waveform=tp.cat([*pieces, waveform[..., before:]], -1))


def pitch(sound: Sound, args: Arguments) -> Sound:
    """[-q] shift-in-cents; changes the rate, too: put `rate` behind it"""
    args.flag("-q")
    factor = 2 ** (args.number() / 1200)
    args.left.clear()  # segment, search and overlap of SoX's own method
    return Sound(_stretched(sound.waveform, 1 / factor), sound.rate * factor)


def rate(sound: Sound, args: Arguments) -> Sound:
    """[-q|-l|-m|-h|-v] rate[k]"""
    while args.flag("-q", "-l", "-m", "-h", "-v", "-I", "-L", "-M", "-s"):
        pass
    wanted = args.frequency()
    if wanted < 1:
        raise ValueError(f"a rate is 1 Hz at least, got {wanted}")
    waveform = F.resample(sound.waveform, round(sound.rate), round(wanted))
    return Sound(waveform, float(round(wanted)))


def remix(sound: Sound, args: Arguments) -> Sound:
    """[-m|-a|-p] {out-channel: 0, -, or channels such as 1,2 or 1-3, with v, p or i behind}"""
    mode = args.flag("-m", "-a", "-p") or "-a"
    rows = [_mixed(sound.waveform, text, mode) for text in args.left]
    args.left.clear()
    if not rows:
        raise ValueError("an argument is missing")
    return sound._replace(waveform=tp.stack(rows))


def _mixed(waveform: Tensor, text: str, mode: str) -> Tensor:
    """One channel of the result."""
    if text == "0":
        return tp.zeros_like(waveform[0])
    weights: list[tuple[int, float]] = []
    explicit = False
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None or not part:
            raise ValueError(f"{text!r} names no channels")
        first, dash, last, kind, value = match.groups()
        start = int(first or 1)
        end = int(last or waveform.shape[0]) if dash else start
        if not 1 <= start <= end <= waveform.shape[0]:
            raise ValueError(f"there are channels 1 to {waveform.shape[0]}, got {part!r}")
        explicit = explicit or kind == "v"
        weights += [(i - 1, _factor(kind, value)) for i in range(start, end + 1)]
    scale = 1.0
    if mode != "-m" and not explicit:
        scale = 1 / math.sqrt(len(weights)) if mode == "-p" else 1 / len(weights)
    return tp.stack([waveform[i] * (factor * scale) for i, factor in weights]).sum(0)


def _factor(kind: str | None, value: str | None) -> float:
    if kind is None:
        return 1.0
    if kind == "v":
        return float(value or 1.0)
    decibels = float(value or 0.0)
    return 10 ** (decibels / 20) * (-1.0 if kind == "i" else 1.0)


def repeat(sound: Sound, args: Arguments) -> Sound:
    """[count(1)]"""
    count = int(args.number(1.0))
    return sound._replace(waveform=sound.waveform.repeat(1, count + 1))


def reverse(sound: Sound, args: Arguments) -> Sound:
    """(no arguments)"""
    return sound._replace(waveform=sound.waveform.flip(-1))


def speed(sound: Sound, args: Arguments) -> Sound:
    """factor[c]; changes the rate and no samples: put `rate` behind it"""
    text = args.text()
    factor = 2 ** (float(text[:-1]) / 1200) if text.endswith("c") else float(text)
    if factor <= 0:
        raise ValueError(f"a factor is above 0, got {text}")
    return sound._replace(rate=sound.rate * factor)


def swap(sound: Sound, args: Arguments) -> Sound:
    """(no arguments; channels 1 and 2, 3 and 4, ...)"""
    c = sound.waveform.shape[0]
    order = [i ^ 1 if i ^ 1 < c else i for i in range(c)]
    return sound._replace(waveform=tp.stack([sound.waveform[i] for i in order]))


def tempo(sound: Sound, args: Arguments) -> Sound:
    """[-q] [-m|-s|-l] factor"""
    while args.flag("-q", "-m", "-s", "-l"):
        pass
    stretched = _stretched(sound.waveform, args.number())
    args.left.clear()  # segment, search and overlap of SoX's own method
    return sound._replace(waveform=stretched)


def trim(sound: Sound, args: Arguments) -> Sound:
    """{position(+)}: what lies between the first two, the next two, ..."""
    t, before = sound.waveform.shape[-1], 0
    places: list[int] = []
    while args.left:
        before = args.position(sound.rate, before, t)
        places.append(min(max(before, 0), t))
    if not places or places != sorted(places):
        raise ValueError(f"wanted positions in order, got {places} samples")
    places += [t] * (len(places) % 2)
    pairs = zip(places[::2], places[1::2], strict=True)
    pieces = [sound.waveform[..., start:end] for start, end in pairs]
    return sound._replace(waveform=tp.cat(pieces, -1))


# Flags of vad, and the arguments of functional.vad; times in seconds
VAD_FLAGS = {
    "-t": "trigger_level",
    "-T": "trigger_time",
    "-s": "search_time",
    "-g": "allowed_gap",
    "-p": "pre_trigger_time",
    "-b": "boot_time",
    "-N": "noise_up_time",
    "-n": "noise_down_time",
    "-r": "noise_reduction_amount",
    "-f": "measure_freq",
    "-m": "measure_duration",
    "-M": "measure_smooth_time",
    "-h": "hp_filter_freq",
    "-l": "lp_filter_freq",
    "-H": "hp_lifter_freq",
    "-L": "lp_lifter_freq",
}


def vad(sound: Sound, args: Arguments) -> Sound:
    """[-t trigger-level] [-T trigger-time] [-s search-time] [-g allowed-gap] [-p pre-trigger-time]
    and the finer ones -b -N -n -r -f -m -M -h -l -H -L"""
    options: dict[str, Any] = {}
    while flag := args.flag(*VAD_FLAGS):
        options[VAD_FLAGS[flag]] = args.number()
    return sound._replace(waveform=F.vad(sound.waveform, round(sound.rate), **options))


_ALL = (
    channels,
    delay,
    echo,
    fade,
    pad,
    pitch,
    rate,
    remix,
    repeat,
    reverse,
    speed,
    swap,
    tempo,
    trim,
    vad,
)
TIMING = {effect.__name__: effect for effect in _ALL}
