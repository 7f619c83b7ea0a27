"""Contact sheets."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych_vision.cli import main
from triptych_vision.cli.preview import CAPTION, CELL, GAP, contact_sheet

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    ramp = np.arange(60 * 80 * 3).reshape(60, 80, 3) % 251
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def sheet(photo: Path, *words: str) -> np.ndarray:
    output = photo.with_name("sheet.png")
    assert main(["transform-preview", str(photo), "--output", str(output), *words]) == 0
    with Image.open(output) as image:
        return np.asarray(image)


def cell(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = row * (CELL + CAPTION + GAP) + GAP, column * (CELL + GAP) + GAP
    return sheet[top : top + CELL, left : left + CELL]


def test_same_seed_same_sheet(photo: Path, capsys: Capture) -> None:
    one = sheet(photo, "--draws", "5", "--pipeline", "RandomCrop(30)")
    assert capsys.readouterr().out == f"{photo.with_name('sheet.png')}\n"
    assert np.array_equal(one, sheet(photo, "--draws", "5", "--pipeline", "RandomCrop(30)"))
    later = sheet(photo, "--draws", "5", "--pipeline", "RandomCrop(30)", "--seed", "1")
    assert np.array_equal(cell(one, 0, 2), cell(later, 0, 1))  # seed 1 is the second, or the first
    assert not np.array_equal(cell(one, 0, 1), cell(later, 0, 1))


def test_original_stands_first_and_normalised_ones_are_shown(photo: Path) -> None:
    steps = "ToDtype(float32, scale=True), Normalize([0.5], [0.1]), Grayscale()"
    drawn = sheet(photo, "--draws", "1", "--pipeline", steps)
    with Image.open(photo) as image:
        middle = cell(drawn, 0, 0)[(CELL - 60) // 2 :, (CELL - 80) // 2 :][:60, :80]
        assert np.array_equal(middle, np.asarray(image))
    shown = cell(drawn, 0, 1)[(CELL - 60) // 2 :, (CELL - 80) // 2 :][:60, :80]
    assert shown.min() == 0
    assert shown.max() == 255


def test_large_pictures_are_made_smaller() -> None:
    drawn = np.asarray(contact_sheet([("a", Image.new("RGB", (900, 300), "red"))]))
    assert drawn.shape == (CELL + CAPTION + 2 * GAP, CELL + 2 * GAP, 3)
    assert drawn[GAP + CELL // 2, GAP].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("pipeline", "text"),
    [
        ("RandomCrop(999)", "RandomCrop: size"),
        ("FiveCrop(10)", "one picture"),
        ("nothing", "no pipeline or transform is named 'nothing'"),
        ("RandomCrop()", "RandomCrop"),
    ],
)
def test_errors(pipeline: str, text: str, photo: Path, capsys: Capture) -> None:
    assert main(["transform-preview", str(photo), "--pipeline", pipeline]) == 1
    assert text in capsys.readouterr().err
