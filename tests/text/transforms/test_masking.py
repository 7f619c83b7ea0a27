import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_text.transforms import MaskTransform

BOS, PAD, MASK = 6, 5, 4


def made(**kwargs):
    generator = tp.Generator().manual_seed(3)
    kwargs = {"mask_prob": 0.5, "generator": generator, **kwargs}
    return MaskTransform(100, MASK, BOS, PAD, **kwargs)


def test_shares():
    tokens = tp.full((400, 40), 50)
    masked, targets, mask = made(mask_prob=0.25)(tokens)
    assert mask.dtype == tokens.dtype
    assert mask.sum(dim=1).tolist() == [10] * 400  # int(40 * 0.25) in every row
    assert targets.tolist() == [50] * 4000
    assert masked[mask == 0].tolist() == [50] * 12000
    chosen = masked[mask == 1]
    assert float((chosen == MASK).float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float((chosen == 50).float().mean()) == pytest.approx(0.1, abs=0.03)


def test_bos_and_padding_are_left_alone():
    tokens = tp.tensor([[BOS, 1, 2, 3, PAD, PAD]] * 50)
    masked, targets, mask = made(mask_prob=1.0)(tokens)
    assert mask.tolist() == [[0, 1, 1, 1, 0, 0]] * 50
    assert targets.tolist() == [1, 2, 3] * 50
    assert masked[:, 4].tolist() == [PAD] * 50
    assert made(mask_prob=1.0, mask_bos=True)(tokens)[2][:, 0].tolist() == [1] * 50


def test_places_differ_between_rows_and_follow_the_generator():
    tokens = tp.full((20, 20), 50)
    first, again = made()(tokens)[2], made()(tokens)[2]
    assert first.tolist() == again.tolist()
    assert len({tuple(row) for row in first.tolist()}) > 15


def test_at_least_one():
    mask = made(mask_prob=0.0)(tp.full((2, 3), 50))[2]
    assert mask.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_errors():
    with pytest.raises(DomainError, match="mask_prob"):
        made(mask_prob=1.5)
    for ids in (tp.tensor([1, 2]), tp.zeros(0, 5, dtype=tp.int64), tp.zeros(3, 0, dtype=tp.int64)):
        with pytest.raises(ShapeError, match=r"MaskTransform.*at least one"):
            made()(ids)
    with pytest.raises(DTypeError, match="whole numbers"):
        made()(tp.zeros(2, 2))
