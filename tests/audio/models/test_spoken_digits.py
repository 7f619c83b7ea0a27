"""The classifier of spoken digits and its weights, which lie in the package."""

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
import triptych_audio
from triptych.errors import ShapeError
from triptych_audio.functional import resample
from triptych_audio.models import SpokenDigits
from triptych_audio.pipelines import SPOKEN_DIGITS
from triptych_datasets import HashMismatch

RECORDINGS = Path("/usr/share/asterisk/sounds/en_US_f_Allison/digits")


@pytest.fixture(scope="module")
def model() -> SpokenDigits:
    return SPOKEN_DIGITS.get_model()


def heard(model: SpokenDigits, path: Path) -> str:
    waveform, rate = triptych_audio.load(path)
    with tp.inference_mode():
        scores = model(resample(waveform, rate, SPOKEN_DIGITS.sample_rate))
    return SPOKEN_DIGITS.get_labels()[int(scores.argmax())]


def test_file_is_the_promised_one() -> None:
    raw = SPOKEN_DIGITS.path.read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SPOKEN_DIGITS.sha256
    assert SPOKEN_DIGITS.sha256[:8] in SPOKEN_DIGITS.path.name
    assert len(raw) < 1_000_000


def test_changed_file_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "spoken_digits.safetensors"
    changed.write_bytes(SPOKEN_DIGITS.path.read_bytes() + b" ")
    with pytest.raises(HashMismatch, match="install triptych-audio again"):
        replace(SPOKEN_DIGITS, path=changed).get_model()


def test_card_tells_the_facts_of_the_file(model: SpokenDigits) -> None:
    card = SPOKEN_DIGITS.card
    assert SPOKEN_DIGITS.sha256 in card
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in card
    assert f"{SPOKEN_DIGITS.path.stat().st_size:,} bytes" in card
    assert ", ".join(SPOKEN_DIGITS.get_labels()) in card


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
@pytest.mark.parametrize("word", SPOKEN_DIGITS.labels)
def test_digits_by_a_voice_kept_out_of_the_training(
    model: SpokenDigits, word: str, tmp_path: Path
) -> None:
    path = tmp_path / "word.wav"
    subprocess.run(["espeak-ng", "-v", "en-us+linda", "-s", "130", "-w", path, word], check=True)
    assert heard(model, path) == word


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="asterisk-core-sounds-en-wav is not installed")
def test_most_digits_by_a_person(model: SpokenDigits) -> None:
    labels = SPOKEN_DIGITS.get_labels()
    right = [heard(model, RECORDINGS / f"{i}.wav") == word for i, word in enumerate(labels)]
    assert sum(right) >= 8


def test_loudness_and_an_even_colour_do_not_matter(model: SpokenDigits, rng) -> None:
    clip = tp.tensor(rng.standard_normal((1, 8000)).astype(np.float32)) * 0.1
    features = model.features(clip)
    assert features.shape == (1, 40, 101)
    np.testing.assert_allclose(features.mean(-1).numpy(), 0, atol=1e-5)
    np.testing.assert_allclose(model.features(clip * 4).numpy(), features.numpy(), atol=2e-2)


def test_arrays_and_short_clips_are_taken(model: SpokenDigits) -> None:
    scores = model(np.zeros((3, 100), np.float32))
    assert isinstance(scores, np.ndarray)
    assert scores.shape == (3, 10)


@pytest.mark.parametrize("shape", [(8000,), (1, 1, 8000), (1, 0)])
def test_other_shapes_are_refused(model: SpokenDigits, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"wanted \(n, t\)"):
        model(tp.zeros(shape))


def test_stages_are_needed() -> None:
    with pytest.raises(ShapeError, match="got none"):
        SpokenDigits(widths=())
