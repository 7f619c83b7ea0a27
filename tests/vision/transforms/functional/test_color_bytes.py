"""The fast kernels of bytes beside their plain twins, over more pixels than fit in one piece."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.functional import adjusting, color_bytes

Pixels = Callable[..., np.ndarray]
TWINS = {
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "sharpness": F.adjust_sharpness,
}


@pytest.mark.parametrize("name", sorted(TWINS))
@pytest.mark.parametrize("shape", [(3, 190, 200), (2, 3, 11, 12)])
def test_twins_agree(
    name: str, shape: tuple[int, ...], pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = tp.from_numpy(pixels(*shape))
    fast = getattr(color_bytes, name)(x, 0.3).numpy().astype(int)
    monkeypatch.setattr(adjusting, "on_bytes", lambda x: False)
    plain = TWINS[name](x, 0.3).numpy()
    assert plain.dtype == np.uint8
    assert np.abs(fast - plain).max() <= 1
    assert (fast != plain).mean() < 0.01  # float32 sums in another order, cut off


def test_grey_twin(pixels: Pixels) -> None:
    array = pixels(2, 3, 190, 200)
    plain = F.rgb_to_grayscale(tp.from_numpy(array.astype(np.int32))).numpy()
    fast = color_bytes.grey(tp.from_numpy(array)).numpy()
    assert fast.shape == plain.shape == (2, 1, 190, 200)
    assert (fast != plain).mean() < 1e-3
