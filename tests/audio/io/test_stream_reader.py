"""Sound files in pieces."""

import io

import numpy as np
import pytest

import triptych as tp
import triptych_audio as audio
from triptych.errors import BoundsError, DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_audio.io import StreamReader, StreamResampler

RATE = 16000


@pytest.fixture
def source(stereo):
    file = io.BytesIO()
    audio.save(file, stereo, RATE, format="wav")
    return file.getvalue()


def joined(chunks, place=0):
    return np.concatenate([c[place].numpy() for c in chunks if c[place] is not None])


def test_pieces_join_to_the_whole(source, stereo):
    reader = StreamReader(source)
    reader.add_basic_audio_stream(900)
    chunks = list(reader.stream())
    assert [c.shape[0] for (c,) in chunks] == [900, 900, 900, 900, 400]
    assert [c.pts for (c,) in chunks] == pytest.approx([i * 900 / RATE for i in range(5)])
    np.testing.assert_array_equal(joined(chunks), stereo.T)
    assert type(chunks[0][0] * 2) is tp.Tensor


def test_several_streams_of_one_file(source, stereo):
    reader = StreamReader(source)
    reader.add_basic_audio_stream(1600)
    reader.add_basic_audio_stream(800, sample_rate=8000, num_channels=1)
    reader.add_basic_audio_stream(1600, format="s16")
    chunks = list(reader.stream())
    np.testing.assert_array_equal(joined(chunks), stereo.T)
    want = audio.load(source, sr=8000, mono=True)[0].numpy().T
    np.testing.assert_allclose(joined(chunks, 1), want, atol=1e-6)
    whole = joined(chunks, 2)
    assert whole.dtype == np.int16
    np.testing.assert_array_equal(whole, np.rint(stereo.T * 32768).astype(np.int16))
    assert reader.num_src_streams == 1
    assert reader.num_out_streams == 3


@pytest.mark.parametrize(
    ("format", "dtype", "scale"),
    [("u8p", "uint8", 128), ("s16p", "int16", 2**15), ("s32", "int32", 2**31),
     ("s64p", "int64", 2.0**63), ("fltp", "float32", 1), ("dbl", "float64", 1)],
)  # fmt: skip
def test_sample_formats(source, stereo, format, dtype, scale):
    reader = StreamReader(source)
    reader.add_basic_audio_stream(-1, format=format)
    reader.process_all_packets()
    (chunk,) = reader.pop_chunks()
    assert chunk.numpy().dtype == dtype
    got = chunk.numpy().astype(np.float64) - (128 if dtype == "uint8" else 0)
    np.testing.assert_allclose(got / scale, stereo.T, atol=0.5 / scale if scale > 1 else 0)


@pytest.mark.parametrize(
    ("encoding", "bits", "dtype"),
    [
        ("PCM_S", 16, "int16"),
        ("PCM_S", 24, "int32"),
        ("PCM_U", 8, "uint8"),
        ("PCM_F", 64, "float64"),
        ("PCM_F", 32, "float32"),
    ],
)
def test_the_samples_as_they_are(stereo, encoding, bits, dtype):
    file = io.BytesIO()
    audio.save(file, stereo, RATE, format="wav", encoding=encoding, bits_per_sample=bits)
    reader = StreamReader(file.getvalue())
    reader.add_audio_stream(-1)
    reader.process_all_packets()
    (chunk,) = reader.pop_chunks()
    stored, _ = audio.load(file.getvalue(), normalize=False, channels_first=False)
    assert chunk.numpy().dtype == dtype
    np.testing.assert_array_equal(chunk.numpy().astype(stored.numpy().dtype), stored.numpy())


def test_seek(source, stereo):
    reader = StreamReader(source)
    reader.add_basic_audio_stream(100)
    reader.fill_buffer()
    for mode in ("key", "any", "precise"):
        reader.seek(0.1, mode)
        reader.fill_buffer()
        (chunk,) = reader.pop_chunks()
        assert chunk.pts == pytest.approx(0.1)
        np.testing.assert_array_equal(chunk.numpy(), stereo.T[1600:1700])
    reader.seek(99)
    assert reader.fill_buffer() == 1
    assert reader.pop_chunks() == (None,)
    reader.seek(0)
    assert joined(list(reader.stream())).shape == (4000, 2)


def test_the_oldest_are_dropped(source, stereo):
    reader = StreamReader(source)
    reader.add_basic_audio_stream(500, 2)
    reader.add_basic_audio_stream(500, -1)
    reader.process_all_packets()
    assert reader.is_buffer_ready()
    kept, everything = reader.pop_chunks()
    np.testing.assert_array_equal(kept.numpy(), stereo.T[3000:3500])
    assert kept.pts == pytest.approx(3000 / RATE)
    np.testing.assert_array_equal(everything.numpy(), stereo.T[:500])


def test_what_is_told(source):
    with StreamReader(source) as reader:
        reader.add_basic_audio_stream(10, sample_rate=8000, num_channels=1, format="s16p")
        found, out = reader.get_src_stream_info(0), reader.get_out_stream_info(0)
        assert (found.sample_rate, found.num_channels, found.num_frames) == (RATE, 2, 4000)
        assert (found.media_type, found.bits_per_sample) == ("audio", 32)
        assert out.filter_description == (
            "aresample=8000,aformat=sample_fmts=s16p:channel_layouts=1c"
        )
        assert (out.sample_rate, out.num_channels, out.format) == (8000, 1, "s16p")
        reader.remove_stream(0)
        assert reader.num_out_streams == 0
        assert reader.default_video_stream is None
        assert reader.get_metadata() == {}


def test_tags(stereo):
    file = io.BytesIO()
    writer = audio.io.StreamWriter(file, format="flac")
    writer.add_audio_stream(RATE, 2)
    writer.set_metadata({"title": "Tones", "artist": "Nobody", "mood": "left out"})
    with writer.open():
        writer.write_audio_chunk(0, np.ascontiguousarray(stereo.T))
    tags = StreamReader(file.getvalue()).get_metadata()
    assert (tags["title"], tags["artist"]) == ("Tones", "Nobody")


RAW = {
    "s16le": ("<i2", 32768), "s16be": (">i2", 32768), "f32le": ("<f4", 1), "f64be": (">f8", 1),
    "s32le": ("<i4", 2**31), "s8": ("i1", 128),
}  # fmt: skip


@pytest.mark.parametrize("format", RAW)
def test_samples_without_a_header(tmp_path, stereo, format):
    dtype, scale = RAW[format]
    numbers = np.rint(stereo.T.astype(np.float64) * scale) if scale > 1 else stereo.T
    path = tmp_path / "a.raw"
    path.write_bytes(np.ascontiguousarray(numbers).astype(dtype).tobytes())
    reader = StreamReader(path, format, {"sample_rate": "8000", "channels": "2"})
    reader.add_basic_audio_stream(1000)
    np.testing.assert_allclose(joined(list(reader.stream())), stereo.T, atol=0.6 / scale)
    assert reader.get_src_stream_info(0).sample_rate == 8000
    with pytest.raises(DomainError, match="above 0"):
        StreamReader(path, format, {"channels": 0})


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda r: r.add_basic_audio_stream(0), DomainError, "above 0, or -1"),
        (lambda r: r.add_basic_audio_stream(9, format="s12"), UnknownNameError, "'s12'"),
        (lambda r: r.add_basic_audio_stream(9, num_channels=3), ShapeError, "2 channels becomes"),
        (lambda r: r.add_basic_audio_stream(9, stream_index=1), BoundsError, "below 1, got 1"),
        (lambda r: r.add_audio_stream(9, filter_desc="atempo=2"), NotImplementedError, "sox_eff"),
        (lambda r: r.seek(-1.0), DomainError, "0 or more"),
        (lambda r: r.seek(0.0, "fast"), UnknownNameError, "key, any, precise"),
        (lambda r: r.remove_stream(0), BoundsError, "remove_stream"),
        (lambda r: next(r.stream()), RuntimeError, "add_basic_audio_stream"),
    ],
)
def test_refused(source, call, error, text):
    with pytest.raises(error, match=text):
        call(StreamReader(source))


# The resampler


@pytest.mark.parametrize(("orig", "new"), [(44100, 16000), (8000, 48000), (16000, 15999)])
def test_resampler_has_no_seams(rng, orig, new):
    samples = rng.standard_normal((5000, 2))
    whole = audio.functional.resample(samples.T, orig, new, resampling_method="soxr").T
    resampler = StreamResampler(orig, new, 2)
    for _ in range(2):  # it begins anew after the last piece
        cuts = np.split(samples, [1, 7, 1200, 1200, 4000])
        pieces = [resampler(piece, last=i == 5) for i, piece in enumerate(cuts)]
        np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-9)


def test_resampler_refuses():
    with pytest.raises(ShapeError, match="above 0"):
        StreamResampler(0, 8000)
    with pytest.raises(ShapeError, match=r"\(t, 1\) samples, got \(3, 2\)"):
        StreamResampler(16000, 8000)(np.zeros((3, 2)))
    with pytest.raises(DTypeError, match="int16"):
        StreamResampler(16000, 8000)(np.zeros((3, 1), np.int16))


def test_resampler_needs_soxr(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    with pytest.raises(ImportError, match="pip install soxr"):
        StreamResampler(16000, 8000)(np.zeros((3, 1)))
