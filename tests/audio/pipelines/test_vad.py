"""The bundle finds its weights where its record says."""

import hashlib

import numpy as np
import pytest

import triptych as tp
from triptych.serialization import save_file
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines import SILERO_VAD, VADBundle
from triptych_audio.weights import ARTIFACTS
from triptych_datasets import Artifact


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle of random weights in a file nearby."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    path = tmp_path / "weights.safetensors"
    save_file(SileroVAD().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return VADBundle(Artifact("w.safetensors", sources=(path.as_uri(),), sha256=digest))


def test_models_are_new_and_in_evaluation_mode(bundle):
    one, two = bundle.get_model(), bundle.get_model()
    assert one is not two
    assert not one.training
    x = np.random.default_rng(0).uniform(-1, 1, 2000).astype(np.float32)
    np.testing.assert_array_equal(one(x), two(x))


def test_timestamps_pass_their_options_on(bundle):
    silence = tp.zeros(16000)
    low = bundle.get_speech_timestamps(silence, threshold=0.0, return_seconds=True)
    assert low == [{"start": 0.0, "end": 1.0}]
    assert bundle.get_speech_timestamps(silence, threshold=1.1) == []


def test_record():
    assert SILERO_VAD.sample_rate == 16000
    assert SILERO_VAD.weights in ARTIFACTS
    assert all(a.licence for a in ARTIFACTS if a.kind == "weights")
    assert SILERO_VAD.weights.size == 1_239_748
