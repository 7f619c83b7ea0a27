"""Every bundle builds the model of its file: with a file of new weights, of small models."""

import dataclasses
import warnings

import numpy as np
import pytest

import triptych as tp
from triptych_audio import models, pipelines
from triptych_audio.models import conv_tasnet_base, hdemucs_high
from triptych_audio.models import vggish as vggish_networks
from triptych_audio.pipelines import (
    CONVTASNET_BASE_LIBRI2MIX,
    CREPE_FULL,
    CREPE_TINY,
    ENCODEC_24KHZ,
    ENCODEC_48KHZ,
    GE2E_RESEMBLYZER,
    HDEMUCS_HIGH_MUSDB,
    HDEMUCS_HIGH_MUSDB_PLUS,
    HIFIGAN_VOCODER_V3_LJSPEECH,
    SQUIM_OBJECTIVE,
    SQUIM_SUBJECTIVE,
    VGGISH,
    SourceSeparationBundle,
    pretrained,
    squim,
)
from triptych_audio.prototype import pipelines as prototype
from triptych_datasets import Artifact, UnverifiedWarning


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Writes a file, without a hash as most publishers, and gives its record."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))

    def store(content):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pth"
        tp.save(content, path)
        return Artifact(path.name, sources=(path.as_uri(),), unverified=True)

    return store


@pytest.fixture(autouse=True)
def unverified():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        yield


def same_weights(a, b):
    pairs = zip(a.state_dict().items(), b.state_dict().items(), strict=True)
    return all(k == j and np.array_equal(v.numpy(), w.numpy()) for (k, v), (j, w) in pairs)


def small_tasnet():
    return models.ConvTasNet(2, 16, 8, 3, 4, 8, 2, 1)


def test_separation(stored, normal_mix):
    model = small_tasnet().eval()
    bundle = SourceSeparationBundle(stored(model.state_dict()), small_tasnet, 1000)
    new = bundle.get_model()
    assert not new.training
    assert same_weights(new, model)
    sources = bundle.separate(normal_mix, segment=0.5, overlap=0.5)
    want = models.separate(model, normal_mix, 0.5, 0.5, sample_rate=1000)
    np.testing.assert_allclose(sources, want, rtol=1e-5, atol=1e-6)


@pytest.fixture
def normal_mix(rng):
    return rng.standard_normal((1, 1, 1300)).astype(np.float32)


def test_separation_records():
    assert CONVTASNET_BASE_LIBRI2MIX.sample_rate == 8000
    assert CONVTASNET_BASE_LIBRI2MIX.factory is conv_tasnet_base
    for bundle in (HDEMUCS_HIGH_MUSDB, HDEMUCS_HIGH_MUSDB_PLUS):
        assert bundle.factory.func is hdemucs_high
        assert bundle.factory.keywords == {"sources": list(bundle.sources)}
        assert bundle.sources == ("drums", "bass", "other", "vocals")
        assert bundle.sample_rate == 44100
    assert "musdbhq_only" in HDEMUCS_HIGH_MUSDB.weights.name


@pytest.mark.parametrize(
    ("bundle", "builder", "model"),
    [
        (
            SQUIM_OBJECTIVE,
            "squim_objective_base",
            lambda: models.squim_objective_model(8, 16, 8, 2, 4, 1, "LSTM", 5),
        ),
        (SQUIM_SUBJECTIVE, "squim_subjective_base", small_tasnet),
    ],
)
def test_squim(stored, monkeypatch, bundle, builder, model):
    monkeypatch.setattr(squim, builder, model)
    weights = model()
    bundle = dataclasses.replace(bundle, weights=stored(weights.state_dict()))
    assert same_weights(bundle.get_model({"progress": False}), weights)
    assert bundle.sample_rate == 16000


def test_hifi_gan(stored, rng):
    params = dict(HIFIGAN_VOCODER_V3_LJSPEECH.vocoder_params) | {"upsample_initial_channel": 16}
    weights = models.hifigan_vocoder(**params)
    bundle = dataclasses.replace(
        HIFIGAN_VOCODER_V3_LJSPEECH, weights=stored(weights.state_dict()), vocoder_params=params
    )
    vocoder = bundle.get_vocoder()
    assert same_weights(vocoder, weights)
    waveform = rng.uniform(-1, 1, (2, 5120)).astype(np.float32)
    mel = bundle.get_mel_transform()(waveform)
    assert mel.shape == (2, 80, 20)  # hop_size samples to a frame
    assert vocoder(mel).shape == (2, 1, 5120)
    assert bundle.sample_rate == 22050


def test_hifi_gan_spectrogram_is_the_written_sum(rng):
    waveform = rng.uniform(-1, 1, (1, 4096)).astype(np.float32)
    transform = HIFIGAN_VOCODER_V3_LJSPEECH.get_mel_transform()
    got = transform(waveform)
    padded = np.pad(waveform[0].astype(np.float64), 384, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    magnitude = np.sqrt(np.abs(np.fft.rfft(padded[256 * 5 :][:1024] * window)) ** 2 + 1e-9)
    want = np.log(np.maximum(magnitude @ transform.mel_scale.fb.numpy(), 1e-5))
    np.testing.assert_allclose(got[0, :, 5], want, rtol=1e-4)
    with pytest.raises(ValueError, match=r"wanted \(n, t\)"):
        transform(waveform[0])


def test_prototype_has_the_same_bundles():
    assert prototype.VGGISH is VGGISH
    assert prototype.HIFIGAN_VOCODER_V3_LJSPEECH is pipelines.HIFIGAN_VOCODER_V3_LJSPEECH


def test_vggish(stored, monkeypatch):
    monkeypatch.setattr(vggish_networks, "VGGish", small_tasnet)
    weights = small_tasnet()
    bundle = dataclasses.replace(VGGISH, weights=stored(weights.state_dict()))
    assert same_weights(bundle.get_model(), weights)
    assert bundle.get_input_processor()(tp.zeros(16000)).shape == (1, 1, 96, 64)
    assert bundle.sample_rate == 16000


def test_pitch(stored):
    weights = models.CREPE("tiny")
    bundle = dataclasses.replace(CREPE_TINY, weights=stored(weights.state_dict()))
    assert same_weights(bundle.get_model(), weights)
    assert (bundle.sample_rate, CREPE_FULL.capacity) == (16000, "full")


def test_speaker_embedding(stored, monkeypatch):
    def small():
        return models.GE2E(model_hidden_size=4, model_num_layers=1, model_embedding_size=3)

    monkeypatch.setattr(pretrained, "GE2E", small)
    weights = small()
    content = {"step": 1, "model_state": {**weights.state_dict(), "similarity_bias": tp.ones(1)}}
    bundle = dataclasses.replace(GE2E_RESEMBLYZER, weights=stored(content))
    assert same_weights(bundle.get_model(), weights)


def test_speaker_embedding_rate():
    assert GE2E_RESEMBLYZER.sample_rate == 16000


def test_codec(stored):
    bundle = dataclasses.replace(
        ENCODEC_24KHZ, weights=stored(small_tasnet().state_dict()), factory=small_tasnet
    )
    assert isinstance(bundle.get_model(), models.ConvTasNet)
    for record, build in (
        (ENCODEC_24KHZ, models.encodec_model_24khz),
        (ENCODEC_48KHZ, models.encodec_model_48khz),
    ):
        with tp.nn.init.skipped():
            model = build()
        assert record.factory is build
        assert (record.sample_rate, record.channels) == (model.sample_rate, model.channels)
        assert record.weights.sha256 in record.weights.sources[0]
