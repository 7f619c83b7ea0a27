"""The classifier of clothes and its weights, which lie in the package."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import triptych as tp
from triptych.errors import ShapeError
from triptych_datasets import HashMismatch
from triptych_vision.datasets.mnist import FashionMNIST
from triptych_vision.models import Fashion_CNN_Weights, FashionCNN, fashion_cnn, get_model, shipped

WEIGHTS = Fashion_CNN_Weights.DEFAULT
FILE = WEIGHTS.weights.path


@pytest.fixture(scope="module")
def model() -> FashionCNN:
    return fashion_cnn(weights="DEFAULT").eval()


def sketch(*polygons: list[tuple[int, int]]) -> Image.Image:
    """Bright shapes on black, in the size of a photograph and in colour."""
    image = Image.new("RGB", (280, 280))
    for polygon in polygons:
        ImageDraw.Draw(image).polygon(polygon, fill=(200, 180, 190))
    return image


TROUSERS = sketch([(90, 10), (190, 10), (200, 270), (150, 270), (140, 80), (130, 270), (80, 270)])
PULLOVER = sketch(
    [(100, 20), (180, 20), (240, 60), (270, 250), (230, 260), (200, 120), (200, 260), (80, 260)],
    [(100, 20), (40, 60), (10, 250), (50, 260), (80, 120), (80, 260), (150, 260)],
)


def test_file_is_the_promised_one() -> None:
    raw = FILE.read_bytes()
    assert hashlib.sha256(raw).hexdigest() == WEIGHTS.sha256
    assert len(raw) == WEIGHTS.weights.size
    assert len(raw) < 1_000_000
    assert hashlib.sha256(raw).hexdigest()[:8] in FILE.name


def test_model_holds_the_numbers_of_the_file(model: FashionCNN) -> None:
    stored, state = WEIGHTS.get_state_dict(), model.state_dict()
    assert set(stored) == set(state)
    for name, t in state.items():
        assert np.array_equal(t.numpy(), stored[name].numpy().astype(t.numpy().dtype)), name
        assert t.dtype in (tp.float32, tp.int64)
    assert all(t.dtype is tp.float16 for t in stored.values() if t.ndim > 1)
    assert sum(p.numel() for p in model.parameters()) == WEIGHTS.meta["num_params"]


def test_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytearray(FILE.read_bytes())
    raw[-1] ^= 1
    (tmp_path / FILE.name).write_bytes(raw)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(HashMismatch, match="install triptych-vision again"):
        fashion_cnn(weights=WEIGHTS)


def test_card_says_what_the_record_says() -> None:
    card = WEIGHTS.weights.card
    assert FILE.name in card
    assert f"{WEIGHTS.meta['num_params']:,}" in card
    score = WEIGHTS.meta["_metrics"]["Fashion-MNIST"]["acc@1"]
    assert f"{score:.2f} %" in card
    shares = re.findall(r"^\| ([\w/ -]+?) +\| +(0\.\d{3}) \|$", card, flags=re.M)
    assert [name for name, _ in shares] == list(WEIGHTS.meta["categories"])
    assert np.mean([float(share) for _, share in shares]) * 100 == pytest.approx(score, abs=0.01)


def test_categories_are_those_of_the_data_set() -> None:
    assert list(WEIGHTS.meta["categories"]) == FashionMNIST.classes


@pytest.mark.parametrize(("image", "label"), [(TROUSERS, "Trouser"), (PULLOVER, "Pullover")])
def test_drawings_are_recognised(model: FashionCNN, image: Image.Image, label: str) -> None:
    with tp.inference_mode():
        best = int(model(WEIGHTS.transforms()(image)[None]).argmax(1))
    assert WEIGHTS.meta["categories"][best] == label


def test_preparation_takes_grey_and_colour_alike() -> None:
    small = TROUSERS.convert("L").resize((28, 28))
    prepared = WEIGHTS.transforms()(small)
    assert tuple(prepared.shape) == (1, 28, 28)
    expected = (np.asarray(small, np.float32) / 255 - 0.2860) / 0.3530
    np.testing.assert_allclose(prepared[0].numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(WEIGHTS.transforms()(small.convert("RGB")).numpy(), prepared)


def test_other_sizes_and_classes() -> None:
    model = get_model("fashion_cnn", num_classes=3, in_channels=3, widths=(8, 16))
    assert tuple(model(tp.zeros(2, 3, 32, 32)).shape) == (2, 3)
    with pytest.raises(ValueError, match="num_classes=10"):
        fashion_cnn(weights="DEFAULT", num_classes=3)
    with pytest.raises(ShapeError, match="widths"):
        FashionCNN(widths=())
