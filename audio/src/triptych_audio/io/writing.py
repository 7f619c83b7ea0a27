"""Waveforms to sound files."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.io.remote import written
from triptych_audio.io.sound_file import named, soundfile_module

__all__ = ["save"]

CHUNK = 1 << 16  # frames handed over at a time: the Vorbis encoder keeps what it gets on its stack

# (encoding, bits per sample): libsndfile's subtype
SUBTYPES = {
    ("ALAW", 8): "ALAW",
    ("PCM_F", 32): "FLOAT",
    ("PCM_F", 64): "DOUBLE",
    ("PCM_S", 8): "PCM_S8",
    ("PCM_S", 16): "PCM_16",
    ("PCM_S", 24): "PCM_24",
    ("PCM_S", 32): "PCM_32",
    ("PCM_U", 8): "PCM_U8",
    ("ULAW", 8): "ULAW",
    ("VORBIS", 0): "VORBIS",
    ("OPUS", 0): "OPUS",
    ("MP3", 0): "MPEG_LAYER_III",
}
DEFAULT_BITS = {"ALAW": 8, "PCM_F": 32, "PCM_S": 16, "PCM_U": 8, "ULAW": 8}
DEFAULT_ENCODING = {8: "PCM_U", 16: "PCM_S", 24: "PCM_S", 32: "PCM_S", 64: "PCM_F"}

# What an uncompressed file holds when neither encoding nor bits are asked for: no bit is lost.
BY_DTYPE = {
    "float32": ("PCM_F", 32),
    "float64": ("PCM_F", 64),
    "int16": ("PCM_S", 16),
    "int32": ("PCM_S", 32),
    "uint8": ("PCM_U", 8),
}

# Formats with one encoding, or one of their own: format -> subtype, by bits where it matters
COMPRESSED: dict[str, dict[int | None, str]] = {
    "FLAC": {None: "PCM_16", 8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"},
    "MP3": {None: "MPEG_LAYER_III"},
    "OGG": {None: "VORBIS"},
    "OPUS": {None: "OPUS"},
}
CONTAINERS = {"OPUS": "OGG", "VORBIS": "OGG", "AIF": "AIFF", "OGA": "OGG"}
EXTENSIONS = {"aif": "AIFF", "oga": "OGG", "snd": "AU", "sph": "NIST", "wave": "WAV"}


def save(
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
    """Write a waveform to a sound file, whole or not at all.

    Floating samples outside of [-1, 1] are clipped when the file holds integers.

    Args:
        uri: path, a binary file object to write to, or an address such as `s3://bucket/a.flac`,
            for which fsspec is needed.
        src: (channels, time), or (time,) for mono; a Tensor, NumPy array or DLPack array of
            float32, float64, int32, int16 or uint8.
        sample_rate: in Hz.
        channels_first: False if src is (time, channels).
        format: "wav", "flac", "ogg", "opus", "mp3", "aiff", ...; default by the path's extension.
        encoding: "PCM_S", "PCM_U", "PCM_F", "ULAW", "ALAW" for uncompressed formats; default what
            keeps every bit of src. "VORBIS" or "OPUS" for ogg.
        bits_per_sample: 8, 16, 24, 32 or 64; flac has 16 by default.
        buffer_size: has no effect.
        backend: None or "soundfile".
        compression: 0, fast or best quality, to 1, smallest; for flac, ogg and mp3.

    Raises:
        ShapeError: src has more than two dims, or no channels.
        DTypeError: src has another dtype.
        ValueError: format, encoding and bits do not go together.
        FileNotFoundError: the folder does not exist.
    """
    if backend not in (None, "soundfile"):
        raise ValueError(f"save: there is one backend, 'soundfile'; got {backend!r}")
    module = soundfile_module("save")
    array = _frames(src, channels_first)
    container, subtype = file_type(uri, format, encoding, bits_per_sample, array.dtype.name)
    samples = (array.astype(np.int16) - 128) << 8 if array.dtype == np.uint8 else array
    check_type("save", uri, container, subtype)
    encoded = io.BytesIO()
    options = {} if compression is None else {"compression_level": compression}
    try:
        with module.SoundFile(
            encoded, "w", sample_rate, samples.shape[1], subtype, format=container, **options
        ) as sound:
            for start in range(0, len(samples), CHUNK):
                sound.write(samples[start : start + CHUNK])
    except module.SoundFileError as error:
        raise ValueError(
            f"save: {named(uri)}: {container} does not take {samples.shape[1]} channel(s) at "
            f"{sample_rate} Hz as {subtype}{_if_turned(src, samples, channels_first)}"
        ) from error
    with written(uri, "save") as out:
        out.write(encoded.getbuffer())


def check_type(caller: str, uri: Any, container: str, subtype: str) -> None:
    """Raise unless libsndfile writes such files.

    Args:
        caller: the public function, for errors.
        uri: what is written to.
        container: libsndfile's name of the format.
        subtype: libsndfile's name of the encoding.

    Raises:
        ValueError: it does not.
    """
    module = soundfile_module(caller)
    known = module.available_formats()
    if container not in known:
        raise ValueError(
            f"{caller}: {named(uri)}: there is no format {container!r}; wanted one of "
            f"{', '.join(sorted({*known, 'OPUS'}))}, as the path's extension or as format="
        )
    if not module.check_format(container, subtype):
        raise ValueError(
            f"{caller}: {container} cannot hold {subtype}; it can hold "
            f"{', '.join(sorted(module.available_subtypes(container)))}"
        )


def _if_turned(src: Any, samples: np.ndarray, channels_first: bool) -> str:
    """What to try when there are more channels than samples in each."""
    if samples.shape[1] <= samples.shape[0]:
        return ""
    wanted = "(channels, time)" if channels_first else "(time, channels)"
    return (
        f"; src of shape {tuple(src.shape)} was taken as {wanted}: pass src.T, or "
        f"channels_first={not channels_first}"
    )


def _frames(src: Any, channels_first: bool) -> np.ndarray:
    """(time, channels) in one of the dtypes above."""
    if isinstance(src, Tensor):
        array = src.detach().cpu().numpy()
    else:
        array = src if isinstance(src, np.ndarray) else tp.from_dlpack(src).cpu().numpy()
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 2:
        array = array.T if channels_first else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise ShapeError(
            f"save: wanted (channels, time) or (time,), got {src.shape}; write one file per example"
        )
    if array.dtype.name not in BY_DTYPE:
        raise DTypeError(
            f"save: wanted one of {', '.join(BY_DTYPE)}, got {array.dtype}; convert with .float()"
        )
    return np.ascontiguousarray(array)


def file_type(
    uri: Any, format: str | None, encoding: str | None, bits: int | None, dtype: str
) -> tuple[str, str]:
    """Container and subtype in libsndfile's words."""
    kind = (format or _extension(uri)).upper()
    container = CONTAINERS.get(kind, kind)
    if encoding in ("VORBIS", "OPUS", "MP3") and bits in (None, 0):
        return container, SUBTYPES[encoding, 0]
    if kind in COMPRESSED or container in COMPRESSED:
        choices = COMPRESSED.get(kind, COMPRESSED.get(container, {}))
        if bits not in choices or encoding not in (None, container):
            raise ValueError(
                f"save: {kind} takes bits_per_sample in {list(choices)} and no encoding, got "
                f"encoding={encoding!r}, bits_per_sample={bits}"
            )
        return container, choices[bits]
    encoding, bits = _uncompressed(encoding, bits, dtype)
    if (encoding, bits) not in SUBTYPES:
        known = ", ".join(f"{e} {b}" for e, b in sorted(SUBTYPES) if b)
        raise ValueError(f"save: no {encoding} with {bits} bits; there are {known}")
    return container, SUBTYPES[encoding, bits]


def _uncompressed(encoding: str | None, bits: int | None, dtype: str) -> tuple[str, int]:
    if encoding is None and bits is None:
        return BY_DTYPE[dtype]
    if encoding is None:
        return DEFAULT_ENCODING.get(bits or 0, "PCM_S"), bits or 16
    return encoding, bits or DEFAULT_BITS.get(encoding, 16)


def _extension(uri: Any) -> str:
    name = os.fspath(uri) if isinstance(uri, (str, os.PathLike)) else getattr(uri, "name", "")
    extension = os.path.splitext(str(name))[1].lstrip(".").lower()
    if not extension:
        raise ValueError(f"save: {str(name)!r} has no extension; say format='wav', 'flac', ...")
    return EXTENSIONS.get(extension, extension)
