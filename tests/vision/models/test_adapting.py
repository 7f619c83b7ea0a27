"""Classifiers for other classes and channels, feature maps, and vision transformers of any size."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_vision import models
from triptych_vision.models import adapt_input, create_model, get_classifier, reset_classifier


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v2", "densenet121"])
def test_new_classes_keep_the_features(name: str) -> None:
    model = create_model(name).eval()
    x = tp.randn(1, 3, 64, 64)
    reset_classifier(model, 7)
    logits, layer = model(x), get_classifier(model)
    assert logits.shape == (1, 7)
    features = reset_classifier(model, 0)(x)
    if name != "squeezenet1_1":  # its last layer is a convolution before pooling
        np.testing.assert_allclose(
            layer(features).detach().numpy(), logits.detach().numpy(), rtol=1e-4, atol=1e-5
        )
    with pytest.raises(DomainError, match="no last layer"):
        get_classifier(model)


def test_grey_images_give_what_three_equal_channels_gave() -> None:
    model, x = create_model("resnet18").eval(), tp.randn(1, 1, 64, 64)
    wanted = model(x.expand(-1, 3, -1, -1)).detach().numpy()
    np.testing.assert_allclose(
        adapt_input(model, 1)(x).detach().numpy(), wanted, rtol=1e-3, atol=1e-4
    )


def test_six_channels_are_the_filters_twice_at_half() -> None:
    model = create_model("resnet18")
    before = model.conv1.weight.detach().numpy().copy()
    after = adapt_input(model, 6).conv1.weight.detach().numpy()
    np.testing.assert_allclose(after, np.concatenate([before, before], 1) / 2, rtol=1e-6)


def test_maps_are_those_of_the_stages() -> None:
    maps = create_model("resnet18", features_only=True, out_indices=(1, -1)).eval()
    assert (maps.paths, maps.reductions) == (["layer1", "layer4"], [4, 32])
    with pytest.raises(IndexError, match="has 5 maps"):
        create_model("resnet18", features_only=True, out_indices=(5,))


def test_vision_transformers_have_no_maps() -> None:
    model = models.VisionTransformer(224, 112, 1, 2, 8, 16)
    with pytest.raises(DomainError, match="no maps of several sizes"):
        models.FeatureMaps(model)


def test_vision_transformer_of_any_size() -> None:
    config = {"image_size": 32, "patch_size": 16, "num_layers": 1, "num_heads": 2}
    fixed = models.VisionTransformer(**config, hidden_dim=8, mlp_dim=16).eval()
    free = models.VisionTransformer(**config, hidden_dim=8, mlp_dim=16, dynamic_img_size=True)
    free.load_state_dict(fixed.state_dict())
    x = tp.randn(1, 3, 32, 32)
    np.testing.assert_array_equal(free.eval()(x).detach().numpy(), fixed(x).detach().numpy())
    assert free(tp.zeros(2, 3, 48, 80)).shape == (2, 1000)
    with pytest.raises(ShapeError, match="multiples of 16"):
        free(tp.zeros(1, 3, 40, 32))


def test_unet_learns_through_all_maps() -> None:
    model = models.segmentation.unet("resnet18", num_classes=2, in_chans=1)
    out = model(tp.randn(2, 1, 64, 96))["out"]
    assert out.shape == (2, 2, 64, 96)
    out.square().mean().backward()
    lacking = [n for n, p in model.named_parameters() if p.grad is None and ".fc." not in n]
    assert not lacking
