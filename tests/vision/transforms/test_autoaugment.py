"""Policies and the changes they name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F
from triptych_vision.transforms import policies

Pixels = Callable[..., np.ndarray]
KINDS = [T.AutoAugment, T.RandAugment, T.TrivialAugmentWide, T.AugMix]
SPACES = {
    "AUTOAUGMENT": (14, 10),
    "RANDAUGMENT": (14, 31),
    "TRIVIALAUGMENT": (14, 31),
    "AUGMIX": (13, 10),
}


@pytest.mark.parametrize("policy", T.AutoAugmentPolicy)
def test_policies_are_whole(policy: T.AutoAugmentPolicy) -> None:
    pairs = policies.POLICIES[policy]
    assert len(pairs) == 25
    for change in (change for pair in pairs for change in pair):
        strengths = policies.AUTOAUGMENT[change.name]
        assert (strengths.steps is None) is (change.strength is None)
        assert 0 <= change.probability <= 1
        assert change.strength is None or 0 <= change.strength < 10


@pytest.mark.parametrize("name", sorted(SPACES))
def test_strengths_run_from_nothing_up(name: str) -> None:
    space, (count, bins) = getattr(policies, name), SPACES[name]
    assert len(space) == count
    neutral = {"Posterize": 4 if name == "AUGMIX" else 8, "Solarize": 1}
    for change, strengths in space.items():
        if strengths.steps is not None:
            values = strengths.steps(bins, 331, 331)
            assert len(values) == bins
            assert values[0] == neutral.get(change, 0)
            assert strengths.signed is (change not in neutral)
            assert (np.diff(values) * (1 if strengths.signed else -1) >= 0).all()
    if name == "AUTOAUGMENT":
        assert space["TranslateX"].steps(10, 7, 331)[-1] == 150
        assert space["Posterize"].steps(10, 1, 1).tolist() == [8, 8, 7, 7, 6, 6, 5, 5, 4, 4]


def test_each_change_is_its_function(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 12, 14))
    turned = T.RandAugment(interpolation="bilinear", fill=9)
    for step, want in (
        (("Identity", 0.0), x),
        (("Brightness", 0.5), F.adjust_brightness(x, 1.5)),
        (("Color", -0.5), F.adjust_saturation(x, 0.5)),
        (("Contrast", 0.5), F.adjust_contrast(x, 1.5)),
        (("Sharpness", -0.5), F.adjust_sharpness(x, 0.5)),
        (("Posterize", 4.0), F.posterize(x, 4)),
        (("Solarize", 0.5), F.solarize(x, 127.5)),
        (("AutoContrast", 0.0), F.autocontrast(x)),
        (("Equalize", 0.0), F.equalize(x)),
        (("Invert", 0.0), F.invert(x)),
        (("Rotate", 20.0), F.rotate(x, 20.0, "bilinear", fill=9)),
    ):
        assert np.array_equal(turned.stepped(x, [step]).numpy(), want.numpy()), step
    moved = turned.stepped(x, [("TranslateX", -3.9), ("TranslateY", 2.0)]).numpy()
    assert np.array_equal(moved[:, 2:, :-3], x.numpy()[:, :-2, 3:])
    assert (moved[:, :2] == 9).all()
    sheared = turned.stepped(x, [("ShearX", 1.0)]).numpy()
    assert np.array_equal(np.diagonal(sheared, axis1=1, axis2=2)[:, 3], sheared[:, 3, 3])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image(kind: Any, pixels: Pixels) -> None:
    hwc = pixels(14, 16, 3)
    chw = tp.from_numpy(hwc.transpose(2, 0, 1).copy())
    transform = kind(generator=tp.Generator().manual_seed(0))
    for image in (Image.fromarray(hwc), hwc, chw, tv_tensors.Video(tp.stack([chw, chw]))):
        outs = [transform((image, 3)) for _ in range(8)]
        assert all(type(out) is type(image) and label == 3 for out, label in outs)
        assert all(np.asarray(out).shape == np.asarray(image).shape for out, _ in outs)
        assert len({np.asarray(out).tobytes() for out, _ in outs}) > 1
    apart = kind(per_sample=True)(tp.stack([chw] * 8)).numpy()
    assert len({part.tobytes() for part in apart}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_only_one_image_and_nothing_that_must_fit(kind: Any) -> None:
    image, mask = tv_tensors.Image(tp.zeros(3, 4, 4)), tv_tensors.Mask(tp.zeros(4, 4))
    with pytest.raises(DTypeError, match="got Mask, which would no longer fit"):
        kind()((image, mask))
    with pytest.raises(DTypeError, match="one image or film in the sample, got 2"):
        kind()((image, image))
    with pytest.raises(DTypeError, match="got 0"):
        kind()(("a", 3))


def test_augmix_shares_and_depth(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 8, 8))
    mix = T.AugMix(mixture_width=4, chain_depth=2)
    params = mix.make_params([x])
    assert params["own"] + sum(params["shares"]) == pytest.approx(1)
    assert [len(chain) for chain in params["chains"]] == [2] * 4
    params = {"own": 0.25, "shares": [0.75], "chains": [[("Invert", 0.0)]]}
    want = np.floor(0.25 * x.numpy() + 0.75 * (255 - x.numpy()))
    assert np.abs(mix.transform(x, params).numpy() - want).max() <= 1
    names = {
        name
        for _ in range(100)
        for chain in T.AugMix(all_ops=False).make_params([x])["chains"]
        for name, _ in chain
    }
    assert names == set(policies.AUGMIX) - {"Brightness", "Color", "Contrast", "Sharpness"}


def test_fills_by_type(pixels: Pixels) -> None:
    fill = {Image.Image: 5, "others": 7}
    out = T.RandAugment(fill=fill).stepped(Image.new("L", (8, 8)), [("TranslateX", 4.0)])
    assert out.getpixel((0, 0)) == 5
    moved = T.RandAugment(fill=fill).stepped(tp.zeros(1, 8, 8), [("TranslateX", 4.0)])
    assert moved[0, 0, 0].item() == 7


def test_wrong_arguments() -> None:
    for make, text in (
        (lambda: T.RandAugment(num_ops=-1), "num_ops"),
        (lambda: T.RandAugment(magnitude=31), "from 0 to 30"),
        (lambda: T.AugMix(severity=11), "severity"),
        (lambda: T.AugMix(alpha=0.0)(tp.zeros(3, 4, 4)), "alpha"),
    ):
        with pytest.raises(ValueError, match=text):
            make()
