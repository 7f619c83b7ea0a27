"""The other classifiers: published sizes, torchvision's names, shapes and special options."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError
from triptych_vision.models import ResNet, SqueezeNet, get_model, get_model_weights, list_models
from triptych_vision.models.resnet import BasicBlock, Bottleneck

# name: parameters as published with torchvision's weights, entries of the state dict
PUBLISHED = {
    "alexnet": (61_100_840, 16),
    "resnet18": (11_689_512, 122),
    "resnet34": (21_797_672, 218),
    "resnet50": (25_557_032, 320),
    "resnet101": (44_549_160, 626),
    "resnet152": (60_192_808, 932),
    "resnext50_32x4d": (25_028_904, 320),
    "resnext101_32x8d": (88_791_336, 626),
    "resnext101_64x4d": (83_455_272, 626),
    "squeezenet1_0": (1_248_424, 52),
    "squeezenet1_1": (1_235_496, 52),
    "vgg11": (132_863_336, 22),
    "vgg11_bn": (132_868_840, 62),
    "vgg13": (133_047_848, 26),
    "vgg13_bn": (133_053_736, 76),
    "vgg16": (138_357_544, 32),
    "vgg16_bn": (138_365_992, 97),
    "vgg19": (143_667_240, 38),
    "vgg19_bn": (143_678_248, 118),
    "wide_resnet50_2": (68_883_240, 320),
    "wide_resnet101_2": (126_886_696, 626),
}

LAST_WEIGHTS = {
    "alexnet": ("classifier.6.weight", (1000, 4096)),
    "resnet18": ("layer4.1.conv2.weight", (512, 512, 3, 3)),
    "resnet50": ("layer4.0.downsample.0.weight", (2048, 1024, 1, 1)),
    "resnext50_32x4d": ("layer1.0.conv2.weight", (128, 4, 3, 3)),
    "squeezenet1_0": ("features.12.expand3x3.weight", (256, 64, 3, 3)),
    "squeezenet1_1": ("features.12.squeeze.weight", (64, 512, 1, 1)),
    "vgg11": ("features.18.weight", (512, 512, 3, 3)),
    "vgg16_bn": ("features.41.running_var", (512,)),
    "wide_resnet50_2": ("layer1.0.conv2.weight", (128, 128, 3, 3)),
}


def built(name: str, **config: object) -> nn.Module:
    with nn.init.skipped():  # the numbers do not matter, and there are many
        return get_model(name, **config)


@pytest.mark.parametrize("name", PUBLISHED)
def test_size_and_names_are_the_published_ones(name: str) -> None:
    model = built(name)
    state = model.state_dict()
    count = sum(p.numel() for p in model.parameters())
    assert (count, len(state)) == PUBLISHED[name]
    if name in LAST_WEIGHTS:
        key, shape = LAST_WEIGHTS[name]
        assert tuple(state[key].shape) == shape


def test_every_model_is_in_the_table() -> None:
    assert set(list_models(exclude="mobilenet*")) == set(PUBLISHED)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("alexnet", 64),
        ("resnet18", 40),
        ("resnet50", 33),
        ("resnext50_32x4d", 32),
        ("squeezenet1_0", 40),
        ("squeezenet1_1", 40),
        ("vgg11", 32),
        ("vgg11_bn", 32),
    ],
)
def test_logits_have_the_asked_shape(name: str, size: int) -> None:
    model = built(name, num_classes=7).eval()
    with tp.no_grad():
        assert model(tp.zeros(2, 3, size, size)).shape == (2, 7)


@pytest.mark.parametrize("name", ["resnet18", "vgg16", "alexnet", "squeezenet1_0"])
def test_weights_that_are_not_registered_are_refused(name: str) -> None:
    assert list(get_model_weights(name)) == []
    with pytest.raises(UnknownNameError, match="no file is registered; load one of yours"):
        built(name, weights="DEFAULT")


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_zero_initialised_blocks_are_the_identity(
    block: type[BasicBlock] | type[Bottleneck],
) -> None:
    model = ResNet(block, [2, 1, 1, 1], zero_init_residual=True).eval()
    second = model.layer1[1]
    x = tp.rand(2, 64 * block.expansion, 5, 5)
    assert np.array_equal(second(x).detach().numpy(), x.numpy())


def test_dilation_keeps_the_size() -> None:
    shape = {}
    for name, dilate in (("strided", None), ("dilated", (False, True, True))):
        model = ResNet(Bottleneck, [1, 1, 1, 2], replace_stride_with_dilation=dilate).eval()
        x = tp.zeros(1, 256, 16, 16)
        shape[name] = tuple(model.layer4(model.layer3(model.layer2(x))).shape)
    assert shape == {"strided": (1, 2048, 2, 2), "dilated": (1, 2048, 8, 8)}
    assert model.layer4[1].conv2.dilation == (4, 4)
    assert model.layer4[0].conv2.dilation == (2, 2)


def test_gradients_reach_the_first_layer() -> None:
    tp.manual_seed(0)
    model = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=3)
    model(tp.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert float(model.conv1.weight.grad.abs().sum()) > 0


def test_wrong_arguments_say_what_is_wanted() -> None:
    with pytest.raises(ValueError, match="last three stages"):
        ResNet(BasicBlock, [1, 1, 1, 1], replace_stride_with_dilation=[True])
    with pytest.raises(ValueError, match="use Bottleneck"):
        ResNet(BasicBlock, [1, 1, 1, 1], groups=2)
    with pytest.raises(UnknownNameError, match="1_0 or 1_1"):
        SqueezeNet("2_0")
