"""Chains of effects in SoX's words."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_audio.interop import same_kind
from triptych_audio.sox_effects.arguments import Arguments, Sound
from triptych_audio.sox_effects.filters import FILTERS
from triptych_audio.sox_effects.levels import LEVELS
from triptych_audio.sox_effects.timing import TIMING

__all__ = ["apply_effects_file", "apply_effects_tensor", "effect_names"]

EFFECTS: dict[str, Callable[[Sound, Arguments], Sound]] = {**FILTERS, **LEVELS, **TIMING}
Effects = Sequence[Sequence[object]]

# Full scale of integer samples, and the value of silence
SCALES = {tp.uint8: (128, 128), tp.int16: (1 << 15, 0), tp.int32: (1 << 31, 0)}


def effect_names() -> list[str]:
    """The effects there are, in order."""
    return sorted(EFFECTS)


@same_kind
def apply_effects_tensor(
    tensor: Tensor, sample_rate: int, effects: Effects, channels_first: bool = True
) -> tuple[Tensor, int]:
    """A waveform through a chain of effects.

    Effects take their arguments as SoX does, but are those of `functional`: what resampling,
    stretching and reverberation give differs from SoX in detail. Samples are limited to [-1, 1]
    after each. `speed` and `pitch` change the rate; put `rate` behind them.

    Args:
        tensor: (c, t), or (t, c), samples: floating, int32, int16 or uint8.
        sample_rate: in Hz.
        effects: a name and its arguments for each, such as [["lowpass", "300"], ["rate", "8k"]].
        channels_first: False if tensor is (t, c).

    Returns:
        The samples in the same dtype and order of axes, and their rate in Hz.

    Raises:
        UnknownNameError: there is no effect of that name.
        DomainError: its arguments cannot be read.
        ShapeError: tensor has not two axes.
        DTypeError: tensor has another dtype.

    Example:
        >>> waveform, rate = apply_effects_tensor(
        ...     tp.zeros(2, 16000), 16000, [["trim", "0.25", "0.5"], ["rate", "8000"]]
        ... )
        >>> waveform.shape, rate
        (Size([2, 4000]), 8000)
    """
    if tensor.ndim != 2:
        raise ShapeError(
            f"apply_effects_tensor: wanted (c, t) or (t, c), got {tuple(tensor.shape)}"
        )
    waveform = _floating(tensor if channels_first else tensor.mT)
    sound = Sound(waveform, float(sample_rate))
    for effect in effects:
        sound = _applied(sound, effect)
        sound = sound._replace(waveform=sound.waveform.clamp(-1.0, 1.0))
    result = _as_dtype(sound.waveform, tensor.dtype)
    return result if channels_first else result.mT, round(sound.rate)


def _applied(sound: Sound, effect: Sequence[object]) -> Sound:
    name, *values = (effect,) if isinstance(effect, str) else effect
    if name not in EFFECTS:
        raise UnknownNameError(
            f"sox_effects: there is no effect {name!r}; there are {', '.join(effect_names())}"
        )
    run, arguments = EFFECTS[str(name)], Arguments(values)
    try:
        changed = run(sound, arguments)
        arguments.done()
    except ValueError as error:
        usage = " ".join((run.__doc__ or "").split())
        raise DomainError(
            f"sox_effects: {name} {list(values)}: {error}; use: {name} {usage}"
        ) from (error)
    return changed


def _floating(tensor: Tensor) -> Tensor:
    if tensor.is_floating_point():
        return tensor
    if tensor.dtype not in SCALES:
        raise DTypeError(
            f"apply_effects_tensor: wanted floating samples, {', '.join(map(str, SCALES))}, got "
            f"{tensor.dtype}"
        )
    scale, silence = SCALES[tensor.dtype]
    return (tensor.to(tp.float64 if scale > 1 << 15 else tp.float32) - silence) / scale


def _as_dtype(waveform: Tensor, dtype: Any) -> Tensor:
    if dtype not in SCALES:
        return waveform.to(dtype)
    scale, silence = SCALES[dtype]
    return ((waveform * scale).round().clamp(-scale, scale - 1) + silence).to(dtype)


def apply_effects_file(
    path: str | os.PathLike[str] | BinaryIO,
    effects: Effects,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
) -> tuple[Tensor, int]:
    """A sound file through a chain of effects; see `apply_effects_tensor`.

    Args:
        path: of the file, or an open one.
        effects: a name and its arguments for each.
        normalize: floating samples in [-1, 1]; if not, integers where the file holds them.
        channels_first: False for (t, c).
        format: of the file, where its name does not tell.

    Returns:
        The samples, (c, t) or (t, c), and their rate in Hz.

    Raises:
        UnknownNameError: there is no effect of that name.
        DomainError: its arguments cannot be read.
    """
    from triptych_audio.io import load

    waveform, sample_rate = load(path, normalize=normalize, format=format)
    changed, rate = apply_effects_tensor(waveform, sample_rate, effects)
    return changed if channels_first else changed.mT, rate
