"""What `StreamReader` finds in a file and gives out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from triptych import Tensor
from triptych.errors import UnknownNameError

__all__ = [
    "ChunkTensor",
    "OutputAudioStream",
    "OutputStream",
    "SourceAudioStream",
    "SourceStream",
    "sample_dtype",
    "to_sample_format",
]

# FFmpeg's name without the "p" of planar: NumPy's
SAMPLE_FORMATS = {
    "u8": "uint8",
    "s16": "int16",
    "s32": "int32",
    "s64": "int64",
    "flt": "float32",
    "dbl": "float64",
}


class ChunkTensor(Tensor):
    """A piece of a stream, (frames, channels), that knows its place.

    Operations on it give plain tensors.

    Attributes:
        pts: time of its first frame, in seconds from the beginning of the file.
    """

    pts: float


@dataclass(frozen=True)
class SourceStream:
    """A stream of a file that is no sound.

    Args:
        media_type: "audio", "video", "subtitle", "data" or "attachment".
        codec: short name.
        codec_long_name: name for people.
        format: of the samples, "s16", "flt", ...
        bit_rate: in bits per second; 0 where it is not known.
        num_frames: of the stream; 0 where it is not known.
        bits_per_sample: 0 for codecs that have none.
        metadata: tags.
    """

    media_type: str
    codec: str
    codec_long_name: str
    format: str | None = None
    bit_rate: int | None = None
    num_frames: int | None = None
    bits_per_sample: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceAudioStream(SourceStream):
    """A stream of sound in a file.

    Args:
        media_type: "audio".
        codec: short name.
        codec_long_name: name for people.
        format: of the samples, "s16", "flt", ...
        bit_rate: in bits per second; 0 where it is not known.
        num_frames: of the stream; 0 where it is not known.
        bits_per_sample: 0 for codecs that have none.
        metadata: tags.
        sample_rate: in Hz.
        num_channels: 1 is mono, 2 stereo.
    """

    sample_rate: float = 0.0
    num_channels: int = 0


@dataclass(frozen=True)
class OutputStream:
    """A stream that `StreamReader` gives out.

    Args:
        source_index: of the stream in the file.
        filter_description: what is done to it, in FFmpeg's words.
        media_type: "audio".
        format: of the samples, "fltp", "s16p", ...
    """

    source_index: int
    filter_description: str
    media_type: str
    format: str | None


@dataclass(frozen=True)
class OutputAudioStream(OutputStream):
    """A stream of sound that `StreamReader` gives out.

    Args:
        source_index: of the stream in the file.
        filter_description: what is done to it, in FFmpeg's words.
        media_type: "audio".
        format: of the samples, "fltp", "s16p", ...
        sample_rate: in Hz.
        num_channels: 1 is mono, 2 stereo.
    """

    sample_rate: float
    num_channels: int


def sample_dtype(caller: str, format: str) -> str:
    """NumPy's name of a sample format.

    Args:
        caller: the public function, for errors.
        format: "u8", "s16", "s32", "s64", "flt" or "dbl", with or without "p" at the end.

    Raises:
        UnknownNameError: another one.

    Example:
        >>> sample_dtype("f", "s16p"), sample_dtype("f", "flt")
        ('int16', 'float32')
    """
    name = format.removesuffix("p")
    if name not in SAMPLE_FORMATS:
        raise UnknownNameError(
            f"{caller}: wanted one of the sample formats {', '.join(SAMPLE_FORMATS)}, with or "
            f"without 'p' at the end; got {format!r}"
        )
    return SAMPLE_FORMATS[name]


def to_sample_format(samples: np.ndarray, dtype: str) -> np.ndarray:
    """Floats in [-1, 1] as another type; integers are rounded, and clipped at full scale.

    Args:
        samples: float32 or float64.
        dtype: NumPy's name; unsigned integers have their zero in the middle.

    Example:
        >>> to_sample_format(np.array([-1.0, 0.5, 2.0]), "int16").tolist()
        [-32768, 16384, 32767]
    """
    if dtype.startswith("float"):
        return samples.astype(dtype, copy=False)
    info = np.iinfo(dtype)
    half = 2.0 ** (info.bits - 1)
    middle = half if info.min == 0 else 0.0
    # The largest float64 below 2 ** 63 keeps int64 from wrapping.
    top = np.nextafter(half, 0) if info.bits == 64 else half - 1
    scaled = np.clip(np.rint(samples.astype(np.float64) * half), -half, top)
    return (scaled + middle).astype(dtype)
