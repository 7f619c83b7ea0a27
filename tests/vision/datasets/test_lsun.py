"""LSUN on databases in memory, read through the few calls of lmdb that the loader makes."""

import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import pytest

from triptych_vision import datasets
from triptych_vision.datasets.lsun import LSUNClass

Databases = dict[str, dict[bytes, bytes]]


class Environment:
    """What lmdb.open gives: transactions that read, and cursors that list keys in order."""

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self.entries = entries

    @contextmanager
    def begin(self, write: bool) -> Iterator[Any]:
        assert not write
        entries = self.entries
        keys = types.SimpleNamespace(iternext=lambda keys, values: iter(sorted(entries)))
        yield types.SimpleNamespace(get=entries.get, cursor=lambda: keys)


@pytest.fixture
def databases(tmp_path: Path, files: Any, monkeypatch: pytest.MonkeyPatch) -> Databases:
    """Two classes of rooms: one image, and two."""
    content = {
        "bedroom_val_lmdb": {b"b1": files.image("png", 10)},
        "tower_val_lmdb": {b"t2": files.image("png", 30), b"t1": files.image("png", 20)},
    }

    alive = WeakValueDictionary[str, Environment]()

    def open_database(path: str, *, readonly: bool, lock: bool, **options: Any) -> Environment:
        assert readonly
        assert not lock  # other programs may have it open
        assert path not in alive, "LMDB refuses to open a database twice in a process"
        alive[path] = environment = Environment(content[Path(path).name])
        return environment

    module = types.ModuleType("lmdb")
    module.open = open_database  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lmdb", module)
    for name in content:
        (tmp_path / name).mkdir()
    return content


def shade(image: Any) -> int:
    return image.getpixel((0, 0))[0]


def test_images_of_one_class_in_the_order_of_their_keys(
    tmp_path: Path, databases: Databases
) -> None:
    towers = LSUNClass(tmp_path / "tower_val_lmdb", transform=shade)
    assert len(towers) == 2
    assert [towers[i] for i in range(2)] == [(20, None), (30, None)]


def test_classes_follow_each_other(tmp_path: Path, databases: Databases) -> None:
    rooms = datasets.LSUN(
        tmp_path, ["bedroom_val", "tower_val"], transform=shade, target_transform=lambda t: t + 1
    )
    assert len(rooms) == 3
    assert [rooms[i] for i in range(3)] == [(10, 1), (20, 2), (30, 2)]
    assert rooms[-1] == rooms[2]
    assert "['bedroom_val', 'tower_val']" in repr(rooms)
    with pytest.raises(IndexError, match="index 3 is out of range for 3 images"):
        rooms[3]


def test_data_sets_share_a_database(tmp_path: Path, databases: Databases) -> None:
    rooms = LSUNClass(tmp_path / "bedroom_val_lmdb")
    assert shade(rooms[0][0]) == 10  # now it is open
    assert shade(pickle.loads(pickle.dumps(rooms))[0][0]) == 10
    again = LSUNClass(tmp_path / "bedroom_val_lmdb", transform=shade)
    del rooms
    assert again[0] == (10, None)


def test_words_for_classes(tmp_path: Path, databases: Databases, files: Any) -> None:
    (tmp_path / "test_lmdb").mkdir()
    databases["test_lmdb"] = {}
    assert len(datasets.LSUN(tmp_path, "test")) == 0
    with pytest.raises(RuntimeError, match="bridge_val_lmdb"):
        datasets.LSUN(tmp_path, "val")  # all ten kinds
