"""Every detector, tiny: what it gives, that it learns, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import triptych as tp
from triptych import nn, optim
from triptych_vision.models import detection as det
from triptych_vision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from triptych_vision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from triptych_vision.models.detection.fcos import FCOSHead
from triptych_vision.models.detection.keypoint_rcnn import KeypointRCNNPredictor
from triptych_vision.models.detection.mask_rcnn import MaskRCNNPredictor
from triptych_vision.models.detection.retinanet import RetinaNetHead
from triptych_vision.ops import MultiScaleRoIAlign

from .tiny import CHANNELS, TinyBackbone, pictures

CLASSES = 3


def pool(size: int) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign(["0", "1"], size, 2)


def two_stages(kind: type[det.FasterRCNN], **config: object) -> det.FasterRCNN:
    return kind(
        TinyBackbone(),
        min_size=48,
        max_size=64,
        rpn_anchor_generator=AnchorGenerator(((16,), (32,)), ((0.5, 1.0, 2.0),) * 2),
        rpn_pre_nms_top_n_train=100,
        rpn_post_nms_top_n_train=30,
        rpn_post_nms_top_n_test=30,
        box_batch_size_per_image=24,
        box_detections_per_img=20,
        box_roi_pool=pool(4),
        box_head=TwoMLPHead(CHANNELS * 16, 32),
        box_predictor=FastRCNNPredictor(32, CLASSES),
        box_score_thresh=0.0,
        **config,
    )


def masks() -> det.MaskRCNN:
    head = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU())
    predictor = MaskRCNNPredictor(CHANNELS, 8, CLASSES)
    parts = {"mask_roi_pool": pool(4), "mask_head": head, "mask_predictor": predictor}
    return two_stages(det.MaskRCNN, **parts)


def keypoints() -> det.KeypointRCNN:
    head = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU())
    predictor = KeypointRCNNPredictor(CHANNELS, 3)
    parts = {"keypoint_roi_pool": pool(4), "keypoint_head": head, "keypoint_predictor": predictor}
    return two_stages(det.KeypointRCNN, **parts)


def retinanet() -> det.RetinaNet:
    anchors = AnchorGenerator(((16,), (32,)), ((0.5, 1.0, 2.0),) * 2)
    return det.RetinaNet(
        TinyBackbone(),
        CLASSES,
        min_size=48,
        max_size=64,
        anchor_generator=anchors,
        head=RetinaNetHead(CHANNELS, 3, CLASSES),
        score_thresh=0.0,
    )


def fcos() -> det.FCOS:
    return det.FCOS(
        TinyBackbone(),
        CLASSES,
        min_size=48,
        max_size=64,
        anchor_generator=AnchorGenerator(((4,), (8,)), ((1.0,),) * 2),
        head=FCOSHead(CHANNELS, 1, CLASSES, num_convs=0),
        score_thresh=0.0,
    )


def ssd() -> det.SSD:
    boxes = DefaultBoxGenerator([[2], [2]], min_ratio=0.2, max_ratio=0.6)
    return det.SSD(TinyBackbone(), boxes, (64, 48), CLASSES, score_thresh=0.0)


RPN_LOSSES = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
ONE_STAGE = {"classification", "bbox_regression"}
DETECTORS: list[tuple[str, Callable[[], nn.Module], set[str], set[str]]] = [
    ("faster", partial(two_stages, det.FasterRCNN), RPN_LOSSES, set()),
    ("mask", masks, RPN_LOSSES | {"loss_mask"}, {"masks"}),
    (
        "keypoint",
        keypoints,
        RPN_LOSSES | {"loss_keypoint"},
        {"keypoints", "keypoints_scores"},
    ),
    ("retinanet", retinanet, ONE_STAGE, set()),
    ("fcos", fcos, ONE_STAGE | {"bbox_ctrness"}, set()),
    ("ssd", ssd, ONE_STAGE, set()),
]
every = pytest.mark.parametrize(
    ("make", "losses", "extra"), [row[1:] for row in DETECTORS], ids=[row[0] for row in DETECTORS]
)


@every
def test_detections(make: Callable[[], nn.Module], losses: set[str], extra: set[str]) -> None:
    tp.manual_seed(0)
    images, _ = pictures()
    with tp.no_grad():
        found = make().eval()(images)
    assert len(found) == 2
    for image, one in zip(images, found, strict=True):
        assert set(one) == {"boxes", "labels", "scores"} | extra
        count, (h, w) = one["boxes"].shape[0], image.shape[1:]
        assert one["boxes"].shape == (count, 4)
        assert count > 0
        low, high = one["boxes"][:, :2], one["boxes"][:, 2:]
        assert (low >= -1e-3).all()
        assert (high <= tp.tensor([w, h]) + 1e-3).all()
        assert one["labels"].dtype == tp.int64
        assert (one["scores"][:-1] >= one["scores"][1:]).all()
        if "masks" in one:
            assert one["masks"].shape == (count, 1, h, w)
            assert (one["masks"] <= 1).all()
        if "keypoints" in one:
            assert one["keypoints"].shape == (count, 3, 3)
            assert one["keypoints_scores"].shape == (count, 3)


@every
def test_two_pictures_are_learned(
    make: Callable[[], nn.Module], losses: set[str], extra: set[str]
) -> None:
    tp.manual_seed(0)
    images, targets = pictures()
    model = make()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    history = []
    for _ in range(12):
        parts = model(images, targets)
        assert set(parts) == losses
        loss = tp.stack(list(parts.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.75 * history[0]


@every
def test_pictures_without_boxes(
    make: Callable[[], nn.Module], losses: set[str], extra: set[str]
) -> None:
    tp.manual_seed(0)
    images, targets = pictures()
    targets[1] = {name: value[:0] for name, value in targets[1].items()}
    parts = make()(images, targets)
    assert set(parts) == losses
    tp.stack(list(parts.values())).sum().backward()
    assert all(bool(value.isfinite()) for value in parts.values())


@every
def test_what_is_refused(make: Callable[[], nn.Module], losses: set[str], extra: set[str]) -> None:
    model = make()
    images, targets = pictures()
    flat = {**targets[1], "boxes": tp.tensor([[5.0, 5.0, 5.0, 9.0]])}
    whole = {**targets[1], "boxes": tp.tensor([[5, 5, 9, 9]])}
    named = {**targets[1], "labels": tp.tensor([1.0])}
    for given, text in (
        (None, "training needs targets"),
        (targets[:1], "2 images and 1 targets"),
        ([targets[0], {"boxes": targets[1]["boxes"]}], "target 1 has no 'labels'"),
        ([targets[0], flat], r"target 1 has \[5"),
        ([targets[0], whole], "boxes are floats"),
        ([targets[0], named], "labels are int64"),
        ([targets[0], {**targets[1], "labels": tp.tensor([1, 2])}], r"1 boxes and labels"),
    ):
        with pytest.raises((ValueError, TypeError), match=text):
            model(images, given)
    with pytest.raises(ValueError, match=r"image 0 is \(c, h, w\)"):
        model.eval()([images[0][0]])
    with pytest.raises(TypeError, match="image 1 has floats from 0 to 1"):
        model.eval()([images[0], tp.zeros(3, 9, 9, dtype=tp.uint8)])
    with pytest.raises(ValueError, match="list of images is empty"):
        model.eval()([])


def test_targets_are_not_changed() -> None:
    images, targets = pictures()
    before = [{name: value.clone() for name, value in t.items()} for t in targets]
    masks()(images, targets)
    for old, new in zip(before, targets, strict=True):
        assert all((old[name] == new[name]).all() for name in old)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: det.FasterRCNN(nn.Identity(), 2), "attribute out_channels"),
        (lambda: det.FasterRCNN(TinyBackbone()), "either num_classes or box_predictor"),
        (lambda: det.MaskRCNN(TinyBackbone()), "either num_classes or mask_predictor"),
        (
            lambda: det.FasterRCNN(TinyBackbone(), 2, rpn_anchor_generator=max),
            "rpn_anchor_generator is of AnchorGenerator",
        ),
        (
            lambda: det.FCOS(TinyBackbone(), 2, anchor_generator=AnchorGenerator(((8, 16),))),
            "1 box at each pixel, not 6",
        ),
        (
            lambda: det.SSD(TinyBackbone(), DefaultBoxGenerator([[2]]), (32, 32), 2),
            "aspect_ratios",
        ),
    ],
)
def test_parts_that_do_not_fit(build: Callable[[], nn.Module], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        build()
