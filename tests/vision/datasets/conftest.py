"""Tiny files of data sets, and a publisher who has them packed."""

import functools
import gzip
import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from triptych_datasets import preparing
from triptych_vision.datasets import utils

Tree = Mapping[str, bytes]


@functools.cache
def image_bytes(suffix: str = "jpg", shade: int = 0, size: tuple[int, int] = (6, 4)) -> bytes:
    """A file with a plain picture: mode L for pgm, else RGB."""
    file = io.BytesIO()
    kind = {"jpg": "JPEG", "jpeg": "JPEG", "bmp": "BMP", "png": "PNG", "ppm": "PPM"}[suffix]
    Image.new("RGB", size, (shade, 40, 80)).save(file, kind)
    return file.getvalue()


@functools.cache
def grey_bytes(suffix: str = "png", shade: int = 0, size: tuple[int, int] = (6, 4)) -> bytes:
    """A file with a plain grey picture."""
    file = io.BytesIO()
    Image.new("L", size, shade).save(file, {"bmp": "BMP", "png": "PNG"}[suffix])
    return file.getvalue()


def mat_bytes(**arrays: Any) -> bytes:
    """A MATLAB file."""
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


def write_tree(root: Path, tree: Tree) -> Path:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def packed(name: str, files: Tree) -> bytes:
    """An archive of the kind that its name says, or one packed or plain file."""
    if name in files:
        return files[name]
    stem = name.removesuffix(".gz")
    if stem != name and stem in files:
        return gzip.compress(files[stem])
    file = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return file.getvalue()
    mode = "w:gz" if name.endswith((".gz", ".tgz")) else "w"
    with tarfile.open(fileobj=file, mode=mode) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


class Publisher:
    """Answers every address with an archive of the tree's files below the folder it goes to.

    Hashes are real: those the loaders ask for are replaced by the ones of what is published.
    """

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.tree, self.root = place, dict[str, bytes](), Path()
        self.corrupt = False
        self.archives: dict[str, bytes] = {}  # in place of those made from the tree
        self.asked: list[str] = []
        original, faults = utils.bring, preparing._faults

        def bring(sources: Any, folder: Path, filename: str, md5: str | None) -> Path:
            self.asked.append(sources[0])
            path = place / filename
            path.write_bytes(self.archives.get(filename) or packed(filename, self._below(folder)))
            digest = hashlib.md5(path.read_bytes()).hexdigest()
            if self.corrupt:
                path.write_bytes(path.read_bytes()[:-30] + b"?")
            return original((path.as_uri(),), folder, filename, None if md5 is None else digest)

        def hashes(root: Path, files: Mapping[str, str | None]) -> list[str]:
            wanted = {}
            for name, md5 in files.items():
                content = self.tree.get((root / name).relative_to(self.root).as_posix())
                known = md5 is not None and content is not None
                wanted[name] = hashlib.md5(content or b"").hexdigest() if known else md5
            return faults(root, wanted)

        for module in list(sys.modules.values()):
            if getattr(module, "bring", None) is original:
                monkeypatch.setattr(module, "bring", bring)
        monkeypatch.setattr(preparing, "_faults", hashes)

    def publish(self, root: Path, tree: Tree) -> None:
        self.root, self.tree = root, dict(tree)

    def _below(self, folder: Path) -> dict[str, bytes]:
        start = folder.relative_to(self.root).as_posix()
        prefix = "" if start == "." else f"{start}/"
        return {n.removeprefix(prefix): c for n, c in self.tree.items() if n.startswith(prefix)}


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    place = tmp_path / "published"
    place.mkdir()
    return Publisher(place, monkeypatch)


@pytest.fixture
def files() -> Any:
    """Functions that make the content of files."""

    class Files:
        image = staticmethod(image_bytes)
        grey = staticmethod(grey_bytes)
        mat = staticmethod(mat_bytes)
        packed = staticmethod(packed)
        write: Callable[[Path, Tree], Path] = staticmethod(write_tree)

        @staticmethod
        def idx(array: np.ndarray) -> bytes:
            code = {"uint8": 8, "int32": 12}[array.dtype.name]
            head = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            return head + array.astype(array.dtype.newbyteorder(">")).tobytes()

    return Files
