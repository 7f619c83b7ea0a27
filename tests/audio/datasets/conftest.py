"""Tiny files of data sets, and a publisher who has them packed."""

import functools
import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from triptych_datasets import preparing


@functools.cache
def sound(level=1, rate=16000, frames=8, channels=1, format="WAV"):
    """A file of level hundredths everywhere, so that one sees which file was read."""
    file = io.BytesIO()
    samples = np.full((frames, channels), level / 100, np.float32)
    subtype = {"FLAC": "PCM_16", "NIST": "PCM_16", "WAV": "FLOAT"}.get(format)
    soundfile.write(file, samples, rate, subtype, format=format)
    return file.getvalue()


def write_tree(root, tree):
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def packed(name, files):
    """An archive of the kind that its name says, or the file of that name."""
    if name in files:
        return files[name]
    file = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return file.getvalue()
    mode = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2"}[name.rpartition(".")[2]]
    with tarfile.open(fileobj=file, mode=mode) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


class Publisher:
    """Answers every address with an archive of the tree's files below the folder it goes to.

    Hashes are real: those that the loaders ask for are replaced by the ones of what is published.
    """

    def __init__(self, place, monkeypatch):
        self.place, self.tree, self.root = place, {}, Path()
        self.corrupt = False
        self.archives = {}  # in place of those made from the tree
        self.below = {}  # name of an archive: the folder in the tree that it holds
        self.asked = []
        original = preparing.bring

        def bring(sources, folder, filename, digest):
            self.asked.append((sources[0], digest))
            path = place / filename
            path.write_bytes(self.archives.get(filename) or packed(filename, self._files(filename)))
            real = hashlib.sha256(path.read_bytes()).hexdigest()
            if self.corrupt:
                path.write_bytes(path.read_bytes()[:-30] + b"?")
            return original((path.as_uri(),), folder, filename, None if digest is None else real)

        for module in list(sys.modules.values()):
            if getattr(module, "bring", None) is original:
                monkeypatch.setattr(module, "bring", bring)

    def publish(self, root, tree):
        self.root, self.tree = root, dict(tree)

    def _files(self, filename):
        prefix = self.below.get(filename, "")
        return {n.removeprefix(prefix): c for n, c in self.tree.items() if n.startswith(prefix)}


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    place = tmp_path / "published"
    place.mkdir()
    return Publisher(place, monkeypatch)


@pytest.fixture
def files():
    """Functions that make files."""

    class Files:
        write = staticmethod(write_tree)

    Files.sound = staticmethod(sound)
    Files.packed = staticmethod(packed)
    return Files
