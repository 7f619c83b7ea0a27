"""The examples of the guide to quantisation run as written."""

import doctest
from pathlib import Path

import triptych as tp

PAGE = Path(__file__).parents[2] / "docs" / "quantization.md"


def test_the_examples_run():
    tp.manual_seed(0)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 12
    assert found.failed == 0
