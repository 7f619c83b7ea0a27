"""EnCodec: sound as a few kilobits per second, and back.

Source: Defossez et al. 2022, "High Fidelity Neural Audio Compression"; configurations and
parameter names are those of facebookresearch/encodec.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import as_tensor, same_kind
from triptych_audio.models.encodec_layers import SEANetDecoder, SEANetEncoder
from triptych_audio.models.encodec_quantizer import ResidualVectorQuantizer

__all__ = ["EncodecModel", "EncodedFrame", "encodec_model_24khz", "encodec_model_48khz"]

EncodedFrame = tuple[Tensor, Tensor | None]
"""(n, books, frames) codes, and (n, 1) loudness where the model takes it out."""

SILENCE = 1e-8  # added to the loudness
STREAM_SECONDS = 1.0  # segments of a stream, of models that take everything at once


class EncodecModel(nn.Module):
    """An encoder, codebooks and a decoder.

    Args:
        encoder: samples to frames.
        decoder: frames to samples.
        quantizer: frames to numbers.
        target_bandwidths: in kilobits per second, that the model was trained for.
        sample_rate: in Hz.
        channels: 1 or 2.
        normalize: loudness is taken out before and put back behind.
        segment: seconds that are encoded together; None for everything at once.
        overlap: part of a segment that the next one holds again.
        name: of the configuration.

    Example:
        >>> model = encodec_model_24khz().eval()
        >>> model.set_target_bandwidth(3.0)
        >>> frames = model.encode(tp.zeros(1, 1, 24000))
        >>> frames[0][0].shape, model.decode(frames).shape
        (Size([1, 4, 75]), Size([1, 1, 24000]))
    """

    def __init__(
        self,
        encoder: SEANetEncoder,
        decoder: SEANetDecoder,
        quantizer: ResidualVectorQuantizer,
        target_bandwidths: Sequence[float],
        sample_rate: int,
        channels: int,
        normalize: bool = False,
        segment: float | None = None,
        overlap: float = 0.01,
        name: str = "unset",
    ) -> None:
        super().__init__()
        self.bandwidth: float | None = None
        self.target_bandwidths = list(target_bandwidths)
        self.encoder, self.decoder, self.quantizer = encoder, decoder, quantizer
        self.sample_rate, self.channels = sample_rate, channels
        self.normalize, self.segment, self.overlap = normalize, segment, overlap
        self.frame_rate = math.ceil(sample_rate / encoder.hop_length)
        self.bits_per_codebook = int(math.log2(quantizer.bins))
        self.name = name

    @property
    def segment_length(self) -> int | None:
        """Samples that are encoded together; None for all."""
        return None if self.segment is None else int(self.segment * self.sample_rate)

    @property
    def segment_stride(self) -> int | None:
        """Samples from one segment to the next; None when there is one."""
        length = self.segment_length
        return None if length is None else max(1, int((1 - self.overlap) * length))

    def set_target_bandwidth(self, bandwidth: float) -> None:
        """Choose how many codebooks `encode` uses.

        Args:
            bandwidth: one of `target_bandwidths`, in kilobits per second.

        Raises:
            DomainError: the model was not trained for it.
        """
        if bandwidth not in self.target_bandwidths:
            raise DomainError(
                f"EncodecModel: bandwidth is one of {self.target_bandwidths} kbit/s, got "
                f"{bandwidth}"
            )
        self.bandwidth = bandwidth

    def encode(self, x: Tensor) -> list[EncodedFrame]:
        """Sound as numbers.

        Args:
            x: (n, channels, t) samples at `sample_rate`; a NumPy or DLPack array will do.

        Returns:
            One pair for each segment: (n, books, frames) codes, and (n, 1) loudness or None.

        Raises:
            ShapeError: x is not (n, channels, t) with t > 0.
        """
        samples = self._checked(as_tensor(x))
        t = samples.shape[-1]
        length, stride = self.segment_length or t, self.segment_stride or t
        return [
            self._encode_segment(samples[..., start : start + length])
            for start in range(0, t, stride)
        ]

    def _checked(self, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[1] != self.channels or not x.shape[2]:
            raise ShapeError(
                f"EncodecModel: wanted (n, {self.channels}, t) samples, got {tuple(x.shape)}; "
                "waveform[None] makes a batch of one recording"
            )
        return x

    def _encode_segment(self, x: Tensor) -> EncodedFrame:
        scale: Tensor | None = None
        if self.normalize:
            loudness = x.mean(1, keepdim=True).square().mean(2, keepdim=True).sqrt()
            scale = SILENCE + loudness
            x = x / scale
            scale = scale.reshape(-1, 1)
        codes = self.quantizer.encode(self.encoder(x), self.frame_rate, self.bandwidth)
        return codes.transpose(0, 1), scale

    def decode(self, encoded_frames: Sequence[EncodedFrame]) -> Tensor:
        """Numbers as sound.

        Args:
            encoded_frames: what `encode` gave.

        Returns:
            (n, channels, t) samples; t is rounded up to whole frames in the last segment.

        Raises:
            ShapeError: there are no segments, or several for a model that makes one.
        """
        frames = list(encoded_frames)
        if not frames or (self.segment is None and len(frames) > 1):
            raise ShapeError(
                f"EncodecModel.decode: wanted {'segments' if self.segment else 'one segment'}, got "
                f"{len(frames)}; streams are decoded by decode_stream"
            )
        parts = [self._decode_segment(frame) for frame in frames]
        stride = self.segment_stride or parts[0].shape[-1]
        return tp.cat(list(_overlap_add(iter(parts), stride)), -1)

    def _decode_segment(self, frame: EncodedFrame) -> Tensor:
        codes, scale = frame
        samples: Tensor = self.decoder(self.quantizer.decode(codes.transpose(0, 1)))
        return samples if scale is None else samples * scale.reshape(-1, 1, 1)

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """There and back.

        Args:
            x: (n, channels, t) samples.

        Returns:
            (n, channels, t) samples as the codes tell them.
        """
        return self.decode(self.encode(x))[..., : x.shape[-1]]

    # Streaming

    def encode_stream(self, blocks: Iterable[Tensor]) -> Iterator[EncodedFrame]:
        """Encode a recording of any length while it comes in, segment by segment.

        A model without segments is given segments of a second here. No gradients are recorded.

        Args:
            blocks: (n, channels, t) samples each, of any t; `triptych_audio.stream` reads files.

        Yields:
            What `encode` gives for each segment, for `decode_stream`.
        """
        length, stride = self._stream_sizes()
        kept: Tensor | None = None
        with tp.no_grad():
            for block in blocks:
                new = self._checked(as_tensor(block))
                kept = new if kept is None else tp.cat([kept, new], -1)
                while kept.shape[-1] >= length:
                    yield self._encode_segment(kept[..., :length])
                    kept = kept[..., stride:]
            while kept is not None and kept.shape[-1]:
                yield self._encode_segment(kept[..., :length])
                kept = kept[..., stride:]

    def decode_stream(self, frames: Iterable[EncodedFrame]) -> Iterator[Tensor]:
        """Decode segments while they come in. No gradients are recorded.

        Args:
            frames: what `encode_stream` gave, or `encode` of a model with segments.

        Yields:
            (n, channels, t) samples, to be put one behind the other.
        """
        _, stride = self._stream_sizes()
        with tp.no_grad():
            yield from _overlap_add((self._decode_segment(f) for f in frames), stride)

    def _stream_sizes(self) -> tuple[int, int]:
        """Samples in a segment, and to the next one."""
        length = self.segment_length or int(STREAM_SECONDS * self.sample_rate)
        return length, self.segment_stride or max(1, int((1 - self.overlap) * length))


def _overlap_add(parts: Iterator[Tensor], stride: int) -> Iterator[Tensor]:
    """Segments with triangular weights into one signal, of which finished pieces are given out."""
    total: Tensor | None = None
    norm: Tensor | None = None
    weight: Tensor | None = None
    for part in parts:
        t = part.shape[-1]
        if weight is None:
            steps = tp.linspace(0, 1, t + 2, dtype=part.dtype, device=part.device)[1:-1]
            weight = 0.5 - (steps - 0.5).abs()
        share = weight[:t]
        if total is None or norm is None:
            total, norm = share * part, share
            continue
        yield total[..., :stride] / norm[:stride]
        total, norm = _sum(total[..., stride:], share * part), _sum(norm[stride:], share)
    if total is not None and norm is not None:
        yield total / norm


def _sum(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two signals that begin together."""
    short, long = sorted((a, b), key=lambda x: x.shape[-1])
    both = short.shape[-1]
    return tp.cat([long[..., :both] + short, long[..., both:]], -1)


def _model(
    target_bandwidths: Sequence[float],
    sample_rate: int,
    channels: int,
    *,
    causal: bool,
    norm: str,
    normalize: bool,
    segment: float | None,
    name: str,
) -> EncodecModel:
    encoder = SEANetEncoder(channels, causal=causal, norm=norm)
    decoder = SEANetDecoder(channels, causal=causal, norm=norm)
    frame_rate = math.ceil(sample_rate / encoder.hop_length)
    books = int(1000 * target_bandwidths[-1] // (frame_rate * 10))
    quantizer = ResidualVectorQuantizer(encoder.dimension, books, 1024)
    return EncodecModel(
        encoder,
        decoder,
        quantizer,
        target_bandwidths,
        sample_rate,
        channels,
        normalize=normalize,
        segment=segment,
        name=name,
    )


def encodec_model_24khz() -> EncodecModel:
    """The causal model for mono at 24 kHz, from 1.5 to 24 kbit/s, 14.9 million parameters.

    `triptych_audio.pipelines.ENCODEC_24KHZ` loads the published weights.
    """
    return _model(
        [1.5, 3.0, 6.0, 12.0, 24.0],
        24000,
        1,
        causal=True,
        norm="weight_norm",
        normalize=False,
        segment=None,
        name="encodec_24khz",
    )


def encodec_model_48khz() -> EncodecModel:
    """The model for stereo at 48 kHz, from 3 to 24 kbit/s, in segments of a second.

    `triptych_audio.pipelines.ENCODEC_48KHZ` loads the published weights.
    """
    return _model(
        [3.0, 6.0, 12.0, 24.0],
        48000,
        2,
        causal=False,
        norm="time_group_norm",
        normalize=True,
        segment=1.0,
        name="encodec_48khz",
    )
