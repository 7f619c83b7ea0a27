"""Models and weights by name."""

import pytest

import triptych_vision
from triptych import nn
from triptych.errors import UnknownNameError
from triptych_vision import models
from triptych_vision.models import MobileNet_V2_Weights, MobileNetV2
from triptych_vision.models._registry import MODELS


@pytest.fixture
def two_models():  # type: ignore[no-untyped-def]
    """Two more models for the time of a test."""

    @models.register_model()
    def test_net_a(weights: None = None, width: int = 2) -> nn.Module:
        """A tiny model."""
        return nn.Linear(width, 1)

    models.register_model("test_net_b")(lambda: nn.Linear(3, 1))
    yield
    for name in ("test_net_a", "test_net_b"):
        del MODELS._entries[name]


@pytest.mark.usefixtures("two_models")
def test_list_models() -> None:
    assert models.list_models("test_net*") == ["test_net_a", "test_net_b"]
    assert models.list_models(include=["test*_a", "mobilenet_v2"]) == ["mobilenet_v2", "test_net_a"]
    assert models.list_models("test*", exclude="*_b") == ["test_net_a"]
    everything = models.list_models()
    assert everything == sorted(everything)
    assert "mobilenet_v2" in models.list_models(module=models)
    assert "test_net_a" not in models.list_models(module=triptych_vision.models)


@pytest.mark.usefixtures("two_models")
def test_get_model() -> None:
    assert models.get_model("test_net_a", width=5).in_features == 5
    assert isinstance(models.get_model("MobileNet_V2", num_classes=2), MobileNetV2)
    assert models.get_model_builder("mobilenet_v2") is models.mobilenet_v2
    with pytest.raises(UnknownNameError, match="did you mean mobilenet_v2"):
        models.get_model("mobilenet_2")
    with pytest.raises(ValueError, match="registered already"):
        models.register_model("mobilenet_v2")(lambda: nn.Linear(1, 1))


@pytest.mark.usefixtures("two_models")
def test_get_model_weights() -> None:
    assert models.get_model_weights("mobilenet_v2") is MobileNet_V2_Weights
    assert models.get_model_weights(models.mobilenet_v2) is MobileNet_V2_Weights
    with pytest.raises(ValueError, match="has no argument weights"):
        models.get_model_weights("test_net_a")


def test_get_weight() -> None:
    member = MobileNet_V2_Weights.IMAGENET1K_V1
    assert models.get_weight("MobileNet_V2_Weights.IMAGENET1K_V1") is member
    assert models.get_weight("MobileNet_V2_Weights.DEFAULT") is MobileNet_V2_Weights.DEFAULT
    with pytest.raises(UnknownNameError, match="valid names are IMAGENET1K_V1"):
        models.get_weight("MobileNet_V2_Weights.V9")
    with pytest.raises(UnknownNameError, match=r"one of .*MobileNet_V2_Weights"):
        models.get_weight("Nothing_Weights.DEFAULT")
