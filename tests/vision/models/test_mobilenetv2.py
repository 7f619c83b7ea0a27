"""MobileNetV2: names, shapes, sizes and the block, compared with plain functions."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError, UnknownNameError
from triptych.nn import functional as F
from triptych_vision.models import MobileNet_V2_Weights, MobileNetV2, mobilenet_v2
from triptych_vision.models.mobilenetv2 import InvertedResidual, make_divisible


@pytest.fixture(scope="module")
def small() -> MobileNetV2:
    """A quarter of the width, five classes."""
    tp.manual_seed(0)
    return MobileNetV2(num_classes=5, width_mult=0.25).eval()


def test_names_and_shapes_are_torchvisions() -> None:
    state = mobilenet_v2().state_dict()
    assert len(state) == 314
    shapes = {
        "features.0.0.weight": (32, 3, 3, 3),
        "features.0.1.running_mean": (32,),
        "features.1.conv.0.0.weight": (32, 1, 3, 3),  # no widening in the first block
        "features.1.conv.1.weight": (16, 32, 1, 1),
        "features.1.conv.2.num_batches_tracked": (),
        "features.2.conv.0.0.weight": (96, 16, 1, 1),
        "features.2.conv.1.0.weight": (96, 1, 3, 3),
        "features.17.conv.3.bias": (320,),
        "features.18.0.weight": (1280, 320, 1, 1),
        "classifier.1.weight": (1000, 1280),
        "classifier.1.bias": (1000,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_number_of_parameters_is_the_published_one() -> None:
    count = sum(p.numel() for p in mobilenet_v2().parameters())
    assert count == MobileNet_V2_Weights.DEFAULT.meta["num_params"] == 3_504_872


def test_logits_and_strides(small: MobileNetV2) -> None:
    x = tp.randn(2, 3, 64, 96, generator=tp.Generator().manual_seed(0))
    with tp.no_grad():
        assert small(x).shape == (2, 5)
        assert small.features(x).shape == (2, 1280, 2, 3)
        alone = tp.stack([small(x[i : i + 1])[0] for i in range(2)])
    np.testing.assert_allclose(small(x).detach().numpy(), alone.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("stride", "oup", "residual"), [(1, 4, True), (2, 4, False), (1, 6, False)]
)
def test_block_equals_plain_functions(stride: int, oup: int, residual: bool) -> None:
    tp.manual_seed(1)
    block = InvertedResidual(4, oup, stride, expand_ratio=3).eval()
    widen, filtered, narrow, last_norm = block.conv
    x = tp.randn(2, 4, 9, 8)

    def norm(layer: nn.Module, y: tp.Tensor) -> tp.Tensor:
        return F.batch_norm(y, layer.running_mean, layer.running_var, layer.weight, layer.bias)

    y = norm(widen[1], F.conv2d(x, widen[0].weight)).clamp(0, 6)
    y = norm(filtered[1], F.conv2d(y, filtered[0].weight, stride=stride, padding=1, groups=12))
    y = norm(last_norm, F.conv2d(y.clamp(0, 6), narrow.weight))
    want = x + y if residual else y
    np.testing.assert_allclose(block(x).detach().numpy(), want.detach().numpy(), atol=1e-6)


def test_training_step_lowers_the_loss() -> None:
    tp.manual_seed(0)
    setting = [[1, 8, 1, 1], [2, 8, 2, 2]]
    model = MobileNetV2(3, 0.25, setting, dropout=0.0)
    x, labels = tp.randn(6, 3, 16, 16), tp.tensor([0, 1, 2, 0, 1, 2])
    losses = []
    for _ in range(12):
        loss = F.cross_entropy(model(x), labels)
        losses.append(loss.item())
        model.zero_grad()
        loss.backward()
        assert all(p.grad is not None for p in model.parameters())
        with tp.no_grad():
            for p in model.parameters():
                p -= 0.05 * p.grad
    assert losses[-1] < 0.5 * losses[0]


def test_options() -> None:
    model = MobileNetV2(
        num_classes=7,
        inverted_residual_setting=[(1, 20, 1, 2)],
        round_nearest=4,
        norm_layer=lambda c: nn.GroupNorm(2, c),
        dropout=0.5,
    )
    assert model.features[1].out_channels == 20
    assert isinstance(model.features[0][1], nn.GroupNorm)
    assert model.classifier[0].p == 0.5
    assert MobileNetV2(width_mult=1.4).last_channel == 1792
    assert MobileNetV2(width_mult=0.5).last_channel == 1280


@pytest.mark.parametrize(
    ("channels", "expected"), [(32, 32), (44.8, 48), (3.2, 8), (11.3, 16), (33.6, 32)]
)
def test_make_divisible(channels: float, expected: int) -> None:
    assert make_divisible(channels, 8) == expected


def test_wrong_arguments_say_what_is_wanted() -> None:
    with pytest.raises(ShapeError, match="expansion, channels, blocks, stride"):
        MobileNetV2(inverted_residual_setting=[[1, 2, 3]])
    with pytest.raises(ValueError, match="stride is 1 or 2"):
        InvertedResidual(4, 4, 3, 1)
    with pytest.raises(UnknownNameError, match="valid names are IMAGENET1K_V1, IMAGENET1K_V2"):
        mobilenet_v2(weights="IMAGENET1K_V7")
    with pytest.raises(ValueError, match="has num_classes=1000, num_classes is 10"):
        mobilenet_v2(weights="DEFAULT", num_classes=10)


def test_initial_values() -> None:
    tp.manual_seed(0)
    model = mobilenet_v2()
    weight = model.features[18][0].weight  # 1 x 1 from 320 to 1,280 channels
    assert abs(float(weight.std()) / (2 / 1280) ** 0.5 - 1) < 0.02
    assert abs(float(model.classifier[1].weight.std()) / 0.01 - 1) < 0.02
    assert not model.classifier[1].bias.any()
