"""The other classifiers: published sizes, torchvision's names, shapes and special options."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError
from triptych_vision import models
from triptych_vision.models import ResNet, SqueezeNet, get_model, get_model_weights, list_models
from triptych_vision.models.resnet import BasicBlock, Bottleneck

# name: parameters as published with torchvision's weights, entries of the state dict
PUBLISHED = {
    "alexnet": (61_100_840, 16),
    "convnext_base": (88_591_464, 344),
    "convnext_large": (197_767_336, 344),
    "convnext_small": (50_223_688, 344),
    "convnext_tiny": (28_589_128, 182),
    "deeplabv3_mobilenet_v3_large": (11_025_477, 352),
    "deeplabv3_resnet101": (58_630_997, 668),
    "deeplabv3_resnet50": (39_638_869, 362),
    "densenet121": (7_978_856, 727),
    "densenet161": (28_681_000, 967),
    "densenet169": (14_149_480, 1015),
    "densenet201": (20_013_928, 1207),
    "efficientnet_b0": (5_288_548, 360),
    "efficientnet_b1": (7_794_184, 508),
    "efficientnet_b2": (9_109_994, 508),
    "efficientnet_b3": (12_233_232, 574),
    "efficientnet_b4": (19_341_616, 706),
    "efficientnet_b5": (30_389_784, 854),
    "efficientnet_b6": (43_040_704, 986),
    "efficientnet_b7": (66_347_960, 1200),
    "efficientnet_v2_l": (118_515_272, 1548),
    "efficientnet_v2_m": (54_139_356, 1120),
    "efficientnet_v2_s": (21_458_488, 782),
    "fcn_resnet101": (51_949_141, 632),
    "fcn_resnet50": (32_957_013, 326),
    "googlenet": (13_004_888, 364),
    "inception_v3": (27_161_264, 580),
    "lraspp_mobilenet_v3_large": (3_221_538, 319),
    "maxvit_t": (30_919_624, 582),
    "mc3_18": (11_695_440, 122),
    "mnasnet0_5": (2_218_512, 314),
    "mnasnet0_75": (3_170_208, 314),
    "mnasnet1_0": (4_383_312, 314),
    "mnasnet1_3": (6_282_256, 314),
    "mobilenet_v2": (3_504_872, 314),
    "mobilenet_v3_large": (5_483_032, 312),
    "mobilenet_v3_small": (2_542_856, 244),
    "mvit_v1_b": (36_610_672, 313),
    "mvit_v2_s": (34_537_744, 397),
    "r2plus1d_18": (31_505_325, 224),
    "r3d_18": (33_371_472, 122),
    "raft_large": (5_257_536, 169),
    "raft_small": (990_162, 106),
    "regnet_x_16gf": (54_278_536, 428),
    "regnet_x_1_6gf": (9_190_136, 356),
    "regnet_x_32gf": (107_811_560, 446),
    "regnet_x_3_2gf": (15_296_552, 482),
    "regnet_x_400mf": (5_495_976, 428),
    "regnet_x_800mf": (7_259_656, 320),
    "regnet_x_8gf": (39_572_648, 446),
    "regnet_y_128gf": (644_812_894, 626),
    "regnet_y_16gf": (83_590_140, 428),
    "regnet_y_1_6gf": (11_202_430, 626),
    "regnet_y_32gf": (145_046_770, 472),
    "regnet_y_3_2gf": (19_436_338, 494),
    "regnet_y_400mf": (4_344_144, 384),
    "regnet_y_800mf": (6_432_512, 340),
    "regnet_y_8gf": (39_381_472, 406),
    "resnet101": (44_549_160, 626),
    "resnet152": (60_192_808, 932),
    "resnet18": (11_689_512, 122),
    "resnet34": (21_797_672, 218),
    "resnet50": (25_557_032, 320),
    "resnext101_32x8d": (88_791_336, 626),
    "resnext101_64x4d": (83_455_272, 626),
    "resnext50_32x4d": (25_028_904, 320),
    "s3d": (8_320_048, 464),
    "shufflenet_v2_x0_5": (1_366_792, 338),
    "shufflenet_v2_x1_0": (2_278_604, 338),
    "shufflenet_v2_x1_5": (3_503_624, 338),
    "shufflenet_v2_x2_0": (7_393_996, 338),
    "squeezenet1_0": (1_248_424, 52),
    "squeezenet1_1": (1_235_496, 52),
    "swin3d_b": (88_048_984, 353),
    "swin3d_s": (49_816_678, 353),
    "swin3d_t": (28_158_070, 185),
    "swin_b": (87_768_224, 353),
    "swin_s": (49_606_258, 353),
    "swin_t": (28_288_354, 185),
    "swin_v2_b": (87_930_848, 449),
    "swin_v2_s": (49_737_442, 449),
    "swin_v2_t": (28_351_570, 233),
    "vgg11": (132_863_336, 22),
    "vgg11_bn": (132_868_840, 62),
    "vgg13": (133_047_848, 26),
    "vgg13_bn": (133_053_736, 76),
    "vgg16": (138_357_544, 32),
    "vgg16_bn": (138_365_992, 97),
    "vgg19": (143_667_240, 38),
    "vgg19_bn": (143_678_248, 118),
    "vit_b_16": (86_567_656, 152),
    "vit_b_32": (88_224_232, 152),
    "vit_h_14": (632_045_800, 392),
    "vit_l_16": (304_326_632, 296),
    "vit_l_32": (306_535_400, 296),
    "wide_resnet101_2": (126_886_696, 626),
    "wide_resnet50_2": (68_883_240, 320),
    # image towers of OpenAI's CLIP; backbones of DINOv2
    "clip_vit_b_32": (87_849_216, 152),
    "dinov2_vits14": (22_056_576, 175),
    "dinov2_vits14_reg": (22_058_112, 176),
}
LARGE = 30_000_000  # parameters; building such a model takes a second and more

LAST_WEIGHTS = {
    "alexnet": ("classifier.6.weight", (1000, 4096)),
    "convnext_tiny": ("features.7.2.layer_scale", (768, 1, 1)),
    "densenet121": ("features.denseblock4.denselayer16.conv2.weight", (32, 128, 3, 3)),
    "efficientnet_b0": ("features.7.0.block.2.fc1.weight", (48, 1152, 1, 1)),
    "efficientnet_v2_s": ("features.3.3.block.0.0.weight", (256, 64, 3, 3)),
    "googlenet": ("aux2.fc1.weight", (1024, 2048)),
    "inception_v3": ("AuxLogits.conv1.conv.weight", (768, 128, 5, 5)),
    "maxvit_t": (
        "blocks.3.layers.1.layers.grid_attention.attn_layer.1.relative_position_bias_table",
        (169, 16),
    ),
    "mnasnet0_5": ("layers.13.0.layers.6.weight", (160, 576, 1, 1)),
    "mobilenet_v3_small": ("features.11.block.2.fc2.weight", (576, 144, 1, 1)),
    "regnet_y_400mf": ("trunk_output.block4.block4-5.f.se.fc1.bias", (110,)),
    "resnet18": ("layer4.1.conv2.weight", (512, 512, 3, 3)),
    "resnet50": ("layer4.0.downsample.0.weight", (2048, 1024, 1, 1)),
    "resnext50_32x4d": ("layer1.0.conv2.weight", (128, 4, 3, 3)),
    "shufflenet_v2_x0_5": ("stage4.3.branch2.6.bias", (96,)),
    "squeezenet1_0": ("features.12.expand3x3.weight", (256, 64, 3, 3)),
    "squeezenet1_1": ("features.12.squeeze.weight", (64, 512, 1, 1)),
    "swin_t": ("features.7.1.attn.relative_position_bias_table", (169, 24)),
    "swin_v2_t": ("features.7.1.attn.cpb_mlp.2.weight", (24, 512)),
    "vgg11": ("features.18.weight", (512, 512, 3, 3)),
    "vgg16_bn": ("features.41.running_var", (512,)),
    "vit_b_16": ("encoder.layers.encoder_layer_11.mlp.3.weight", (768, 3072)),
    "wide_resnet50_2": ("layer1.0.conv2.weight", (128, 128, 3, 3)),
}


SEGMENTERS = ("deeplabv3", "fcn", "lraspp")


def built(name: str, **config: object) -> nn.Module:
    if name.startswith(SEGMENTERS):
        config["weights_backbone"] = None
    with nn.init.skipped():  # the numbers do not matter, and there are many
        return get_model(name, **config)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if PUBLISHED[name][0] > LARGE else [])
        for name in PUBLISHED
    ],
)
def test_size_and_names_are_the_published_ones(name: str) -> None:
    model = built(name)
    state = model.state_dict()
    count = sum(p.numel() for p in model.parameters())
    assert (count, len(state)) == PUBLISHED[name]
    if name in LAST_WEIGHTS:
        key, shape = LAST_WEIGHTS[name]
        assert tuple(state[key].shape) == shape


def test_every_model_is_in_the_table() -> None:
    beyond = ["clip*", "dinov2*", "fashion*"]
    others = list_models(module=models.detection)
    assert set(list_models(exclude=[*beyond, *others])) == {
        name for name in PUBLISHED if not name.startswith(("clip", "dinov2"))
    }


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("alexnet", (3, 64, 64)),
        ("densenet121", (3, 32, 40)),
        ("efficientnet_b0", (3, 32, 40)),
        ("efficientnet_v2_s", (3, 33, 40)),
        ("googlenet", (3, 32, 32)),
        ("inception_v3", (3, 75, 80)),
        ("convnext_tiny", (3, 32, 40)),
        ("mnasnet0_5", (3, 32, 40)),
        ("mobilenet_v3_large", (3, 32, 40)),
        ("mobilenet_v3_small", (3, 32, 40)),
        ("regnet_x_400mf", (3, 32, 40)),
        ("regnet_y_400mf", (3, 32, 40)),
        ("resnet18", (3, 40, 40)),
        ("resnet50", (3, 33, 33)),
        ("resnext50_32x4d", (3, 32, 32)),
        ("shufflenet_v2_x1_0", (3, 32, 40)),
        ("squeezenet1_0", (3, 40, 40)),
        ("squeezenet1_1", (3, 40, 40)),
        ("swin_t", (3, 36, 40)),
        ("swin_v2_t", (3, 36, 40)),
        ("vgg11_bn", (3, 32, 32)),
        ("r3d_18", (3, 4, 16, 16)),
        ("mc3_18", (3, 4, 16, 16)),
        ("r2plus1d_18", (3, 4, 16, 16)),
        ("swin3d_t", (3, 4, 32, 40)),
    ],
)
def test_logits_have_the_asked_shape(name: str, shape: tuple[int, ...]) -> None:
    model = built(name, num_classes=7).eval()
    with tp.no_grad():
        assert model(tp.zeros(2, *shape)).shape == (2, 7)


def test_builders_without_registered_weights_say_so() -> None:
    assert list(get_model_weights("dinov2_vits14")) == []
    with pytest.raises(UnknownNameError, match="no file is registered; load one of yours"):
        built("dinov2_vits14", weights="DEFAULT")


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
