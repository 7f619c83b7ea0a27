"""Bytes of files."""

from pathlib import Path

import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import io as vio


def test_bytes_go_in_and_out(tmp_path: Path) -> None:
    data = tp.arange(256).to(tp.uint8)
    vio.write_file(tmp_path / "raw", data)
    assert (vio.read_file(tmp_path / "raw") == data).all()
    with pytest.raises(DTypeError, match="uint8"):
        vio.write_file(tmp_path / "raw", tp.zeros(3))
    with pytest.raises(ShapeError, match="one axis"):
        vio.write_file(tmp_path / "raw", data.reshape(2, 128))
