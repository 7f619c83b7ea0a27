"""Files appear whole or not at all."""

from __future__ import annotations

import io
import os

import pytest

from triptych.serialization.atomic import atomic_write


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), atomic_write(path, "save") as stream:
        stream.writelines([b"half", "text"])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="disk full"), atomic_write(tmp_path / "a", "save"):
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_replaces_and_honours_the_umask(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    before = os.umask(0o027)
    try:
        with atomic_write(path, "save") as stream:
            stream.write(b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_missing_folder(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"save: the folder .*nowhere does not exist"),
        atomic_write(tmp_path / "nowhere" / "a", "save"),
    ):
        pass


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with atomic_write(link, "save") as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_devices_are_written_not_replaced():
    before = os.stat(os.devnull).st_mode
    with atomic_write(os.devnull, "save") as stream:
        stream.write(b"gone")
    assert os.stat(os.devnull).st_mode == before


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError), atomic_write(tmp_path, "save"):
        pass


def test_file_objects_are_written_directly():
    file = io.BytesIO()
    with atomic_write(file, "save") as stream:
        stream.write(b"x")
    assert file.getvalue() == b"x"
    assert not file.closed
