"""mp3 files: every jump lands on the very sample, and no length is guessed."""

import contextlib
import io

import numpy as np
import pytest
import soundfile

import triptych_audio as audio
from triptych.errors import FileFormatError
from triptych_audio.io.mp3_sound import frame_index


def encoded(rate, channels, mode, seconds=3):
    """A tone that comes and goes, so that frames differ in length, and noise."""
    rng = np.random.default_rng(5)
    t = np.arange(rate * seconds) / rate
    tone = 0.4 * np.sin(2 * np.pi * 440 * t) * (t % 1 < 0.5)
    samples = np.stack([tone + (t % 2 > 1) * 0.1 * rng.standard_normal(t.size)] * channels, 1)
    samples[:, -1] += 0.05 * rng.standard_normal(t.size)
    file = io.BytesIO()
    options = {} if mode is None else {"bitrate_mode": mode, "compression_level": 0.3}
    with soundfile.SoundFile(file, "w", rate, channels, format="MP3", **options) as sound:
        sound.write(samples.astype(np.float32))
    return file.getvalue(), samples.astype(np.float32)


KINDS = [
    (44100, 2, None),
    (48000, 1, "VARIABLE"),
    (32000, 2, "CONSTANT"),
    (22050, 1, None),
    (16000, 2, "VARIABLE"),
    (8000, 1, "CONSTANT"),
]


@pytest.mark.parametrize(("rate", "channels", "mode"), KINDS)
def test_every_part_is_that_of_the_whole(rng, rate, channels, mode):
    data, samples = encoded(rate, channels, mode)
    whole = audio.load(data)[0].numpy()
    assert whole.shape == samples.T.shape
    starts = [0, 1, 1151, 1152, len(samples) - 700, *rng.integers(0, len(samples), 8).tolist()]
    for start in starts:
        part = audio.load(data, start, 3000)[0].numpy()
        np.testing.assert_allclose(part, whole[:, start : start + 3000], atol=1e-6)
    assert audio.load(data, len(samples) + 5)[0].shape == (channels, 0)


def test_blocks_follow_each_other(tmp_path):
    data, _ = encoded(44100, 1, None)
    path = tmp_path / "a.mp3"
    path.write_bytes(data)
    whole = audio.load(path)[0].numpy()
    for source in (path, data):
        joined = np.concatenate([b.numpy() for b, _ in audio.stream(source, 1000)], 1)
        np.testing.assert_allclose(joined, whole, atol=1e-6)


def test_nothing_is_printed(capfd):
    data, _ = encoded(44100, 2, "VARIABLE")
    for start in range(0, 100_000, 9999):
        audio.load(data, start, 100)
    assert capfd.readouterr().err == ""


def without_tag(data):
    index = frame_index(data)
    assert index is not None and index.delay == 1105
    return data[index.offsets[0] :]


def test_a_file_that_does_not_say_its_length():
    data, samples = encoded(44100, 1, None, seconds=8)
    bare = without_tag(data)
    index = frame_index(bare)
    assert index.delay == 0
    assert soundfile.info(io.BytesIO(bare)).frames < 0.9 * len(samples)  # a guess, and wrong
    assert audio.info(bare).num_frames == len(index.offsets) * 1152 >= len(samples)
    whole, _ = audio.load(data)
    got, _ = audio.load(bare)
    np.testing.assert_allclose(
        got.numpy()[:, 1105 : 1105 + len(samples)],
        whole.numpy()[:, : got.shape[1] - 1105],
        atol=1e-6,
    )
    part, _ = audio.load(bare, 200_000, 5000)
    np.testing.assert_allclose(part.numpy(), got.numpy()[:, 200_000:205_000], atol=1e-6)


def test_tags_around_the_frames():
    data, _ = encoded(22050, 1, None)
    tagged = b"ID3\x03\x00\x00\x00\x00\x01\x00" + bytes(128) + data + b"TAG" + bytes(125)
    whole = audio.load(data)[0].numpy()
    np.testing.assert_array_equal(audio.load(tagged)[0].numpy(), whole)
    part = audio.load(tagged, 30_000, 100)[0].numpy()
    np.testing.assert_allclose(part, whole[:, 30_000:30_100], atol=1e-6)
    assert len(frame_index(tagged).offsets) == len(frame_index(data).offsets)


def test_no_simple_row_of_frames():
    data, _ = encoded(22050, 1, None)
    middle = len(data) // 2
    assert frame_index(data[:middle] + b"\x12" * 300 + data[middle:]) is None
    assert frame_index(b"") is None
    cut = frame_index(data[:-5])
    assert len(cut.offsets) == len(frame_index(data).offsets) - 1
    vbri = bytearray(without_tag(data))
    vbri[36:40] = b"VBRI"
    assert len(frame_index(bytes(vbri)).offsets) == len(frame_index(data).offsets) - 1


def test_damage_in_the_middle_still_gives_parts_of_the_whole(capfd):
    data, _ = encoded(22050, 1, None)
    middle = len(data) // 2
    damaged = data[:middle] + b"\x12" * 300 + data[middle:]
    whole = audio.load(damaged)[0].numpy()
    part = audio.load(damaged, 5000, 2000)[0].numpy()
    np.testing.assert_allclose(part, whole[:, 5000:7000], atol=1e-6)


def test_tags_and_streams():
    data, _ = encoded(22050, 1, None)
    with audio.io.StreamReader(data) as reader:
        assert reader.get_src_stream_info(0).codec == "mpeg_layer_iii"
        assert isinstance(reader.get_metadata(), dict)
        reader.add_basic_audio_stream(1000, num_channels=2)
        reader.seek(1.0)
        reader.fill_buffer()
        (chunk,) = reader.pop_chunks()
    want = audio.load(data, 22050, 1000)[0].numpy().T
    np.testing.assert_allclose(chunk.numpy(), np.repeat(want, 2, 1), atol=1e-6)


def test_random_damage_gives_sound_or_a_clear_error(rng):
    whole, _ = encoded(44100, 1, "VARIABLE", seconds=1)
    for _ in range(40):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), rng.choice([100, 600, 10**6])), 5):
            data[at] = rng.integers(0, 256)
        data = bytes(data[: rng.integers(len(data) // 2, len(data) + 1)])
        for start in (0, 20_000):
            with contextlib.suppress(FileFormatError):  # nothing else may be raised
                assert audio.load(data, start, 3000)[0].shape[1] <= 3000
