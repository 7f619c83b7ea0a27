"""m4a, aac and the sound of films, through PyAV."""

import io
import sys

import numpy as np
import pytest

import triptych_audio as audio
from triptych.errors import BoundsError, FileFormatError, MissingDependencyError

av = pytest.importorskip("av")
RATE = 16000
# container, codec, how far samples may be off where the tone is loud
KINDS = [
    ("mp4", "aac", 0.03),
    ("adts", "aac", 0.03),
    ("matroska", "aac", 0.03),
    ("matroska", "pcm_s16le", 1e-4),
    ("mov", "alac", 1e-4),
    ("avi", "pcm_s16le", 1e-4),
]


def tones(seconds=2.0, channels=2):
    t = np.arange(round(RATE * seconds)) / RATE
    sweep = 0.4 * np.sin(2 * np.pi * (300 + 100 * t) * t) * np.linspace(0.3, 1, t.size)
    return np.stack([sweep * (1 - 0.4 * c) for c in range(channels)]).astype(np.float32)


def film(samples, container="mp4", codec="aac", picture=False, tracks=1):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        layout = {1: "mono", 2: "stereo"}[samples.shape[0]]
        if picture:
            video = out.add_stream("mpeg4", rate=10)
            video.width, video.height = 32, 16
        sounds = [out.add_stream(codec, rate=RATE, layout=layout) for _ in range(tracks)]
        if picture:
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")
            for packet in (*video.encode(frame), *video.encode(None)):
                out.mux(packet)
        for i, sound in enumerate(sounds):
            louder = np.ascontiguousarray(samples / (i + 1))
            frame = av.AudioFrame.from_ndarray(louder, format="fltp", layout=layout)
            frame.sample_rate = RATE
            for packet in (*sound.encode(frame), *sound.encode(None)):
                out.mux(packet)
    return file.getvalue()


def lag_of(got, want):
    """How many samples got is late."""
    size = 2 * max(len(got), len(want))
    spectrum = np.fft.rfft(got, size) * np.fft.rfft(want, size).conj()
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    return lag - size if lag > size // 2 else lag


@pytest.mark.parametrize(("container", "codec", "error"), KINDS)
def test_sound(tmp_path, container, codec, error):
    samples = tones()
    data = film(samples, container, codec)
    path = tmp_path / "a.film"
    path.write_bytes(data)
    for source in (data, path, io.BytesIO(data)):
        waveform, rate = audio.load(source)
        assert (rate, waveform.shape[0]) == (RATE, 2)
        got = waveform.numpy()
        late = lag_of(got[0], samples[0])
        assert 0 <= late <= 2048  # what an encoder puts in front
        middle = slice(late + 4000, late + 28000)
        assert np.abs(got[:, middle] - samples[:, 4000:28000]).max() < error
    meta = audio.info(path)
    assert (meta.sample_rate, meta.num_channels) == (RATE, 2)
    assert abs(meta.num_frames - 2 * RATE) < 4096
    assert meta.encoding in ("AAC", "ALAC", "PCM_S")


@pytest.mark.parametrize(("container", "codec", "error"), KINDS)
def test_a_part(container, codec, error):
    data = film(tones(), container, codec)
    whole = audio.load(data)[0].numpy()
    for start, count in ((0, 100), (5000, 3000), (20_001, 1000), (whole.shape[1] - 50, 1000)):
        part = audio.load(data, start, count)[0].numpy()
        np.testing.assert_allclose(part, whole[:, start : start + count], atol=1e-4)
    assert audio.load(data, 10 * RATE, 10)[0].shape == (2, 0)


def test_blocks_and_the_sound_of_a_film():
    data = film(tones(), "matroska", picture=True, tracks=2)
    whole = audio.load(data, sr=8000, mono=True)[0].numpy()
    joined = [b.numpy() for b, _ in audio.stream(data, 1000, sr=8000, mono=True)]
    np.testing.assert_allclose(np.concatenate(joined, 1), whole, atol=1e-6)


def test_tracks_of_a_film():
    data = film(tones(), "matroska", picture=True, tracks=2)
    for source in (data, io.BytesIO(data)):
        with audio.io.StreamReader(source) as reader:
            kinds = [reader.get_src_stream_info(i).media_type for i in range(3)]
            assert kinds == ["video", "audio", "audio"]
            assert (reader.default_audio_stream, reader.default_video_stream) == (1, 0)
            assert reader.get_src_stream_info(2).codec == "aac"
            assert "ENCODER" in {k.upper() for k in reader.get_metadata()}
            reader.add_basic_audio_stream(-1)
            reader.add_basic_audio_stream(-1, stream_index=2)
            reader.process_all_packets()
            loud, quiet = (chunk.numpy() for chunk in reader.pop_chunks())
            assert len(loud) == len(quiet)
            assert np.std(quiet) == pytest.approx(np.std(loud) / 2, rel=0.05)
            reader.seek(1.0)
            reader.fill_buffer()
            again = reader.pop_chunks()[0].numpy()
            np.testing.assert_allclose(again[:100], loud[RATE : RATE + 100], atol=1e-4)
            with pytest.raises(BoundsError, match="stream 0 is video, not sound"):
                reader.add_basic_audio_stream(-1, stream_index=0)


def test_a_backend_by_name(stereo, tmp_path):
    path = tmp_path / "a.wav"
    audio.save(path, stereo, RATE)
    got, _ = audio.load(path, backend="ffmpeg")
    np.testing.assert_array_equal(got.numpy(), stereo)
    assert audio.info(path, backend="ffmpeg").encoding == "PCM_F"
    with pytest.raises(FileFormatError, match="cannot decode"):
        audio.load(film(tones()), backend="soundfile")


def test_refused(monkeypatch):
    data = film(tones())
    with pytest.raises(FileFormatError, match="nothing that FFmpeg reads"):
        audio.load(data[:200])
    silent = io.BytesIO()
    with av.open(silent, "w", format="mp4") as out:
        video = out.add_stream("mpeg4", rate=10)
        video.width, video.height = 32, 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")
        for packet in (*video.encode(frame), *video.encode(None)):
            out.mux(packet)
    with pytest.raises(FileFormatError, match="wanted track 0 of sound, it has 0"):
        audio.load(silent.getvalue())
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"pip install .triptych-audio\[video\]"):
        audio.load(data)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("adts", "aac"), ("mov", "alac")])
def test_damage_gives_sound_or_a_clear_error(rng, container, codec):
    whole = film(tones(0.5), container, codec)
    outcomes = set()
    for _ in range(25):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 30)):
            data[at] = rng.integers(0, 256)
        data = data[: rng.integers(len(data) // 2, len(data) + 1)]
        for read in (audio.load, audio.info, lambda d: audio.load(d, 4000, 10)):
            try:
                read(bytes(data))
                outcomes.add("read")
            except FileFormatError as error:
                outcomes.add(str(error).partition(":")[0])
    assert outcomes <= {"read", "load", "info"}
    assert "load" in outcomes


def test_a_track_of_an_unknown_codec():
    data = film(tones(0.2), "matroska").replace(b"A_AAC", b"A_QQQ")
    with pytest.raises(FileFormatError, match="the codec is not known"):
        audio.load(data)
