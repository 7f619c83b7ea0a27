"""Published weights: every row belongs to a member, and says what users rely on."""

import csv
import math
import os
from pathlib import Path

import pytest

from triptych_vision import models
from triptych_vision.models import get_model_weights, get_weight, list_models
from triptych_vision.models.published import BASE, _rows
from triptych_vision.weights import WeightsEnum

ROOT = Path(__file__).parents[3]
CATALOG = Path(os.environ.get("TRIPTYCH_CATALOG", ROOT.parent / "shared" / "catalog"))

MEMBERS = {
    f"{kind.__name__}.{member.name}": member
    for kind in {get_model_weights(name) for name in list_models()}
    for member in kind
}


def test_every_row_has_a_member_and_every_member_a_row() -> None:
    shipped = {name for name, member in MEMBERS.items() if not member.url.startswith(BASE)}
    assert set(_rows()) == set(MEMBERS) - shipped


@pytest.mark.parametrize("name", sorted(_rows()))
def test_member_is_well_formed(name: str) -> None:
    member = MEMBERS[name]
    meta = member.meta
    assert get_weight(name) is member
    assert len(member.sha256) == 64 or (len(member.sha256) >= 8 and member.sha256 in member.url)
    assert meta["num_params"] > 0 and meta["recipe"].startswith("https://")
    assert all(side >= 1 for side in meta["min_size"]) and len(meta["min_size"]) == 2
    assert meta["_ops"] > 0
    # four bytes for each parameter, and buffers besides; two in a few older files
    assert meta["_file_size"] * 2**20 > 1.99 * meta["num_params"]
    for metrics in meta["_metrics"].values():
        assert all(0 < value < 100 or math.isnan(value) for value in metrics.values())
    assert member.weights.licence in {"BSD-3-Clause", "CC-BY-NC-4.0"}
    assert ("SWAG" in name) == (member.weights.licence == "CC-BY-NC-4.0")


def test_presets_are_those_the_weights_were_measured_with() -> None:
    resize = {
        "ResNet50_Weights.IMAGENET1K_V1": (224, 256, "bilinear"),
        "ResNet50_Weights.IMAGENET1K_V2": (224, 232, "bilinear"),
        "EfficientNet_B7_Weights.DEFAULT": (600, 600, "bicubic"),
        "Inception_V3_Weights.DEFAULT": (299, 342, "bilinear"),
        "Swin_V2_B_Weights.DEFAULT": (256, 272, "bicubic"),
        "ViT_H_14_Weights.IMAGENET1K_SWAG_E2E_V1": (518, 518, "bicubic"),
    }
    for name, (crop, size, mode) in resize.items():
        preset = get_weight(name).transforms()
        assert (preset.crop_size, preset.resize_size) == ([crop], [size]), name
        assert preset.interpolation.value == mode, name


def test_default_members_are_torchvisions() -> None:
    assert get_weight("ResNet50_Weights.DEFAULT").name == "IMAGENET1K_V2"
    assert get_weight("ViT_B_16_Weights.DEFAULT").name == "IMAGENET1K_V1"
    assert get_weight("MobileNet_V2_Weights.DEFAULT").name == "IMAGENET1K_V2"
    assert get_weight("Raft_Large_Weights.DEFAULT").name == "C_T_SKHT_V2"
    assert all(get_model_weights(name).__name__ in dir(models) for name in ("resnet18", "vit_h_14"))


def test_sizes_that_weights_need_are_theirs() -> None:
    weights = models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1
    with pytest.raises(ValueError, match="image_size=384, image_size is 224"):
        models.vit_b_16(weights=weights, image_size=224)
    with pytest.raises(ValueError, match="has num_classes=1000, num_classes is 10"):
        models.resnet50(weights="DEFAULT", num_classes=10)
    assert isinstance(models.VGG16_Weights.IMAGENET1K_FEATURES, WeightsEnum)
    assert models.VGG16_Weights.IMAGENET1K_FEATURES.meta["categories"] is None


@pytest.mark.skipif(
    not (CATALOG / "checkpoint_urls.tsv").exists(),
    reason=f"no list of addresses in {CATALOG}; set TRIPTYCH_CATALOG to its folder",
)
def test_addresses_are_in_the_list() -> None:
    with open(CATALOG / "checkpoint_urls.tsv", encoding="utf-8", newline="") as stream:
        listed = {row["name"]: row for row in csv.DictReader(stream, delimiter="\t")}
    for name in _rows():
        row, member = listed[name], MEMBERS[name]
        assert member.url == row["url"], name
        assert int(row["params"] or member.meta["num_params"]) == member.meta["num_params"], name
        if row["sha256_or_prefix"]:
            assert member.sha256.startswith(row["sha256_or_prefix"][:8]), name
