"""Tensors to films; PyAV encodes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError

from .containers import load_pyav
from .files import PathLike

__all__ = ["write_video"]

# Sample formats of FFmpeg by dtype; the "p" is for planar, one row per channel.
_AUDIO_FORMATS = {
    tp.float32: "fltp",
    tp.float64: "dblp",
    tp.int16: "s16p",
    tp.int32: "s32p",
    tp.uint8: "u8p",
}
_LAYOUTS = {1: "mono", 2: "stereo"}
# Layouts of pixels where it is not yuv420p: all colours for codecs that can keep them.
_PIXEL_FORMATS = {
    "libx264rgb": "rgb24",
    "libx265rgb": "gbrp",
    "png": "rgb24",
    "ffv1": "bgr0",
    "gif": "rgb8",
    "mjpeg": "yuvj420p",
}


def write_video(
    filename: PathLike | BinaryIO,
    video_array: tp.Tensor,
    fps: float | Fraction,
    video_codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    audio_array: tp.Tensor | None = None,
    audio_fps: float | None = None,
    audio_codec: str | None = None,
    audio_options: Mapping[str, str] | None = None,
) -> None:
    """Write a film.

    Args:
        filename: a path whose suffix tells the container, or a binary file for an MP4.
        video_array: (t, h, w, 3) uint8; height and width even for most codecs.
        fps: frames per second.
        video_codec: FFmpeg's name of it.
        options: of the codec, such as {"crf": "17"}.
        audio_array: (channels, samples), floats from -1 to 1, or integers; one or two channels.
        audio_fps: its samples per second.
        audio_codec: such as "aac".
        audio_options: of the audio codec.

    Raises:
        ShapeError: other shapes.
        DTypeError: another dtype.
        DomainError: a rate is missing or not positive, or the codec refuses the numbers.
        MissingDependencyError: PyAV is not installed.
    """
    _check_film(video_array, fps)
    if audio_array is not None:
        _check_sound(audio_array, audio_fps, audio_codec)
    av = load_pyav("write_video")
    target, container = (
        (os.fspath(filename), None)
        if isinstance(filename, str | os.PathLike)
        else (filename, "mp4")
    )
    try:
        with av.open(target, mode="w", format=container) as film:
            stream = _video_stream(av, film, video_array, fps, video_codec, options)
            sound = None
            if audio_array is not None:
                sound = film.add_stream(audio_codec, rate=int(audio_fps or 0))
                sound.layout = _LAYOUTS[audio_array.shape[0]]
                sound.options = dict(audio_options or {})
            _write_frames(av, film, stream, video_array)
            if sound is not None and audio_array is not None:
                _write_sound(av, film, sound, audio_array, int(audio_fps or 0))
    except (av.error.FFmpegError, av.codec.codec.UnknownCodecError, ValueError) as error:
        raise DomainError(
            f"write_video: FFmpeg refused: {error} (codec {video_codec!r}, "
            f"{tuple(video_array.shape)}, {fps} frames per second); most codecs want even sizes"
        ) from error


def _check_film(video: tp.Tensor, fps: float | Fraction) -> None:
    if video.dtype is not tp.uint8:
        raise DTypeError(f"write_video: wanted uint8, got {video.dtype}")
    if video.ndim != 4 or video.shape[3] != 3 or 0 in video.shape:
        raise ShapeError(
            f"write_video: wanted at least one frame, (t, h, w, 3), got {tuple(video.shape)}"
            + ("; use permute(0, 2, 3, 1)" if video.ndim == 4 and video.shape[1] == 3 else "")
        )
    if not fps > 0:
        raise DomainError(f"write_video: fps is positive, got {fps}")


def _check_sound(audio: tp.Tensor, rate: float | None, codec: str | None) -> None:
    if audio.ndim != 2 or audio.shape[0] not in _LAYOUTS:
        raise ShapeError(
            f"write_video: wanted audio_array (1 or 2 channels, samples), got {tuple(audio.shape)}"
        )
    if audio.dtype not in _AUDIO_FORMATS:
        raise DTypeError(
            f"write_video: wanted audio_array of {', '.join(str(d) for d in _AUDIO_FORMATS)}, got "
            f"{audio.dtype}"
        )
    if rate is None or not rate > 0 or codec is None:
        raise DomainError(
            f"write_video: audio_array needs audio_fps and audio_codec, such as 44100 and 'aac', "
            f"got {rate} and {codec!r}"
        )


def _video_stream(
    av: Any, film: Any, video: tp.Tensor, fps: float | Fraction, codec: str, options: Any
) -> Any:
    known = [layout.name for layout in av.codec.Codec(codec, "w").video_formats or ()]
    usual = "yuv420p" if "yuv420p" in known or not known else known[0]
    # 30000/1001 and its like stay exact; FFmpeg's rates are fractions of small numbers.
    stream = film.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    stream.height, stream.width = video.shape[1:3]
    stream.pix_fmt = _PIXEL_FORMATS.get(codec, usual)
    stream.options = dict(options or {})
    return stream


def _write_frames(av: Any, film: Any, stream: Any, video: tp.Tensor) -> None:
    for picture in video.cpu().numpy():
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pict_type = 0  # the encoder decides
        film.mux(stream.encode(frame))
    film.mux(stream.encode())  # what it kept back


def _write_sound(av: Any, film: Any, stream: Any, audio: tp.Tensor, rate: int) -> None:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(audio.cpu().numpy()),
        format=_AUDIO_FORMATS[audio.dtype],
        layout=_LAYOUTS[audio.shape[0]],
    )
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    film.mux(stream.encode(frame))
    film.mux(stream.encode())
