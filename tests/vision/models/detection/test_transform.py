"""Pictures to a batch, and back."""

import numpy as np
import pytest

import triptych as tp
from triptych.nn import functional as F
from triptych_vision.models.detection import GeneralizedRCNNTransform

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


def make(**config: object) -> GeneralizedRCNNTransform:
    return GeneralizedRCNNTransform(
        **{"min_size": 40, "max_size": 64, "image_mean": MEAN, "image_std": STD, **config}
    ).eval()


def test_sizes_and_padding() -> None:
    images = [tp.rand(3, 20, 25), tp.rand(3, 30, 90)]
    batch, targets = make()(images)
    assert targets is None
    assert batch.image_sizes == [(40, 50), (21, 64)]
    assert batch.tensors.shape == (2, 3, 64, 64)
    plain = (images[1] - tp.tensor(MEAN)[:, None, None]) / tp.tensor(STD)[:, None, None]
    wanted = F.interpolate(plain[None], (21, 64), mode="bilinear")[0]
    np.testing.assert_allclose(batch.tensors[1, :, :21].numpy(), wanted.numpy(), atol=1e-5)
    assert batch.tensors[1, :, 21:].abs().sum() == 0


def test_targets_come_along() -> None:
    mask = tp.zeros(1, 20, 25, dtype=tp.uint8)
    mask[0, 5:15, 5:20] = 1
    target = {
        "boxes": tp.tensor([[5.0, 5.0, 20.0, 15.0]]),
        "labels": tp.tensor([1]),
        "masks": mask,
        "keypoints": tp.tensor([[[10.0, 8.0, 2.0]]]),
    }
    _, (new,) = make()([tp.rand(3, 20, 25)], [target])
    assert new["boxes"].tolist() == [[10, 10, 40, 30]]
    assert new["keypoints"].tolist() == [[[20, 16, 2]]]
    assert new["masks"].shape == (1, 40, 50)
    assert int(new["masks"].sum()) == 4 * int(mask.sum())
    assert target["boxes"].tolist() == [[5, 5, 20, 15]]


def test_fixed_size_and_choice() -> None:
    batch, _ = make(fixed_size=(30, 20), size_divisible=1)([tp.rand(3, 50, 50)])
    assert batch.tensors.shape == (1, 3, 20, 30)
    several = make(min_size=(10, 20, 30))
    assert several([tp.rand(3, 40, 40)])[0].image_sizes == [(30, 30)]
    several.train()
    tp.manual_seed(0)
    drawn = {several([tp.rand(3, 40, 40)])[0].image_sizes[0] for _ in range(20)}
    assert drawn == {(10, 10), (20, 20), (30, 30)}


def test_back_to_the_pictures() -> None:
    found = [
        {
            "boxes": tp.tensor([[10.0, 10.0, 40.0, 30.0], [-50.0, -50.0, -20.0, -20.0]]),
            "masks": tp.ones(2, 1, 4, 4),
            "keypoints": tp.tensor([[[20.0, 16.0, 1.0]]] * 2),
        }
    ]
    (out,) = make().postprocess(found, [(40, 50)], [(20, 25)])
    assert out["boxes"][0].tolist() == [5, 5, 20, 15]
    assert out["keypoints"][0].tolist() == [[10, 8, 1]]
    mask = out["masks"][0, 0].numpy()
    assert mask.shape == (20, 25)
    assert mask[7:13, 8:17].min() == 1
    assert mask[:2].max() == mask[:, :1].max() == 0
    assert out["masks"][1].abs().sum() == 0  # outside of the picture


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="unexpected arguments"):
        make(smallest=3)
