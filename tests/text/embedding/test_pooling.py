import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, UnknownNameError
from triptych_text.embedding import Pooling
from triptych_text.embedding.pooling import FLAGS, MODES

HIDDEN = np.random.default_rng(0).standard_normal((3, 5, 4))
MASKS = {
    "right": np.array([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]]),
    "left": np.array([[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]]),
}
# Each takes the vectors of one text's own tokens, (count, d).
TWINS = {
    "cls": lambda x: x[0],
    "max": lambda x: x.max(0),
    "mean": lambda x: x.mean(0),
    "mean_sqrt_len": lambda x: x.sum(0) / np.sqrt(len(x)),
    "lasttoken": lambda x: x[-1],
}


@pytest.mark.parametrize("side", MASKS)
@pytest.mark.parametrize("mode", TWINS)
def test_modes(mode, side):
    mask = MASKS[side]
    got = Pooling([mode])(tp.tensor(HIDDEN), tp.tensor(mask)).numpy()
    for row, own, real in zip(got, HIDDEN, mask, strict=True):
        np.testing.assert_allclose(row, TWINS[mode](own[real == 1]), rtol=1e-12)


def test_rising_weights():
    got = Pooling(["weightedmean"])(tp.tensor(HIDDEN), tp.tensor(MASKS["right"])).numpy()
    expected = (HIDDEN[0, 0] + 2 * HIDDEN[0, 1] + 3 * HIDDEN[0, 2]) / 6
    np.testing.assert_allclose(got[0], expected, rtol=1e-12)
    assert set(MODES) == {*TWINS, "weightedmean"}


@pytest.mark.parametrize("mode", MODES)
def test_no_mask_is_a_mask_of_ones(mode):
    x = tp.tensor(HIDDEN)
    bare, ones = Pooling([mode])(x), Pooling([mode])(x, tp.ones(3, 5, dtype=tp.int64))
    np.testing.assert_allclose(bare.numpy(), ones.numpy(), rtol=1e-12)


def test_several_side_by_side():
    pool = Pooling.from_dict(
        {
            "word_embedding_dimension": 4,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_cls_token": True,
            "pooling_mode_max_tokens": False,
        }
    )
    assert pool.modes == ("cls", "mean")
    got = pool(tp.tensor(HIDDEN)).numpy()
    assert got.shape == (3, 8)
    np.testing.assert_allclose(got[:, :4], HIDDEN[:, 0])
    np.testing.assert_allclose(got[:, 4:], HIDDEN.mean(1), rtol=1e-12)


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_of_the_file(flag):
    assert len(Pooling.from_dict({flag: True}).modes) == 1


def test_a_text_of_nothing_is_finite():
    got = Pooling(["mean"])(tp.tensor(HIDDEN), tp.zeros(3, 5, dtype=tp.int64))
    assert got.abs().sum().item() == 0


def test_refuses():
    with pytest.raises(UnknownNameError, match="median"):
        Pooling(["median"])
    with pytest.raises(UnknownNameError, match="one or more"):
        Pooling([])
    with pytest.raises(FileFormatError, match="pooling_mode_new"):
        Pooling.from_dict({"pooling_mode_new": True})
    with pytest.raises(FileFormatError, match="none"):
        Pooling.from_dict({"pooling_mode_mean_tokens": False})
