"""The Python blocks of the package's README run as they stand."""

import re
from pathlib import Path

import pytest

from triptych_datasets import Offline

README = Path(__file__).parents[2] / "vision" / "README.md"


@pytest.mark.network
def test_python_blocks_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    try:
        for block in blocks:  # in order, in one namespace, as a reader would
            exec(compile(block, str(README), "exec"), names)
    except Offline as error:
        pytest.skip(f"no source of the weights can be reached: {error}")
