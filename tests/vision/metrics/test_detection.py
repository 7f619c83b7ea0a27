"""Mean average precision, held against COCO's own code and against cases worked out by hand."""

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import triptych as tp
from triptych.errors import DomainError, ShapeError, UnknownNameError
from triptych_vision.metrics import MeanAveragePrecision, mean_average_precision

Sample = dict[str, np.ndarray]
SIZE = 160


def drawn(rng: np.random.Generator, count: int, near: Sample | None = None) -> Sample:
    """Random boxes with masks and points; with `near`, some of them close to given ones."""
    corners = rng.random((count, 2)) * SIZE * 0.7
    boxes = np.concatenate([corners, corners + 4 + rng.random((count, 2)) * SIZE * 0.6], axis=1)
    points = boxes[:, None, :2] + rng.random((count, 17, 2)) * 60
    labels = rng.integers(1, 4, count)
    if near is not None and len(near["labels"]):
        for place in range(count):
            model = rng.integers(len(near["labels"]))
            if rng.random() < 0.8:
                boxes[place] = near["boxes"][model] + rng.normal(0, 3, 4)
                points[place] = near["keypoints"][model, :, :2] + rng.normal(0, 2, (17, 2))
                labels[place] = near["labels"][model] if rng.random() < 0.9 else 1
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    ys, xs = np.mgrid[:SIZE, :SIZE]
    masks = (
        np.stack([(xs >= b[0]) & (xs < b[2]) & (ys >= b[1]) & (ys < b[3]) for b in boxes])
        if (count)
        else np.zeros((0, SIZE, SIZE), bool)
    )
    seen = rng.integers(0, 3, (count, 17))
    seen[rng.random(count) < 0.2] = 0  # nobody labelled its points
    return {
        "boxes": boxes,
        "labels": labels,
        "masks": masks,
        "keypoints": np.concatenate([points, seen[..., None]], axis=2),
        "iscrowd": (rng.random(count) < 0.15).astype(np.int64),
        # Rounded, so that several are equally sure.
        "scores": rng.random(count).round(1),
    }


def annotations(samples: list[Sample], scored: bool) -> list[dict[str, Any]]:
    """In COCO's own form."""
    made: list[dict[str, Any]] = []
    for image, sample in enumerate(samples):
        for place, (x0, y0, x1, y1) in enumerate(sample["boxes"]):
            entry: dict[str, Any] = {
                "id": len(made) + 1,
                "image_id": image,
                "category_id": int(sample["labels"][place]),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "segmentation": coco_mask.encode(
                    np.asfortranarray(sample["masks"][place], np.uint8)
                ),
                "keypoints": sample["keypoints"][place].ravel().tolist(),
            }
            if scored:
                entry["score"] = float(sample["scores"][place])
            else:
                entry |= {
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": int(sample["iscrowd"][place]),
                    "num_keypoints": int((sample["keypoints"][place, :, 2] > 0).sum()),
                }
            made.append(entry)
    return made


def coco_numbers(found: list[Sample], true: list[Sample], kind: str) -> np.ndarray:
    names = [{"id": i, "name": str(i)} for i in (1, 2, 3)]
    images = [{"id": i, "height": SIZE, "width": SIZE} for i in range(len(true))]
    keep = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}[kind]
    results = [
        {k: e[k] for k in ("image_id", "category_id", "score", keep)}
        for e in annotations(found, scored=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": images,
            "categories": names,
            "annotations": annotations(true, scored=False),
        }
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats


def tensors(sample: Sample, names: tuple[str, ...]) -> dict[str, tp.Tensor]:
    return {name: tp.from_numpy(sample[name].copy()) for name in names}


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
@pytest.mark.parametrize("seed", range(3))
def test_same_numbers_as_cocos_own_code(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = [drawn(rng, int(count)) for count in rng.integers(0, 7, 12)]
    found = [drawn(rng, int(rng.integers(0, 30)), near=sample) for sample in true]
    field = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}[kind]
    for sample in true:  # COCO takes areas from the file, so both get the same
        sample["area"] = np.prod(sample["boxes"][:, 2:] - sample["boxes"][:, :2], axis=1)
    metric = MeanAveragePrecision(kind)
    for start in (0, 5):  # in two batches
        part = slice(start, 5 if start == 0 else None)
        metric.update(
            [tensors(s, ("labels", "scores", field)) for s in found[part]],
            [tensors(s, ("labels", "boxes", "iscrowd", "area", field)) for s in true[part]],
        )
    got = np.array(list(metric.compute().values()))
    np.testing.assert_allclose(got, coco_numbers(found, true, kind), atol=1e-12)
    assert 0.05 < got[0] < 0.95  # a case in which something is found and something missed


def sample(boxes: list[list[float]], labels: list[int], **more: Any) -> dict[str, tp.Tensor]:
    made = {"boxes": tp.tensor(boxes).reshape(-1, 4), "labels": tp.tensor(labels)}
    return made | {name: tp.tensor(values) for name, values in more.items()}


def test_by_hand_precision_at_each_recall() -> None:
    there = [[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]]
    wrong = [50.0, 50.0, 60.0, 60.0]
    # Right, wrong, right: precision 1 up to recall 1/2, then 2/3; 51 and 50 of 101 places.
    found = sample([there[0], wrong, there[1]], [1, 1, 1], scores=[0.9, 0.8, 0.7])
    got = mean_average_precision([found], [sample(there, [1, 1])])
    assert got["map"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert (got["mar_1"], got["mar_10"]) == (0.5, 1.0)
    assert got["map_small"] == got["map"]
    assert got["map_large"] == -1.0


def test_names_of_the_summary() -> None:
    box = sample([[0.0, 0.0, 9.0, 9.0]], [1], scores=[1.0])
    assert list(mean_average_precision([box], [box])) == [
        *("map", "map_50", "map_75", "map_small", "map_medium", "map_large"),
        *("mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"),
    ]


def test_per_class_and_reset() -> None:
    metric = MeanAveragePrecision()
    there = sample([[0.0, 0.0, 9.0, 9.0], [20.0, 20.0, 40.0, 40.0]], [1, 7])
    metric([sample([[0.0, 0.0, 9.0, 9.0]], [1], scores=[0.5])], [there])
    assert metric.per_class() == {1: pytest.approx(1.0), 7: 0.0}
    assert metric.compute()["map"] == pytest.approx(0.5)
    metric.reset()
    with pytest.raises(DomainError, match="call update first"):
        metric.compute()


def test_nothing_found_and_nothing_there() -> None:
    nothing = sample([], [], scores=[])
    one = sample([[0.0, 0.0, 9.0, 9.0]], [1], scores=[0.5])
    assert mean_average_precision([nothing], [nothing])["map"] == -1.0
    assert mean_average_precision([nothing], [one])["map"] == 0.0
    assert mean_average_precision([one], [nothing])["map"] == -1.0


def test_masks_as_models_return_them() -> None:
    mask = np.zeros((1, 20, 20), np.float32)
    mask[0, 5:15, 5:15] = 0.9
    found = {
        "masks": tp.from_numpy(mask[:, None]),
        "labels": tp.tensor([2]),
        "scores": tp.tensor([0.7]),
    }
    true = {"masks": tp.from_numpy((mask > 0).astype(np.uint8)), "labels": tp.tensor([2])}
    assert mean_average_precision([found], [true], "segm")["map"] == pytest.approx(1.0)


def test_own_thresholds_and_counts() -> None:
    box = sample([[0.0, 0.0, 10.0, 10.0]], [1], scores=[1.0])
    off = sample([[0.0, 0.0, 10.0, 5.0]], [1])  # overlap one half
    got = mean_average_precision([box], [off], iou_thresholds=[0.3], max_detections=[1, 5])
    assert got["map"] == pytest.approx(1.0)
    assert got["map_50"] == -1.0
    assert "mar_5" in got


def test_wrong_input_says_what_is_wanted() -> None:
    with pytest.raises(UnknownNameError, match="bbox, segm, keypoints"):
        MeanAveragePrecision("polygon")
    with pytest.raises(DomainError, match="positive max_detections"):
        MeanAveragePrecision(max_detections=[0])
    box = sample([[0.0, 0.0, 9.0, 9.0]], [1])
    with pytest.raises(UnknownNameError, match="prediction has no scores"):
        mean_average_precision([box], [box])
    with pytest.raises(ShapeError, match="1 predictions, 0 targets"):
        mean_average_precision([box], [])
    with pytest.raises(ShapeError, match="2 scores for 1 labels"):
        mean_average_precision([box | {"scores": tp.tensor([1.0, 2.0])}], [box])
