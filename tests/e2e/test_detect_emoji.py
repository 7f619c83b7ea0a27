"""The example that trains a detector: its measures by hand, its pictures, and a short training."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_datasets import FetchError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        spec = importlib.util.spec_from_file_location("detect_emoji", EXAMPLES / "detect_emoji.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def boxes(*lefts: float) -> tp.Tensor:
    """Boxes of 10 x 10 pixels in a row."""
    return tp.tensor([[left, 0.0, left + 10, 10.0] for left in lefts])


def answer(lefts: list[float], scores: list[float], label: int = 2) -> dict[str, tp.Tensor]:
    return {
        "boxes": boxes(*lefts),
        "labels": tp.full((len(lefts),), label),
        "scores": tp.tensor(scores),
    }


def target(*lefts: float, label: int = 2) -> dict[str, tp.Tensor]:
    return {"boxes": boxes(*lefts), "labels": tp.full((len(lefts),), label)}


def test_average_precision_by_hand(example: ModuleType) -> None:
    truth = [target(0, 50)]
    found = [answer([0, 1, 51], [0.9, 0.8, 0.7])]  # the second finds again what is found already
    # Recall 1/2 at precision 1, then 2/2 at 2/3.
    assert example.average_precision(found, truth, 2, 0.5) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert example.average_precision(found, truth, 2, 0.9) == pytest.approx(0.5)
    assert example.recall(found, truth) == (1.0, pytest.approx(2 / 3))
    assert example.recall(found, truth, score=0.85) == (0.5, 1.0)


def test_mean_is_over_the_classes_that_occur(example: ModuleType) -> None:
    truth = [target(0, label=2), target(0, label=5)]
    found = [answer([0], [0.9], label=2), answer([30], [0.9], label=5)]
    assert example.mean_ap(found, truth, 0.5) == pytest.approx(0.5)
    nothing = [answer([], [])] * 2
    assert example.mean_ap([{**x, "boxes": tp.zeros(0, 4)} for x in nothing], truth, 0.5) == 0
    assert example.mean_ap(found[:1], truth[:1], 0.5) == 1


def test_cells_near_the_middle_of_a_box_are_to_see_it(example: ModuleType) -> None:
    small, large = [40.0, 40.0, 56.0, 56.0], [20.0, 20.0, 76.0, 76.0]
    wanted = {"boxes": tp.tensor([large, small]), "labels": tp.tensor([1, 6])}
    labels, sides = example.assign(wanted)
    seen = np.flatnonzero(labels.numpy() >= 0)
    assert example.centres()[seen].tolist() == [[44, 44], [52, 44], [44, 52], [52, 52]]
    assert labels[seen].tolist() == [6] * 4  # the smaller one, which is easier to miss
    assert sides[seen].tolist() == [small] * 4


def test_boxes_lie_around_what_is_pasted(example: ModuleType) -> None:
    dark, bright = Image.new("RGB", (120, 100)), Image.new("RGBA", (40, 30), (255, 200, 255, 255))
    source = example.Composites([dark], [bright] * len(example.CLASSES), seed=0)
    images, targets = source.batch(20)
    assert tuple(images.shape) == (20, 3, 96, 96)
    for image, truth in zip(images, targets, strict=True):
        covered = tp.zeros(96, 96, dtype=tp.bool)
        for left, top, right, bottom in truth["boxes"].long().tolist():
            assert not covered[top:bottom, left:right].any()
            covered[top:bottom, left:right] = True
            part = image[0, top:bottom, left:right] > 60
            assert part.any(0).float().mean() > 0.9
            assert part.any(1).float().mean() > 0.9
        assert (image[:, ~covered].max() <= 64) & (len(truth["labels"]) >= 1)


@pytest.mark.network
def test_a_short_training_writes_a_picture(example: ModuleType, tmp_path: Path) -> None:
    try:
        example.fetch(example.FONT)
        example.photographs()
    except FetchError as error:
        pytest.skip(f"Debian's fonts-noto-color-emoji or the photographs cannot be had: {error}")
    finding = example.run(15, tmp_path / "emoji.png", num_test=30)
    assert re.fullmatch(r"mAP [01]\.\d{3} at IoU 0\.5", finding.answer)
    with Image.open(tmp_path / "emoji.png") as picture:
        assert picture.width > 4 * 3 * 96


def test_training_makes_the_loss_smaller(example: ModuleType) -> None:
    plain = [Image.new("RGB", (120, 100), tint) for tint in ("white", "navy")]
    emoji = [Image.new("RGBA", (40, 30), (25 * which, 200, 255, 255)) for which in range(8)]
    batch = example.Composites(plain, emoji, seed=1).batch(8)
    fresh = example.Detector(len(example.CLASSES)).eval()
    trained = example.train(example.Composites(plain, emoji, seed=0), 15)
    with tp.inference_mode():
        assert example.loss_of(trained, *batch) < 0.8 * example.loss_of(fresh, *batch)
