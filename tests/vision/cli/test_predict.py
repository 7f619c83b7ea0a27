"""Predictions on the command line."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych import nn
from triptych_datasets import FetchError, fetch
from triptych_vision.cli import main, predict
from triptych_vision.cli.predict import Model, look
from triptych_vision.cli.scores import with_scores
from triptych_vision.models import get_model, register_model
from triptych_vision.models._registry import MODELS
from triptych_vision.weights import WeightsEnum

Capture = pytest.CaptureFixture[str]
IMAGE = tp.full((3, 40, 60), 50, dtype=tp.uint8)
OPTIONS = argparse.Namespace(top=2, threshold=0.5)


def identity(image: tp.Tensor) -> tp.Tensor:
    return image.to(tp.float32)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    for place, name in enumerate(("a.png", "b.jpg")):
        Image.new("RGB", (60, 40), (60 * place, 9, 9)).save(tmp_path / name)
    return [str(tmp_path / "a.png"), str(tmp_path / "b.jpg")]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier that goes by how red a picture is."""

    def call(batch: tp.Tensor) -> tp.Tensor:
        red = batch[:, 0].mean((1, 2))
        return tp.stack([20 - red, red - 20, red * 0 - 90], 1)

    model = Model(call, identity, ("dark", "red", "never"))
    monkeypatch.setattr(predict, "load_model", lambda *_: model)


@pytest.mark.usefixtures("toy")
def test_table_and_pictures(pictures: list[str], tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "out"
    assert main(["predict", *pictures, "--top", "2", "--output", str(folder)]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["PICTURE", "WHAT", "SCORE", "WHERE"],
        [pictures[0], "dark", "1.000"],
        [pictures[0], "red", "0.000"],
        [pictures[1], "red", "1.000"],
        [pictures[1], "dark", "0.000"],
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png"]
    single = tmp_path / "one.png"
    assert main(["predict", pictures[0], "--output", str(single)]) == 0
    with Image.open(single) as saved:
        assert saved.width >= 60
        assert saved.height > 40


@pytest.mark.usefixtures("toy")
def test_a_bad_picture_does_not_stop_the_others(pictures: list[str], capsys: Capture) -> None:
    Path(pictures[0]).write_bytes(b"junk")
    assert main(["predict", "nowhere.png", *pictures]) == 1
    told = capsys.readouterr()
    assert "there is no file 'nowhere.png'" in told.err
    assert "a.png': no image" in told.err
    assert pictures[1] in told.out


def test_boxes() -> None:
    found = {
        "boxes": tp.tensor([[1.0, 2, 9, 9], [10, 10, 30.4, 35], [0, 0, 5, 5]]),
        "labels": tp.tensor([1, 2, 9]),
        "scores": tp.tensor([0.3, 0.9, 0.6]),
    }
    model = Model(lambda batch: [found], identity, ("none", "cat", "dog"))
    rows, picture = look(model, IMAGE, OPTIONS)
    assert rows == [("dog", "0.900", "10 10 30 35"), ("class 9", "0.600", "0 0 5 5")]
    assert (picture != IMAGE).any()
    nothing = {name: values[:0] for name, values in found.items()}
    rows, picture = look(Model(lambda batch: [nothing], identity, ()), IMAGE, OPTIONS)
    assert rows == [("nothing", "", "")]
    assert (picture == IMAGE).all()


def test_areas() -> None:
    scores = tp.zeros(1, 3, 20, 30)
    scores[:, 1, :, :15] = 5.0  # the left half
    model = Model(lambda batch: {"out": scores}, identity, ("ground", "cat", "dog"))
    rows, picture = look(model, IMAGE, OPTIONS)
    assert [row[0] for row in rows] == ["cat", "ground"]
    assert float(rows[0][1]) == pytest.approx(0.5, abs=0.03)
    assert (picture[:, :, 45:] == IMAGE[:, :, 45:]).all()
    assert (picture[:, :, :15] != IMAGE[:, :, :15]).any()


def test_scores_below_a_picture() -> None:
    drawn = with_scores(IMAGE, [("cat", 0.75), ("dog", 0.25)]).numpy()
    bars = (drawn == np.array([150, 195, 235])[:, None, None]).all(axis=0)
    top, below = (np.flatnonzero(bars[row]).max() for row in (40 + 8 + 2, 40 + 8 + 22 + 2))
    assert top > 2.5 * below


def test_a_checkpoint_of_ones_own(pictures: list[str], tmp_path: Path, capsys: Capture) -> None:
    tp.manual_seed(0)
    model = get_model("squeezenet1_1", num_classes=3)
    for layer in model.modules():  # always class 2
        if isinstance(layer, nn.Conv2d) and layer.out_channels == 3:
            nn.init.zeros_(layer.weight)
            with tp.no_grad():
                layer.bias.copy_(tp.tensor([0.0, 0.0, 9.0]))
    path = tmp_path / "mine.pth"
    tp.save({"state_dict": model.state_dict()}, path)
    words = ["predict", pictures[0], "--model", "squeezenet1_1", "--weights", str(path)]
    assert main([*words, "--num-classes", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1:3] == ["class", "2"]
    assert main(words) == 1  # made for another number of classes
    assert "triptych-vision: " in capsys.readouterr().err


class Bare_Weights(WeightsEnum):  # noqa: N801
    """None are published."""


@pytest.fixture
def bare() -> Iterator[None]:
    """A model in the registry for which there are no weights."""

    @register_model()
    def bare(*, weights: Bare_Weights | str | None = None) -> nn.Module:
        return nn.Identity()

    yield
    MODELS.remove("bare")


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--model", "resnet51"], "no model is named 'resnet51'; did you mean"),
        (["--model", "resnet18", "--weights", "BEST"], "valid names are IMAGENET1K_V1"),
        (["--model", "bare"], "no weights are published for bare"),
    ],
)
def test_errors(words: list[str], text: str, pictures: list[str], capsys: Capture) -> None:
    assert main(["predict", pictures[0], *words]) == 1
    assert text in capsys.readouterr().err


@pytest.mark.network
@pytest.mark.slow
def test_a_photograph(capsys: Capture) -> None:
    try:
        photo = str(fetch("coffee.png"))
        code = main(["predict", photo, "--weights", "IMAGENET1K_V1", "--top", "1"])
    except FetchError as error:
        pytest.skip(f"no source of the photograph can be reached: {error}")
    told = capsys.readouterr()
    if code and "no source could be reached" in told.err:
        pytest.skip(f"no source of the weights can be reached: {told.err}")
    assert told.out.splitlines()[1].split()[1:] == ["espresso", "0.992"]
