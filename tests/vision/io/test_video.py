"""Films: written and read again; a lossless codec gives the very pixels."""

import io
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import triptych as tp
from triptych.errors import (
    DomainError,
    DTypeError,
    FileFormatError,
    MissingDependencyError,
    ShapeError,
    UnknownNameError,
)
from triptych_vision import io as vio
from triptych_vision.io.containers import until_damage

FPS, RATE = 20, 8000


@pytest.fixture(scope="module")
def frames() -> tp.Tensor:
    """Two seconds; red tells the number of the frame."""
    film = np.zeros((40, 32, 48, 3), np.uint8)
    film[..., 0] = (np.arange(40) * 6)[:, None, None]
    film[:, 8:16, :, 1] = 200
    return tp.from_numpy(film)


@pytest.fixture(scope="module")
def tone() -> np.ndarray:
    return (0.5 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def film(frames: tp.Tensor, tone: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and sound, both without loss."""
    path = tmp_path_factory.mktemp("films") / "a.mkv"
    sound = tp.from_numpy((tone * 32767).astype(np.int16)[None].repeat(2, axis=0))
    vio.write_video(
        path, frames, FPS, "ffv1", audio_array=sound, audio_fps=RATE, audio_codec="pcm_s16le"
    )
    return path


def test_lossless_film_and_sound(film: Path, frames: tp.Tensor, tone: np.ndarray) -> None:
    pictures, sound, info = vio.read_video(film, pts_unit="sec")
    assert (pictures == frames).all()
    assert info == {"video_fps": 20.0, "audio_fps": RATE}
    assert sound.dtype is tp.int16
    assert np.array_equal(sound.numpy(), (tone * 32767).astype(np.int16)[None].repeat(2, axis=0))


@pytest.mark.parametrize(("start", "end"), [(0.5, 1.0), (0, 0.25), (1.51, 9), (Fraction(1, 20), 1)])
def test_part_of_a_film(
    film: Path, frames: tp.Tensor, tone: np.ndarray, start: float, end: float
) -> None:
    pictures, sound, _ = vio.read_video(film, start, end, "sec", "TCHW")
    times = np.arange(40) / FPS
    inside = (times >= float(start) - 1e-9) & (times <= float(end) + 1e-9)
    assert (pictures == frames[tp.from_numpy(inside)].permute(0, 3, 1, 2)).all()
    first, last = round(float(start) * RATE), min(round(float(end) * RATE), len(tone))
    assert np.array_equal(sound[0].numpy(), (tone * 32767).astype(np.int16)[first:last])


def test_a_usual_mp4(frames: tp.Tensor, tone: np.ndarray) -> None:
    file = io.BytesIO()
    vio.write_video(
        file,
        frames,
        30000 / 1001,
        options={"crf": "10"},
        audio_array=tp.from_numpy(tone[None]),
        audio_fps=RATE,
        audio_codec="aac",
    )
    for source in (file.getvalue(), tp.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())):
        pictures, sound, info = vio.read_video(source, pts_unit="sec")
        assert info["video_fps"] == pytest.approx(30000 / 1001, abs=1e-9)
        assert np.abs(pictures.numpy().astype(int) - frames.numpy()).mean() < 5
        # Sound begins where it did: no padding of the codec before it.
        assert np.corrcoef(sound[0, : len(tone)].numpy(), tone)[0, 1] > 0.99


def test_timestamps(film: Path) -> None:
    seconds, fps = vio.read_video_timestamps(film, "sec")
    assert fps == 20.0
    assert seconds == [Fraction(place, FPS) for place in range(40)]
    ticks, _ = vio.read_video_timestamps(film)
    assert ticks == [1000 * place // FPS for place in range(40)]  # Matroska counts milliseconds
    part, _, _ = vio.read_video(film, ticks[3], ticks[5])
    assert part[:, 0, 0, 0].tolist() == [18, 24, 30]


def test_sound_alone(tmp_path: Path, tone: np.ndarray) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((tone * 32767).astype(np.int16).tobytes())
    pictures, sound, info = vio.read_video(tmp_path / "a.wav", pts_unit="sec")
    assert pictures.shape == (0, 1, 1, 3)
    assert np.array_equal(sound[0].numpy(), (tone * 32767).astype(np.int16))
    assert info == {"audio_fps": RATE}
    assert vio.read_video_timestamps(tmp_path / "a.wav") == ([], None)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("mjpeg", "avi"), ("libx264rgb", "mkv"), ("png", "mov")]
)
def test_other_codecs(codec: str, suffix: str, frames: tp.Tensor, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    vio.write_video(path, frames, FPS, codec)
    pictures, _, info = vio.read_video(path, pts_unit="sec")
    assert info == {"video_fps": 20.0}
    assert np.abs(pictures.numpy().astype(int) - frames.numpy()).mean() < 8


def test_what_follows_damage_is_left_out() -> None:
    def decoded() -> Iterator[int]:
        yield 1
        raise av.error.InvalidDataError(1, "odd bytes")

    with pytest.warns(UserWarning, match="the film is damaged"):
        assert list(until_damage(decoded())) == [1]


@pytest.mark.filterwarnings("ignore:the film is damaged")  # not every FFmpeg notices
def test_frames_before_damage_are_right(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 48, 3), dtype=np.uint8)
    vio.write_video(tmp_path / "a.mkv", tp.from_numpy(noise), FPS, "ffv1")
    content = bytearray((tmp_path / "a.mkv").read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 4000, 7):
        content[place] ^= 0x5A
    pictures, _, _ = vio.read_video(bytes(content), pts_unit="sec")
    assert np.array_equal(pictures[:5].numpy(), noise[:5])


def test_damaged_films(film: Path, tmp_path: Path) -> None:
    whole = film.read_bytes()
    for content in (b"", b"junk" * 100, whole[:40]):
        with pytest.raises(FileFormatError, match="read_video: the bytes: "):
            vio.read_video(content)
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    pictures, _, _ = vio.read_video(tmp_path / "half.mkv", pts_unit="sec")
    assert 0 < len(pictures) < 40
    with pytest.raises(FileNotFoundError, match=r"read_video: there is no file 'no\.mp4'"):
        vio.read_video("no.mp4")


def test_an_address_is_no_path() -> None:
    with pytest.raises(FileNotFoundError, match="there is no file 'http://localhost"):
        vio.read_video("http://localhost/a.mp4")


def test_wrong_arguments(frames: tp.Tensor, film: Path, tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="end_pts lies before"):
        vio.read_video(film, 2, 1)
    with pytest.raises(UnknownNameError, match="pts_unit: wanted one of pts, sec"):
        vio.read_video(film, pts_unit="hour")
    with pytest.raises(UnknownNameError, match="THWC, TCHW"):
        vio.read_video(film, output_format="HWC")
    target = tmp_path / "b.mp4"
    with pytest.raises(ShapeError, match=r"use permute\(0, 2, 3, 1\)"):
        vio.write_video(target, frames.permute(0, 3, 1, 2), 10)
    with pytest.raises(DTypeError, match="wanted uint8"):
        vio.write_video(target, frames.to(tp.float32), 10)
    with pytest.raises(DomainError, match="fps is positive"):
        vio.write_video(target, frames, 0)
    with pytest.raises(DomainError, match="even sizes"):
        vio.write_video(target, frames[:, :31], 10)
    with pytest.raises(DomainError, match="nope"):
        vio.write_video(target, frames, 10, video_codec="nope")
    with pytest.raises(DomainError, match="audio_fps and audio_codec"):
        vio.write_video(target, frames, 10, audio_array=tp.zeros(1, 9))
    with pytest.raises(ShapeError, match="1 or 2 channels"):
        vio.write_video(target, frames, 10, audio_array=tp.zeros(9))
    with pytest.raises(DTypeError, match="audio_array of"):
        vio.write_video(target, frames, 10, audio_array=tp.zeros(1, 9, dtype=tp.int64))


def test_without_pyav(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \"triptych-vision\[video\]\""):
        vio.read_video(film)
