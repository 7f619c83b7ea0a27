"""Sources in order, local files, and the sum of all failures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triptych_datasets import (
    Artifact,
    FetchError,
    HashMismatch,
    NotEnoughSpace,
    UnknownName,
    UnverifiedWarning,
    blob_path,
    default_catalog,
    fetch,
    fetch_all,
    verify,
)

ArtifactOf = Callable[..., Artifact]


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "a file.bin"
    path.write_bytes(b"some bytes")
    return path


def test_file_source(local: Path, artifact_of: ArtifactOf) -> None:
    artifact = artifact_of(b"some bytes", local.as_uri())
    path = fetch(artifact)
    assert path.read_bytes() == b"some bytes"
    assert path == blob_path(artifact)
    assert [item.name for item in path.parent.iterdir()] == ["file.bin"]


def test_same_content_under_two_names(local: Path, artifact_of: ArtifactOf) -> None:
    first = fetch(artifact_of(b"some bytes", local.as_uri(), name="a.txt"))
    second = fetch(artifact_of(b"some bytes", local.as_uri(), name="b.csv"))
    assert first.parent == second.parent
    assert (first.name, second.name) == ("a.txt", "b.csv")


def test_empty_file(tmp_path: Path, artifact_of: ArtifactOf) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert fetch(artifact_of(b"", empty.as_uri())).read_bytes() == b""


def test_sources_are_tried_in_order(local: Path, tmp_path: Path, artifact_of: ArtifactOf) -> None:
    missing = (tmp_path / "missing").as_uri()
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"same bytes")
    artifact = artifact_of(b"some bytes", missing, wrong.as_uri(), local.as_uri())
    assert fetch(artifact).read_bytes() == b"some bytes"


def test_error_lists_every_source_with_its_reason(tmp_path: Path, artifact_of: ArtifactOf) -> None:
    first, second = (tmp_path / "one").as_uri(), (tmp_path / "two").as_uri()
    with pytest.raises(FetchError, match="no source gave the file") as caught:
        fetch(artifact_of(b"x", first, second))
    assert type(caught.value) is FetchError
    lines = str(caught.value).splitlines()
    assert [line.strip() for line in lines[1:3]] == [
        f"{first}: No such file or directory",
        f"{second}: No such file or directory",
    ]


def test_wrong_hash_weighs_more_than_a_missing_source(
    local: Path, tmp_path: Path, artifact_of: ArtifactOf
) -> None:
    artifact = artifact_of(b"same bytes", local.as_uri(), (tmp_path / "missing").as_uri())
    with pytest.raises(HashMismatch, match="wrong bytes, nothing was kept"):
        fetch(artifact)
    assert not blob_path(artifact).parent.exists()


def test_first_digits_of_the_hash_decide(local: Path, artifact_of: ArtifactOf) -> None:
    whole = artifact_of(b"some bytes", local.as_uri())
    artifact = replace(whole, sha256=whole.sha256[:8])
    path = fetch(artifact)
    assert path.read_bytes() == b"some bytes" and path.parent.name == whole.sha256[:8]
    assert verify(artifact) == path
    path.write_bytes(b"same bytes")
    with pytest.raises(HashMismatch, match=f"wanted sha256 {whole.sha256[:8]}, got"):
        verify(artifact)
    with pytest.raises(HashMismatch, match="wrong bytes"):
        fetch(replace(artifact, sha256="0" * 8))


def test_a_wrong_size_under_the_right_hash(local: Path, artifact_of: ArtifactOf) -> None:
    artifact = replace(artifact_of(b"some bytes", local.as_uri()), size=11)
    with pytest.raises(HashMismatch, match=r"wanted 11 bytes, got 10; .*recorded size") as caught:
        fetch(artifact)
    assert "sha256" not in str(caught.value)


def test_cached_file_of_wrong_size_is_fetched_again(local: Path, artifact_of: ArtifactOf) -> None:
    artifact = artifact_of(b"some bytes", local.as_uri())
    fetch(artifact).write_bytes(b"cut")
    assert fetch(artifact).read_bytes() == b"some bytes"


def test_disk_that_fills_up_while_writing(
    local: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which only Linux has")
    artifact = artifact_of(b"some bytes", local.as_uri())
    part = blob_path(artifact).with_name("file.bin.part")
    real_open = Path.open

    def to_full_disk(path: Path, *args: object, **options: object) -> object:
        if path == part:
            return real_open(full, "wb", buffering=0)
        return real_open(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", to_full_disk)
    monkeypatch.setattr("triptych_datasets.part.Part.restart", lambda *args: None)
    with pytest.raises(NotEnoughSpace, match="the disk is full after 0 bytes"):
        fetch(artifact)


def test_by_name(local: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = artifact_of(b"some bytes", local.as_uri(), name="test-only.bin")
    monkeypatch.setitem(default_catalog()._artifacts, artifact.name, artifact)
    assert fetch("test-only.bin").read_bytes() == b"some bytes"
    with pytest.raises(UnknownName, match=r"'test-onyl\.bin'; the closest names are test-only"):
        fetch("test-onyl.bin")


def test_fetch_all_keeps_the_order(local: Path, artifact_of: ArtifactOf, cache_home: Path) -> None:
    names = ["b.bin", "a.bin", "b.bin"]
    artifacts = [artifact_of(b"some bytes", local.as_uri(), name=name) for name in names]
    assert [path.name for path in fetch_all(artifacts)] == names
    assert not list(cache_home.glob("wheels-*"))
    assert fetch_all([]) == []


def test_without_a_hash_the_user_is_warned(local: Path) -> None:
    artifact = Artifact("toy/a.bin", sources=(local.as_uri(),), unverified=True)
    with pytest.warns(UnverifiedWarning, match="gives no hash"):
        path = fetch(artifact)
    assert path.read_bytes() == b"some bytes"
    assert path.parents[2].name == "source"
    assert fetch(artifact) == path  # from the cache, without a word
