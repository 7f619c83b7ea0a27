"""Transforms by chance: never, always, and about as often as asked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_vision import transforms as T
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
CASES = [
    (T.RandomInvert, (), F.invert),
    (T.RandomPosterize, (3,), F.posterize),
    (T.RandomSolarize, (128,), F.solarize),
    (T.RandomAutocontrast, (), F.autocontrast),
    (T.RandomEqualize, (), F.equalize),
    (T.RandomAdjustSharpness, (0.2,), F.adjust_sharpness),
    (T.RandomGrayscale, (), lambda x: F.rgb_to_grayscale(x, 3)),
]


@pytest.mark.parametrize(("kind", "args", "function"), CASES)
def test_never_and_always(kind: Any, args: Any, function: Any, pixels: Pixels) -> None:
    hwc = pixels(9, 8, 3) // 2 + 30
    for image in (Image.fromarray(hwc), hwc, tp.from_numpy(hwc.transpose(2, 0, 1).copy())):
        assert kind(*args, p=0.0)(image) is image
        out = kind(*args, p=1.0)(image)
        assert type(out) is type(image)
        assert np.array_equal(np.asarray(out), np.asarray(function(image, *args)))


@pytest.mark.parametrize(("kind", "args", "function"), CASES)
def test_each_sample_by_its_own_chance(kind: Any, args: Any, function: Any, pixels: Pixels) -> None:
    batch = tp.from_numpy(pixels(64, 3, 20, 21) // 2 + 30)
    transform = kind(*args, p=0.25, per_sample=True, generator=tp.Generator().manual_seed(1))
    out, changed = transform(batch).numpy(), function(batch, *args).numpy()
    hit = np.array([np.array_equal(a, b) for a, b in zip(out, changed, strict=True)])
    assert 6 <= hit.sum() <= 28
    assert np.array_equal(out[~hit], batch.numpy()[~hit])


def test_probabilities_are_checked() -> None:
    with pytest.raises(ValueError, match="RandomInvert: p is a probability"):
        T.RandomInvert(1.5)
