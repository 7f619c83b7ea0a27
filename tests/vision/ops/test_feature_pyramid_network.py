"""Feature pyramids."""

import numpy as np
import pytest

import triptych as tp
from triptych.nn import functional as F
from triptych_vision.ops import (
    FeaturePyramidNetwork,
    LastLevelMaxPool,
    LastLevelP6P7,
)


def maps() -> dict[str, tp.Tensor]:
    return {"a": tp.rand(1, 2, 9, 7), "b": tp.rand(1, 3, 5, 4), "c": tp.rand(1, 4, 3, 2)}


def test_coarse_maps_are_added_to_fine_ones() -> None:
    fpn, x = FeaturePyramidNetwork([2, 3, 4], 6), maps()
    out = fpn(x)
    assert {k: tuple(v.shape) for k, v in out.items()} == {
        "a": (1, 6, 9, 7),
        "b": (1, 6, 5, 4),
        "c": (1, 6, 3, 2),
    }
    coarse = fpn.inner_blocks[2](x["c"])
    middle = fpn.inner_blocks[1](x["b"]) + F.interpolate(coarse, (5, 4))
    np.testing.assert_allclose(
        out["b"].detach().numpy(), fpn.layer_blocks[1](middle).detach().numpy(), rtol=1e-5
    )


def test_extra_levels() -> None:
    pool = FeaturePyramidNetwork([2, 3, 4], 6, LastLevelMaxPool())(maps())
    assert list(pool) == ["a", "b", "c", "pool"]
    np.testing.assert_array_equal(
        pool["pool"].detach().numpy(), pool["c"].detach().numpy()[:, :, ::2, ::2]
    )
    p67 = FeaturePyramidNetwork([2, 3, 4], 6, LastLevelP6P7(4, 6))
    assert list(p67(maps())) == ["a", "b", "c", "p6", "p7"]
    assert not p67.extra_blocks.use_P5
    assert LastLevelP6P7(6, 6).use_P5


def test_older_names_load() -> None:
    fpn = FeaturePyramidNetwork([2, 3], 4)
    new = fpn.state_dict()
    old = {
        name.replace(".0.weight", ".weight").replace(".0.bias", ".bias"): v + 1
        for name, v in new.items()
    }
    assert set(old) & set(new) == set()
    fpn.load_state_dict(old)
    for name, value in fpn.state_dict().items():
        short = name.replace(".0.weight", ".weight").replace(".0.bias", ".bias")
        np.testing.assert_array_equal(value.numpy(), old[short].numpy())


def test_errors() -> None:
    with pytest.raises(ValueError, match="every map has channels"):
        FeaturePyramidNetwork([2, 0], 4)
    with pytest.raises(TypeError, match="extra_blocks is an ExtraFPNBlock"):
        FeaturePyramidNetwork([2], 4, extra_blocks=max)  # type: ignore[arg-type]
