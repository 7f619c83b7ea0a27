"""Flow as colours, compared with a naive twin of the published colour wheel."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.utils import flow_to_image


def wheel() -> list[tuple[int, int, int]]:
    """Red to yellow to green to cyan to blue to magenta to red, in 15, 6, 4, 11, 13, 6 steps."""
    up = [[255 * i // n for i in range(n)] for n in (15, 6, 4, 11, 13, 6)]
    return [
        *((255, v, 0) for v in up[0]),
        *((255 - v, 255, 0) for v in up[1]),
        *((0, 255, v) for v in up[2]),
        *((0, 255 - v, 255) for v in up[3]),
        *((v, 0, 255) for v in up[4]),
        *((255, 0, 255 - v) for v in up[5]),
    ]


def naive(u: float, v: float, longest: float) -> list[int]:
    colors = wheel()
    place = (math.atan2(-v, -u) / math.pi + 1) / 2 * (len(colors) - 1)
    before = math.floor(place)
    after = (before + 1) % len(colors)
    length = math.hypot(u, v) / longest
    hue = [
        (1 - place + before) * a / 255 + (place - before) * b / 255
        for a, b in zip(colors[before], colors[after], strict=True)
    ]
    return [math.floor(255 * (1 - length * (1 - part))) for part in hue]


def test_equals_the_naive_one() -> None:
    flow = np.random.default_rng(0).normal(0, 5, (2, 2, 6, 7)).astype(np.float32)
    longest = float(np.hypot(flow[:, 0], flow[:, 1]).max())
    got = flow_to_image(tp.from_numpy(flow)).numpy()
    for n, y, x in np.ndindex(2, 6, 7):
        want = naive(float(flow[n, 0, y, x]), float(flow[n, 1, y, x]), longest)
        assert np.abs(got[n, :, y, x].astype(int) - want).max() <= 1


def test_one_flow_and_what_does_not_fit() -> None:
    assert flow_to_image(tp.zeros(2, 3, 4)).tolist() == tp.full((3, 3, 4), 255).tolist()
    with pytest.raises(ShapeError, match=r"\(2, h, w\)"):
        flow_to_image(tp.zeros(3, 3, 4))
    with pytest.raises(DTypeError, match="float32"):
        flow_to_image(tp.zeros(2, 3, 4, dtype=tp.float64))
