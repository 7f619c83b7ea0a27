"""Files for the decoder, without a network."""

from pathlib import Path

import pytest

from triptych_audio.models.decoder import download_pretrained_files, pretrained


@pytest.mark.parametrize(("model", "count"), [("librispeech", 2), ("librispeech-4-gram", 3)])
def test_paths(monkeypatch, model, count):
    asked = []

    def fetch(artifact):
        asked.append(artifact)
        return Path("/cache") / artifact.name

    monkeypatch.setattr(pretrained, "fetch", fetch)
    files = download_pretrained_files(model)
    assert files.lexicon.endswith(f"decoder-assets/{model}/lexicon.txt")
    assert files.tokens.endswith("tokens.txt")
    assert (files.lm is None) == (count == 2) and len(asked) == count
    assert all(a.sources[0].startswith("https://") for a in asked)


def test_unknown_name():
    with pytest.raises(KeyError, match="librispeech-3-gram"):
        download_pretrained_files("librispeech-5-gram")
