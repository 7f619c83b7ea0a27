"""A sound file in pieces, in constant memory, under torchaudio 2.8's name."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Self

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, DomainError, UnknownNameError
from triptych_audio.io.media_streams import (
    ChunkTensor,
    OutputAudioStream,
    SourceAudioStream,
    SourceStream,
    sample_dtype,
    to_sample_format,
)
from triptych_audio.io.metadata import ENCODINGS
from triptych_audio.io.raw_sound import RAW_FORMATS, open_raw
from triptych_audio.io.sound_file import Source, decoding, named, opened
from triptych_audio.io.soundtrack import Soundtrack
from triptych_audio.io.stream_resampler import StreamResampler, mixed

__all__ = ["StreamReader", "refuse_filter"]

PACKET = 4096  # most frames of the file that are decoded at a time
# libsndfile's subtype: the sample format that holds it, for format=None
NATIVE = {"PCM_16": "s16", "PCM_24": "s32", "PCM_32": "s32", "PCM_U8": "u8", "DOUBLE": "dbl"}
SEEK_MODES = ("key", "any", "precise")


def refuse_filter(caller: str, filter_desc: str | None) -> None:
    """Raise if a filter graph of FFmpeg is wanted.

    Raises:
        NotImplementedError: one is; the text says what there is instead.
    """
    if filter_desc is not None:
        raise NotImplementedError(
            f"{caller}: there are no filter graphs of FFmpeg here, got {filter_desc!r}; apply "
            "triptych_audio.functional (biquads, gain, phaser, ...) or sox_effects to the chunks, "
            "and give sample_rate, num_channels and format to add_basic_audio_stream"
        )


class StreamReader:
    """Decodes a sound file piece by piece, resampled, mixed and converted on the way.

    Holds the buffers and nothing more, however long the file is. Films and m4a need PyAV: pip
    install "triptych-audio[video]"; their pictures are not read here. One track has one decoder.

    Args:
        src: path, address, the encoded bytes, or a binary file object. One that cannot seek, such
            as a pipe, is read whole first.
        format: only for files without a header: "s16le", "f32le", "u8", "mulaw", "alaw", ...;
            for others the content decides.
        option: "sample_rate" and "channels" of files without a header, as strings or numbers.
        buffer_size: has no effect.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.

    Example:
        >>> import io
        >>> from triptych_audio.io import save
        >>> file = io.BytesIO()
        >>> save(file, np.zeros((2, 44100), np.float32), 44100, format="wav")
        >>> reader = StreamReader(file.getvalue())
        >>> reader.add_basic_audio_stream(4000, sample_rate=16000, num_channels=1)
        >>> [tuple(chunk.shape) for chunk, in reader.stream()]
        [(4000, 1), (4000, 1), (4000, 1), (4000, 1)]
    """

    def __init__(
        self,
        src: Source,
        format: str | None = None,
        option: Mapping[str, Any] | None = None,
        buffer_size: int = 4096,
    ) -> None:
        self.src = src
        self._name = named(src)
        self._stack = ExitStack()
        context = (
            open_raw(src, format, option or {}, "StreamReader")
            if format in RAW_FORMATS
            else opened(src, "StreamReader")
        )
        self._sounds: dict[int, Any] = {}
        first = self._stack.enter_context(context)
        self._sources = _described(first)
        audio = [i for i, s in enumerate(self._sources) if s.media_type == "audio"]
        self._default = audio[0]
        self._sounds[self._default] = first
        self._outputs: list[_Output] = []
        self._ended: set[int] = set()

    # What there is

    @property
    def num_src_streams(self) -> int:
        """How many streams the file has."""
        return len(self._sources)

    @property
    def num_out_streams(self) -> int:
        """How many streams are given out."""
        return len(self._outputs)

    @property
    def default_audio_stream(self) -> int:
        """Index of the stream of sound that is taken unless another is named."""
        return self._default

    @property
    def default_video_stream(self) -> int | None:
        """Index of the first stream of pictures, or None."""
        found = (i for i, s in enumerate(self._sources) if s.media_type == "video")
        return next(found, None)

    def get_metadata(self) -> dict[str, str]:
        """The tags of the file."""
        sound: Any = self._sounds[self._default]
        tags: dict[str, str] = sound.copy_metadata()
        return {name: text for name, text in tags.items() if text}

    def get_src_stream_info(self, i: int) -> SourceStream:
        """What a stream of the file is.

        Args:
            i: its index.

        Raises:
            BoundsError: there is none.
        """
        return _at(self._sources, i, "get_src_stream_info")

    def get_out_stream_info(self, i: int) -> OutputAudioStream:
        """What a stream that is given out is.

        Args:
            i: its index.

        Raises:
            BoundsError: there is none.
        """
        return _at(self._outputs, i, "get_out_stream_info").info

    # What is wanted

    def add_basic_audio_stream(
        self,
        frames_per_chunk: int,
        buffer_chunk_size: int = 3,
        *,
        stream_index: int | None = None,
        decoder: str | None = None,
        decoder_option: Mapping[str, str] | None = None,
        format: str | None = "fltp",
        sample_rate: int | None = None,
        num_channels: int | None = None,
    ) -> None:
        """Give a stream out.

        Args:
            frames_per_chunk: length of the pieces; -1 for all that is buffered at a time.
            buffer_chunk_size: pieces that wait at most; when more come, the oldest are dropped.
                -1 keeps all.
            stream_index: of the file; default `default_audio_stream`.
            decoder: has no effect.
            decoder_option: has no effect.
            format: "fltp", "dblp", "s16p", "s32p", "s64p", "u8p", with or without the "p"; None
                for what holds the file's samples exactly.
            sample_rate: in Hz; default the file's.
            num_channels: 1 takes the mean, more repeat a mono stream; default the file's.

        Raises:
            DomainError: a length is 0 or below -1.
            BoundsError: there is no such stream of sound.
            UnknownNameError: the format is unknown.
        """
        if frames_per_chunk == 0 or min(frames_per_chunk, buffer_chunk_size) < -1:
            raise DomainError(
                "add_basic_audio_stream: wanted frames_per_chunk and buffer_chunk_size above 0, or "
                f"-1; got {frames_per_chunk} and {buffer_chunk_size}"
            )
        index = self._default if stream_index is None else stream_index
        source = _at(self._sources, index, "add_basic_audio_stream")
        if not isinstance(source, SourceAudioStream):
            raise BoundsError(
                f"add_basic_audio_stream: stream {index} is {source.media_type}, not sound"
            )
        sound = self._sound(index)
        info = OutputAudioStream(
            index,
            _described_filter(sample_rate, format, num_channels),
            "audio",
            NATIVE.get(sound.subtype, "flt") if format is None else format,
            float(sample_rate or source.sample_rate),
            num_channels or source.num_channels,
        )
        self._outputs.append(_Output(info, sound, frames_per_chunk, buffer_chunk_size))

    def add_audio_stream(
        self,
        frames_per_chunk: int,
        buffer_chunk_size: int = 3,
        *,
        stream_index: int | None = None,
        decoder: str | None = None,
        decoder_option: Mapping[str, str] | None = None,
        filter_desc: str | None = None,
    ) -> None:
        """Give a stream out as it is; arguments as of `add_basic_audio_stream`.

        Args:
            frames_per_chunk: length of the pieces; -1 for all that is buffered at a time.
            buffer_chunk_size: pieces that wait at most.
            stream_index: of the file; default `default_audio_stream`.
            decoder: has no effect.
            decoder_option: has no effect.
            filter_desc: must be None.

        Raises:
            NotImplementedError: a filter graph is wanted.
        """
        refuse_filter("add_audio_stream", filter_desc)
        self.add_basic_audio_stream(
            frames_per_chunk, buffer_chunk_size, stream_index=stream_index, format=None
        )

    def remove_stream(self, i: int) -> None:
        """Give a stream out no longer.

        Args:
            i: its index; those after it move up.

        Raises:
            BoundsError: there is none.
        """
        _at(self._outputs, i, "remove_stream")
        del self._outputs[i]

    def _sound(self, index: int) -> Any:
        """The decoder of a stream; each track of a film has its own."""
        if index not in self._sounds:
            tracks = [i for i, s in enumerate(self._sources) if s.media_type == "audio"]
            context = opened(self._again(), "StreamReader", track=tracks.index(index))
            self._sounds[index] = self._stack.enter_context(context)
        return self._sounds[index]

    def _again(self) -> Source:
        """The file for a further decoder: two of them cannot share a file object."""
        src: Any = self.src
        if not hasattr(src, "read"):
            return self.src
        place = src.tell()
        src.seek(0)
        content: bytes = src.read()
        src.seek(place)
        return content

    # Decoding

    def seek(self, timestamp: float, mode: str = "precise") -> None:
        """Go to a time; what is buffered is dropped.

        Args:
            timestamp: seconds from the beginning.
            mode: "key", "any" or "precise", which are all precise here.

        Raises:
            DomainError: a negative time.
            UnknownNameError: another mode.
        """
        if mode not in SEEK_MODES:
            raise UnknownNameError(f"seek: wanted one of {', '.join(SEEK_MODES)}, got {mode!r}")
        if not timestamp >= 0:
            raise DomainError(f"seek: wanted a time of 0 or more seconds, got {timestamp}")
        self._ended.clear()
        for sound in self._sounds.values():
            frame = round(timestamp * sound.samplerate)
            with decoding(self.src, "seek"):
                sound.seek(min(frame, sound.frames))
        for output in self._outputs:
            output.restart(timestamp)

    def process_packet(self, timeout: float | None = None, backoff: float = 10.0) -> int:
        """Decode a little more.

        Args:
            timeout: has no effect: files are always ready.
            backoff: has no effect.

        Returns:
            0, or 1 when the end has been reached.
        """
        used = {output.info.source_index for output in self._outputs} - self._ended
        for index in used:
            outputs = [o for o in self._outputs if o.info.source_index == index]
            dtype = "float64" if any(o.wide for o in outputs) else "float32"
            size = min(output.packet for output in outputs)
            with decoding(self.src, "StreamReader"):
                piece = self._sounds[index].read(size, dtype=dtype, always_2d=True)
            last = len(piece) < size
            for output in outputs:
                output.push(piece, last)
            if last:
                self._ended.add(index)
        return int(not used - self._ended)

    def process_all_packets(self) -> None:
        """Decode the rest; what the buffers do not hold is dropped."""
        while not self.process_packet():
            pass

    def is_buffer_ready(self) -> bool:
        """Whether every stream has a piece to give."""
        return all(output.ready for output in self._outputs)

    def fill_buffer(self, timeout: float | None = None, backoff: float = 10.0) -> int:
        """Decode until every stream has a piece to give.

        Args:
            timeout: has no effect.
            backoff: has no effect.

        Returns:
            0, or 1 when the end has been reached; the last pieces may then be shorter.
        """
        while not self.is_buffer_ready():
            if self.process_packet():
                return 1
        return 0

    def pop_chunks(self) -> tuple[ChunkTensor | None, ...]:
        """The oldest piece of every stream, (frames, channels); None where there is none."""
        return tuple(output.pop() for output in self._outputs)

    def stream(
        self, timeout: float | None = None, backoff: float = 10.0
    ) -> Iterator[tuple[ChunkTensor | None, ...]]:
        """All pieces, to the end.

        Args:
            timeout: has no effect.
            backoff: has no effect.

        Yields:
            What `pop_chunks` gives, until there is nothing more.

        Raises:
            RuntimeError: no stream is to be given out.
        """
        if not self._outputs:
            raise RuntimeError("stream: nothing is to be given out; call add_basic_audio_stream")
        while not self.fill_buffer():
            yield self.pop_chunks()
        while True:
            chunks = self.pop_chunks()
            if all(chunk is None for chunk in chunks):
                return
            yield chunks

    def close(self) -> None:
        """Let go of the file; also at the end of a `with` block."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        stack = getattr(self, "_stack", None)
        if stack is not None:
            stack.close()


class _Output:
    """The way of one stream: mixed, resampled, converted, and cut into pieces."""

    def __init__(self, info: OutputAudioStream, sound: Any, length: int, chunks: int) -> None:
        self.info, self._length, self._chunks = info, length, chunks
        self._dtype = sample_dtype("add_basic_audio_stream", info.format or "flt")
        self._resampler = StreamResampler(
            sound.samplerate, round(info.sample_rate), info.num_channels
        )
        mixed(np.empty((0, sound.channels), np.float32), info.num_channels)  # refuse it now
        self.restart(0.0)

    @property
    def packet(self) -> int:
        """Frames of the file that fit beside a piece that is not whole yet."""
        if min(self._length, self._chunks) < 0:
            return PACKET
        fitting = self._length * max(self._chunks - 1, 1)
        return min(PACKET, max(1, fitting * self._resampler.orig_freq // self._resampler.new_freq))

    @property
    def wide(self) -> bool:
        """Whether float32 would lose bits."""
        return self._dtype in ("int32", "int64", "float64")

    def restart(self, seconds: float) -> None:
        """Drop everything, and go on from a time."""
        self._resampler.reset()
        self._waiting: deque[np.ndarray] = deque()
        self._count = self._gone = 0
        self._start = seconds

    def push(self, piece: np.ndarray, last: bool) -> None:
        """Take (t, c) samples of the file."""
        samples = self._resampler(mixed(piece, self.info.num_channels), last)
        if len(samples):
            self._waiting.append(to_sample_format(samples, self._dtype))
            self._count += len(samples)
        if self._length > 0 and self._chunks > 0:
            most = self._length * self._chunks
            while self._count > most:
                self._take(self._length)

    @property
    def ready(self) -> bool:
        """Whether there is a whole piece."""
        return self._count >= max(self._length, 1)

    def _take(self, count: int) -> np.ndarray:
        """The oldest samples, up to so many."""
        parts: list[np.ndarray] = []
        self._gone += min(count, self._count)
        while count > 0 and self._waiting:
            part = self._waiting.popleft()
            if len(part) > count:
                self._waiting.appendleft(part[count:])
                part = part[:count]
            parts.append(part)
            count -= len(part)
            self._count -= len(part)
        return np.concatenate(parts)

    def pop(self) -> ChunkTensor | None:
        """The oldest piece."""
        if not self._count:
            return None
        at = self._start + self._gone / self.info.sample_rate
        samples = self._take(self._length if self._length > 0 else self._count)
        chunk: Any = tp.from_numpy(np.ascontiguousarray(samples))
        chunk.__class__ = ChunkTensor  # the same fields, and pts
        chunk.pts = at
        out: ChunkTensor = chunk
        return out


def _at(items: list[Any], i: int, caller: str) -> Any:
    if not 0 <= i < len(items):
        raise BoundsError(f"{caller}: wanted an index below {len(items)}, got {i}")
    return items[i]


def _described_filter(rate: int | None, format: str | None, channels: int | None) -> str:
    """What torchaudio writes for the same arguments."""
    parts = {"sample_fmts": format, "channel_layouts": channels and f"{channels}c"}
    shape = ":".join(f"{name}={value}" for name, value in parts.items() if value)
    steps = [f"aresample={rate}" if rate else "", f"aformat={shape}" if shape else ""]
    return ",".join(step for step in steps if step) or "anull"


def _described(sound: Any) -> list[SourceStream]:
    if isinstance(sound, Soundtrack):
        return [_film_stream(stream) for stream in sound.container.streams]
    _, bits = ENCODINGS.get(sound.subtype, ("UNKNOWN", 0))
    return [
        SourceAudioStream(
            "audio",
            sound.subtype.lower(),
            sound.subtype_info,
            NATIVE.get(sound.subtype, "flt"),
            0,
            sound.frames,
            bits,
            {},
            float(sound.samplerate),
            sound.channels,
        )
    ]


def _film_stream(stream: Any) -> SourceStream:
    codec = stream.codec_context
    name, long_name = ("", "") if codec is None else (codec.name, codec.codec.long_name)
    common = (stream.type, name, long_name)
    if stream.type != "audio":
        return SourceStream(*common, metadata=dict(stream.metadata))
    return SourceAudioStream(
        *common,
        codec.format.name,
        codec.bit_rate or 0,
        stream.frames,
        0,
        dict(stream.metadata),
        float(codec.rate),
        codec.layout.nb_channels,
    )
