"""Builders and weights of detectors: names, facts, and files of the older layout."""

import re

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych_vision import models
from triptych_vision.models import detection
from triptych_vision.models.detection.mask_rcnn import MaskRCNNHeads
from triptych_vision.models.detection.retinanet import RetinaNetHead
from triptych_vision.models.detection.rpn import RPNHead

BUILDERS = models.list_models(module=detection)


def test_names() -> None:
    assert BUILDERS == [
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "fasterrcnn_mobilenet_v3_large_fpn",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
        "keypointrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_v2",
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_v2",
        "ssd300_vgg16",
        "ssdlite320_mobilenet_v3_large",
    ]
    assert detection.__all__ == sorted(detection.__all__)


@pytest.mark.parametrize("name", BUILDERS)
def test_weights(name: str) -> None:
    kind = models.get_model_weights(name)
    for member in kind:
        digits = re.search(r"-([0-9a-f]{8})\.pth$", member.url)
        assert digits is not None
        assert member.sha256.startswith(digits[1])
        people = name.startswith("keypoint")
        assert len(member.meta["categories"]) == (2 if people else 91)
        assert "box_map" in member.meta["_metrics"]["COCO-val2017"]
        prepared = member.transforms()(tp.full((3, 4, 5), 255, dtype=tp.uint8))
        assert prepared.shape == (3, 4, 5)
        assert prepared.max().item() == 1.0
    assert models.get_weight(f"{kind.__name__}.DEFAULT") is kind.COCO_V1  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="has num_classes="):
        models.get_model(name, weights="DEFAULT", num_classes=7)


def older(state: dict[str, tp.Tensor], rules: dict[str, str]) -> dict[str, tp.Tensor]:
    """Other numbers, under older names."""
    out = {}
    for name, value in state.items():
        for pattern, new in rules.items():
            name = re.sub(pattern, new, name)
        out[name] = value + 1
    return out


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        (RPNHead(4, 3), {r"^conv\.0\.0\.": "conv."}),
        (
            MaskRCNNHeads(4, [4, 4], 1),
            {r"^0\.0\.": "mask_fcn1.", r"^1\.0\.": "mask_fcn2."},
        ),
        (
            RetinaNetHead(4, 3, 2),
            {
                r"conv\.3\.0\.": "conv.6.",
                r"conv\.2\.0\.": "conv.4.",
                r"conv\.1\.0\.": "conv.2.",
                r"conv\.0\.0\.": "conv.0.",
            },
        ),
    ],
    ids=["rpn", "mask", "retinanet"],
)
def test_older_names_load(module: nn.Module, rules: dict[str, str]) -> None:
    before = {name: value.clone() for name, value in module.state_dict().items()}
    old = older(before, rules)
    assert set(old) != set(before)
    module.load_state_dict(old)
    for name, value in module.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name].numpy() + 1)
    module.load_state_dict(before)  # the newer names still do


def test_a_last_layer_of_ones_own() -> None:
    model = detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights_backbone=None, num_classes=3)
    features = model.roi_heads.box_predictor.cls_score.in_features
    model.roi_heads.box_predictor = detection.FastRCNNPredictor(features, 7)
    assert model.roi_heads.box_predictor.bbox_pred.out_features == 28


def test_arguments_that_builders_fix() -> None:
    with pytest.warns(UserWarning, match="size is fixed by the builder"):
        model = detection.ssdlite320_mobilenet_v3_large(
            weights_backbone=None, num_classes=2, size=(9, 9)
        )
    assert model.transform.fixed_size == (320, 320)
    assert model.score_thresh == 0.001
