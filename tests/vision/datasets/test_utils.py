"""Download, check and unpack, under torchvision's names; files come from file: addresses."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from triptych_datasets import FetchError, HashMismatch, UnsafeArchive, UnverifiedWarning
from triptych_vision.datasets import preparing, utils
from triptych_vision.datasets.vision import MissingDataError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))


@pytest.fixture
def archive(tmp_path: Path, files: Any) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(files.packed("pack.zip", {"a/b.txt": b"content", "c.txt": b"other"}))
    return path


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_integrity(archive: Path) -> None:
    assert utils.calculate_md5(archive) == md5(archive)
    assert utils.check_md5(archive, md5(archive))
    assert utils.check_integrity(archive)
    assert not utils.check_integrity(archive, "0" * 32)
    assert not utils.check_integrity(archive.parent / "none")


def test_download_url(archive: Path, tmp_path: Path) -> None:
    utils.download_url(archive.as_uri(), tmp_path / "to", "x.zip", md5(archive))
    assert (tmp_path / "to" / "x.zip").read_bytes() == archive.read_bytes()
    (tmp_path / "to" / "x.zip").write_bytes(b"damaged")
    utils.download_url(archive.as_uri(), tmp_path / "to", "x.zip", md5(archive))
    assert md5(tmp_path / "to" / "x.zip") == md5(archive)


def test_without_hash_there_is_a_warning(archive: Path, tmp_path: Path) -> None:
    with pytest.warns(UnverifiedWarning):
        utils.download_url(archive.as_uri(), tmp_path / "to")
    assert (tmp_path / "to" / "pack.zip").is_file()


def test_download_and_extract(archive: Path, tmp_path: Path) -> None:
    url = archive.as_uri()
    with pytest.raises(HashMismatch, match="Or fetch"):
        utils.download_and_extract_archive(url, tmp_path / "to", md5="0" * 32)
    assert not (tmp_path / "to").exists()
    utils.download_and_extract_archive(url, tmp_path / "to", md5=md5(archive))
    assert (tmp_path / "to" / "a" / "b.txt").read_bytes() == b"content"
    assert not (tmp_path / "to" / "pack.zip").exists()  # it is in the cache


def test_an_archive_put_there_by_hand_is_taken(archive: Path, tmp_path: Path) -> None:
    nowhere = (tmp_path / "nowhere" / "pack.zip").as_uri()
    with pytest.raises(FetchError, match=r"put it at .*pack\.zip"):
        utils.download_and_extract_archive(nowhere, tmp_path, md5="0" * 32)
    utils.download_and_extract_archive(
        nowhere, tmp_path, tmp_path / "to", md5=md5(archive), remove_finished=True
    )
    assert (tmp_path / "to" / "c.txt").read_bytes() == b"other"
    assert not archive.exists()


def test_extract_archive(archive: Path, tmp_path: Path, files: Any) -> None:
    assert utils.extract_archive(archive) == tmp_path
    assert (tmp_path / "c.txt").is_file()
    evil = tmp_path / "evil.zip"
    evil.write_bytes(files.packed("evil.zip", {"../../out.txt": b"x"}))
    with pytest.raises(UnsafeArchive, match="outside"):
        utils.extract_archive(evil, tmp_path / "to", remove_finished=True)
    assert evil.exists()


def test_lists(archive: Path, tmp_path: Path) -> None:
    utils.extract_archive(archive, tmp_path / "to")
    assert utils.list_dir(tmp_path / "to") == ["a"]
    assert utils.list_files(tmp_path / "to", ".txt", prefix=True) == [str(tmp_path / "to/c.txt")]


def test_verify_str_arg() -> None:
    assert utils.verify_str_arg("x") == "x"
    with pytest.raises(ValueError, match=r"unknown value 'x' for argument split; .*'a', 'b'"):
        utils.verify_str_arg("x", "split", ("a", "b"))
    with pytest.raises(ValueError, match="wanted a str, got 3"):
        utils.verify_str_arg(3, "split")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="my words"):
        utils.verify_str_arg("x", "split", ("a",), "my words")


def test_mirrors_are_tried_in_order(archive: Path, tmp_path: Path) -> None:
    gone = (tmp_path / "gone.zip").as_uri()
    remote = preparing.Remote((gone, archive.as_uri()), md5(archive), "sub")
    remote.get(tmp_path / "to")
    assert (tmp_path / "to" / "sub" / "c.txt").is_file()


def test_an_archive_without_the_files_is_told_from_none(archive: Path, tmp_path: Path) -> None:
    remote = preparing.Remote(archive.as_uri(), md5(archive))
    with pytest.raises(MissingDataError, match="archives were unpacked, but do not hold"):
        preparing.prepare("Set", tmp_path / "to", {"else": None}, [remote], download=True)
