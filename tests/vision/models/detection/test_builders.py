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
from triptych_vision.models.detection.ssd import SSDFeatureExtractorVGG
from triptych_vision.ops import FrozenBatchNorm2d

from .tiny import TinyBackbone

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


# The layers that say what was found, and how many outputs each has for three classes.
LAST_LAYERS = {
    "fasterrcnn": {"roi_heads.box_predictor.cls_score": 3, "roi_heads.box_predictor.bbox_pred": 12},
    "fcos": {"head.classification_head.cls_logits": 3, "head.regression_head.bbox_ctrness": 1},
    "keypointrcnn": {
        "roi_heads.box_predictor.cls_score": 3,
        "roi_heads.keypoint_predictor.kps_score_lowres": 5,
    },
    "maskrcnn": {
        "roi_heads.box_predictor.cls_score": 3,
        "roi_heads.mask_predictor.mask_fcn_logits": 3,
    },
    "retinanet": {"head.classification_head.cls_logits": 9 * 3},
    "ssd300": {"head.classification_head.module_list.0": 4 * 3},
    "ssdlite320": {"head.classification_head.module_list.0.1": 6 * 3},
}


def build(name: str, **arguments: object) -> nn.Module:
    with nn.init.skipped():
        return models.get_model(name, **arguments)


@pytest.mark.parametrize("name", BUILDERS)
def test_classes_of_ones_own(name: str) -> None:
    options: dict[str, int] = {"num_keypoints": 5} if name.startswith("keypoint") else {}
    model = build(name, weights_backbone=None, num_classes=3, **options)
    for path, outputs in LAST_LAYERS[name.partition("_")[0]].items():
        layer = model.get_submodule(path)
        assert (layer.out_features if isinstance(layer, nn.Linear) else layer.weight.shape) in (
            outputs,
            (outputs, *layer.weight.shape[1:]),
            (layer.weight.shape[0], outputs, *layer.weight.shape[2:]),  # transposed
        )
    assert all(p.requires_grad for p in model.parameters())  # nothing is trained, all learns


@pytest.mark.parametrize("name", BUILDERS)
def test_weights_are_loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Files of COCO_V1 were made when frozen normalisation had no eps, but not those of MobileNets.
    old = name.endswith("rcnn_resnet50_fpn") or name == "retinanet_resnet50_fpn"
    kind = models.get_model_weights(name)
    numbers = iter(range(1, 10_000))

    def from_file(self: object, *rest: object) -> dict[str, tp.Tensor]:
        state = build(name, weights_backbone=None).state_dict()
        state = {k: v for k, v in state.items() if not (old and k.endswith("num_batches_tracked"))}
        return {k: tp.full_like(v, next(numbers) % 100) for k, v in state.items()}

    monkeypatch.setattr(kind, "get_state_dict", from_file)
    model = models.get_model(name, weights="DEFAULT")
    values = {int(v.flatten()[0].item()) for v in model.state_dict().values() if v.numel()}
    assert len(values) >= 70
    frozen = {m.eps for m in model.modules() if isinstance(m, FrozenBatchNorm2d)}
    assert frozen <= ({0.0} if old else {1e-5})
    assert bool(frozen) == (old or name.startswith(("fasterrcnn_mobilenet", "fcos")))


def test_number_of_points_of_weights() -> None:
    with pytest.raises(ValueError, match="has num_keypoints=17"):
        detection.keypointrcnn_resnet50_fpn(weights="DEFAULT", num_keypoints=5)
    with pytest.raises(ValueError, match="either num_keypoints or keypoint_predictor"):
        detection.KeypointRCNN(TinyBackbone(), 2, keypoint_predictor=nn.Identity(), num_keypoints=5)


def test_maps_of_vgg() -> None:
    with nn.init.skipped():
        features = models.vgg16().features
        body = SSDFeatureExtractorVGG(features, highres=True).eval()
    with tp.no_grad():
        for p in body.parameters():
            p.fill_(0.01 if p.ndim > 1 else 20)
        maps = body(tp.rand(1, 3, 512, 512))
    shapes = [tuple(m.shape[1:]) for m in maps.values()]
    channels = (512, 1024, 512, 256, 256, 256, 256)
    assert shapes == [
        (c, side, side) for c, side in zip(channels, (64, 32, 16, 8, 6, 4, 1), strict=True)
    ]
    # The first map is scaled pixel by pixel: what every channel adds up to is the scale, squared.
    np.testing.assert_allclose((maps["0"] ** 2).sum(1).numpy(), 400, rtol=1e-4)
