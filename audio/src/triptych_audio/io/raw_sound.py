"""Samples without a header, whose kind the caller must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from triptych.errors import DomainError
from triptych_audio.io.sound_file import Source, decoding, seekable, soundfile_module

__all__ = ["RAW_FORMATS", "open_raw"]

# FFmpeg's name of the format: libsndfile's subtype and order of bytes
RAW_FORMATS = {
    "alaw": ("ALAW", "FILE"),
    "f32be": ("FLOAT", "BIG"),
    "f32le": ("FLOAT", "LITTLE"),
    "f64be": ("DOUBLE", "BIG"),
    "f64le": ("DOUBLE", "LITTLE"),
    "mulaw": ("ULAW", "FILE"),
    "s16be": ("PCM_16", "BIG"),
    "s16le": ("PCM_16", "LITTLE"),
    "s24be": ("PCM_24", "BIG"),
    "s24le": ("PCM_24", "LITTLE"),
    "s32be": ("PCM_32", "BIG"),
    "s32le": ("PCM_32", "LITTLE"),
    "s8": ("PCM_S8", "FILE"),
    "u8": ("PCM_U8", "FILE"),
}


@contextmanager
def open_raw(
    uri: Source, format: str | None, option: Mapping[str, Any], caller: str
) -> Iterator[Any]:
    """Samples without a header, open for reading.

    Args:
        uri: path, address, bytes or a binary file object.
        format: a key of `RAW_FORMATS`.
        option: "sample_rate" and "channels", as numbers or strings; default 44100 Hz, mono.
        caller: the public function, for errors.

    Raises:
        DomainError: a number is not positive.
        FileNotFoundError: no such file.
    """
    subtype, endian = RAW_FORMATS[format or ""]
    rate, channels = int(option.get("sample_rate", 44100)), int(option.get("channels", 1))
    if min(rate, channels) < 1:
        raise DomainError(
            f"{caller}: wanted a rate and channels above 0, got {rate} and {channels}"
        )
    module = soundfile_module(caller)
    with seekable(uri, caller) as target:
        with decoding(uri, caller):
            sound = module.SoundFile(
                target, "r", rate, channels, subtype, endian=endian, format="RAW"
            )
        with sound:
            yield sound
