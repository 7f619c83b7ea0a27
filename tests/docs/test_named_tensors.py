"""The examples of the guide to named tensors run as written."""

import doctest
from pathlib import Path

import triptych as tp

PAGE = Path(__file__).parents[2] / "docs" / "named-tensors.md"


def test_the_examples_run():
    tp.manual_seed(0)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 25
    assert found.failed == 0
