"""Matrices and their inverses undo each other; projections take the corners where they should."""

import numpy as np
import pytest

from triptych_vision.transforms.matrices import (
    affine_matrix,
    affine_output_size,
    inverse_affine_matrix,
    inverse_perspective,
    perspective_coefficients,
)

CASES = [
    ((0, 0), 0, (0, 0), 1, (0, 0)),
    ((3, 4), 30, (0, 0), 1, (0, 0)),
    ((3, 4), -75, (5, -6), 0.4, (20, 0)),
    ((-1, 2), 200, (1, 1), 3.0, (-15, 40)),
]


def square(matrix: list[float]) -> np.ndarray:
    return np.vstack([np.reshape(matrix, (2, 3)), [0, 0, 1]])


@pytest.mark.parametrize("case", CASES)
def test_inverse(case: tuple) -> None:
    product = square(affine_matrix(*case)) @ square(inverse_affine_matrix(*case))
    np.testing.assert_allclose(product, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_steps_one_after_the_other(case: tuple) -> None:
    (cx, cy), angle, (tx, ty), scale, shear = case
    turn, sx, sy = np.deg2rad([angle, *shear])
    move = np.array([[1, 0, tx + cx], [0, 1, ty + cy], [0, 0, 1]])
    back = np.array([[1, 0, -cx], [0, 1, -cy], [0, 0, 1]])
    rotate = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    shears = np.array([[1, 0, 0], [-np.tan(sy), 1, 0], [0, 0, 1]]) @ np.array(
        [[1, -np.tan(sx), 0], [0, 1, 0], [0, 0, 1]]
    )
    want = move @ rotate @ np.diag([scale, scale, 1]) @ shears @ back
    np.testing.assert_allclose(square(affine_matrix(*case)), want, atol=1e-12)


def test_output_size() -> None:
    turned = inverse_affine_matrix((0, 0), 90, (0, 0), 1, (0, 0))
    assert affine_output_size(turned, 30, 20) == (20, 30)
    half = inverse_affine_matrix((0, 0), 45, (0, 0), 1, (0, 0))
    assert affine_output_size(half, 10, 10) == (16, 16)  # 14.14 about the middle of two pixels


def test_projections() -> None:
    start, end = [[0, 0], [9, 0], [9, 7], [0, 7]], [[1, 1], [8, 2], [7, 7], [2, 5]]
    numbers = perspective_coefficients(start, end)
    back = np.array([*numbers, 1.0]).reshape(3, 3)
    for (x, y), target in zip(end, start, strict=True):
        u, v, w = back @ (x, y, 1)
        np.testing.assert_allclose((u / w, v / w), target, atol=1e-5)
    matrix = inverse_perspective(numbers) @ back
    np.testing.assert_allclose(matrix / matrix[2, 2], np.eye(3), atol=1e-6)
    with pytest.raises(ValueError, match="squeeze the image into a line"):
        inverse_perspective([1, 1, 0, 1, 1, 0, 0, 0])
