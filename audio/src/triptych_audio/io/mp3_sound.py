"""mp3 files of the right length, with jumps that land on the very sample.

libsndfile guesses where to go in files of varying bit rate, and how long they are if they do not
say so; and soundfile jumps after every read, so that even reading on would lose its place. Here
frames are counted instead: their headers say how long they are. A decoder that begins in the middle
also needs the last bytes of the frames before, the bit reservoir; they come in a frame of their
own, which is silent.

Source: ISO/IEC 11172-3, 2.4 and 13818-3; the tag in the first frame is described at
http://gabriel.mp3-tech.org/mp3infotag.html.
"""

from __future__ import annotations

import io
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

__all__ = ["Mp3Sound", "frame_index"]

# by the version's two bits; kbit/s by the header's four bits, Hz by its two
KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
KBITS[0] = KBITS[2]
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
SAMPLES = {3: 1152, 2: 576, 0: 576}  # in a frame
SIDE_BYTES = {3: (32, 17), 2: (17, 9), 0: (17, 9)}  # after the header: stereo, mono
MOST_RESERVOIR = 511  # bytes of earlier frames that a frame may use; in MPEG 2 fewer
DECODER_DELAY = 529  # samples that decoders are late by, and leave out where there is a tag
OVERLAP = 2  # frames decoded before the one wanted: transform and filterbank overlap
ID3_HEAD = 10  # bytes
ENDINGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")


@dataclass(frozen=True)
class Frames:
    """Where the frames of an mp3 file lie.

    Args:
        offsets: of the frames with sound, in bytes.
        samples: per channel in a frame.
        delay: samples before the first one of the recording.
    """

    offsets: list[int]
    samples: int
    delay: int


def _frame_length(header: int) -> int:
    """Bytes in a frame of layer III; 0 if these 32 bits begin none."""
    version, layer = header >> 19 & 3, header >> 17 & 3
    bits, rate = header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer != 1 or bits in (0, 15) or rate == 3:
        return 0
    eighths = SAMPLES[version] // 8
    return eighths * KBITS[version][bits] * 1000 // RATES[version][rate] + (header >> 9 & 1)


def _id3_length(head: bytes) -> int:
    """Bytes in a tag of ID3, of which these are the first ten."""
    a, b, c, d = head[6:ID3_HEAD]
    return ID3_HEAD + (a << 21 | b << 14 | c << 7 | d)


def _after_id3(file: BinaryIO) -> bytes:
    """The beginning of the first frame."""
    at, head = 0, file.read(ID3_HEAD)
    while head.startswith(b"ID3") and len(head) == ID3_HEAD:
        at += _id3_length(head)
        file.seek(at)
        head = file.read(ID3_HEAD)
    return head + file.read(64)


def _says_length(frame: bytes) -> bool:
    """Whether the first frame tells how many there are."""
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def frame_index(content: Any) -> Frames | None:
    """Count the frames of an mp3 file.

    Args:
        content: bytes, or a map of the file.

    Returns:
        Where they lie; None for files that are not simply frame after frame of layer III.
    """
    at, size = 0, len(content)
    while content[at : at + 3] == b"ID3" and at + ID3_HEAD <= size:
        at += _id3_length(content[at : at + ID3_HEAD])
    start, offsets = at, []
    unpack = struct.Struct(">I").unpack_from
    while at + 4 <= size:
        length = _frame_length(unpack(content, at)[0])
        if not length:
            break
        if at + length > size:  # the last frame is cut off
            at = size
            break
        offsets.append(at)
        at += length
    rest = bytes(content[at : at + 12])
    if len(offsets) < 2 or not (at + 4 > size or rest.startswith(ENDINGS) or not any(rest)):
        return None
    version = content[start + 1] >> 3 & 3
    first = bytes(content[start : offsets[1]])
    return _without_tag(first, offsets, version)


def _without_tag(first: bytes, offsets: list[int], version: int) -> Frames:
    """The first frame may hold no sound but the delay of the encoder."""
    at = 4 + SIDE_BYTES[version][_is_mono(first)]
    mark = first[at : at + 4]
    samples = SAMPLES[version]
    if first[36:40] == b"VBRI":
        return Frames(offsets[1:], samples, 0)  # decoders leave nothing out
    if mark not in (b"Xing", b"Info"):
        return Frames(offsets, samples, 0)
    flags = struct.unpack_from(">I", first, at + 4)[0]
    sizes = (4, 4, 100, 4)  # frames, bytes, table of contents, quality: where their flags are set
    lame = at + 8 + sum(n for i, n in enumerate(sizes) if flags >> i & 1)
    fields = first[lame + 21 : lame + 24]
    known = len(fields) == 3 and first[lame : lame + 4].strip(b"\0") != b""
    delay = fields[0] << 4 | fields[1] >> 4 if known else 0
    return Frames(offsets[1:], samples, delay + DECODER_DELAY)


def _is_mono(frame: Any) -> bool:
    return frame[3] >> 6 == 3


def _body(frame: bytes) -> bytes:
    """The part of a frame that counts as bit reservoir for the next ones."""
    version = frame[1] >> 3 & 3
    checked = 0 if frame[1] & 1 else 2
    return frame[4 + checked + SIDE_BYTES[version][_is_mono(frame)] :]


def _silent(frame: bytes, body: bytes, *, at_end: bool) -> bytes:
    """A frame like another one, of the highest bit rate, that decodes to silence.

    Args:
        frame: the other one, its first four bytes or more.
        body: what it holds; no decoder plays it.
        at_end: whether the body is at the end of the frame, or right after the side information.
    """
    header = bytearray(frame[:4])
    version = header[1] >> 3 & 3
    header[1] |= 1  # without a checksum
    header[2] = header[2] & 0x0D | 14 << 4  # the highest bit rate, without padding
    side = bytes(SIDE_BYTES[version][_is_mono(header)])
    room = _frame_length(int.from_bytes(header, "big")) - len(header) - len(side)
    filled = body[-room:].rjust(room, b"\0") if at_end else body.ljust(room, b"\0")
    return bytes(header) + side + filled


def _tail(content: Any, index: Frames, start: int) -> bytes:
    """An mp3 file that begins with a frame of silence, and goes on with frame `start`."""
    offsets = index.offsets
    frame = bytes(content[offsets[start] : offsets[start] + 4])
    reservoir, k = b"", start
    while k > 0 and len(reservoir) < MOST_RESERVOIR:
        k -= 1
        reservoir = _body(bytes(content[offsets[k] : offsets[k + 1]])) + reservoir
    # Tells how many frames follow; decoders leave it out.
    tag = struct.pack(">4sII", b"Xing", 1, len(offsets) - start + 1)
    head = _silent(frame, tag, at_end=False) + _silent(frame, reservoir, at_end=True)
    return head + bytes(content[offsets[start] :])


class Mp3Sound:
    """An mp3 file with as much of `soundfile.SoundFile` as this package uses.

    Args:
        sound: the file, open; taken over.
        file: the same file again: its path, or the file object.
        reopen: opens a file object with further mp3 frames.
    """

    def __init__(self, sound: Any, file: str | BinaryIO, reopen: Any) -> None:
        self._sound, self._file, self._reopen = sound, file, reopen
        _keep_place(sound)
        self.samplerate, self.channels = sound.samplerate, sound.channels
        self.format, self.subtype, self.subtype_info = (
            sound.format,
            sound.subtype,
            sound.subtype_info,
        )
        self.frames, self.extra_info = sound.frames, sound.extra_info
        self._place = 0
        if sound.subtype == "MPEG_LAYER_III" and not _says_length(self._head()):
            content = self._content()
            index = frame_index(content)
            if index is not None:
                self.frames = len(index.offsets) * index.samples
                self._go(0, content, index)

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = True) -> np.ndarray:
        """Up to so many samples per channel, (t, channels)."""
        left = max(self.frames - self._place, 0)
        wanted = left if frames < 0 else min(frames, left)
        samples: np.ndarray = self._sound.read(wanted, dtype=dtype, always_2d=always_2d)
        self._place += len(samples)
        return samples

    def seek(self, frame: int) -> int:
        """Go to a sample; the sound between is not decoded."""
        if frame == self._place:
            return frame
        content = self._content()
        self._go(frame, content, frame_index(content))
        self._place = frame
        return frame

    def _go(self, frame: int, content: Any, index: Frames | None) -> None:
        """Decode from a sample on."""
        if index is None:
            self._again(io.BytesIO(content))
            self._skip(frame)
            return
        wanted = min(frame, self.frames) + index.delay
        start = min(max(wanted // index.samples - OVERLAP, 0), len(index.offsets) - 1)
        self._again(io.BytesIO(_tail(content, index, start)))
        # A frame of silence comes first.
        self._skip(wanted - (start - 1) * index.samples - DECODER_DELAY)

    def _head(self) -> bytes:
        """The file from the first frame on, a little of it."""
        if isinstance(self._file, str):
            with open(self._file, "rb") as file:
                return _after_id3(file)
        with _place_kept(self._file):
            return _after_id3(self._file)

    def _content(self) -> bytes | mmap.mmap:
        if not isinstance(self._file, str):
            with _place_kept(self._file):
                return self._file.read()
        with open(self._file, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _again(self, file: BinaryIO) -> None:
        self._sound.close()
        self._sound = self._reopen(file)
        _keep_place(self._sound)

    def _skip(self, count: int) -> None:
        while count > 0:
            got = len(self._sound.read(min(count, 1 << 16), dtype="float32"))
            if not got:
                break
            count -= got

    def copy_metadata(self) -> dict[str, str]:
        """The tags of the file."""
        tags: dict[str, str] = self._sound.copy_metadata()
        return tags

    def close(self) -> None:
        """Let go of the file."""
        self._sound.close()

    def __enter__(self) -> Mp3Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _place_kept(file: BinaryIO) -> Iterator[None]:
    """Read from the beginning in the block, while a decoder is in the middle."""
    place = file.tell()
    file.seek(0)
    yield
    file.seek(place)


def _keep_place(sound: Any) -> None:
    """Keep soundfile from jumping to where it is after every read."""
    sound.seekable = lambda: False
