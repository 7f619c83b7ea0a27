"""Rotary position embeddings, and the ways to stretch them over longer texts.

Source: Su et al. 2021, "RoFormer"; scalings as config.json files name them: linear (Chen et al.
2023), dynamic NTK, YaRN (Peng et al. 2023), LongRoPE (Ding et al. 2024) and Llama 3.1's, with the
constants of Hugging Face's transformers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import triptych as tp
from triptych import Registry, Tensor
from triptych.errors import FileFormatError

from .arrays import arrays_of

__all__ = ["ROPE_TYPES", "RotaryEmbedding", "rope_settings", "rotate"]

FIRST_LENGTH = 64  # positions in the first table; it doubles when a text is longer

# (settings, width of a head, largest position the model was made for, length of the text) to
# frequencies (width / 2,) and a factor for the cosines and sines
Frequencies = tuple[np.ndarray, float]
Maker = Callable[[Mapping[str, Any], int, int, int], Frequencies]
ROPE_TYPES: Registry[Maker] = Registry("type of rotary embedding")


def rope_settings(values: Mapping[str, Any], theta: float) -> dict[str, Any]:
    """Settings of the rotary embedding in a config.json, old or new.

    Args:
        values: the file's content: "rope_parameters", or "rope_theta" and "rope_scaling".
        theta: base of the frequencies, where the file names none.

    Returns:
        "rope_theta", "rope_type" and what this type needs.

    Raises:
        FileFormatError: one of them is no mapping.
    """
    old, new = values.get("rope_scaling") or {}, values.get("rope_parameters") or {}
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        raise FileFormatError(
            'config: "rope_parameters" and "rope_scaling" are mappings, such as '
            f'{{"rope_type": "linear", "factor": 2.0}}; got {new or old!r}'
        )
    found = {**old, **new}
    kind = found.pop("type", None)  # the older name
    found.setdefault("rope_type", kind or "default")
    found.setdefault("rope_theta", values.get("rope_theta", theta))
    original = values.get("original_max_position_embeddings")
    if original is not None:
        found.setdefault("original_max_position_embeddings", original)
    return found


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs of features, the first half of a head with its second half.

    Args:
        x: (n, heads, l, e).
        cos, sin: broadcast to (n, 1, l, e / 2).

    Returns:
        (n, heads, l, e).
    """
    half = x.shape[-1] // 2
    arrays = arrays_of(x, cos, sin)
    if arrays is not None:
        x_array, cos_array, sin_array = arrays
        return tp.from_numpy(_rotate_array(x_array, cos_array, sin_array, half))
    one, two = x[..., :half], x[..., half:]
    return tp.cat([one * cos - two * sin, two * cos + one * sin], -1)


def _rotate_array(x: np.ndarray, cos: np.ndarray, sin: np.ndarray, half: int) -> np.ndarray:
    out = np.empty(x.shape, x.dtype)
    one, two = x[..., :half], x[..., half:]
    np.subtract(one * cos, two * sin, out=out[..., :half])
    np.add(two * cos, one * sin, out=out[..., half:])
    return out


class RotaryEmbedding:
    """Cosines and sines by position, from a table that grows with the longest text seen.

    Args:
        settings: as `rope_settings` returns them.
        width: e, features of a head.
        max_length: positions the model was made for.

    Raises:
        FileFormatError: a type that is not implemented, or one that lacks a setting.
    """

    def __init__(self, settings: Mapping[str, Any], width: int, max_length: int) -> None:
        self.settings, self.width, self.max_length = settings, width, max_length
        kind = settings["rope_type"]
        if kind not in ROPE_TYPES:
            raise FileFormatError(
                f"rope_type={kind!r} is not implemented, only {', '.join(ROPE_TYPES.names())}"
            )
        try:
            ROPE_TYPES[kind](settings, width, max_length, 1)
        except KeyError as error:
            raise FileFormatError(f"rope_type={kind!r} wants the setting {error}") from error
        self._table: tuple[np.ndarray, np.ndarray] | None = None
        self._key: tuple[bytes, float] | None = None

    def __call__(self, positions: Tensor, dtype: tp.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and sines.

        Args:
            positions: (n, l) or (1, l) int64, from zero.
            dtype: of the result.

        Returns:
            Two tensors (n, 1, l, e / 2).
        """
        places = positions.numpy()
        length = int(places.max(initial=0)) + 1
        cos, sin = self._tables(length)
        pair = (tp.from_numpy(table[places][:, None]) for table in (cos, sin))
        first, second = (t.to(device=positions.device, dtype=dtype) for t in pair)
        return first, second

    def _tables(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        maker = ROPE_TYPES[self.settings["rope_type"]]
        frequencies, factor = maker(self.settings, self.width, self.max_length, length)
        key = (frequencies.tobytes(), factor)
        if self._table is None or key != self._key or len(self._table[0]) < length:
            rows = FIRST_LENGTH
            while rows < length:
                rows *= 2
            angles = np.arange(rows, dtype=np.float32)[:, None] * frequencies
            scale = np.float32(factor)
            self._table, self._key = (np.cos(angles) * scale, np.sin(angles) * scale), key
        return self._table


def _plain(theta: float, width: int) -> np.ndarray:
    """Frequencies (width / 2,) in radians per position. Source: Su et al. 2021, section 3.2.2."""
    exponents = np.arange(0, width, 2, dtype=np.float32) / np.float32(width)
    return (1.0 / np.float32(theta) ** exponents).astype(np.float32)


def _default(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    return _plain(settings["rope_theta"], width), 1.0


def _linear(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    factor = np.float32(settings["factor"])
    return _plain(settings["rope_theta"], width) / factor, 1.0


def _dynamic(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    factor, seen = settings["factor"], max(length, longest)
    stretch = factor * seen / longest - (factor - 1)
    return _plain(settings["rope_theta"] * stretch ** (width / (width - 2)), width), 1.0


def _yarn(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    theta = settings["rope_theta"]
    original = settings.get("original_max_position_embeddings") or longest
    factor = settings.get("factor") or longest / original
    low, high = (
        width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))
        for turns in (settings.get("beta_fast") or 32, settings.get("beta_slow") or 1)
    )
    if settings.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, width - 1)
    high += 0.001 if low == high else 0.0
    ramp = np.clip((np.arange(width // 2, dtype=np.float32) - low) / (high - low), 0, 1)
    plain = _plain(theta, width)
    mixed = plain / factor * ramp + plain * (1 - ramp)
    return mixed.astype(np.float32), _yarn_factor(settings, factor)


def _yarn_factor(settings: Mapping[str, Any], factor: float) -> float:
    """For the cosines and sines. Source: Peng et al. 2023, eq. 22."""
    given: float | None = settings.get("attention_factor")
    if given is not None:
        return given

    def temperature(weight: float) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

    own, all_dim = settings.get("mscale"), settings.get("mscale_all_dim")
    if own and all_dim:
        return temperature(own) / temperature(all_dim)
    return temperature(1.0)


def _longrope(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    original = settings["original_max_position_embeddings"]
    factor = settings.get("factor") or longest / original
    scale = settings.get("attention_factor")
    if scale is None:
        scale = math.sqrt(1 + math.log(factor) / math.log(original)) if factor > 1 else 1.0
    short, long = settings["short_factor"], settings["long_factor"]
    stretch = np.asarray(long if length > original else short, np.float32)
    return _plain(settings["rope_theta"], width) / stretch, scale


def _llama3(settings: Mapping[str, Any], width: int, longest: int, length: int) -> Frequencies:
    plain = _plain(settings["rope_theta"], width)
    factor, original = settings["factor"], settings["original_max_position_embeddings"]
    low, high = settings["low_freq_factor"], settings["high_freq_factor"]
    turns = original * plain / (2 * math.pi)  # in the length that the model was trained on
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    return ((1 - smooth) * plain / factor + smooth * plain).astype(np.float32), 1.0


ROPE_TYPES.register("default", _default)
ROPE_TYPES.register("linear", _linear)
ROPE_TYPES.register("dynamic", _dynamic)
ROPE_TYPES.register("yarn", _yarn)
ROPE_TYPES.register("longrope", _longrope)
ROPE_TYPES.register("llama3", _llama3)
