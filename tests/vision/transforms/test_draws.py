"""Random shares."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.transforms.draws import dirichlet


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 4.0])
def test_moments(alpha: float) -> None:
    generator = tp.Generator().manual_seed(2)
    shares = np.array([dirichlet(alpha, 3, generator) for _ in range(800)])
    np.testing.assert_allclose(shares.sum(1), 1)
    assert np.abs(shares.mean(0) - 1 / 3).max() < 0.05
    assert np.abs(shares.var(0) - (2 / 9) / (3 * alpha + 1)).max() < 0.03


def test_alpha_is_checked() -> None:
    with pytest.raises(ValueError, match="above zero"):
        dirichlet(0.0, 2)
