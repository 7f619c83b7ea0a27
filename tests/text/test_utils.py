import gzip
import hashlib
import io
import tarfile
import zipfile

import pytest

import triptych_text
from triptych.errors import DomainError
from triptych_datasets import BrokenArchive
from triptych_text import utils


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_file_that_is_there(tmp_path, home):
    path = tmp_path / "a.txt"
    path.write_bytes(b"text")
    digest = hashlib.md5(b"text", usedforsecurity=False).hexdigest()
    url = "https://nowhere.invalid/a.txt"
    assert utils.download_from_url(url, root=tmp_path) == str(path)
    assert utils.download_from_url(url, path, hash_value=digest, hash_type="md5") == str(path)
    with pytest.raises(RuntimeError, match="another sha256"):
        utils.download_from_url(url, path, hash_value="0" * 64)
    with pytest.raises(DomainError, match="hash_type"):
        utils.download_from_url(url, path, hash_type="crc")


@pytest.mark.parametrize("overwrite", [False, True])
def test_fetching(tmp_path, monkeypatch, overwrite):
    asked = []

    def place(sources, folder, filename, digest):
        asked.append((sources, filename, digest))
        assert not (folder / filename).exists()
        (folder / filename).write_bytes(b"new")
        return folder / filename

    monkeypatch.setattr(utils, "place", place)
    if overwrite:
        (tmp_path / "b.txt").write_bytes(b"old")
    url = "https://nowhere.invalid/b.txt"
    path = utils.download_from_url(url, root=tmp_path, overwrite=overwrite, hash_value="1" * 64)
    assert path == str(tmp_path / "b.txt")
    assert asked == [((url,), "b.txt", "1" * 64)]
    assert (tmp_path / "b.txt").read_bytes() == b"new"


def test_validate():
    digest = hashlib.sha256(b"abc").hexdigest()
    assert utils.validate_file(io.BytesIO(b"abc"), digest)
    assert not utils.validate_file(io.BytesIO(b"abd"), digest)
    with pytest.raises(DomainError, match="hash_type"):
        utils.validate_file(io.BytesIO(), digest, "sha1")


def _tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for name in ("d/a.txt", "d/b.txt"):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(name[2].encode()))


def _zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("d/", "")
        archive.writestr("d/a.txt", "a")
        archive.writestr("d/b.txt", "b")


@pytest.mark.parametrize(("name", "make"), [("x.tar.gz", _tar), ("x.tgz", _tar), ("x.zip", _zip)])
def test_extract(tmp_path, name, make):
    make(tmp_path / name)
    wanted = [tmp_path / "d" / "a.txt", tmp_path / "d" / "b.txt"]
    assert utils.extract_archive(tmp_path / name) == [str(path) for path in wanted]
    assert [path.read_text() for path in wanted] == ["a", "b"]
    wanted[0].write_text("mine")
    utils.extract_archive(tmp_path / name)
    assert wanted[0].read_text() == "mine"
    utils.extract_archive(tmp_path / name, overwrite=True)
    assert wanted[0].read_text() == "a"
    elsewhere = utils.extract_archive(tmp_path / name, tmp_path / "new")
    assert elsewhere == [str(tmp_path / "new" / "d" / f"{x}.txt") for x in "ab"]


def test_extract_gz(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"text"))
    assert utils.extract_archive(str(tmp_path / "a.txt.gz")) == [str(tmp_path / "a.txt")]
    assert (tmp_path / "a.txt").read_bytes() == b"text"


def test_extract_what_is_none(tmp_path):
    with pytest.raises(NotImplementedError, match=r"a\.rar"):
        utils.extract_archive(tmp_path / "a.rar")
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"no archive")
        with pytest.raises(BrokenArchive):
            utils.extract_archive(tmp_path / name)


def test_asset(tmp_path, home):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    assert utils.get_asset_local_path(path) == str(path)
    cached = home / "text" / "b.txt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"y")
    assert utils.get_asset_local_path("https://nowhere.invalid/b.txt") == str(cached)
    with pytest.raises(FileNotFoundError, match="neither a file nor an address"):
        utils.get_asset_local_path(tmp_path / "none")


def test_locks(home):
    assert utils.get_lock_dir() == str(home / "locks")
    assert (home / "locks").is_dir()


def test_reporthook():
    class Bar:
        total, moved = None, 0

        def update(self, n):
            self.moved += n

    bar = Bar()
    hook = utils.reporthook(bar)
    hook(1, 10, 35)
    hook(3, 10, None)
    assert (bar.total, bar.moved) == (35, 30)


def test_silencing_is_accepted():
    assert triptych_text.disable_torchtext_deprecation_warning() is None
