"""Tests marked `native` need the extension, and skip where it is absent."""

import pytest

import triptych as tp
from triptych.backends import native


@pytest.fixture(autouse=True)
def extension(request):
    if native.native is None and request.node.get_closest_marker("native"):
        pytest.skip(f"the extension is absent: {native.why_absent}")


@pytest.fixture
def taken():
    """``taken(name, call)`` is what a call gives, and how often it took the kernel of that name."""

    def count(name, call):
        before = native.calls()[name]
        found = call()
        return found, native.calls()[name] - before

    return count


@pytest.fixture
def threads():
    """Sets the number of threads for the length of a test."""
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)
