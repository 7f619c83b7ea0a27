"""A sound file written in pieces, in constant memory, under torchaudio 2.8's name."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

import numpy as np

from triptych.errors import BoundsError, DomainError, DTypeError, ShapeError
from triptych_audio.interop import as_tensor
from triptych_audio.io.media_streams import sample_dtype
from triptych_audio.io.remote import address_of, local_path, open_address
from triptych_audio.io.sound_file import named, soundfile_module
from triptych_audio.io.stream_reader import refuse_filter
from triptych_audio.io.stream_resampler import StreamResampler, mixed
from triptych_audio.io.writing import CHUNK, check_type, file_type

__all__ = ["CodecConfig", "StreamWriter"]

# FFmpeg's name of the encoder: (encoding, bits per sample) as `save` has them
ENCODERS: dict[str, tuple[str | None, int | None]] = {
    "flac": (None, None),
    "libmp3lame": ("MP3", 0),
    "libopus": ("OPUS", 0),
    "libvorbis": ("VORBIS", 0),
    "mp3": ("MP3", 0),
    "opus": ("OPUS", 0),
    "pcm_alaw": ("ALAW", 8),
    "pcm_f32le": ("PCM_F", 32),
    "pcm_f64le": ("PCM_F", 64),
    "pcm_mulaw": ("ULAW", 8),
    "pcm_s16le": ("PCM_S", 16),
    "pcm_s24le": ("PCM_S", 24),
    "pcm_s32le": ("PCM_S", 32),
    "pcm_u8": ("PCM_U", 8),
    "vorbis": ("VORBIS", 0),
}
# the sample format that is asked for in place of an encoder
BY_FORMAT = {
    "dbl": ("PCM_F", 64),
    "flt": ("PCM_F", 32),
    "s16": ("PCM_S", 16),
    "s32": ("PCM_S", 32),
    "u8": ("PCM_U", 8),
}
FLAC_BITS = {"s16": 16, "s32": 24}  # 24 of the 32 bits: more is not in the format's common part
# codec: the rates it takes, and the one taken instead of others
RATES = {
    "OPUS": ((8000, 12000, 16000, 24000, 48000), 48000),
    "MPEG_LAYER_III": (
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        44100,
    ),
}
# least rate of samples in Hz: (least, most) rate of bits per second in MPEG 1, 2 and 2.5, layer III
MP3_BIT_RATES = {32000: (32_000, 320_000), 16000: (8_000, 160_000), 0: (8_000, 64_000)}
SMALLEST = 0.999  # of libsndfile's compression levels; mp3 refuses 1
# tags that libsndfile writes
TAGS = ("title", "copyright", "software", "artist", "comment", "date", "album", "license", "genre")


@dataclass(frozen=True)
class CodecConfig:
    """How an encoder works.

    Args:
        bit_rate: in bits per second, for mp3; -1 for the encoder's own.
        compression_level: for flac, 0 (fast) to 12 (small), as FFmpeg's; -1 for the encoder's own.
        qscale: quality with a varying bit rate: mp3 0 (best) to 9, Vorbis -1 to 10 (best).
        gop_size: has no effect on sound.
        max_b_frames: has no effect on sound.
    """

    bit_rate: int = -1
    compression_level: int = -1
    qscale: float | None = None
    gop_size: int = -1
    max_b_frames: int = -1


class StreamWriter:
    """Encodes a sound file piece by piece.

    Args:
        dst: path, address, or a binary file object that can seek.
        format: "wav", "flac", "ogg", "mp3", ...; default by the extension.
        buffer_size: has no effect.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> writer = StreamWriter(file, format="wav")
        >>> writer.add_audio_stream(sample_rate=8000, num_channels=1)
        >>> with writer.open():
        ...     for _ in range(10):
        ...         writer.write_audio_chunk(0, np.zeros((800, 1), np.float32))
        >>> len(file.getvalue())
        16044
    """

    def __init__(
        self,
        dst: str | os.PathLike[str] | BinaryIO,
        format: str | None = None,
        buffer_size: int = 4096,
    ) -> None:
        self._dst, self._format = dst, format
        self._options: _Stream | None = None
        self._metadata: Mapping[str, str] = {}
        self._stack = ExitStack()
        self._sound: Any = None
        self._spool: Any = None

    def add_audio_stream(
        self,
        sample_rate: int,
        num_channels: int,
        format: str = "flt",
        *,
        encoder: str | None = None,
        encoder_option: Mapping[str, str] | None = None,
        encoder_sample_rate: int | None = None,
        encoder_num_channels: int | None = None,
        encoder_format: str | None = None,
        codec_config: CodecConfig | None = None,
        filter_desc: str | None = None,
    ) -> None:
        """Say what is going to be written; a file has one stream.

        Args:
            sample_rate: of the pieces, in Hz.
            num_channels: of the pieces.
            format: of their samples: "u8", "s16", "s32", "s64", "flt" or "dbl".
            encoder: "pcm_s16le", "pcm_mulaw", "flac", "vorbis", "opus", "mp3", ...; default by
                the file's format, 16-bit integers for wav.
            encoder_option: has no effect.
            encoder_sample_rate: of the file; default that of the pieces, or where the codec does
                not take that (opus, mp3), the nearest usual one: 48000 or 44100 Hz.
            encoder_num_channels: of the file; default that of the pieces.
            encoder_format: samples of the file, where the codec leaves a choice: "s16", "s32",
                "flt", ...
            codec_config: rate or quality of the codec.
            filter_desc: must be None.

        Raises:
            RuntimeError: there is a stream already, or the file is open.
            ValueError: format, encoder and samples do not go together.
            NotImplementedError: a filter graph is wanted.
        """
        refuse_filter("add_audio_stream", filter_desc)
        if self._options is not None:
            raise RuntimeError("add_audio_stream: a file has one stream of sound, and there is one")
        kind = None if encoder is None else _encoder(encoder)
        container, subtype = _file_type(self._dst, self._format, kind, encoder_format)
        check_type("add_audio_stream", self._dst, container, subtype)
        usual = RATES.get(subtype)
        rate = encoder_sample_rate or (
            sample_rate if usual is None or sample_rate in usual[0] else usual[1]
        )
        self._options = _Stream(
            container,
            subtype,
            sample_dtype("add_audio_stream", format),
            rate,
            encoder_num_channels or num_channels,
            StreamResampler(sample_rate, rate, encoder_num_channels or num_channels),
            num_channels,
            codec_config or CodecConfig(),
        )

    def set_metadata(self, metadata: Mapping[str, str]) -> None:
        """Give the file tags, before it is opened.

        Args:
            metadata: "title", "artist", "album", "date", "genre", "comment", ...; others are left
                out.
        """
        self._metadata = {name: text for name, text in metadata.items() if name in TAGS}

    def open(self, option: Mapping[str, str] | None = None) -> Self:
        """Begin the file.

        Args:
            option: has no effect.

        Returns:
            The writer itself, for a `with` block.

        Raises:
            RuntimeError: no stream was added.
            FileNotFoundError: the folder does not exist.
            ValueError: the format does not take such rates or channels.
        """
        if self._sound is not None:
            return self
        if self._options is None:
            raise RuntimeError("open: nothing to write yet; call add_audio_stream first")
        module, stream = soundfile_module("StreamWriter"), self._options
        target = self._target()
        try:
            self._sound = module.SoundFile(
                target,
                "w",
                stream.rate,
                stream.channels,
                stream.subtype,
                format=stream.container,
                **_compression(stream),
            )
        except module.SoundFileError as error:
            self._stack.close()
            raise ValueError(
                f"StreamWriter: {named(self._dst)}: {stream.container} does not take "
                f"{stream.channels} channel(s) at {stream.rate} Hz as {stream.subtype}"
            ) from error
        for name, text in self._metadata.items():
            setattr(self._sound, name, text)
        self._written = 0
        return self

    def _target(self) -> Any:
        """What soundfile writes to."""
        address = address_of(self._dst)
        if address is not None and not address.startswith("file://"):
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115, closed by the stack
            self._stack.enter_context(self._spool)
            return self._spool
        if not isinstance(self._dst, (str, os.PathLike)):
            return self._dst
        path = local_path(self._dst)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"StreamWriter: the folder {path.parent} does not exist")
        return str(path)

    def write_audio_chunk(self, i: int, chunk: Any, pts: float | None = None) -> None:
        """Write a further piece.

        Args:
            i: 0, the stream.
            chunk: (frames, channels) Tensor, NumPy or DLPack array of the dtype that `format` says.
            pts: when it begins, in seconds; silence fills the time since the last piece. Default:
                right after it.

        Raises:
            RuntimeError: the file is not open.
            BoundsError: another stream.
            ShapeError: another number of axes or channels.
            DTypeError: another dtype.
            DomainError: pts is before the end of the last piece.
        """
        if self._sound is None or self._options is None:
            raise RuntimeError("write_audio_chunk: the file is not open; call open() first")
        if i != 0:
            raise BoundsError(f"write_audio_chunk: there is one stream, 0; got {i}")
        stream = self._options
        samples = _checked(chunk, stream)
        if pts is not None:
            self._fill(pts, stream)
        self._add(samples, stream)

    def _add(self, samples: np.ndarray, stream: _Stream) -> None:
        self._written += len(samples)
        if stream.untouched:
            self._encode(_taken(samples))
        else:
            self._encode(stream.resampler(mixed(_floats(samples), stream.channels)))

    def _fill(self, pts: float, stream: _Stream) -> None:
        """Silence up to a time."""
        gap = int(pts * stream.resampler.orig_freq) - self._written
        if gap < 0:
            raise DomainError(
                f"write_audio_chunk: pts={pts} lies before the end of what was written, "
                f"{self._written / stream.resampler.orig_freq} s"
            )
        middle = 128 if stream.dtype == "uint8" else 0
        for start in range(0, gap, CHUNK):
            count = min(CHUNK, gap - start)
            self._add(np.full((count, stream.num_channels), middle, stream.dtype), stream)

    def _encode(self, samples: np.ndarray) -> None:
        for start in range(0, len(samples), CHUNK):
            self._sound.write(np.ascontiguousarray(samples[start : start + CHUNK]))

    def flush(self) -> None:
        """Write out what is ready. The resampler's last milliseconds wait for `close`."""
        if self._sound is not None:
            self._sound.flush()

    def close(self) -> None:
        """End the file; also at the end of a `with` block."""
        if self._sound is None or self._options is None:
            return
        stream = self._options
        with self._stack:
            if self._written and not stream.untouched:
                dtype = "float64" if stream.dtype in WIDE else "float32"
                rest = np.empty((0, stream.channels), dtype)
                self._encode(stream.resampler(rest, last=True))
            self._sound.close()
            self._sound = None
            self._send()

    def _send(self) -> None:
        """The finished file to its address: few of those can be written to in the middle."""
        if self._spool is not None:
            self._spool.seek(0)
            with open_address(str(self._dst), "wb", "StreamWriter") as out:
                shutil.copyfileobj(self._spool, out)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


WIDE = ("int32", "int64", "float64")  # float32 would lose bits of these


@dataclass(frozen=True)
class _Stream:
    """The stream that is written."""

    container: str
    subtype: str
    dtype: str
    rate: int
    channels: int
    resampler: StreamResampler
    num_channels: int  # of the pieces
    config: CodecConfig

    @property
    def untouched(self) -> bool:
        """Whether samples go to the encoder as they come."""
        return self.num_channels == self.channels and self.resampler.orig_freq == self.rate


def _encoder(name: str) -> tuple[str | None, int | None]:
    if name not in ENCODERS:
        raise ValueError(
            f"add_audio_stream: wanted one of the encoders {', '.join(ENCODERS)}, got {name!r}"
        )
    return ENCODERS[name]


def _file_type(
    dst: Any, format: str | None, kind: tuple[str | None, int | None] | None, samples: str | None
) -> tuple[str, str]:
    """Container and subtype in libsndfile's words."""
    name = (format or "").lower()
    extension = name or os.path.splitext(str(getattr(dst, "name", dst)))[1].lstrip(".").lower()
    wanted = (samples or "").removesuffix("p")
    encoding, bits = kind or (None, None)
    if extension == "flac" and encoding in (None, "PCM_S"):
        return file_type(dst, format, None, bits or FLAC_BITS.get(wanted), "int16")
    if kind is None and extension not in ("ogg", "oga", "opus", "mp3"):
        kind = BY_FORMAT.get(wanted, ("PCM_S", 16))
    return file_type(dst, format, *(kind or (None, None)), "int16")


def _checked(chunk: Any, stream: _Stream) -> np.ndarray:
    tensor: Any = as_tensor(chunk)
    array: np.ndarray = tensor.detach().cpu().numpy()
    if array.ndim != 2 or array.shape[1] != stream.num_channels:
        raise ShapeError(
            f"write_audio_chunk: wanted (frames, {stream.num_channels}), got {array.shape}"
        )
    if array.dtype.name != stream.dtype:
        raise DTypeError(
            f"write_audio_chunk: add_audio_stream promised {stream.dtype}, got {array.dtype}"
        )
    return array


def _taken(samples: np.ndarray) -> np.ndarray:
    """Samples of a type that libsndfile takes, without loss where the file has room."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.int16) - 128) << 8
    return (samples >> 32).astype(np.int32) if samples.dtype == np.int64 else samples


def _floats(samples: np.ndarray) -> np.ndarray:
    """(frames, channels) of any type as floats in [-1, 1]."""
    if samples.dtype.kind == "f":
        return samples
    info = np.iinfo(samples.dtype)
    half = 2.0 ** (info.bits - 1)
    middle = half if info.min == 0 else 0.0
    return ((samples.astype(np.float64) - middle) / half).astype(
        np.float64 if samples.dtype.name in WIDE else np.float32
    )


def _compression(stream: _Stream) -> dict[str, Any]:
    """A codec's rate or quality in libsndfile's words: 0 is large and good, 1 small."""
    config, mp3 = stream.config, stream.subtype == "MPEG_LAYER_III"
    if mp3 and config.bit_rate > 0:
        low, high = next(b for r, b in MP3_BIT_RATES.items() if stream.rate >= r)
        level = (high - config.bit_rate) / (high - low)
        return {"compression_level": float(np.clip(level, 0, SMALLEST)), "bitrate_mode": "CONSTANT"}
    if config.qscale is not None and mp3:
        return {"compression_level": min(config.qscale / 10, SMALLEST), "bitrate_mode": "VARIABLE"}
    if config.qscale is not None and stream.subtype == "VORBIS":
        return {"compression_level": float(np.clip((10 - config.qscale) / 11, 0, SMALLEST))}
    if config.compression_level >= 0:
        return {"compression_level": min(config.compression_level / 12, SMALLEST)}
    return {}
