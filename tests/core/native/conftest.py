"""Tests marked `native` need the extension, and skip where it is absent."""

import pytest

from triptych.backends import native


@pytest.fixture(autouse=True)
def extension(request):
    if native.native is None and request.node.get_closest_marker("native"):
        pytest.skip(f"the extension is absent: {native.why_absent}")
