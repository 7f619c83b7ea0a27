"""The libraries that read and write, under the names that torchaudio has had for it."""

from __future__ import annotations

import importlib.util
import os
from typing import Any, BinaryIO

from triptych import Tensor
from triptych_audio.io.reading import load
from triptych_audio.io.sound_file import Source, check_backend
from triptych_audio.io.writing import save

__all__ = [
    "get_audio_backend",
    "list_audio_backends",
    "load_with_torchcodec",
    "save_with_torchcodec",
    "set_audio_backend",
]

MODULES = {"ffmpeg": "av", "soundfile": "soundfile"}


def list_audio_backends() -> list[str]:
    """The backends that are installed.

    Returns:
        "soundfile", which always is, and "ffmpeg" where PyAV is: it reads m4a, aac and films.

    Example:
        >>> "soundfile" in list_audio_backends()
        True
    """
    return [name for name, module in MODULES.items() if importlib.util.find_spec(module)]


def get_audio_backend() -> str | None:
    """None: each call takes the first backend that knows the file, unless one is named."""
    return None


def set_audio_backend(backend: str | None) -> None:
    """Has no effect; name a backend in the call, `load(..., backend="ffmpeg")`.

    Args:
        backend: "soundfile", "ffmpeg" or None.

    Raises:
        ValueError: another one.
    """
    check_backend(backend, "set_audio_backend")


def load_with_torchcodec(
    uri: Source,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[Tensor, int]:
    """`load`, under the name it has in torchaudio 2.9; torchcodec is not needed.

    Args:
        uri: path, address, bytes or a binary file object.
        frame_offset: samples per channel to skip.
        num_frames: samples per channel wanted; -1 for all.
        normalize: has no effect; samples are float32.
        channels_first: (channels, time); otherwise (time, channels).
        format: has no effect.
        buffer_size: has no effect.
        backend: has no effect.

    Returns:
        The waveform and its sample rate in Hz.
    """
    return load(uri, frame_offset, num_frames, channels_first=channels_first)


def save_with_torchcodec(
    uri: str | os.PathLike[str] | BinaryIO,
    src: Any,
    sample_rate: int,
    channels_first: bool = True,
    format: str | None = None,
    encoding: str | None = None,
    bits_per_sample: int | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
    compression: float | None = None,
) -> None:
    """`save`, under the name it has in torchaudio 2.9; torchcodec is not needed.

    Args:
        uri: path, address or a binary file object.
        src: (channels, time), or (time,) for mono.
        sample_rate: in Hz.
        channels_first: False if src is (time, channels).
        format: as in `save`.
        encoding: as in `save`.
        bits_per_sample: as in `save`.
        buffer_size: has no effect.
        backend: has no effect.
        compression: as in `save`.
    """
    save(uri, src, sample_rate, channels_first, format, encoding, bits_per_sample,
         compression=compression)  # fmt: skip
