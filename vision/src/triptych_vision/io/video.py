"""Films to tensors and back; PyAV, which carries FFmpeg, does the work.

Install it with `pip install "triptych-vision[video]"`. A film's rotation flag is not applied, as in
torchvision.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import (
    DomainError,
    DTypeError,
    FileFormatError,
    MissingDependencyError,
    ShapeError,
    UnknownNameError,
)

from .files import Encoded, PathLike, content_of, naming

__all__ = ["read_video", "read_video_timestamps", "write_video"]

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


def read_video(
    filename: Encoded,
    start_pts: float | Fraction = 0,
    end_pts: float | Fraction | None = None,
    pts_unit: str = "pts",
    output_format: str = "THWC",
) -> tuple[tp.Tensor, tp.Tensor, dict[str, Any]]:
    """Read the frames and the sound of a film, or of a part of it.

    Args:
        filename: a path, the file's bytes, its bytes as a uint8 tensor, or a binary file object.
        start_pts: time of the first frame.
        end_pts: time of the last frame, which is read as well; default the film's end.
        pts_unit: "sec", or "pts", ticks of each stream's own clock, which fits only one of them.
        output_format: "THWC" or "TCHW".

    Returns:
        The frames, (t, h, w, 3) or (t, 3, h, w) uint8, the sound, (channels, samples) of the
        file's own dtype, and {"video_fps": float, "audio_fps": int}, what there is of them.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film; a damaged one ends at the damage, with a warning.
        DomainError: end_pts lies before start_pts.
        UnknownNameError: another unit or format.
        MissingDependencyError: PyAV is not installed.
    """
    _check_choice("pts_unit", pts_unit, ("pts", "sec"))
    _check_choice("output_format", output_format.upper(), ("THWC", "TCHW"))
    last = math.inf if end_pts is None else end_pts
    if last < start_pts:
        raise DomainError(
            f"read_video: end_pts lies before start_pts, start_pts={start_pts}, end_pts={end_pts}"
        )
    frames, sound = [], []
    info: dict[str, Any] = {}
    source = (
        filename if isinstance(filename, str | os.PathLike) else content_of("read_video", filename)
    )
    with opened("read_video", source) as film:
        if film.streams.video:
            stream = film.streams.video[0]
            if stream.average_rate is not None:
                info["video_fps"] = float(stream.average_rate)
            span = _in_ticks(start_pts, last, pts_unit, stream)
            frames = [frame.to_ndarray(format="rgb24") for frame in _between(film, stream, *span)]
    with opened("read_video", source) as film:  # from the start again, even where seeking fails
        if film.streams.audio:
            stream = film.streams.audio[0]
            info["audio_fps"] = stream.rate
            span = _in_ticks(start_pts, last, pts_unit, stream)
            sound = [_trimmed(frame, *span) for frame in _between(film, stream, *span, lead=True)]
    pixels = tp.from_numpy(np.stack(frames) if frames else np.zeros((0, 1, 1, 3), np.uint8))
    if output_format.upper() == "TCHW":
        pixels = pixels.permute(0, 3, 1, 2)
    samples = np.concatenate(sound, axis=1) if sound else np.zeros((1, 0), np.float32)
    return pixels, tp.from_numpy(samples), info


def read_video_timestamps(
    filename: Encoded, pts_unit: str = "pts"
) -> tuple[list[Any], float | None]:
    """Times of all frames of a film, without decoding them.

    Args:
        filename: as for `read_video`.
        pts_unit: "pts", ticks of the film's clock as integers, or "sec" as exact fractions.

    Returns:
        The times in order, and the frames per second, or None for a file without pictures.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film.
        UnknownNameError: another unit.
        MissingDependencyError: PyAV is not installed.
    """
    _check_choice("pts_unit", pts_unit, ("pts", "sec"))
    with opened("read_video_timestamps", filename) as film:
        if not film.streams.video:
            return [], None
        stream = film.streams.video[0]
        ticks = sorted(p.pts for p in until_damage(film.demux(stream)) if p.pts is not None)
        rate = None if stream.average_rate is None else float(stream.average_rate)
        clock = stream.time_base
    return ([tick * clock for tick in ticks] if pts_unit == "sec" else ticks), rate


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


def load_pyav(caller: str) -> Any:
    """The module of PyAV.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f'{caller} needs PyAV; pip install "triptych-vision[video]"'
        ) from error
    return av


@contextmanager
def opened(caller: str, source: Encoded) -> Iterator[Any]:
    """The container of a film, closed at the end of the block.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film, or one that FFmpeg cannot take apart.
        MissingDependencyError: PyAV is not installed.
    """
    container = open_container(caller, source)
    try:
        yield container
    finally:
        container.close()


def open_container(caller: str, source: Encoded) -> Any:
    """The container of a film; the caller closes it. Errors as of `opened`."""
    av = load_pyav(caller)
    if isinstance(source, str | os.PathLike):
        name = path = os.fspath(source)
        with naming(caller, path), open(path, "rb"):  # FFmpeg takes addresses as well; we do not
            pass
        target: Any = f"file:{os.path.abspath(path)}"
    else:
        name, target = "the bytes", BytesIO(content_of(caller, source))
    try:
        container = av.open(target, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise FileFormatError(f"{caller}: {name}: no film that FFmpeg reads ({error})") from error
    if not (container.streams.video or container.streams.audio):
        container.close()
        raise FileFormatError(f"{caller}: {name}: holds neither pictures nor sound")
    return container


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UnknownNameError(f"{what}: wanted one of {', '.join(choices)}, got {value!r}")


def _in_ticks(start: Any, end: Any, unit: str, stream: Any) -> tuple[float, float]:
    """A span of time in ticks of a stream's clock."""
    if unit == "pts":
        return start, end
    clock = stream.time_base
    first = math.floor(Fraction(start) / clock)
    return first, math.inf if math.isinf(end) else math.ceil(Fraction(end) / clock)


def _between(film: Any, stream: Any, start: float, end: float, lead: bool = False) -> Iterator[Any]:
    """Frames of a stream from a time to a time; decoders give them in order of time.

    With `lead`, a frame that begins before the start and reaches over it comes, too.
    """
    if start > 0:
        rewind(film, stream, int(start))
    for frame in until_damage(film.decode(stream)):
        if frame.pts is None:
            continue
        if frame.pts > end:
            return
        reach = frame.samples / frame.rate / stream.time_base - 1 if lead else 0
        if frame.pts + reach >= start:
            yield frame


def rewind(film: Any, stream: Any, tick: int, exact: bool = False) -> bool:
    """Go to a place from which a frame at a time in ticks decodes as it should.

    Args:
        film: the container.
        stream: of the container.
        tick: the time.
        exact: to the keyframe before that time, not further back.

    Returns:
        Whether that worked; it does not in a file that is cut off or has no index.
    """
    import av

    # A frame of sound needs the one before it, and sound may begin a little before zero.
    lead = int(1 / stream.time_base) if stream.type == "audio" and not exact else 0
    try:
        film.seek(tick - lead, stream=stream, backward=True)
    except av.error.FFmpegError:
        return False
    return True


def until_damage(items: Iterator[Any]) -> Iterator[Any]:
    """All of them up to the first that cannot be decoded, of which a warning tells."""
    import av

    try:
        yield from items
    except av.error.EOFError:
        return
    except av.error.FFmpegError as error:
        warnings.warn(f"the film is damaged; what follows is left out ({error})", stacklevel=4)


def _trimmed(frame: Any, start: float, end: float) -> np.ndarray:
    """The samples (channels, n) of an audio frame that lie between two times in ticks."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:  # (1, n * channels), the channels by turns
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    per_tick = float(frame.rate * frame.time_base)
    first = max(0, round((start - frame.pts) * per_tick))
    beyond = samples.shape[1] if math.isinf(end) else math.ceil((end - frame.pts) * per_tick)
    return samples[:, first : max(first, beyond)]


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
