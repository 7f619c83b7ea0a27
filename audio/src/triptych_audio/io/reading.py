"""Sound files to waveforms."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, FileFormatError, ShapeError
from triptych_audio.io.sound_file import Sound, Source, check_backend, decoding, named, opened
from triptych_audio.io.soundtrack import Soundtrack
from triptych_audio.io.stream_resampler import StreamResampler, mixed

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
MOST_FRAMES = 1 << 62  # of a soundtrack, whose length is known when it has been decoded
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
    *,
    sr: int | None = None,
    mono: bool = False,
) -> tuple[Tensor, int]:
    """Read a sound file, or a part of it.

    Args:
        uri: path, the encoded bytes, a binary file object, or an address such as
            `s3://bucket/a.flac`, for which fsspec is needed. m4a, aac and the sound of films need
            PyAV: pip install "triptych-audio[video]".
        frame_offset: samples per channel to skip; formats that can seek do not decode them.
        num_frames: samples per channel wanted; -1 for all. Fewer come if the file ends before.
        normalize: give float32 in [-1, 1]. Otherwise uncompressed or losslessly compressed
            integers come as they are stored (24 bits as int32), everything else as float32.
        channels_first: (channels, time); otherwise (time, channels).
        format: has no effect; the content decides.
        buffer_size: has no effect.
        backend: "soundfile", "ffmpeg" (PyAV), or None for the first of them that knows the file.
        sr: resample to so many Hz, with soxr; frame_offset and num_frames still count samples of
            the file. Default: the file's rate.
        mono: take the mean of the channels.

    Returns:
        The waveform and its sample rate in Hz.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, cut short, or of a format that is not known.
        ShapeError: frame_offset or num_frames is negative or zero.
        DTypeError: sr or mono together with normalize=False.
        MissingDependencyError: the file, or its address, needs a library that is not installed.
    """
    if frame_offset < 0 or num_frames < -1 or num_frames == 0:
        raise ShapeError(
            "load: wanted frame_offset >= 0 and num_frames > 0 (or -1 for all), got "
            f"frame_offset={frame_offset}, num_frames={num_frames}"
        )
    if not normalize and (mono or sr is not None):
        raise DTypeError("load: sr and mono make floats; leave normalize=False out")
    with opened(uri, "load", backend) as sound:
        samples = _read(sound, uri, frame_offset, num_frames, normalize)
        rate = sound.samplerate
    samples = mixed(samples, 1 if mono else None)
    if sr is not None:
        samples = StreamResampler(rate, sr, samples.shape[1])(samples, last=True)
    waveform = tp.from_numpy(np.ascontiguousarray(samples.T if channels_first else samples))
    return waveform, rate if sr is None else sr


def _read(sound: Sound, uri: Source, offset: int, count: int, normalize: bool) -> np.ndarray:
    """(time, channels): the part wanted, in the type wanted."""
    end = MOST_FRAMES if sound.format == Soundtrack.format else sound.frames
    start = min(offset, end)
    wanted = end - start if count == -1 else min(count, end - start)
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
    if start + wanted == end:
        _warn_if_cut(sound, uri)
    if dtype == "int16" and subtype in NARROWED:
        narrow, middle = NARROWED[subtype]
        samples = ((samples >> 8) + middle).astype(narrow)
    return samples


def _decoded(sound: Sound, count: int, dtype: str) -> np.ndarray:
    """Up to count samples per channel, in blocks: a damaged header may promise terabytes."""
    most = max(1, BLOCK // sound.channels)
    blocks: list[np.ndarray] = []
    while True:
        wanted = min(most, count)
        blocks.append(sound.read(wanted, dtype=dtype, always_2d=True))
        count -= wanted
        if not count or len(blocks[-1]) < wanted:
            return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _warn_if_cut(sound: Sound, uri: Source) -> None:
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
    uri: Source,
    block_length: int,
    *,
    hop_length: int | None = None,
    fill: bool = False,
    sr: int | None = None,
    mono: bool = False,
    backend: str | None = None,
) -> Iterator[tuple[Tensor, int]]:
    """Read a long file block by block, holding little more than one block in memory.

    Args:
        uri: path, the encoded bytes, a binary file object, or an address, as in `load`.
        block_length: samples per channel in a block.
        hop_length: samples from the start of one block to the next; default block_length.
        fill: make the last block as long as the others with zeros.
        sr: resample to so many Hz, with soxr; lengths of blocks are at that rate.
        mono: take the mean of the channels.
        backend: as in `load`.

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
    check_backend(backend, "stream")
    return _streamed(uri, block_length, hop, fill, sr, mono, backend)


def _streamed(
    uri: Source,
    length: int,
    hop: int,
    fill: bool,
    sr: int | None,
    mono: bool,
    backend: str | None,
) -> Iterator[tuple[Tensor, int]]:
    with opened(uri, "stream", backend) as sound:
        rate = sound.samplerate if sr is None else sr
        pieces = _pieces(sound, uri, hop, rate, mono)
        for block in _blocks(pieces, length, hop, fill):
            yield tp.from_numpy(np.array(block.T, order="C")), rate


def _pieces(sound: Sound, uri: Source, size: int, rate: int, mono: bool) -> Iterator[np.ndarray]:
    """(t, c) pieces of the whole file, mixed and resampled."""
    channels = 1 if mono else sound.channels
    resampler = StreamResampler(sound.samplerate, rate, channels)
    size = max(1, size * sound.samplerate // rate)
    last = False
    while not last:
        with decoding(uri, "stream"):
            piece = sound.read(size, dtype="float32", always_2d=True)
        last = len(piece) < size
        yield resampler(mixed(piece, channels), last)


def _blocks(
    pieces: Iterator[np.ndarray], length: int, hop: int, fill: bool
) -> Iterator[np.ndarray]:
    """Pieces of any length as blocks of one length, each `hop` after the one before."""
    waiting, fresh = next(pieces), True  # fresh: there are samples that no block has held
    for piece in pieces:
        waiting, fresh = np.concatenate([waiting, piece]), fresh or len(piece) > 0
        while len(waiting) >= length:
            yield waiting[:length]
            waiting, fresh = waiting[hop:], len(waiting) > length
    while len(waiting) and fresh:
        block = waiting[:length]
        short = length - len(block) if fill else 0
        yield np.pad(block, ((0, short), (0, 0))) if short else block
        waiting, fresh = waiting[hop:], len(waiting) > length
