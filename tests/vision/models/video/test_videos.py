"""Classifiers of videos: pooling attention against a twin, factorised convolutions, presets."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych_vision.models import video
from triptych_vision.models.video.mvit import MViT, Pool, relative_scores
from triptych_vision.models.video.resnet import BasicBlock, BasicStem, Bottleneck, Conv2Plus1D


@pytest.mark.parametrize("name", ["mvit_v1_b", "mvit_v2_s"])
def test_other_sizes_of_videos(name: str) -> None:
    with nn.init.skipped():
        model = getattr(video, name)(num_classes=3, spatial_size=(64, 64), temporal_size=4).eval()
    with tp.no_grad():
        assert model(tp.zeros(2, 3, 4, 64, 64)).shape == (2, 3)


def test_distances_add_to_the_scores() -> None:
    rng = np.random.default_rng(0)
    q_thw, k_thw = (2, 4, 2), (2, 2, 2)
    q = rng.standard_normal((1, 2, 16, 3)).astype(np.float32)
    tables = [rng.standard_normal((2 * n - 1, 3)).astype(np.float32) for n in q_thw]
    got = relative_scores(tp.tensor(q), q_thw, k_thw, [tp.tensor(t) for t in tables]).numpy()
    wanted = np.zeros((1, 2, 16, 8))
    for i, place in enumerate(np.ndindex(*q_thw)):
        for j, other in enumerate(np.ndindex(*k_thw)):
            for axis in range(3):
                stretch = q_thw[axis] // k_thw[axis]  # keys are coarser
                # the last key is at distance zero from the first query of the table's middle row
                row = place[axis] - (other[axis] + 1 - k_thw[axis]) * stretch
                wanted[0, :, i, j] += q[0, :, i] @ tables[axis][int(row)]
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_pooling_leaves_the_class_token_alone() -> None:
    pool = Pool(nn.MaxPool3d((1, 2, 2), stride=(1, 2, 2)), None)
    x = tp.arange(1 + 2 * 4).reshape(1, 9, 1).float()
    out, size = pool(x, (1, 2, 4))
    assert size == (1, 1, 2)
    assert out[0, :, 0].tolist() == [0.0, 6.0, 8.0]


def test_blocks_start_as_the_identity_when_asked() -> None:
    for block in (BasicBlock, Bottleneck):
        make = [Conv2Plus1D] * 4
        model = video.VideoResNet(block, make, [2, 1, 1, 1], BasicStem, zero_init_residual=True)
        x = tp.rand(1, 64 * block.expansion, 2, 3, 3)
        np.testing.assert_array_equal(model.eval().layer1[1](x).detach().numpy(), x.numpy())


def test_empty_settings_are_refused() -> None:
    with pytest.raises(ShapeError, match="block_setting is empty"):
        MViT((8, 8), 2, [], False, False, False, False)


def test_presets_put_channels_first() -> None:
    weights = video.R3D_18_Weights.DEFAULT
    assert weights.meta["categories"][0] == "abseiling"
    clip = weights.transforms()(tp.zeros(4, 3, 140, 180, dtype=tp.uint8))
    assert clip.shape == (3, 4, 112, 112)
