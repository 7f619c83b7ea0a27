"""Filter matrices, compared with a loop over pixels."""

import math

import numpy as np
import pytest

from triptych_vision.transforms.filters import filter_blocks, filter_matrix, nearest_index
from triptych_vision.transforms.interpolation import InterpolationMode

FILTERED = [m for m in InterpolationMode if not m.value.startswith("nearest")]


def naive_triangle(num_in: int, num_out: int) -> np.ndarray:
    """Antialiased bilinear, one weight at a time."""
    scale = num_in / num_out
    stretch = max(scale, 1.0)
    matrix = np.zeros((num_out, num_in))
    for row in range(num_out):
        center = (row + 0.5) * scale
        for column in range(num_in):
            distance = abs(column + 0.5 - center) / stretch
            matrix[row, column] = max(0.0, 1 - distance)
        matrix[row] /= matrix[row].sum()
    return matrix


@pytest.mark.parametrize(("num_in", "num_out"), [(7, 3), (3, 7), (50, 49), (5, 5), (1, 4), (9, 1)])
def test_bilinear_equals_the_loop(num_in: int, num_out: int) -> None:
    got = filter_matrix(num_in, num_out, InterpolationMode.BILINEAR)
    np.testing.assert_allclose(got, naive_triangle(num_in, num_out), atol=1e-12)


@pytest.mark.parametrize("mode", FILTERED)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("num_in", "num_out"), [(300, 31), (31, 300), (97, 96)])
def test_rows_add_up_to_one(
    mode: InterpolationMode, antialias: bool, num_in: int, num_out: int
) -> None:
    matrix = filter_matrix(num_in, num_out, mode, antialias)
    assert matrix.shape == (num_out, num_in)
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-12)


@pytest.mark.parametrize("mode", FILTERED)
@pytest.mark.parametrize("antialias", [True, False])
def test_blocks_hold_the_whole_matrix(mode: InterpolationMode, antialias: bool) -> None:
    num_in, num_out = 400, 130  # several blocks
    whole = np.zeros((num_out, num_in))
    row = 0
    for start, stop, weights in filter_blocks(num_in, num_out, mode, antialias, "float64"):
        whole[row : row + len(weights), start:stop] = weights
        row += len(weights)
    assert row == num_out
    assert np.array_equal(whole, filter_matrix(num_in, num_out, mode, antialias))


@pytest.mark.parametrize("antialias", [True, False])
def test_without_shrinking_bilinear_knows_no_antialiasing(antialias: bool) -> None:
    got = filter_matrix(4, 8, InterpolationMode.BILINEAR, antialias)
    np.testing.assert_allclose(got[1], [0.75, 0.25, 0, 0])
    np.testing.assert_allclose(got[0], [1, 0, 0, 0])


@pytest.mark.parametrize(("num_in", "num_out"), [(10, 3), (3, 10), (64, 64)])
def test_nearest(num_in: int, num_out: int) -> None:
    floor = [math.floor(i * num_in / num_out) for i in range(num_out)]
    centre = [math.floor((i + 0.5) * num_in / num_out) for i in range(num_out)]
    assert nearest_index(num_in, num_out, InterpolationMode.NEAREST).tolist() == floor
    assert nearest_index(num_in, num_out, InterpolationMode.NEAREST_EXACT).tolist() == centre
