"""Files inside a package."""

import hashlib
from pathlib import Path

import pytest

from triptych_datasets import HashMismatch, shipped_file

RIGHT = hashlib.sha256(b"weights").hexdigest()


def test_right_file_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(b"weights")
    assert shipped_file(path, RIGHT, "triptych-audio") == path


@pytest.mark.parametrize("content", [b"weighty", None])
def test_changed_or_missing_file_says_what_to_install(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "w.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HashMismatch, match="install triptych-audio again"):
        shipped_file(path, RIGHT, "triptych-audio")
