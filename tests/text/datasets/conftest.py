"""A publisher of tiny files, whose hashes are real."""

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import tarfile
import zipfile

import pytest

from triptych_datasets import placing

PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def tar(files, mode="w:gz"):
    """A tar of files; a list of pairs may hold a name twice."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in dict(files).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


class Publisher:
    """Has files by name, and answers whatever address with the one that is asked for."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.files = folder, {}
        self.asked, self.corrupt = {}, False
        original = placing.bring

        def bring(sources, into, filename, digest):
            self.asked[filename] = (sources, digest)
            path = self.folder / filename
            real = None
            if filename in self.files:
                content = self.files[filename]
                real = hashlib.sha256(content).hexdigest()
                path.write_bytes(content + b"?" if self.corrupt else content)
            return original((path.as_uri(),), into, filename, real if digest else None)

        for module in list(sys.modules.values()):
            if getattr(module, "bring", None) is original:
                monkeypatch.setattr(module, "bring", bring)


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "published"
    folder.mkdir()
    return Publisher(folder, monkeypatch)


@pytest.fixture
def pack():
    """Functions that pack files."""

    class Pack:
        pass

    Pack.tar, Pack.zipped = staticmethod(tar), staticmethod(zipped)
    Pack.by = PACKERS
    return Pack
