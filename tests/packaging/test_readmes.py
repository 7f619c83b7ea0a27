"""The Python blocks of the READMEs run as they stand, one after the other."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHING = [pytest.mark.network]  # the blocks fetch weights or data
READMES = [
    pytest.param("README.md", marks=FETCHING, id="root"),
    pytest.param("core/README.md", id="core"),
    pytest.param("datasets/README.md", id="datasets"),
    pytest.param("audio/README.md", marks=FETCHING, id="audio"),
    pytest.param("text/README.md", marks=FETCHING, id="text"),
    pytest.param("vision/README.md", marks=FETCHING, id="vision"),
]

# Runs a script; when a file cannot be fetched because nothing is reached, says so and ends well.
RUN = """
import runpy, sys, triptych_datasets
try:
    runpy.run_path(sys.argv[1], run_name="__main__")
except triptych_datasets.Offline as error:
    print("OFFLINE", error)
"""


@pytest.mark.parametrize("readme", READMES)
def test_blocks_run(readme, python_blocks, printed, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")  # the root README reads from there
    script = tmp_path / "readme.py"
    script.write_text(python_blocks(ROOT / readme), encoding="utf-8")
    output = printed("-c", RUN, script, cwd=tmp_path)
    if "OFFLINE" in output:
        pytest.skip(output[output.index("OFFLINE") :].strip())


def test_a_block_that_fails_is_reported_with_its_line(python_blocks, printed, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("# A\n\n```python\nx = 1\n```\n\nand\n\n```python\nx / 0\n```\n")
    script = tmp_path / "readme.py"
    script.write_text(python_blocks(readme))
    with pytest.raises(AssertionError, match=r'(?s)readme\.py", line 10.*ZeroDivisionError'):
        printed("-c", RUN, script, cwd=tmp_path)
