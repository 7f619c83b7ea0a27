"""`triptych.utils.collect_env`, and the other small modules that name this installation."""

import importlib.metadata
import platform
import subprocess
import sys

import numpy as np
import pytest

import triptych as tp
from triptych.utils import collect_env, deterministic


def test_what_a_report_says():
    info = collect_env.get_env_info()
    assert platform.python_version() in info["Python"]
    assert f"numpy {np.__version__}" in info["Packages"]
    assert f"triptych {importlib.metadata.version('triptych')}" in info["Packages"]
    assert all(isinstance(value, str) for value in info.values())
    assert info["Processor"] and "of" in info["Cores to use"] and info["BLAS"]


def test_variables_that_matter_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS=3" in collect_env.get_env_info()["Variables"]


def test_the_processor_without_its_file(monkeypatch, tmp_path):
    monkeypatch.setattr(collect_env, "Path", lambda path: tmp_path / "nothing")
    assert collect_env.get_env_info()["Processor"] in (platform.processor(), platform.machine())


def test_as_a_program():
    command = [sys.executable, "-W", "error", "-m", "triptych.utils.collect_env"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Python: ") and "GPUs: " in done.stdout and done.stderr == ""


def test_versions():
    assert tp.version.__version__ == tp.__version__ == importlib.metadata.version("triptych")
    assert tp.version.cuda in (None, "12", "13")
    assert (tp.version.cuda is None) == ("cupy" not in collect_env.get_env_info()["Packages"])


@pytest.mark.parametrize("fill", [True, False])
def test_memory_that_nobody_wrote_is_zero(fill, monkeypatch):
    assert deterministic.fill_uninitialized_memory is True
    monkeypatch.setattr(deterministic, "fill_uninitialized_memory", fill)
    assert tp.empty(3).tolist() == [0.0] * 3 and tp.empty_like(tp.ones(2)).tolist() == [0.0] * 2


def test_submodules_load_when_used():
    code = (
        "import sys, triptych\n"
        "assert 'triptych.utils.data' not in sys.modules\n"
        "triptych.utils.data.DataLoader, triptych.utils.dlpack.to_dlpack\n"
        "assert 'triptych.utils.collect_env' not in sys.modules\n"
        "assert 'collect_env' in dir(triptych.utils)\n"
        "assert 'triptych.array_api' not in sys.modules and 'triptych.hub' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tp.utils.nothing  # noqa: B018
