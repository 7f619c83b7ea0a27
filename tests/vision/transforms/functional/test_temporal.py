"""Frames of films."""

import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F


@pytest.mark.parametrize(
    ("count", "want"), [(1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (5, [0, 2, 4, 6, 9])]
)
def test_places(count: int, want: list[int]) -> None:
    film = tv_tensors.Video(tp.arange(10).reshape(10, 1, 1, 1).expand(2, 10, 1, 1, 1))
    out = F.uniform_temporal_subsample(film, count)
    assert type(out) is tv_tensors.Video
    assert out[1].flatten().tolist() == want
    assert F.get_num_frames(out) == count


def test_more_than_there_are_and_too_few_axes() -> None:
    film = tp.arange(2).reshape(2, 1, 1, 1)
    assert F.uniform_temporal_subsample(film, 4).flatten().tolist() == [0, 0, 0, 1]
    for call in (F.get_num_frames, lambda x: F.uniform_temporal_subsample(x, 1)):
        with pytest.raises(ShapeError, match="t, c, h, w"):
            call(tp.zeros(3, 4, 4))
