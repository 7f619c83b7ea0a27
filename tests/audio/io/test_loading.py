"""Resampling and mixing on load, addresses, names that torchaudio has had."""

import io
import sys

import numpy as np
import pytest

import triptych_audio as audio
from triptych.errors import DTypeError, MissingDependencyError
from triptych_audio.io.remote import address_of, local_path


@pytest.fixture
def flac(stereo):
    file = io.BytesIO()
    audio.save(file, stereo, 16000, format="flac")
    return file.getvalue()


def test_another_rate_and_mono(flac):
    whole, _ = audio.load(flac)
    want = audio.functional.resample(whole.mean(0, keepdim=True), 16000, 11025,
                                     resampling_method="soxr")  # fmt: skip
    got, rate = audio.load(flac, sr=11025, mono=True)
    assert rate == 11025
    np.testing.assert_allclose(got.numpy(), want.numpy(), atol=2e-6)
    assert audio.load(flac, sr=16000)[0].shape == (2, 4000)
    part, _ = audio.load(flac, 1000, 2000, sr=8000, channels_first=False)
    assert part.shape == (1000, 2)


@pytest.mark.parametrize("options", [{"sr": 8000}, {"mono": True}])
def test_integers_are_not_resampled(flac, options):
    with pytest.raises(DTypeError, match="make floats"):
        audio.load(flac, normalize=False, **options)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize(("length", "hop"), [(500, 500), (700, 300), (5000, 5000), (3, 1)])
def test_stream_is_cut_from_the_whole(stereo, rate, length, hop):
    file = io.BytesIO()
    audio.save(file, stereo[:, :900], 16000, format="wav")
    whole = audio.load(file.getvalue(), sr=rate, mono=True)[0].numpy()
    blocks = [b.numpy() for b, r in audio.stream(
        file.getvalue(), length, hop_length=hop, sr=rate, mono=True)]  # fmt: skip
    total = whole.shape[1]
    count = 1 if total <= length else 1 + -(-(total - length) // hop)
    assert len(blocks) == count
    for i, block in enumerate(blocks):
        np.testing.assert_allclose(block, whole[:, i * hop : i * hop + length], atol=1e-6)


# Addresses


def test_addresses(flac, stereo):
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://sounds/a.flac", "wb") as file:
        file.write(flac)
    assert audio.info("memory://sounds/a.flac").num_frames == 4000
    want = audio.load(flac)[0].numpy()
    np.testing.assert_array_equal(audio.load("memory://sounds/a.flac")[0].numpy(), want)
    part = audio.load("memory://sounds/a.flac", 500, 100)[0].numpy()
    np.testing.assert_array_equal(part, want[:, 500:600])
    assert len(list(audio.stream("memory://sounds/a.flac", 1000))) == 4
    audio.save("memory://sounds/b.wav", stereo, 16000)
    np.testing.assert_array_equal(audio.load("memory://sounds/b.wav")[0].numpy(), stereo)
    with pytest.raises(FileNotFoundError):
        audio.load("memory://sounds/none.wav")


def test_file_address(tmp_path, stereo):
    path = tmp_path / "a b.wav"
    audio.save(path.as_uri(), stereo, 16000)
    np.testing.assert_array_equal(audio.load(path.as_uri())[0].numpy(), stereo)
    assert local_path(path.as_uri()) == path


def test_addresses_that_cannot_be_opened(monkeypatch):
    pytest.importorskip("fsspec")
    with pytest.raises(ValueError, match=r"load: 'nothing://x/a\.wav': Protocol not known"):
        audio.load("nothing://x/a.wav")
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "s3fs", None)
        with pytest.raises(MissingDependencyError, match="s3fs"):
            audio.load("s3://bucket/a.wav")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match="pip install fsspec"):
        audio.load("s3://bucket/a.wav")


def test_home_and_missing_decoder(monkeypatch, tmp_path, flac):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.flac").write_bytes(flac)
    assert audio.info("~/a.flac").num_frames == 4000
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingDependencyError, match="pip install soundfile"):
        audio.info("~/a.flac")


def test_what_is_an_address():
    assert address_of("simplecache::s3://bucket/x") is not None
    assert address_of("c://folder/a.wav") is None
    assert address_of("folder/a.wav") is address_of(b"s3://x") is None


# Names of torchaudio


def test_backends(monkeypatch):
    assert audio.list_audio_backends() == ["ffmpeg", "soundfile"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "av" else 1)
    assert audio.list_audio_backends() == ["soundfile"]
    assert audio.get_audio_backend() is None
    audio.set_audio_backend("soundfile")
    with pytest.raises(ValueError, match="ffmpeg, soundfile"):
        audio.set_audio_backend("sox")


def test_torchcodec_names(tmp_path, stereo):
    path = tmp_path / "a.wav"
    audio.save_with_torchcodec(path, stereo, 16000, encoding="PCM_S", bits_per_sample=16)
    assert audio.info(path).bits_per_sample == 16
    part, rate = audio.load_with_torchcodec(path, 10, 20, normalize=False, channels_first=False)
    assert (part.shape, rate) == ((20, 2), 16000)
    np.testing.assert_array_equal(part.numpy(), audio.load(path)[0].numpy().T[10:30])
