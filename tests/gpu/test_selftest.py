"""The self-test that users run on their GPU, over what stands in for one."""

import pytest
from gpu.fixtures import CHOICE, compiles, cupy

import triptych as tp
from triptych import gpu_selftest
from triptych.backends.cuda import softmax
from triptych.prims import TABLE

__all__ = ["cupy"]
pytestmark = compiles


@pytest.mark.skipif(CHOICE != "double", reason="the emulated runtime captures no streams")
def test_it_reports_what_it_found(cupy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gpu_selftest, "ROUNDS", 1)
    monkeypatch.setattr(gpu_selftest, "_torch", lambda: None)
    file = tmp_path / "report.md"
    status = gpu_selftest.main(["--quick", "--output", str(file)])
    shown, text = capsys.readouterr().out, file.read_text()
    assert status == 0, shown
    assert "primitives" in shown and "0 failed" in shown
    assert "| attention |" in text and "| own kernels |" in text and "What failed" not in text


def test_a_wrong_kernel_is_found(cupy, monkeypatch):
    monkeypatch.setattr(softmax, "_launch", lambda cupy, pass_, log, arrays, axis: arrays[0] + 1)
    monkeypatch.setattr(gpu_selftest, "own_primitives", lambda: [TABLE["softmax"]])
    found = gpu_selftest.primitives()
    assert found.failed and found.failed[0].startswith("softmax: ")


def test_without_a_gpu_it_says_so(tmp_path, capsys, monkeypatch):
    def missing(where):
        raise tp.errors.MissingDependencyError('device "cuda" needs CuPy')

    monkeypatch.setattr(gpu_selftest, "backend_for", missing)
    assert gpu_selftest.main(["--output", str(tmp_path / "no.md")]) == 2
    assert "needs CuPy" in capsys.readouterr().err
    assert not (tmp_path / "no.md").exists()


def test_help_names_the_exit_status(capsys):
    with pytest.raises(SystemExit):
        gpu_selftest.main(["--help"])
    assert "2 there is no GPU" in capsys.readouterr().out
