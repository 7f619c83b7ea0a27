"""Writing sound files: round trips, formats, and all or nothing."""

import io
import os

import numpy as np
import pytest

import triptych as tp
import triptych_audio as audio

# extension, rate, how far a sample may be off; None where the codec only keeps what is heard
LOSSLESS = [
    ("wav", 16000, 0.0),
    ("flac", 16000, 2**-15),
    ("aiff", 16000, 0.0),
    ("aif", 16000, 0.0),
    ("au", 8000, 0.0),
    ("w64", 16000, 0.0),
]


@pytest.mark.parametrize(("extension", "rate", "error"), LOSSLESS)
def test_round_trip(tmp_path, stereo, extension, rate, error):
    path = tmp_path / f"a.{extension}"
    audio.save(path, tp.from_numpy(stereo), rate)
    back, got = audio.load(path)
    assert got == rate
    assert np.abs(back.numpy() - stereo).max() <= error
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("extension", ["ogg", "opus", "mp3"])
def test_round_trip_of_lossy_formats(tmp_path, extension):
    t = np.arange(48000) / 48000
    tone = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None]
    path = tmp_path / f"a.{extension}"
    audio.save(path, tone, 48000)
    back, rate = audio.load(path)
    assert rate == 48000
    middle = slice(8000, 40000)
    spectrum = np.abs(np.fft.rfft(back.numpy()[0, middle]))
    assert np.argmax(spectrum) == round(440 * 32000 / 48000)
    assert np.std(back.numpy()[0, middle]) == pytest.approx(np.std(tone[0, middle]), rel=0.02)


ENCODINGS = [
    ({}, "PCM_F", 32),
    ({"encoding": "PCM_S"}, "PCM_S", 16),
    ({"bits_per_sample": 8}, "PCM_U", 8),
    ({"bits_per_sample": 24}, "PCM_S", 24),
    ({"encoding": "PCM_F", "bits_per_sample": 64}, "PCM_F", 64),
    ({"encoding": "ULAW"}, "ULAW", 8),
    ({"encoding": "ALAW", "bits_per_sample": 8}, "ALAW", 8),
]


@pytest.mark.parametrize(("options", "encoding", "bits"), ENCODINGS)
def test_encodings_of_wav(stereo, options, encoding, bits):
    file = io.BytesIO()
    audio.save(file, stereo, 16000, format="wav", **options)
    meta = audio.info(file.getvalue())
    assert (meta.encoding, meta.bits_per_sample) == (encoding, bits)


@pytest.mark.parametrize(
    ("dtype", "encoding", "bits"),
    [
        ("float32", "PCM_F", 32),
        ("float64", "PCM_F", 64),
        ("int32", "PCM_S", 32),
        ("int16", "PCM_S", 16),
        ("uint8", "PCM_U", 8),
    ],
)
def test_dtype_decides_what_is_not_said(dtype, encoding, bits):
    file = io.BytesIO()
    audio.save(file, np.zeros((1, 10), dtype), 8000, format="wav")
    meta = audio.info(file.getvalue())
    assert (meta.encoding, meta.bits_per_sample) == (encoding, bits)


def test_flac_with_24_bits(stereo):
    file = io.BytesIO()
    audio.save(file, stereo, 16000, format="flac", bits_per_sample=24)
    assert audio.info(file.getvalue()).bits_per_sample == 24
    assert np.abs(audio.load(file.getvalue())[0].numpy() - stereo).max() <= 2**-23


def test_mono_and_time_first(stereo):
    one, two = io.BytesIO(), io.BytesIO()
    audio.save(one, stereo[0], 16000, format="wav")
    audio.save(two, stereo.T, 16000, channels_first=False, format="wav")
    np.testing.assert_array_equal(audio.load(one.getvalue())[0].numpy(), stereo[:1])
    np.testing.assert_array_equal(audio.load(two.getvalue())[0].numpy(), stereo)


def test_clips_instead_of_wrapping():
    file = io.BytesIO()
    audio.save(file, np.float32([[2.0, -2.0]]), 8000, format="wav", encoding="PCM_S")
    back = audio.load(file.getvalue(), normalize=False)[0].numpy()
    np.testing.assert_array_equal(back, [[32767, -32768]])


def test_long_vorbis(tmp_path):
    audio.save(tmp_path / "a.ogg", np.zeros((1, 1_500_000), np.float32), 16000)
    assert audio.info(tmp_path / "a.ogg").num_frames == 1_500_000


@pytest.mark.parametrize(
    ("name", "src", "options", "error", "text"),
    [
        ("a.wav", np.zeros((1, 1, 9), np.float32), {}, ValueError, "one file per example"),
        ("a.wav", np.zeros((1, 9), np.int64), {}, TypeError, "got int64"),
        ("a", np.zeros(9, np.float32), {}, ValueError, "has no extension"),
        ("a.docx", np.zeros(9, np.float32), {}, ValueError,
         "a.docx': there is no format 'DOCX'; wanted one of AIFF, .*FLAC, .*OPUS, .*WAV"),
        ("a.wav", np.zeros((2000, 2), np.float32), {}, ValueError,
         r"a.wav': WAV .* \(2000, 2\) was taken as \(channels, time\): pass src.T, or"),
        ("a.wav", np.zeros((2, 2000), np.float32), {"channels_first": False}, ValueError,
         "channels_first=True"),
        ("a.flac", np.zeros(9, np.float32), {"bits_per_sample": 32}, ValueError, "FLAC takes"),
        ("a.wav", np.zeros(9, np.float32), {"encoding": "PCM_S", "bits_per_sample": 7},
         ValueError, "no PCM_S with 7 bits"),
        ("a.opus", np.zeros(9, np.float32), {}, ValueError, "16123 Hz"),
        ("a.wav", np.zeros(9, np.float32), {"backend": "sox"}, ValueError, "one backend"),
    ],
)  # fmt: skip
def test_refused(tmp_path, name, src, options, error, text):
    path = tmp_path / name
    with pytest.raises(error, match=text):
        audio.save(path, src, 16123, **options)
    assert not os.listdir(tmp_path)


def test_failure_leaves_the_old_file(tmp_path, stereo, monkeypatch):
    path = tmp_path / "a.wav"
    audio.save(path, stereo, 16000)
    before = path.read_bytes()

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        audio.save(path, stereo * 0, 16000)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.wav"]


def test_missing_folder(tmp_path, stereo):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        audio.save(tmp_path / "no" / "a.wav", stereo, 16000)
