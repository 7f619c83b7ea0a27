from collections.abc import Callable
from pathlib import Path

import pytest

from triptych_datasets import (
    Artifact,
    HashMismatch,
    NotCached,
    blob_path,
    fetch,
    home,
    is_cached,
    remove,
    verify,
)
from triptych_datasets.cache import blobs


@pytest.fixture
def cached(tmp_path: Path, artifact_of: Callable[..., Artifact]) -> Artifact:
    source = tmp_path / "source"
    source.write_bytes(b"some bytes")
    artifact = artifact_of(b"some bytes", source.as_uri())
    fetch(artifact)
    return artifact


def test_home_follows_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "elsewhere"))
    assert home() == tmp_path / "elsewhere"
    monkeypatch.setenv("TRIPTYCH_HOME", "~/cache")
    assert home() == Path.home() / "cache"
    monkeypatch.delenv("TRIPTYCH_HOME")
    assert home().name == "triptych"
    assert home().is_absolute()


def test_layout(cached: Artifact, cache_home: Path) -> None:
    digest = cached.sha256
    assert digest is not None
    wanted = cache_home / "blobs" / "sha256" / digest[:2] / digest / "file.bin"
    assert blob_path(cached) == wanted
    assert list(blobs()) == [wanted]


def test_verify(cached: Artifact) -> None:
    assert verify(cached) == blob_path(cached)
    blob_path(cached).write_bytes(b"same bytes")
    assert is_cached(cached)  # looks at the size only
    with pytest.raises(HashMismatch, match=r"file\.bin: wanted sha256 .*, got .*fetch it again"):
        verify(cached)


def test_remove(cached: Artifact) -> None:
    assert remove(cached) == len(b"some bytes")
    assert not is_cached(cached)
    assert not blob_path(cached).parent.exists()
    assert remove(cached) == 0
    with pytest.raises(NotCached, match=r"triptych-datasets get toy/file\.bin"):
        verify(cached)


def test_remove_takes_an_unfinished_download_along(cached: Artifact) -> None:
    part = blob_path(cached).with_name("file.bin.part")
    part.write_bytes(b"some")
    assert blob_path(cached) in list(blobs())
    assert part not in list(blobs())
    assert remove(cached) == len(b"some bytes") + len(b"some")
    assert not part.exists()
