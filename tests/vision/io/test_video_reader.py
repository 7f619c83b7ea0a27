"""A film frame by frame."""

from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, FileFormatError, UnknownNameError
from triptych_vision.io import VideoReader, write_video

FPS, RATE = 25, 8000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, a keyframe each second; red is five times the number of the frame."""
    path = tmp_path_factory.mktemp("films") / "a.mp4"
    pixels = np.zeros((50, 32, 48, 3), np.uint8)
    pixels[..., 0] = (np.arange(50) * 5)[:, None, None]
    sound = np.linspace(-1, 1, 2 * RATE, dtype=np.float32)[None]
    write_video(
        path,
        tp.from_numpy(pixels),
        FPS,
        options={"g": "25", "keyint_min": "25", "sc_threshold": "0", "crf": "8"},
        audio_array=tp.from_numpy(sound),
        audio_fps=RATE,
        audio_codec="aac",
    )
    return path


def number(frame: dict[str, tp.Tensor]) -> int:
    return round(float(frame["data"][0].to(tp.float32).mean()) / 5)


def test_all_frames_in_order(film: Path) -> None:
    with VideoReader(film) as reader:
        frames = list(reader)
        assert [frame["pts"] for frame in frames] == pytest.approx(np.arange(50) / FPS)
        assert np.abs(np.array([number(f) for f in frames]) - np.arange(50)).max() <= 1
        assert frames[0]["data"].shape == (3, 32, 48)
        assert frames[0]["data"].dtype is tp.uint8
        with pytest.raises(StopIteration):
            next(reader)


@pytest.mark.parametrize("time_s", [0.0, 0.4, 1.0, 1.29, 1.96])
def test_seek_is_precise(film: Path, time_s: float) -> None:
    reader = VideoReader(film)
    first = int(np.ceil(time_s * FPS - 1e-6))
    assert next(reader.seek(time_s))["pts"] == pytest.approx(first / FPS)
    assert len(list(reader)) == 49 - first
    reader.close()


def test_seek_to_keyframes(film: Path) -> None:
    reader = VideoReader(film)
    assert next(reader.seek(0.9, keyframes_only=True))["pts"] == 0.0
    assert next(reader.seek(1.5, keyframes_only=True))["pts"] == 1.0
    assert list(reader.seek(5.0)) == []
    with pytest.raises(DomainError, match="0 or more"):
        reader.seek(-1.0)
    reader.close()


def test_sound_and_metadata(film: Path) -> None:
    with VideoReader(film.read_bytes(), stream="audio") as reader:
        parts = list(reader)
        sound = np.concatenate([part["data"].numpy() for part in parts])
        assert sound.shape[1] == 1
        assert np.abs(sound[: 2 * RATE, 0] - np.linspace(-1, 1, 2 * RATE)).mean() < 0.05
        told = reader.get_metadata()
        assert told["video"] == {"fps": [25.0], "duration": [2.0]}
        assert told["audio"]["framerate"] == [8000.0]
        assert told["audio"]["duration"] == pytest.approx([2.0], abs=0.2)
        assert reader.set_current_stream("video:0")
        assert number(next(reader)) == 0


def test_wrong_arguments(film: Path) -> None:
    for stream in ("audio:1", "subtitle", "film"):
        with pytest.raises(UnknownNameError, match="video:0, audio:0"):
            VideoReader(film, stream)
    with pytest.raises(DomainError, match="num_threads"):
        VideoReader(film, num_threads=-1)
    with pytest.raises(FileFormatError, match="VideoReader: the bytes"):
        VideoReader(b"no film")


def test_seeking_in_a_film_that_is_cut_off(film: Path, tmp_path: Path) -> None:
    pixels = np.zeros((50, 32, 48, 3), np.uint8)
    pixels[..., 0] = (np.arange(50) * 5)[:, None, None]
    write_video(tmp_path / "a.mkv", tp.from_numpy(pixels), FPS, "ffv1")
    whole = (tmp_path / "a.mkv").read_bytes()
    with VideoReader(whole[: len(whole) // 2]) as reader:  # no index, which is at the end
        for first in (9, 3, 12):
            assert number(next(reader.seek(first / FPS))) == first
