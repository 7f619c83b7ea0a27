"""Random numbers of these tests come from a seed."""

import pytest

import triptych as tp


@pytest.fixture(autouse=True)
def _seeded():
    state = tp.get_rng_state()
    tp.manual_seed(0)
    yield
    tp.set_rng_state(state)
