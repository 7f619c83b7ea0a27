"""Masks as runs, against masks themselves."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, ShapeError
from triptych_vision import ops


def masks(count: int = 5) -> tp.Tensor:
    """Random ones, of long runs and short, one full and one empty."""
    draw = np.random.default_rng(0)
    rows = draw.random((count, 40, 30)) < draw.random((count, 1, 30))
    rows[0, :, :25], rows[1], rows[2] = True, False, True
    return tp.from_numpy(rows.astype(np.uint8))


@pytest.mark.parametrize("compress", [False, True])
def test_there_and_back(compress: bool) -> None:
    x = masks()
    packed = ops.mask_to_rle(x, compress)
    assert ops.rle_to_mask(packed).equal(x)
    assert isinstance(packed[3]["counts"], str if compress else list)
    assert [ops.rle_area(one) for one in packed] == x.flatten(1).sum(1).tolist()
    assert ops.mask_to_rle(x[3], compress) == packed[3]


def test_runs_by_hand() -> None:
    assert ops.mask_to_rle(tp.ones(2, 3)) == {"size": [2, 3], "counts": [0, 6]}
    assert ops.mask_to_rle(tp.zeros(2, 3)) == {"size": [2, 3], "counts": [6]}
    # 35 needs two characters: 3 and the sign that more follows, then 1
    assert ops.mask_to_rle(tp.zeros(7, 5), compress=True)["counts"] == "S1"


def test_overlap_is_that_of_the_masks() -> None:
    x = masks()
    flat = x.numpy().reshape(5, -1).astype(bool)
    wanted = [[(a & b).sum() / max((a | b).sum(), 1) for b in flat[2:]] for a in flat]
    runs = ops.mask_to_rle(x)
    assert np.allclose(ops.rle_iou(runs, runs[2:]).numpy(), wanted)
    assert ops.rle_iou(runs[1:2], runs[1:2]).tolist() == [[0.0]]


def test_what_is_refused() -> None:
    for wrong in (
        {"size": [2, 2], "counts": [1]},
        {"counts": [1]},
        {"size": [1, 1], "counts": "~"},
    ):
        with pytest.raises(FileFormatError):
            ops.rle_to_mask(wrong)
    with pytest.raises(ShapeError, match="one size"):
        ops.rle_iou([{"size": [1, 2], "counts": [2]}], [{"size": [2, 1], "counts": [2]}])
    with pytest.raises(ShapeError, match="h, w"):
        ops.mask_to_rle(tp.zeros(3))
