"""The examples without a network: a sentence about what is missing, and no traceback."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    "name", ["demo.py", "find_speech.py", "train_digits.py", "vision_pipeline.py"]
)
def test_what_cannot_be_fetched_is_told_without_traceback(name, tmp_path):
    nowhere = "http://127.0.0.1:9"  # the port of the discard service: nothing answers
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PIP_")},
        "TRIPTYCH_HOME": str(tmp_path / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{nowhere}/simple",
        "PIP_RETRIES": "0",
        "HTTPS_PROXY": nowhere,
        "https_proxy": nowhere,
    }
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "fetch: " in done.stderr
    assert "no source could be reached" in done.stderr
    assert "Check the connection" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 6


@pytest.fixture
def find_speech(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    spec = importlib.util.spec_from_file_location("find_speech", EXAMPLES / "find_speech.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bound_on_the_ends_is_rounded_up(find_speech):
    known = [{"start": 1.0, "end": 2.0}, {"start": 3.0, "end": 4.0}]
    answer = find_speech._answer([(1.0, 2.0512), (3.0, 4.0)], known)
    assert answer == "2 of 2 sentences, each end within 0.06 s"
    exact = find_speech._answer([(1.02, 2.0), (3.0, 4.0)], known)
    assert exact == "2 of 2 sentences, each end within 0.02 s"


def test_a_recording_without_speech(find_speech, monkeypatch):
    assert find_speech._answer([], [{"start": 1.0, "end": 2.0}]) == "no speech found"


def test_a_ported_pipeline_draws_from_a_photo(tmp_path):
    from PIL import Image

    ramp = np.linspace(0, 255, 320 * 240 * 3).reshape(240, 320, 3)
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "photo.png")
    words = "photo.png", "--draws", "6", "--sheet", "sheet.png"
    done = subprocess.run(
        [sys.executable, EXAMPLES / "vision_pipeline.py", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    sheet, batch, torch = done.stdout.splitlines()
    assert sheet.startswith("sheet: 6 draws in ")
    assert batch == "batch: (8, 3, 240, 320) to (8, 3, 224, 224), 8 different"
    assert torch in (
        "torch: not installed, left out",
        "torch: torch.Tensor (3, 224, 224), torch.float32",
    )
    pictures = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert pictures.shape == (2 * 226 + 2, 4 * 226 + 2, 3)
    tiles = {
        pictures[top : top + 224, left : left + 224].tobytes()
        for top in (2, 228)
        for left in (2, 228, 454, 680)
    }
    assert len(tiles) == 7  # six draws, two empty places
