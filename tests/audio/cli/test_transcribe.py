"""`triptych-audio transcribe` with a stand-in for the model."""

import pytest

from triptych_audio.cli import main
from triptych_audio.cli import transcribe as command

RESULT = {"segments": [{"start": 0.0, "end": 1.5, "text": " Hello."}]}


@pytest.fixture
def asked(monkeypatch):
    calls = {}

    class Model:
        def transcribe(self, file, **options):
            calls.update(file=file, **options)
            return RESULT

    monkeypatch.setattr(command, "load_model", lambda name: calls.update(model=name) or Model())
    return calls


def test_prints(asked, capsys):
    assert main(["transcribe", "a.wav", "--language", "de", "--task", "translate"]) == 0
    assert capsys.readouterr().out == "Hello.\n"
    assert asked.pop("verbose") is None
    assert asked == {
        "model": "tiny", "file": "a.wav", "language": "de", "task": "translate",
        "word_timestamps": False, "beam_size": None,
    }  # fmt: skip


def test_writes(asked, tmp_path, capsys):
    target = tmp_path / "a.srt"
    words = ["--output-format", "srt", "-o", str(target), "--word-timestamps", "--beam-size", "3"]
    assert main(["transcribe", "a.wav", "--model", "folder", *words]) == 0
    assert capsys.readouterr().out == ""
    assert target.read_text() == "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n"
    assert (asked["model"], asked["word_timestamps"], asked["beam_size"]) == ("folder", True, 3)


def test_unknown_model_is_told(capsys):
    assert main(["transcribe", "a.wav", "--model", "no-such-model"]) == 1
    assert "no-such-model" in capsys.readouterr().err


def test_a_missing_folder_is_told_before_the_work(asked, tmp_path, capsys):
    target = tmp_path / "missing" / "a.txt"
    assert main(["transcribe", "a.wav", "-o", str(target)]) == 1
    assert "does not exist" in capsys.readouterr().err
    assert not asked
