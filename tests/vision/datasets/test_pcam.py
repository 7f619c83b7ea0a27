"""PatchCamelyon on files of two patches, read through the one call of h5py that it makes."""

import io
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych_vision import datasets

PATCHES = np.arange(2, dtype=np.uint8)[:, None, None, None] * 100 + np.zeros((2, 4, 4, 3), np.uint8)
LABELS = np.array([0, 1], np.uint8).reshape(2, 1, 1, 1)


def stored(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Files that the stand-in for h5py can read; both libraries' files open as a context."""
    module = types.ModuleType("h5py")
    module.File = np.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "h5py", module)
    name = "pcam/camelyonpatch_level_2_split_valid_{}.h5"
    return {name.format("x"): stored(x=PATCHES), name.format("y"): stored(y=LABELS)}


def test_patches_and_labels(tmp_path: Path, tree: dict[str, bytes], files: Any) -> None:
    files.write(tmp_path, tree)
    patches = datasets.PCAM(tmp_path, split="val", target_transform=bool)
    assert len(patches) == 2
    image, label = patches[1]
    assert (image.mode, image.size, image.getpixel((3, 3))) == ("RGB", (4, 4), (100, 100, 100))
    assert label is True
    assert patches[0][1] is False


def test_download(tmp_path: Path, tree: dict[str, bytes], publisher: Any) -> None:
    root = tmp_path / "root"
    publisher.publish(root, tree)
    with pytest.raises(RuntimeError, match="split_valid_x"):
        datasets.PCAM(root, split="val")
    assert datasets.PCAM(root, split="val", download=True)[1][1] == 1
    with pytest.raises(ValueError, match="'val'"):
        datasets.PCAM(root, split="valid")
