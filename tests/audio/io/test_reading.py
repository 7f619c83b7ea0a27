"""Reading sound files, whole and damaged, wherever they are."""

import io

import numpy as np
import pytest
import soundfile

import triptych as tp
import triptych_audio as audio
from triptych.errors import FileFormatError

# format, subtype, and how far a sample may be off, in units of full scale
FORMATS = [
    ("WAV", "PCM_16", 2**-15),
    ("WAV", "PCM_24", 2**-23),
    ("WAV", "PCM_U8", 2**-7),
    ("WAV", "FLOAT", 0.0),
    ("WAV", "ULAW", 0.02),
    ("FLAC", "PCM_16", 2**-15),
    ("FLAC", "PCM_24", 2**-23),
    ("AIFF", "PCM_16", 2**-15),
    ("OGG", "VORBIS", 0.1),
]


def encoded(samples, rate=16000, format="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, subtype, format=format)
    return file.getvalue()


@pytest.mark.parametrize(("format", "subtype", "error"), FORMATS)
def test_like_soundfile(stereo, format, subtype, error):
    data = encoded(stereo, 22050, format, subtype)
    waveform, rate = audio.load(data)
    assert (waveform.shape, waveform.dtype, rate) == ((2, 4000), tp.float32, 22050)
    want, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(waveform.numpy(), want.T)
    assert np.abs(waveform.numpy() - stereo).max() <= error


def test_every_kind_of_source(tmp_path, stereo):
    data = encoded(stereo)
    path = tmp_path / "a.wav"
    path.write_bytes(data)

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.rest = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.rest.readinto(buffer)

    sources = [path, str(path), data, bytearray(data), io.BytesIO(data), Pipe()]
    results = [audio.load(source)[0].numpy() for source in sources]
    with path.open("rb") as file:
        results.append(audio.load(file)[0].numpy())
        assert not file.closed
    for result in results:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("format", ["WAV", "FLAC"])
@pytest.mark.parametrize(
    ("offset", "count", "want"),
    [(0, 10, slice(0, 10)), (100, 50, slice(100, 150)), (3990, 50, slice(3990, 4000))],
)
def test_a_part(stereo, format, offset, count, want):
    data = encoded(stereo, format=format)
    whole, _ = audio.load(data)
    part, _ = audio.load(data, frame_offset=offset, num_frames=count)
    np.testing.assert_array_equal(part.numpy(), whole.numpy()[:, want])


def test_a_part_of_vorbis_is_where_it_should_be(stereo):
    data = encoded(stereo, format="OGG")
    whole, _ = audio.load(data)
    part, _ = audio.load(data, frame_offset=1000, num_frames=500)
    np.testing.assert_allclose(part.numpy(), whole.numpy()[:, 1000:1500], atol=1e-3)


def test_a_part_decodes_no_more_than_it_must(stereo):
    class Counted(io.BytesIO):
        count = 0

        def readinto(self, buffer):
            n = super().readinto(buffer)
            self.count += n
            return n

        def read(self, n=-1):
            data = super().read(n)
            self.count += len(data)
            return data

    file = Counted(encoded(np.tile(stereo, 100)))
    audio.load(file, frame_offset=300_000, num_frames=100)
    assert file.count < 20_000  # of 1.6 million bytes


def test_beyond_the_end_is_empty(stereo):
    waveform, _ = audio.load(encoded(stereo), frame_offset=5000)
    assert waveform.shape == (2, 0)


def test_time_first(stereo):
    waveform, _ = audio.load(encoded(stereo), channels_first=False)
    assert waveform.shape == (4000, 2)


@pytest.mark.parametrize(
    ("subtype", "dtype"),
    [
        ("PCM_U8", "uint8"),
        ("PCM_16", "int16"),
        ("PCM_24", "int32"),
        ("PCM_32", "int32"),
        ("FLOAT", "float32"),
    ],
)
def test_integers_as_stored(rng, subtype, dtype):
    info = np.iinfo(dtype) if dtype != "float32" else None
    samples = rng.random((1, 300)).astype(dtype)
    if info is not None:
        samples = rng.integers(info.min, info.max, (1, 300), dtype, endpoint=True)
    if subtype == "PCM_24":
        samples = samples >> 8 << 8
    file = io.BytesIO()
    audio.save(file, samples, 8000, format="wav", **_as_saved(subtype))
    waveform, _ = audio.load(file.getvalue(), normalize=False)
    assert waveform.numpy().dtype == dtype
    np.testing.assert_array_equal(waveform.numpy(), samples)


def _as_saved(subtype):
    return {"encoding": "PCM_S", "bits_per_sample": 24} if subtype == "PCM_24" else {}


def test_info(stereo):
    meta = audio.info(encoded(stereo, 22050, "WAV", "PCM_24"))
    assert meta == audio.AudioMetaData(22050, 4000, 2, 24, "PCM_S")
    assert meta.duration_s == 4000 / 22050
    assert audio.info(encoded(stereo, format="FLAC")).encoding == "FLAC"
    assert audio.info(encoded(stereo, format="OGG")).bits_per_sample == 0


def test_stream_gives_the_whole(stereo):
    data = encoded(stereo)
    blocks = list(audio.stream(data, 900))
    assert [b.shape[1] for b, _ in blocks] == [900, 900, 900, 900, 400]
    assert {rate for _, rate in blocks} == {16000}
    joined = np.concatenate([b.numpy() for b, _ in blocks], 1)
    np.testing.assert_array_equal(joined, audio.load(data)[0].numpy())


def test_stream_overlaps_and_fills(stereo):
    blocks = [b.numpy() for b, _ in audio.stream(encoded(stereo), 900, hop_length=600, fill=True)]
    assert {b.shape for b in blocks} == {(2, 900)}
    np.testing.assert_array_equal(blocks[0][:, 600:], blocks[1][:, :300])


# Damage


@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.parametrize("damage", ["garbage", "empty", "half", "hole"])
def test_damaged_flac_is_refused(tmp_path, rng, damage, as_file):
    whole = encoded(rng.standard_normal((1, 40000)).astype(np.float32) / 8, format="FLAC")
    data = {
        "garbage": b"not a sound" * 50,
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "hole": whole[:20000] + bytes(500) + whole[20500:],
    }[damage]
    source, name = data, f"{len(data)} bytes"
    if as_file:
        source = tmp_path / "sound.flac"
        source.write_bytes(data)
        name = "sound.flac"
    with pytest.raises(ValueError, match=f"load: .*{name}"):
        audio.load(source)


def test_wav_that_is_cut_short_warns(stereo):
    data = encoded(stereo)
    with pytest.warns(UserWarning, match="promises 16000 bytes of samples, 9956 are there"):
        waveform, _ = audio.load(data[:10000])
    assert waveform.shape == (2, 9956 // 4)


def test_wav_written_into_a_pipe_is_whole(stereo):
    data = bytearray(encoded(stereo))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert audio.load(bytes(data))[0].shape == (2, 4000)


@pytest.mark.parametrize("call", [audio.load, audio.info])
def test_missing_file_and_folder(tmp_path, call):
    with pytest.raises(FileNotFoundError, match=r"no file '.*nothing\.wav'"):
        call(tmp_path / "nothing.wav")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        call(tmp_path)


def test_raw_file_is_refused(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(100))
    with pytest.raises(ValueError, match=r"cannot decode '.*a\.raw'"):
        audio.load(path)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: audio.load(b"", frame_offset=-1), ValueError, "frame_offset >= 0"),
        (lambda: audio.load(b"", num_frames=0), ValueError, "num_frames > 0"),
        (lambda: audio.load(b"", backend="sox"), ValueError, "backends ffmpeg, soundfile"),
        (lambda: audio.load(3), TypeError, "got int"),
        (lambda: audio.stream(b"", 0), ValueError, "block_length"),
        (lambda: audio.stream(b"", 10, hop_length=11), ValueError, "hop_length"),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_header_that_promises_terabytes(stereo):
    data = bytearray(encoded(stereo, format="FLAC"))
    data[21] |= 0x0F  # the 36 bits of STREAMINFO's number of samples
    data[22:26] = b"\xff\xff\xff\xff"
    with pytest.raises(FileFormatError, match=r"promises 68719476735 samples|cannot decode"):
        audio.load(bytes(data))


@pytest.mark.filterwarnings("ignore:load. .* is cut short")
@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "AIFF", "AU", "CAF", "W64"])
def test_random_damage_gives_sound_or_a_clear_error(stereo, rng, format):
    whole = encoded(stereo[:, :1500], format=format)
    outcomes = set()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 8)):
            data[rng.integers(0, min(len(data), 200))] = rng.integers(0, 256)
        data = data[: rng.integers(len(data) // 2, len(data) + 1)]
        for read in (audio.load, audio.info):
            try:
                read(bytes(data))
                outcomes.add("read")
            except FileFormatError as error:
                outcomes.add(str(error).partition(":")[0])
    assert outcomes <= {"read", "load", "info"}
    assert "load" in outcomes
