"""The sound of films, and of the sound files that libsndfile does not know: m4a, aac, wma."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from triptych.errors import FileFormatError, MissingDependencyError

__all__ = ["Soundtrack", "is_film", "load_pyav"]

# (offset, bytes there): how files begin that FFmpeg reads and libsndfile does not
SIGNATURES = (
    (4, b"ftyp"),  # MP4, M4A, MOV, 3GP
    (4, b"moov"),  # MOV of old
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"\xff\xf1"),  # AAC in ADTS frames, MPEG-4
    (0, b"\xff\xf9"),  # the same, MPEG-2
    (8, b"AVI "),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF: WMA, WMV
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"#!AMR"),
)
PACKET = 188  # bytes in a packet of an MPEG transport stream; each begins with SYNC
SYNC = b"\x47"
HEAD = PACKET + 1  # bytes that tell the kind
LEAD_S = 0.5  # decoded before the place wanted: a frame needs those before it
WITHOUT_INDEX = {"aac", "amr", "mpeg", "mpegts"}  # times in these are guessed after a jump


def is_film(file: str | BinaryIO) -> bool:
    """Whether a file begins as those that FFmpeg reads and libsndfile does not.

    Args:
        file: a path, or a binary file object that can seek.
    """
    if isinstance(file, str):
        with open(file, "rb") as opened:
            head = opened.read(HEAD)
    else:
        file.seek(0)
        head = file.read(HEAD)
        file.seek(0)
    packets = head[:1] == head[PACKET:] == SYNC
    return packets or any(head[at : at + len(mark)] == mark for at, mark in SIGNATURES)


def load_pyav(caller: str) -> Any:
    """The module of PyAV.

    Args:
        caller: the public function, for errors.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f"{caller}: m4a, aac and the sound of films need PyAV; "
            'pip install "triptych-audio[video]"'
        ) from error
    return av


def _is_decodable(track: Any) -> bool:
    """Whether FFmpeg knows the codec, and the file says what it holds."""
    return track.codec_context is not None and bool(track.rate) and track.layout.nb_channels > 0


class Soundtrack:
    """One track of sound, with as much of `soundfile.SoundFile` as this package uses.

    Args:
        file: a path, or a binary file object that can seek.
        caller: the public function, for errors.
        name: of the file, for errors.
        track: which of the tracks of sound, from 0.

    Attributes:
        samplerate: in Hz.
        channels: number of channels.
        frames: samples per channel, as the container says; some are off by a few hundred.
        subtype: FFmpeg's name of the codec, in capitals.

    Raises:
        FileFormatError: no sound in it that FFmpeg decodes.
        MissingDependencyError: PyAV is not installed.
    """

    format = "FILM"
    extra_info = ""

    def __init__(self, file: str | BinaryIO, caller: str, name: str, track: int = 0) -> None:
        self._av = load_pyav(caller)
        self._caller, self._name = caller, name
        try:
            target = f"file:{file}" if isinstance(file, str) else file
            self.container = self._av.open(target, metadata_errors="replace")
        except (self._av.error.FFmpegError, ValueError) as error:
            raise FileFormatError(
                f"{caller}: {name}: nothing that FFmpeg reads ({error})"
            ) from error
        tracks = self.container.streams.audio
        if len(tracks) <= track or not _is_decodable(tracks[track]):
            self.container.close()
            raise FileFormatError(
                f"{caller}: {name}: wanted track {track} of sound, it has {len(tracks)}, or one of "
                "which the codec is not known"
            )
        self.track = tracks[track]
        self.samplerate = int(self.track.rate)
        self.channels = int(self.track.layout.nb_channels)
        self.subtype = str(self.track.codec_context.name).upper()
        self.frames = self._length()
        self._restart(0)

    def _length(self) -> int:
        if self.track.duration is not None:
            seconds = self.track.duration * self.track.time_base
            return round(seconds * self.samplerate)
        # Matroska states only the whole film's, in microseconds.
        return round((self.container.duration or 0) * self.samplerate / 1_000_000)

    def _restart(self, frame: int) -> None:
        """Go on from a frame, after the container was sent to a place before it."""
        self._rest = np.empty((0, self.channels), np.float32)
        self._pieces = self._decoded(frame)

    def _decoded(self, earliest: int) -> Iterator[np.ndarray]:
        """(t, c) float32 pieces from a sample on."""
        convert = self._av.AudioResampler("fltp", self.track.layout, self.samplerate)
        begin = self.track.start_time or 0
        for frame in self._frames():
            at = round((frame.pts - begin) * frame.time_base * self.samplerate) if frame.pts else 0
            skip = earliest - at if frame.pts is not None else 0
            for piece in convert.resample(frame):
                samples = piece.to_ndarray().T
                yield samples[max(skip, 0) :]
                skip -= len(samples)

    def _frames(self) -> Iterator[Any]:
        try:
            yield from self.container.decode(self.track)
        except self._av.error.EOFError:
            return
        except self._av.error.FFmpegError as error:
            raise FileFormatError(
                f"{self._caller}: {self._name}: damaged, or cut short ({error})"
            ) from error

    def seek(self, frame: int) -> int:
        """Go to a sample; what is read next begins with it."""
        jumps = self.container.format.name not in WITHOUT_INDEX
        lead = max(frame / self.samplerate - LEAD_S, 0.0) if jumps else 0.0
        tick = int(lead / self.track.time_base) + (self.track.start_time or 0)
        try:
            self.container.seek(tick, stream=self.track, backward=True)
        except self._av.error.FFmpegError as error:
            raise FileFormatError(
                f"{self._caller}: {self._name}: cannot go to a place in it ({error})"
            ) from error
        self._restart(frame)
        return frame

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = True) -> np.ndarray:
        """Up to so many samples per channel, (t, channels); fewer at the end only."""
        pieces, count = [self._rest], len(self._rest)
        while frames < 0 or count < frames:
            piece = next(self._pieces, None)
            if piece is None:
                break
            pieces.append(piece)
            count += len(piece)
        whole = np.concatenate(pieces)
        end = count if frames < 0 else frames
        self._rest = whole[end:].copy()
        return whole[:end].astype(dtype, copy=False)

    def copy_metadata(self) -> dict[str, str]:
        """The tags of the file."""
        return dict(self.container.metadata)

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()

    def __enter__(self) -> Soundtrack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
