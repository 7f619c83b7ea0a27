"""Text in one call: a Whisper, and letters of a CTC model with overlapping windows."""

from types import SimpleNamespace

import numpy as np
import pytest

import triptych as tp
from triptych_audio import save
from triptych_audio.pipelines import WAV2VEC2_ASR_BASE_960H as BUNDLE
from triptych_audio.pipelines import Wav2Vec2ASRBundle, transcribe, transcription

FRAME = 320


def listener(waveform):
    """Scores the letter whose number is written into each frame's samples."""
    frames = waveform[:, : waveform.shape[1] // FRAME * FRAME].reshape(1, -1, FRAME)
    letters = (frames.mean(-1) * 100).round().long()
    return tp.nn.functional.one_hot(letters, 29).float() * 50, None


def written(tmp_path, letters):
    sound = np.repeat(np.array(letters) / 100, FRAME).astype(np.float32)
    path = tmp_path / "a.wav"
    save(path, tp.tensor(sound)[None], 16000, encoding="PCM_F", bits_per_sample=32)
    return path


@pytest.mark.parametrize("count", [1, 40, 599, 1000, 1001, 1600, 3000])
def test_letters_of_long_recordings(tmp_path, monkeypatch, count):
    labels = BUNDLE.get_labels()
    letters = np.random.default_rng(count).integers(0, len(labels), count)
    monkeypatch.setattr(Wav2Vec2ASRBundle, "get_model", lambda self: listener)
    found = transcribe(written(tmp_path, letters), BUNDLE)
    kept = [i for k, i in enumerate(letters) if i and (not k or i != letters[k - 1])]
    wanted = "".join(labels[i] for i in kept).replace("|", " ").split()
    assert found["text"].split() == wanted
    if wanted:
        words = found["segments"][0]["words"]
        assert [w["word"] for w in words] == wanted
        assert all(0 <= w["start"] < w["end"] <= count * 0.02 + 0.01 for w in words)


def test_whisper(monkeypatch):
    model = SimpleNamespace(decode=None)
    monkeypatch.setattr(transcription.whisper, "load_model", lambda name: model)
    monkeypatch.setattr(
        transcription.whisper, "transcribe", lambda *args, **options: {"text": (args, options)}
    )
    for given in ("tiny", model):
        assert transcribe("a.wav", given, language="en")["text"] == (
            (model, "a.wav"), {"language": "en"},
        )  # fmt: skip
