"""Weights and inputs that every machine draws alike, and what other libraries made of them."""

import math
import zlib
from pathlib import Path

import numpy as np
import pytest

import triptych as tp

FILE = Path(__file__).parent / "references" / "like_torchaudio.npz"


def weights_of(name, shape):
    values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if name.endswith("inited"):
        return np.ones(shape, np.float32)
    if name.endswith("running_var"):
        values = 1 + 0.1 * np.abs(values)
    elif len(shape) <= 1:
        values = (1.0 if name.endswith("weight") else 0.0) + 0.1 * values
    else:
        values = values / math.sqrt(math.prod(shape[1:]))
    values = values.astype(np.float32)
    return np.abs(values) + np.float32(0.5) if name.endswith("weight_g") else values


@pytest.fixture
def filled():
    """Gives a model weights that depend on their names only, and evaluation mode."""

    def fill(model):
        state = model.state_dict()
        model.load_state_dict(
            {
                k: tp.tensor(weights_of(k, tuple(v.shape))) if v.is_floating_point() else v
                for k, v in state.items()
            }
        )
        return model.eval()

    return fill


@pytest.fixture
def normal():
    """Draws a tensor from a seed."""

    def draw(seed, *shape):
        return tp.tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))

    return draw


@pytest.fixture(scope="session")
def recorded():
    """Gives the arrays that were recorded under a name."""
    with np.load(FILE) as file:
        arrays = dict(file)

    def look_up(name):
        found = [k for k in arrays if k.startswith(f"{name}/") and k.rpartition("/")[2].isdigit()]
        return [arrays[k] for k in sorted(found, key=lambda k: int(k.rpartition("/")[2]))]

    return look_up


@pytest.fixture
def agree(recorded):
    """Compares tensors with what was recorded under a name."""

    def compare(name, *got):
        wanted = recorded(name)
        assert wanted
        assert len(got) == len(wanted)
        for a, b in zip(got, wanted, strict=True):
            assert tuple(a.shape) == b.shape
            np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-4, atol=2e-5)

    return compare
