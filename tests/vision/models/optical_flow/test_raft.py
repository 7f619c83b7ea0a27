"""RAFT: products of features, their lookup, and enlarging the flow."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych_vision.models.optical_flow import raft_small
from triptych_vision.models.optical_flow.correlation import (
    CorrBlock,
    grid_sample,
    make_coords_grid,
    upsample_flow,
)
from triptych_vision.models.optical_flow.update import RecurrentBlock


def test_grid_is_columns_and_rows() -> None:
    grid = make_coords_grid(2, 3, 4)
    assert grid.shape == (2, 2, 3, 4)
    assert grid[1, :, 2, 3].tolist() == [3.0, 2.0]


def test_whole_places_pick_pixels() -> None:
    image = tp.randn(1, 2, 4, 5)
    places = tp.tensor([[[[3.0, 1.0], [0.0, 2.0]]]])
    picked = grid_sample(image, places, align_corners=True)[0, :, 0].numpy()
    wanted = np.stack([image[0, :, 1, 3].numpy(), image[0, :, 2, 0].numpy()], axis=1)
    np.testing.assert_allclose(picked, wanted, atol=1e-5)


def test_products_around_a_place() -> None:
    rng = np.random.default_rng(0)
    one, two = (rng.standard_normal((1, 6, 4, 4)).astype(np.float32) for _ in range(2))
    block = CorrBlock(num_levels=2, radius=1)
    block.build_pyramid(tp.tensor(one), tp.tensor(two))
    found = block.index_pyramid(make_coords_grid(1, 4, 4)).numpy()
    assert found.shape == (1, block.out_channels, 4, 4) == (1, 18, 4, 4)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            # the first number of the square goes to the columns
            channel = (across + 1) * 3 + down + 1
            product = one[0, :, 2, 1] @ two[0, :, 2 + down, 1 + across] / np.sqrt(6)
            np.testing.assert_allclose(found[0, channel, 2, 1], product, atol=1e-5)


def test_flow_grows_with_the_image() -> None:
    flow = tp.full((1, 2, 3, 4), 2.0)
    np.testing.assert_allclose(upsample_flow(flow).numpy(), np.full((1, 2, 24, 32), 16.0))
    centre = np.full((1, 9, 8, 8, 3, 4), -1e4, np.float32)
    centre[:, 4] = 0  # all weight on the pixel itself
    ramp = tp.arange(24.0).reshape(1, 2, 3, 4)
    fine = upsample_flow(ramp, tp.tensor(centre.reshape(1, 576, 3, 4))).numpy()
    np.testing.assert_allclose(fine, 8 * ramp.numpy().repeat(8, axis=2).repeat(8, axis=3))


def test_wrong_inputs_are_refused() -> None:
    with nn.init.skipped():
        model = raft_small().eval()
    image = tp.zeros(1, 3, 128, 128)
    with pytest.raises(ShapeError, match="multiples of 8"):
        model(tp.zeros(1, 3, 130, 128), tp.zeros(1, 3, 130, 128))
    with pytest.raises(ShapeError, match="one size"):
        model(image, tp.zeros(1, 3, 128, 136))
    with pytest.raises(ShapeError, match="images of 128 pixels or more"):
        model(image[..., :64], image[..., :64])
    with pytest.raises(ShapeError, match="one or two units"):
        RecurrentBlock(input_size=2, hidden_size=2, kernel_size=(3, 3), padding=(1,))


def test_one_flow_for_each_correction() -> None:
    model = raft_small()
    flows = model(tp.rand(1, 3, 128, 128), tp.rand(1, 3, 128, 128), num_flow_updates=2)
    assert [tuple(flow.shape) for flow in flows] == [(1, 2, 128, 128)] * 2
    flows[-1].sum().backward()
    assert model.feature_encoder.conv.weight.grad is not None
