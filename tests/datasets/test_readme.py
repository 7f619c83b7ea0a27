"""The Python blocks of the package's README run as they stand."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "datasets" / "README.md"


def test_python_blocks_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, str(README), "exec"), {})
