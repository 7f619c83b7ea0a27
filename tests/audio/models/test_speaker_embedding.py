"""GE2E: how recordings are cut up and averaged, and voices on the published weights."""

import shutil
import subprocess

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio import load
from triptych_audio.models import GE2E
from triptych_audio.models.speaker_embedding import normalize_volume, partial_starts
from triptych_audio.pipelines import GE2E_RESEMBLYZER
from triptych_datasets import Offline

TEXTS = (
    "The birch canoe slid on the smooth planks",
    "These days a chicken leg is a rare dish",
)
VOICES = ("en-us+m3", "en-us+whisper")


@pytest.fixture(scope="module")
def published():
    try:
        return GE2E_RESEMBLYZER.get_model()
    except Offline as error:
        pytest.skip(f"no source of the weights is in reach: {error}")


@pytest.fixture
def tiny(filled):
    return filled(GE2E(model_hidden_size=8, model_num_layers=1, model_embedding_size=6))


@pytest.mark.network
def test_clips_of_one_voice_are_nearer_than_two_voices(published, tmp_path):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    vectors = []
    for voice in VOICES:
        for index, text in enumerate(TEXTS):
            path = tmp_path / f"{voice}{index}.wav"
            subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), text], check=True)
            waveform, rate = load(path)
            vectors.append(published.embed_utterance(waveform[0], rate).numpy())
    likeness = np.stack(vectors) @ np.stack(vectors).T
    same = min(likeness[0, 1], likeness[2, 3])
    different = likeness[:2, 2:].max()
    assert same > 0.8
    assert different < same - 0.1


def test_an_utterance_is_the_mean_of_its_stretches(tiny, rng):
    x = rng.uniform(-0.5, 0.5, 50000).astype(np.float32)
    vectors, places = tiny.partials(x)
    assert places[:2] == [(0, 25600), (12320, 37920)]
    assert vectors.shape == (len(places), 6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    mean = vectors.numpy().mean(0)
    want = mean / np.linalg.norm(mean)
    np.testing.assert_allclose(tiny.embed_utterance(x), want, rtol=1e-5, atol=1e-6)


def test_a_stretch_is_its_own_recording(tiny, rng):
    """Features are local, so the second stretch is what its samples alone give, but the ends."""
    x = rng.uniform(-0.5, 0.5, 50000).astype(np.float32)
    vectors, places = tiny.partials(x)
    alone, _ = tiny.partials(x[slice(*places[1])])
    np.testing.assert_allclose(vectors[1], alone[0], atol=0.02)


def test_soft_recordings_are_raised(tiny, rng):
    x = 0.01 * rng.uniform(-0.5, 0.5, 20000).astype(np.float32)
    np.testing.assert_allclose(
        tiny.embed_utterance(x), tiny.embed_utterance(x * 0.1), rtol=1e-4, atol=1e-5
    )
    loud = tp.full((5,), 0.5)
    np.testing.assert_array_equal(normalize_volume(loud), loud)
    np.testing.assert_array_equal(normalize_volume(tp.zeros(5)), np.zeros(5))


def test_a_speaker_is_the_mean_of_utterances(tiny, rng):
    clips = [rng.uniform(-0.5, 0.5, 20000).astype(np.float32) for _ in range(3)]
    mean = np.mean([tiny.embed_utterance(c, 8000) for c in clips], 0)
    want = mean / np.linalg.norm(mean)
    np.testing.assert_allclose(tiny.embed_speaker(clips, 8000), want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "rate", "coverage", "starts"),
    [
        (100, 1.3, 0.75, [0]),
        (25600, 1.3, 0.75, [0]),
        (25600 + 77 * 160, 1.3, 0.75, [0, 77]),
        (25600 + 77 * 160 - 8000, 1.3, 0.75, [0]),
        (25600 + 77 * 160 - 8000, 1.3, 0.5, [0, 77]),
        (60000, 0.625, 0.1, [0, 160, 320]),
    ],
)
def test_where_stretches_start(samples, rate, coverage, starts):
    assert partial_starts(samples, rate, coverage) == starts


def test_checkpoint_of_the_training(tiny):
    other = GE2E(model_hidden_size=8, model_num_layers=1, model_embedding_size=6)
    state = dict(tiny.state_dict()) | {
        "similarity_weight": tp.ones(1),
        "similarity_bias": tp.ones(1),
    }
    other.load_checkpoint({"step": 3, "model_state": state})
    np.testing.assert_array_equal(other.linear.weight.detach(), tiny.linear.weight.detach())
    other.load_checkpoint(tiny.state_dict())


def test_names_are_those_of_the_file():
    names = set(GE2E().state_dict())
    kinds = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
    assert names == {
        "linear.weight",
        "linear.bias",
        *(f"lstm.{kind}{layer}" for kind in kinds for layer in range(3)),
    }


def test_mistakes(tiny):
    with pytest.raises(ShapeError, match=r"wanted \(t,\) samples of one voice"):
        tiny.embed_utterance(tp.zeros(1, 100))
    with pytest.raises(DomainError, match=r"rate from 0\.625 to 100"):
        tiny.embed_utterance(tp.zeros(100), rate=0.5)
    with pytest.raises(DomainError, match="min_coverage"):
        tiny.embed_utterance(tp.zeros(100), min_coverage=0)
