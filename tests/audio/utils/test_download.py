"""torchaudio's files, fetched into the cache or to a place."""

import hashlib

import pytest

from triptych_audio.utils import download, download_asset
from triptych_datasets import FetchError, HashMismatch, UnverifiedWarning

KEY = "tutorial-assets/a (1).wav"


@pytest.fixture(autouse=True)
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    path = tmp_path / "published" / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    monkeypatch.setattr(download, "BASE", f"{(tmp_path / 'published').as_uri()}/")


DIGEST = hashlib.sha256(b"sound").hexdigest()


def test_into_the_cache(tmp_path):
    path = download_asset(KEY, DIGEST)
    assert path.startswith(str(tmp_path / "cache"))
    assert path.endswith("a__1_.wav")
    with open(path, "rb") as file:
        assert file.read() == b"sound"
    with pytest.raises(HashMismatch):
        download_asset(KEY, DIGEST[::-1])
    with pytest.warns(UnverifiedWarning):
        assert download_asset(KEY, progress=False) != path


def test_to_a_place(tmp_path):
    target = tmp_path / "x.wav"
    assert download_asset(KEY, DIGEST, target) == str(target)
    assert target.read_bytes() == b"sound"
    target.write_bytes(b"mine")
    assert download_asset(KEY, path=target) == str(target)
    with pytest.raises(HashMismatch, match="is not what"):
        download_asset(KEY, DIGEST, target)
    assert target.read_bytes() == b"mine"
    with pytest.raises(FetchError, match="does not exist"):
        download_asset(KEY, DIGEST, tmp_path / "no" / "x.wav")
