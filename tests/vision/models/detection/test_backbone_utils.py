"""Backbones for detectors."""

import pytest

import triptych as tp
from triptych import nn
from triptych_vision.models._utils import IntermediateLayerGetter
from triptych_vision.models.detection.backbone_utils import (
    mobilenet_backbone,
    overwrite_eps,
    resnet_fpn_backbone,
    trainable_layers_of,
)
from triptych_vision.ops import FrozenBatchNorm2d


def test_layers_up_to_the_last_one_that_is_asked_for() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1))
    getter = IntermediateLayerGetter(model, {"1": "a"})
    assert list(getter.state_dict()) == ["0.weight", "0.bias"]
    x = tp.rand(1, 3, 2, 2)
    assert (getter(x)["a"] == model[:2](x)).all()
    with pytest.raises(KeyError, match=r"Sequential has no \['7'\]"):
        IntermediateLayerGetter(model, {"7": "a"})


def test_resnet_with_a_pyramid() -> None:
    backbone = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, trainable_layers=2, returned_layers=[2, 4]
    )
    out = backbone(tp.zeros(1, 3, 64, 64))
    shapes = {"0": (1, 256, 8, 8), "1": (1, 256, 2, 2), "pool": (1, 256, 1, 1)}
    assert {k: tuple(v.shape) for k, v in out.items()} == shapes
    learning = {
        name.split(".")[1]
        for name, parameter in backbone.named_parameters()
        if parameter.requires_grad
    }
    assert learning == {"layer4", "layer3", "inner_blocks", "layer_blocks"}
    frozen = [m for m in backbone.modules() if isinstance(m, FrozenBatchNorm2d)]
    assert len(frozen) == 20
    overwrite_eps(backbone, 0.0)
    assert {m.eps for m in frozen} == {0.0}


@pytest.mark.parametrize("fpn", [False, True])
def test_mobilenet(fpn: bool) -> None:
    backbone = mobilenet_backbone(
        backbone_name="mobilenet_v3_small", weights=None, fpn=fpn, trainable_layers=0
    )
    out = backbone.eval()(tp.zeros(1, 3, 64, 64))
    values = list(out.values()) if fpn else [out]
    assert values[0].shape[1] == backbone.out_channels == 256
    body = backbone.body if fpn else backbone[0]
    assert not any(parameter.requires_grad for parameter in body.parameters())


def test_numbers_of_stages() -> None:
    assert trainable_layers_of(True, None, 5, 3) == 3
    assert trainable_layers_of(True, 0, 5, 3) == 0
    assert trainable_layers_of(False, None, 5, 3) == 5
    with pytest.warns(UserWarning, match="trainable_backbone_layers=2 has no effect"):
        assert trainable_layers_of(False, 2, 5, 3) == 5
    with pytest.raises(ValueError, match="from 0 to 5, got"):
        trainable_layers_of(True, 6, 5, 3)
    with pytest.raises(ValueError, match="returned_layers is from 1 to 4"):
        resnet_fpn_backbone(backbone_name="resnet18", weights=None, returned_layers=[0])
