"""Mixed batches: images by hand, labels by shares."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

IMAGES = tp.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 8, 10).contiguous()
LABELS = tp.tensor([0, 1, 2, 1])
SOFT = np.eye(3)[[0, 1, 2, 1]]


@pytest.mark.parametrize("per_sample", [False, True])
def test_mixup(per_sample: bool) -> None:
    images, labels = T.MixUp(num_classes=3, per_sample=per_sample)(IMAGES, LABELS)
    x, y = images.numpy(), labels.numpy()
    own, before = IMAGES.numpy()[:, 0, 0, 0], np.roll(IMAGES.numpy()[:, 0, 0, 0], 1)
    shares = (x[:, 0, 0, 0] - before) / (own - before)
    np.testing.assert_allclose(
        x, (shares * own + (1 - shares) * before)[:, None, None, None] + 0 * x, rtol=1e-5
    )
    want = shares[:, None] * SOFT + (1 - shares)[:, None] * np.roll(SOFT, 1, 0)
    np.testing.assert_allclose(y, want, atol=1e-5)
    assert (len(np.unique(shares.round(4))) > 1) is per_sample
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize("per_sample", [False, True])
def test_cutmix(per_sample: bool) -> None:
    tp.manual_seed(1)
    images, labels = T.CutMix(num_classes=3, per_sample=per_sample)(IMAGES, LABELS)
    own = images.numpy()[:, 0] == IMAGES.numpy()[:, 0]
    assert ((images.numpy()[:, 0] == np.roll(IMAGES.numpy()[:, 0], 1, 0)) | own).all()
    share = own.mean((-2, -1))[:, None]
    np.testing.assert_allclose(labels, share * SOFT + (1 - share) * np.roll(SOFT, 1, 0), atol=1e-6)
    assert (len({part.tobytes() for part in own}) > 1) is per_sample
    for part in own:
        rows, columns = np.flatnonzero((~part).any(1)), np.flatnonzero((~part).any(0))
        assert (~part).sum() == len(rows) * len(columns)


@pytest.mark.parametrize("kind", [T.MixUp, T.CutMix])
def test_samples_of_every_form(kind: Any) -> None:
    mix = kind(num_classes=3)
    for sample, find in (
        ((IMAGES, LABELS), lambda out: out),
        (
            {"image": IMAGES, "Labels": LABELS, "name": "x"},
            lambda out: (out["image"], out["Labels"]),
        ),
        ((IMAGES, {"my_label": LABELS}), lambda out: (out[0], out[1]["my_label"])),
        ((IMAGES.numpy().transpose(0, 2, 3, 1), LABELS.numpy()), lambda out: out),
        ((tv_tensors.Image(IMAGES), LABELS), lambda out: out),
        ((tv_tensors.Video(IMAGES[:, None]), LABELS), lambda out: out),
    ):
        images, labels = find(mix(sample))
        assert labels.shape == (4, 3)
        assert np.asarray(labels).dtype == np.float32
        first = next(iter(sample.values())) if isinstance(sample, dict) else sample[0]
        assert type(images) is type(first)
        assert images.shape == first.shape
    by_hand = kind(labels_getter=lambda sample: sample[2])
    images, other, labels = by_hand(IMAGES, 5, tp.from_numpy(SOFT))
    assert other == 5
    np.testing.assert_allclose(labels.numpy().sum(1), 1)


def test_shares_follow_the_beta_distribution() -> None:
    mix = T.MixUp(alpha=0.4, num_classes=3, generator=tp.Generator().manual_seed(0))
    shares = np.array([mix.make_params([])["lam"] for _ in range(1500)])
    assert abs(shares.mean() - 0.5) < 0.03
    assert abs(shares.var() - 1 / (4 * (2 * 0.4 + 1))) < 0.01


def test_refusals() -> None:
    mix = T.MixUp(num_classes=3)
    for sample, error, text in (
        ((Image.new("RGB", (2, 2)), LABELS), DTypeError, "got Image"),
        ((tv_tensors.Mask(IMAGES), LABELS), DTypeError, "got Mask"),
        ((IMAGES[0], LABELS), ShapeError, "batch of 4 axes"),
        ((IMAGES[:2], LABELS), ShapeError, "as many samples"),
        ((IMAGES, LABELS[None, None]), ShapeError, "class numbers"),
        ((IMAGES, tp.zeros(4, 5)), ShapeError, "3 classes"),
        ((IMAGES, [0, 1]), ValueError, "found no labels"),
    ):
        with pytest.raises(error, match=text):
            mix(*sample)
    with pytest.raises(ValueError, match="num_classes="):
        T.CutMix()(IMAGES, LABELS)
    with pytest.raises(ValueError, match="alpha is above zero"):
        T.CutMix(alpha=0.0)
