"""Sound files written in pieces, and what codecs make of sound."""

import io

import numpy as np
import pytest

import triptych as tp
import triptych_audio as audio
from triptych.errors import BoundsError, DomainError, DTypeError, ShapeError
from triptych_audio.io import AudioEffector, CodecConfig, StreamWriter

RATE = 16000


def written(chunks, rate=RATE, channels=2, samples="flt", format="wav", dst=None, **options):
    file = io.BytesIO() if dst is None else dst
    writer = StreamWriter(file, format=format)
    writer.add_audio_stream(rate, channels, samples, **options)
    with writer.open():
        for chunk in chunks:
            writer.write_audio_chunk(0, chunk)
            writer.flush()
    return file.getvalue() if dst is None else dst


def pieces(stereo):
    return np.split(np.ascontiguousarray(stereo.T), [100, 100, 1700])


def test_pieces_join_to_the_whole(tmp_path, stereo):
    path = tmp_path / "a.flac"
    written(map(tp.from_numpy, pieces(stereo)), dst=path, format=None, encoder_format="s32")
    assert audio.info(path) == audio.AudioMetaData(RATE, 4000, 2, 24, "FLAC")
    assert np.abs(audio.load(path)[0].numpy() - stereo).max() <= 2**-23


@pytest.mark.parametrize(
    ("format", "dtype"), [("u8", "uint8"), ("s16", "int16"), ("s32", "int32"), ("flt", "float32"),
                          ("dbl", "float64")],
)  # fmt: skip
def test_samples_come_back_as_they_were(rng, format, dtype):
    if dtype.startswith("float"):
        samples = rng.standard_normal((500, 2)).astype(dtype)
    else:
        info = np.iinfo(dtype)
        samples = rng.integers(info.min, info.max, (500, 2), dtype, endpoint=True)
    data = written([samples[:200], samples[200:]], samples=format, encoder_format=format)
    back, _ = audio.load(data, normalize=dtype.startswith("float"), channels_first=False)
    np.testing.assert_array_equal(back.numpy(), samples.astype(back.numpy().dtype))


@pytest.mark.parametrize(
    ("format", "options", "encoding", "bits"),
    [
        ("wav", {}, "PCM_S", 16),
        ("wav", {"encoder": "pcm_s24le"}, "PCM_S", 24),
        ("wav", {"encoder": "pcm_mulaw"}, "ULAW", 8),
        ("wav", {"encoder_format": "flt"}, "PCM_F", 32),
        ("flac", {}, "FLAC", 16),
        ("ogg", {}, "VORBIS", 0),
        ("ogg", {"encoder": "libopus"}, "OPUS", 0),
        ("opus", {}, "OPUS", 0),
        ("mp3", {}, "MP3", 0),
    ],
)
def test_encoders(stereo, format, options, encoding, bits):
    meta = audio.info(written(pieces(stereo), format=format, **options))
    assert (meta.encoding, meta.bits_per_sample, meta.sample_rate) == (encoding, bits, RATE)
    assert meta.num_frames == 4000


def test_another_rate_and_channels(stereo):
    data = written(pieces(stereo), encoder_sample_rate=8000, encoder_num_channels=1,
                   encoder_format="flt")  # fmt: skip
    want = audio.functional.resample(stereo.mean(0, keepdims=True), RATE, 8000,
                                     resampling_method="soxr")  # fmt: skip
    np.testing.assert_allclose(audio.load(data)[0].numpy(), want, atol=1e-6)


@pytest.mark.parametrize(
    ("format", "rate", "used"), [("opus", 22050, 48000), ("mp3", 96000, 44100)]
)
def test_rates_that_a_codec_does_not_take(stereo, format, rate, used):
    meta = audio.info(written(pieces(stereo), rate=rate, format=format))
    assert meta.sample_rate == used
    assert abs(meta.num_frames - 4000 * used / rate) < 2


@pytest.mark.parametrize("samples", ["u8", "s16", "s32", "s64"])
def test_integers_at_another_rate(stereo, samples):
    dtype = {"u8": "uint8", "s16": "int16", "s32": "int32", "s64": "int64"}[samples]
    half = 2.0 ** (np.iinfo(dtype).bits - 1)
    numbers = np.rint(stereo.T.astype(np.float64) * half) + (128 if samples == "u8" else 0)
    data = written([numbers.astype(dtype)], samples=samples, encoder_sample_rate=8000,
                   encoder_format="flt")  # fmt: skip
    want = audio.functional.resample(stereo, RATE, 8000, resampling_method="soxr")
    error = 0.01 if samples == "u8" else 1e-4
    np.testing.assert_allclose(audio.load(data)[0].numpy(), want, atol=error)


def test_silence_fills_gaps(stereo):
    file = io.BytesIO()
    writer = StreamWriter(file, format="wav")
    writer.add_audio_stream(RATE, 1, "u8")
    with writer.open() as same:
        assert same is writer.open() is writer
        writer.write_audio_chunk(0, np.full((10, 1), 200, np.uint8), pts=20 / RATE)
        writer.write_audio_chunk(0, np.full((5, 1), 50, np.uint8), pts=30 / RATE)
        with pytest.raises(DomainError, match="before the end"):
            writer.write_audio_chunk(0, np.full((5, 1), 50, np.uint8), pts=0.0)
    back = audio.load(file.getvalue())[0].numpy()[0] * 128
    np.testing.assert_array_equal(back, [0] * 20 + [72] * 10 + [-78] * 5)
    writer.close()


def test_long_gap(stereo):
    file = io.BytesIO()
    writer = StreamWriter(file, format="wav")
    writer.add_audio_stream(8000, 1)
    with writer.open():
        writer.write_audio_chunk(0, np.ones((1, 1), np.float32), pts=20.0)
    assert audio.info(file.getvalue()).num_frames == 160_001


def test_int64(rng):
    samples = rng.integers(-(2**63), 2**63 - 1, (50, 2), np.int64)
    data = written([samples], encoder_format="s32", samples="s64")
    stored, _ = audio.load(data, normalize=False, channels_first=False)
    np.testing.assert_array_equal(stored.numpy(), samples >> 32)


def test_to_an_address(stereo):
    pytest.importorskip("fsspec")
    written(pieces(stereo), dst="memory://out/a.wav", format=None, encoder_format="flt")
    np.testing.assert_array_equal(audio.load("memory://out/a.wav")[0].numpy(), stereo)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda w: w.open(), RuntimeError, "add_audio_stream first"),
        (lambda w: w.write_audio_chunk(0, np.zeros((1, 1))), RuntimeError, "not open"),
        (lambda w: w.add_audio_stream(8000, 1, encoder="aac"), ValueError, "'aac'"),
        (lambda w: w.add_audio_stream(8000, 1, filter_desc="x"), NotImplementedError, "'x'"),
        (lambda w: (w.add_audio_stream(8000, 1), w.add_audio_stream(8000, 1)), RuntimeError, "one"),
        (lambda w: (w.add_audio_stream(8000, 2000), w.open()), ValueError, "2000 channel"),
        (lambda w: (w.add_audio_stream(8000, 1), w.open(),
                    w.write_audio_chunk(1, np.zeros((1, 1), np.float32))), BoundsError, "got 1"),
        (lambda w: (w.add_audio_stream(8000, 1), w.open(),
                    w.write_audio_chunk(0, np.zeros((1, 2), np.float32))), ShapeError, "frames, 1"),
        (lambda w: (w.add_audio_stream(8000, 1), w.open(),
                    w.write_audio_chunk(0, np.zeros((1, 1)))), DTypeError, "float32, got float64"),
    ],
)  # fmt: skip
def test_refused(call, error, text):
    writer = StreamWriter(io.BytesIO(), format="wav")
    with pytest.raises(error, match=text):
        call(writer)
    writer.close()


def test_missing_folder(tmp_path):
    writer = StreamWriter(tmp_path / "no" / "a.wav")
    writer.add_audio_stream(8000, 1)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        writer.open()


# Codecs


@pytest.fixture
def tone():
    """(time, channels)"""
    t = np.arange(RATE) / RATE
    loud = 0.4 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 2500 * t)
    return np.stack([loud, loud / 2], 1).astype(np.float32)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, 0.0),
        ({"format": "wav"}, 2**-14),
        ({"format": "flac"}, 2**-14),
        ({"format": "mulaw"}, 0.02),
        ({"format": "alaw"}, 0.02),
        ({"format": "ogg"}, 0.02),
        ({"format": "ogg", "encoder": "opus"}, 0.05),
        ({"format": "mp3"}, 0.03),
        ({"format": "mp3", "codec_config": CodecConfig(qscale=1)}, 0.01),
        ({"format": "mp3", "codec_config": CodecConfig(bit_rate=128_000)}, 0.03),
        ({"format": "ogg", "codec_config": CodecConfig(qscale=9)}, 0.01),
        ({"format": "flac", "codec_config": CodecConfig(compression_level=12)}, 2**-14),
    ],
)
def test_there_and_back(tone, options, error):
    effector = AudioEffector(**options)
    got = effector.apply(tone, RATE)
    assert got.shape == tone.shape and got.dtype == np.float32
    assert np.abs(got - tone)[1000:-1000].max() <= error
    chunks = list(effector.stream(tp.from_numpy(tone), RATE, 3000))
    assert [len(c) for c in chunks] == [3000] * 5 + [1000]
    np.testing.assert_allclose(tp.cat(chunks).numpy(), got, atol=1e-6)


def test_bad_quality_is_worse(tone):
    errors = [
        np.abs(AudioEffector(format="mp3", codec_config=c).apply(tone, RATE) - tone)[
            2000:-2000
        ].std()
        for c in (CodecConfig(qscale=0), CodecConfig(qscale=9.9))
    ]
    assert errors[1] > 1.5 * errors[0]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float64"])
def test_the_dtype_stays(tone, dtype):
    if dtype == "float64":
        samples = tone.astype(dtype)
    else:
        bits = np.iinfo(dtype).bits
        samples = (np.rint(tone.astype(np.float64) * 2 ** (bits - 1))
                   + (128 if dtype == "uint8" else 0)).astype(dtype)  # fmt: skip
    np.testing.assert_array_equal(AudioEffector().apply(samples, RATE), samples)
    assert AudioEffector(format="flac").apply(samples, RATE).dtype == dtype


def test_another_rate_and_the_end(tone):
    effector = AudioEffector(format="wav")
    assert effector.apply(tone, RATE, 8000).shape == (8000, 2)
    assert effector.apply(tone[:0], RATE).shape == (0, 2)


def test_padding_is_silence(tone, monkeypatch):
    def shorter(self, samples, rate, format):
        return AudioEffector._reader(AudioEffector(), samples[:-2500], rate, format)

    effector = AudioEffector(format="wav")
    monkeypatch.setattr(effector, "_reader", shorter.__get__(effector))
    got = effector.apply(tone, RATE)
    assert got.shape == tone.shape
    assert not got[-2500:].any() and got[-2501].any()
    chunks = list(effector.stream(tone, RATE, 1000))
    assert [len(c) for c in chunks] == [1000] * 16
    unpadded = AudioEffector(format="wav", pad_end=False)
    monkeypatch.setattr(unpadded, "_reader", shorter.__get__(unpadded))
    assert unpadded.apply(tone, RATE).shape == (13500, 2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: AudioEffector("atempo=1.5"), NotImplementedError, "functional .* or sox_effects"),
        (lambda: AudioEffector(encoder="opus"), ValueError, "need format"),
        (
            lambda: AudioEffector().apply(np.zeros(9, np.float32), 8000),
            ShapeError,
            "channels_first",
        ),
        (lambda: AudioEffector().apply(np.zeros((9, 1), np.int8), 8000), DTypeError, "int8"),
    ],
)
def test_effector_refuses(call, error, text):
    with pytest.raises(error, match=text):
        call()
