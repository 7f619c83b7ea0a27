"""Files of data sets in a folder: by hand, through the cache, told apart by md5 or sha256."""

import hashlib
from pathlib import Path

import pytest

from triptych_datasets import HashMismatch, MissingDataError, Remote, prepare
from triptych_datasets.placing import has_digest, name_in, place


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published" / "list.txt"
    path.parent.mkdir()
    path.write_text("one\n")
    return path


def digests(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    return {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha256")}


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_either_hash_decides(published: Path, tmp_path: Path, algorithm: str) -> None:
    digest = digests(published)[algorithm]
    assert has_digest(published, digest)
    assert not has_digest(published, digest[::-1])
    found = place((published.as_uri(),), tmp_path / "to", "x.txt", digest)
    assert found.read_text() == "one\n"
    with pytest.raises(HashMismatch, match=r"put it at .*y\.txt"):
        place((published.as_uri(),), tmp_path / "to", "y.txt", digest[::-1])


def test_a_data_set_is_prepared(published: Path, tmp_path: Path) -> None:
    digest = digests(published)["sha256"]
    remote = Remote(published.as_uri(), digest, folder="sub", unpack=False)
    root = tmp_path / "root"
    files = {"sub/list.txt": digest}
    with pytest.raises(MissingDataError, match=r"Set: in .*sub/list.txt not found; download=True"):
        prepare("Set", root, files, [remote])
    prepare("Set", root, files, [remote], download=True)
    (root / "sub" / "list.txt").write_text("damaged")
    with pytest.raises(MissingDataError, match=r"is damaged \(sha256 [0-9a-f]{64}, wanted"):
        prepare("Set", root, files, [remote])
    prepare("Set", root, files, [remote], download=True)
    assert (root / "sub" / "list.txt").read_text() == "one\n"


def test_an_archive_may_get_a_folder_of_its_own(tmp_path: Path) -> None:
    import zipfile

    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("b.txt", "x")
    digest = digests(archive)["sha256"]
    Remote(archive.as_uri(), digest, into="inner").get(tmp_path / "root")
    assert (tmp_path / "root" / "inner" / "b.txt").is_file()


def test_names_in_addresses() -> None:
    assert name_in("https://host/path/a.tar.gz?download=1#x") == "a.tar.gz"
