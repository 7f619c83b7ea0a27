"""What a codec makes of a sound: there and back again."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.io.stream_reader import StreamReader, refuse_filter
from triptych_audio.io.stream_writer import CodecConfig, StreamWriter

__all__ = ["AudioEffector"]

# dtype: FFmpeg's sample format
FORMATS = {"uint8": "u8", "int16": "s16", "int32": "s32", "float32": "flt", "float64": "dbl"}
# formats without a header: what holds the same samples in a wav file
IN_WAV = {"alaw": "pcm_alaw", "mulaw": "pcm_mulaw"}
PIECE = 1 << 16  # frames that are encoded at a time


class AudioEffector:
    """Encodes a waveform and decodes it again, as data that went through a codec.

    Args:
        effect: must be None; filter graphs of FFmpeg are not here.
        format: "mp3", "ogg", "opus", "flac", "wav", "mulaw", "alaw", ...; None for no codec.
        encoder: in place of the format's own, as in `StreamWriter.add_audio_stream`: "opus" or
            "vorbis" in ogg.
        codec_config: rate or quality of the codec; needs format.
        pad_end: fill with zeros what comes out shorter than it went in.

    Raises:
        NotImplementedError: an effect is given; the text names what there is instead.
        ValueError: encoder or codec_config without format.

    Example:
        >>> telephone = AudioEffector(format="mulaw")
        >>> telephone.apply(tp.zeros(800, 1), 8000).shape
        Size([800, 1])
    """

    def __init__(
        self,
        effect: str | None = None,
        format: str | None = None,
        *,
        encoder: str | None = None,
        codec_config: CodecConfig | None = None,
        pad_end: bool = True,
    ) -> None:
        refuse_filter("AudioEffector", effect)
        if format is None and (encoder is not None or codec_config is not None):
            raise ValueError("AudioEffector: encoder and codec_config need format")
        self.effect, self.format, self.encoder = effect, format, encoder
        self.codec_config, self.pad_end = codec_config, pad_end

    @same_kind
    def apply(
        self, waveform: Tensor, sample_rate: int, output_sample_rate: int | None = None
    ) -> Tensor:
        """The whole waveform.

        Args:
            waveform: (time, channels) float32, float64, int32, int16 or uint8.
            sample_rate: in Hz.
            output_sample_rate: resample what comes out; default sample_rate.

        Returns:
            (time, channels) of the same dtype. No gradient goes through.

        Raises:
            ShapeError: not two axes.
            DTypeError: another dtype.
        """
        _check(waveform)
        if waveform.numel() == 0:
            return waveform
        pieces = list(self.stream(waveform, sample_rate, PIECE, output_sample_rate))
        return tp.cat(pieces).to(waveform.device)

    def stream(
        self,
        waveform: Any,
        sample_rate: int,
        frames_per_chunk: int,
        output_sample_rate: int | None = None,
    ) -> Iterator[Tensor]:
        """The waveform piece by piece; memory holds what the codec made of it.

        Args:
            waveform: as in `apply`.
            sample_rate: in Hz.
            frames_per_chunk: length of the pieces.
            output_sample_rate: resample what comes out; default sample_rate.

        Yields:
            (frames_per_chunk, channels), the last one shorter.
        """
        samples = waveform if isinstance(waveform, Tensor) else tp.as_tensor(waveform)
        name = _check(samples)
        rate = output_sample_rate or sample_rate
        missing = math.ceil(samples.shape[0] * rate / sample_rate) if self.pad_end else 0
        array: np.ndarray = samples.detach().cpu().numpy()
        with self._reader(array, sample_rate, FORMATS[name]) as reader:
            reader.add_basic_audio_stream(
                frames_per_chunk,
                -1,
                format=FORMATS[name],
                sample_rate=rate,
                num_channels=array.shape[1],
            )
            for (chunk,) in reader.stream():
                if chunk is None:
                    continue
                missing -= chunk.shape[0]
                short = frames_per_chunk - chunk.shape[0]
                yield _padded(chunk, min(short, missing))
                missing -= max(min(short, missing), 0)
        while missing > 0:
            silence = tp.zeros((0, array.shape[1]), dtype=samples.dtype)
            yield _padded(silence, min(frames_per_chunk, missing))
            missing -= frames_per_chunk

    def _reader(self, samples: np.ndarray, rate: int, format: str) -> StreamReader:
        """The encoded waveform, to be decoded."""
        encoder, config = self.encoder, self.codec_config
        container = "wav" if self.format in (None, *IN_WAV) else self.format
        exact = format if self.format is None else None
        file = io.BytesIO()
        writer = StreamWriter(file, format=container)
        writer.add_audio_stream(
            rate,
            samples.shape[1],
            format,
            encoder=encoder or IN_WAV.get(self.format or ""),
            encoder_format=exact,
            codec_config=config,
        )
        with writer.open():
            for start in range(0, len(samples), PIECE):
                writer.write_audio_chunk(0, samples[start : start + PIECE])
        return StreamReader(file.getvalue())


def _check(waveform: Tensor) -> str:
    """The name of the dtype."""
    name = str(waveform.dtype).rpartition(".")[2]
    if waveform.ndim != 2:
        raise ShapeError(
            f"AudioEffector: wanted (time, channels), got {tuple(waveform.shape)}; load() gives "
            "that with channels_first=False"
        )
    if name not in FORMATS:
        raise DTypeError(f"AudioEffector: wanted one of {', '.join(FORMATS)}, got {waveform.dtype}")
    return name


def _padded(chunk: Tensor, count: int) -> Tensor:
    """With so many frames of silence behind, as a plain tensor."""
    middle = 128 if chunk.dtype is tp.uint8 else 0
    silence = tp.full((max(count, 0), chunk.shape[1]), middle, dtype=chunk.dtype)
    return tp.cat([chunk, silence])
