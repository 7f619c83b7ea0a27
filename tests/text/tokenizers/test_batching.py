import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.errors import ShapeError
from triptych_text.tokenizers.batching import padded_length, to_batch

ROWS = st.lists(st.lists(st.integers(1, 50), max_size=6), min_size=1, max_size=5)


@given(ROWS, st.booleans(), st.integers(0, 3))
def test_arrays_and_lists_against_a_loop(rows, left, extra):
    length = max(map(len, rows)) + extra
    types = [[1] * len(row) for row in rows]
    expected = {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    for row in rows:
        pads = length - len(row)
        for name, values, fill in (
            ("input_ids", row, -5),
            ("token_type_ids", [1] * len(row), 3),
            ("attention_mask", [1] * len(row), 0),
        ):
            expected[name].append([fill] * pads + values if left else values + [fill] * pads)
    arrays = to_batch(rows, types, length, (-5, 3, left), "np")
    assert {name: a.tolist() for name, a in arrays.items()} == expected
    assert all(a.dtype == np.int64 and a.shape == (len(rows), length) for a in arrays.values())
    assert to_batch(rows, types, length, (-5, 3, left), None) == expected
    tensors = to_batch(rows, types, length, (-5, 3, left), "tp")
    assert {name: t.tolist() for name, t in tensors.items()} == expected


def test_without_padding():
    assert to_batch([[1], [2]], [[0], [0]], None, (0, 0, False), "np")["input_ids"].shape == (2, 1)
    lists = to_batch([[1], [2, 3]], [[0], [0, 0]], None, (0, 0, False), None)
    assert lists["attention_mask"] == [[1], [1, 1]]
    with pytest.raises(ShapeError, match=r'rows of 1 to 2 tokens.*padding="longest"'):
        to_batch([[1], [2, 3]], [[0], [0, 0]], None, (0, 0, False), "tp")


def test_unknown_kind_of_tensors():
    with pytest.raises(ValueError, match="'pt'"):
        to_batch([[1]], [[0]], None, (0, 0, False), "pt")


@pytest.mark.parametrize(
    ("padding", "max_length", "default", "expected"),
    [
        (None, None, None, None),
        (False, 9, None, None),
        (True, 9, None, 5),
        ("longest", None, None, 5),
        (7, None, None, 7),
        (2, None, None, 5),
        ("max_length", 8, 6, 8),
        ("max_length", None, 6, 6),
    ],
)
def test_padded_length(padding, max_length, default, expected):
    assert padded_length(padding, [3, 5], max_length, default) == expected


@pytest.mark.parametrize("padding", ["max_length", "short", -1, 1.5])
def test_padded_length_refuses(padding):
    with pytest.raises(ValueError, match="padding is None"):
        padded_length(padding, [3], None, None)
