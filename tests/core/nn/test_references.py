"""Layers with unusual settings against what torch computed, recorded by tools/record_layers.py."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import triptych

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("layer_cases", HERE / "layer_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

RUNS = [(case, mode) for case in cases.CASES for mode in case.modes]


@pytest.fixture(scope="module")
def recorded():
    with np.load(HERE / "references" / "layers.npz") as file:
        return dict(file)


def test_every_recording_is_compared(recorded):
    names = {tuple(key.split("/", 2)[:2]) for key in recorded}
    assert names == {(case.name, mode) for case, mode in RUNS}


@pytest.mark.parametrize(("case", "mode"), RUNS, ids=[f"{c.name}-{m}" for c, m in RUNS])
def test_outputs_gradients_and_state(case, mode, recorded):
    start = f"{case.name}/{mode}/"
    expected = {k.removeprefix(start): v for k, v in recorded.items() if k.startswith(start)}
    found = cases.run(triptych, case, mode)
    assert found.pop("keys").tolist() == expected.pop("keys").tolist()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-11, err_msg=name)
