"""Sound files to waveforms."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import FileFormatError, ShapeError
from triptych_audio.io.sound_file import Source, decoding, named, opened

if TYPE_CHECKING:
    import soundfile

__all__ = ["load", "stream"]

# libsndfile's subtype: what it is read as, so that no bit is lost
INTEGER_TYPES = {
    "PCM_16": "int16",
    "PCM_24": "int32",
    "PCM_32": "int32",
    "PCM_S8": "int16",
    "PCM_U8": "int16",
}
NARROWED = {"PCM_S8": (np.int8, 0), "PCM_U8": (np.uint8, 128)}
# libsndfile's log of a wav file whose data chunk is longer than the file
DATA_CHUNK = re.compile(r"^data : (?P<promised>\d+) \(should be (?P<there>\d+)\)$", re.MULTILINE)
UNKNOWN_SIZE = 0x7FFF_0000  # programs that write into a pipe put a size like this into the header
BLOCK = 1 << 25  # numbers decoded at once, 128 MB
EXACT_LENGTH = ("FLAC", "WAV", "WAVEX", "AIFF", "AU", "CAF", "W64", "RF64")


def load(
    uri: Source,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[Tensor, int]:
    """Read a sound file, or a part of it.

    Args:
        uri: path, the encoded bytes, or a binary file object.
        frame_offset: samples per channel to skip; formats that can seek do not decode them.
        num_frames: samples per channel wanted; -1 for all. Fewer come if the file ends before.
        normalize: give float32 in [-1, 1]. Otherwise uncompressed or losslessly compressed
            integers come as they are stored (24 bits as int32), everything else as float32.
        channels_first: (channels, time); otherwise (time, channels).
        format: has no effect; the content decides.
        buffer_size: has no effect.
        backend: None or "soundfile".

    Returns:
        The waveform and its sample rate in Hz.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, cut short, or of a format that is not known.
        ShapeError: frame_offset or num_frames is negative or zero.
    """
    if frame_offset < 0 or num_frames < -1 or num_frames == 0:
        raise ShapeError(
            "load: wanted frame_offset >= 0 and num_frames > 0 (or -1 for all), got "
            f"frame_offset={frame_offset}, num_frames={num_frames}"
        )
    if backend not in (None, "soundfile"):
        raise ValueError(f"load: there is one backend, 'soundfile'; got {backend!r}")
    with opened(uri, "load") as sound:
        samples = _read(sound, uri, frame_offset, num_frames, normalize)
        rate = sound.samplerate
    waveform = tp.from_numpy(np.ascontiguousarray(samples.T if channels_first else samples))
    return waveform, rate


def _read(
    sound: soundfile.SoundFile, uri: Source, offset: int, count: int, normalize: bool
) -> np.ndarray:
    """(time, channels): the part wanted, in the type wanted."""
    start = min(offset, sound.frames)
    left = sound.frames - start
    wanted = left if count == -1 else min(count, left)
    subtype = sound.subtype
    dtype = "float32" if normalize else INTEGER_TYPES.get(subtype, "float32")
    with decoding(uri, "load"):
        if start:
            sound.seek(start)
        samples = _decoded(sound, wanted, dtype)
    if len(samples) < wanted and sound.format in EXACT_LENGTH:
        raise FileFormatError(
            f"load: {named(uri)} is cut short: its header promises {sound.frames} samples per "
            f"channel, but decoding ends after {start + len(samples)}"
        )
    if start + wanted == sound.frames:
        _warn_if_cut(sound, uri)
    if dtype == "int16" and subtype in NARROWED:
        narrow, middle = NARROWED[subtype]
        samples = ((samples >> 8) + middle).astype(narrow)
    return samples


def _decoded(sound: soundfile.SoundFile, count: int, dtype: str) -> np.ndarray:
    """Up to count samples per channel, in blocks: a damaged header may promise terabytes."""
    most = max(1, BLOCK // sound.channels)
    blocks: list[np.ndarray] = []
    while True:
        wanted = min(most, count)
        blocks.append(sound.read(wanted, dtype=dtype, always_2d=True))
        count -= wanted
        if not count or len(blocks[-1]) < wanted:
            return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _warn_if_cut(sound: soundfile.SoundFile, uri: Source) -> None:
    """Uncompressed data that ends early is read as far as it goes, but not silently."""
    found = DATA_CHUNK.search(sound.extra_info)
    if found is None or int(found["promised"]) >= UNKNOWN_SIZE:
        return
    warnings.warn(
        f"load: {named(uri)} is cut short: its header promises {found['promised']} bytes of "
        f"samples, {found['there']} are there; reading these",
        stacklevel=4,
    )


def stream(
    uri: Source, block_length: int, *, hop_length: int | None = None, fill: bool = False
) -> Iterator[tuple[Tensor, int]]:
    """Read a long file block by block, holding one block in memory.

    Args:
        uri: path, the encoded bytes, or a binary file object.
        block_length: samples per channel in a block.
        hop_length: samples from the start of one block to the next; default block_length.
        fill: make the last block as long as the others with zeros.

    Yields:
        (channels, block_length) float32 in [-1, 1], the last one shorter unless filled, and the
        sample rate in Hz.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.
        ShapeError: not 0 < hop_length <= block_length.
    """
    hop = block_length if hop_length is None else hop_length
    if not 0 < hop <= block_length:
        raise ShapeError(
            f"stream: wanted 0 < hop_length <= block_length, got {hop} and {block_length}"
        )
    return _blocks(uri, block_length, hop, fill)


def _blocks(uri: Source, length: int, hop: int, fill: bool) -> Iterator[tuple[Tensor, int]]:
    with opened(uri, "stream") as sound:
        blocks = sound.blocks(
            length,
            overlap=length - hop,
            dtype="float32",
            always_2d=True,
            fill_value=0.0 if fill else None,
        )
        while True:
            with decoding(uri, "stream"):
                block = next(blocks, None)
            if block is None:
                return
            yield tp.from_numpy(np.array(block.T, order="C")), sound.samplerate
