"""Segmenters: their outputs, their options, and weights that decide some of them."""

import pytest

import triptych as tp
from triptych import nn
from triptych_vision.models import get_model_weights, segmentation
from triptych_vision.models.segmentation.deeplabv3 import ASPPPooling
from triptych_vision.models.segmentation.segmenter import Segmenter


def built(name: str, **config: object) -> nn.Module:
    with nn.init.skipped():
        return getattr(segmentation, name)(weights_backbone=None, **config).eval()


@pytest.mark.parametrize(
    ("name", "aux"),
    [
        ("fcn_resnet50", True),
        ("deeplabv3_resnet50", None),
        ("deeplabv3_mobilenet_v3_large", True),
        ("lraspp_mobilenet_v3_large", None),
    ],
)
def test_scores_have_the_images_size(name: str, aux: bool | None) -> None:
    model = built(name, num_classes=4, aux_loss=aux)
    with tp.no_grad():
        out = model(tp.zeros(1, 3, 40, 48))
    assert list(out) == (["out", "aux"] if aux else ["out"])
    assert all(tuple(scores.shape) == (1, 4, 40, 48) for scores in out.values())


def test_default_is_pascals_classes() -> None:
    assert built("lraspp_mobilenet_v3_large").classifier.low_classifier.out_channels == 21


def test_frame_classifies_and_enlarges() -> None:
    class Halves(nn.Module):
        def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
            return {"out": x[:, :, ::2, ::2], "aux": x[:, :, ::4, ::4]}

    model = Segmenter(Halves(), nn.Identity(), nn.Conv2d(3, 1, 1))
    out = model(tp.full((1, 3, 8, 8), 2.0))
    assert out["out"].tolist() == tp.full((1, 3, 8, 8), 2.0).tolist()
    assert tuple(out["aux"].shape) == (1, 1, 8, 8)


def test_pooled_branch_is_the_same_everywhere() -> None:
    pooled = ASPPPooling(3, 2).eval()(tp.randn(2, 3, 4, 5))
    assert tuple(pooled.shape) == (2, 2, 4, 5)
    assert float(pooled.std((2, 3)).max()) < 1e-6


def test_options_that_contradict_the_weights() -> None:
    with pytest.raises(ValueError, match="has num_classes=21, num_classes is 5"):
        segmentation.fcn_resnet50(weights="DEFAULT", num_classes=5)
    with pytest.raises(ValueError, match="has aux_loss=True, aux_loss is False"):
        segmentation.fcn_resnet50(weights="DEFAULT", aux_loss=False)
    with pytest.raises(ValueError, match="no second classifier"):
        segmentation.lraspp_mobilenet_v3_large(aux_loss=True)


def test_weights_know_their_classes_and_preset() -> None:
    weights = get_model_weights("fcn_resnet50").DEFAULT
    assert weights.meta["categories"][15] == "person"
    assert weights.transforms()(tp.zeros(3, 260, 300, dtype=tp.uint8)).shape == (3, 520, 600)
