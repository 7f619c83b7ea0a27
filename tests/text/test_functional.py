import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_text import functional as F

ROWS = [[1, 2, 3], [4], [5, 6]]


def test_to_tensor():
    one = F.to_tensor([1, 2])
    assert (one.tolist(), one.dtype) == ([1, 2], tp.int64)
    padded = F.to_tensor(ROWS, padding_value=9, dtype=tp.int32)
    assert padded.tolist() == [[1, 2, 3], [4, 9, 9], [5, 6, 9]]
    assert padded.dtype == tp.int32
    assert F.to_tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert F.to_tensor([]).shape == (0,)
    assert F.to_tensor([[], [7]], padding_value=0).tolist() == [[0], [7]]


def test_to_tensor_refuses_ragged_rows():
    with pytest.raises(ShapeError, match=r"rows of 1 to 3 ids.*padding_value"):
        F.to_tensor(ROWS)


@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_truncate(length):
    assert F.truncate(ROWS, length) == [row[:length] for row in ROWS]
    assert F.truncate(("a", "b", "c"), length) == ["a", "b", "c"][:length]


def test_truncate_refuses_negative_lengths():
    with pytest.raises(ValueError, match="-1"):
        F.truncate(ROWS, -1)


def test_add_token():
    assert F.add_token(ROWS, 0) == [[0, 1, 2, 3], [0, 4], [0, 5, 6]]
    assert F.add_token(["a"], "<eos>", begin=False) == ["a", "<eos>"]
    assert ROWS == [[1, 2, 3], [4], [5, 6]]  # the input is untouched


def test_str_to_int():
    assert F.str_to_int(["1", "-2"]) == [1, -2]
    assert F.str_to_int([["10"], []]) == [[10], []]
    with pytest.raises(ValueError, match="x"):
        F.str_to_int(["x"])


@pytest.mark.parametrize("wrong", ["text", 3, None])
def test_input_must_be_a_list(wrong):
    with pytest.raises(DTypeError, match="list of tokens"):
        F.truncate(wrong, 1)


@pytest.mark.parametrize("mixed", [[[1], 2], [1, [2]], [["1"], "2"], ["1", ("2",)]])
@pytest.mark.parametrize(
    "call", [F.to_tensor, F.str_to_int, lambda x: F.truncate(x, 1), lambda x: F.add_token(x, 1)]
)
def test_lists_and_single_elements_do_not_mix(call, mixed):
    with pytest.raises(DTypeError, match="got both in one"):
        call(mixed)


@pytest.mark.parametrize("wrong", [[1.5], ["1"], [None], [[1]]])
def test_to_tensor_takes_whole_numbers_only(wrong):
    with pytest.raises(DTypeError, match="whole numbers"):
        F.to_tensor([wrong, wrong], padding_value=0, dtype=tp.float32)
    assert F.to_tensor([[True, False], [True]], padding_value=0).tolist() == [[1, 0], [1, 0]]


def test_to_tensor_refuses_ragged_lists_inside_a_row():
    with pytest.raises(DTypeError, match="whole numbers"):
        F.to_tensor([[[1], [2, 3]], [[1]]], padding_value=0)


@pytest.mark.parametrize(("row", "token"), [([1, 2], "<eos>"), (["a"], 3), ([["a"], []], 3)])
def test_tokens_and_ids_do_not_mix(row, token):
    with pytest.raises(DTypeError, match=r"add_token.*does not go with"):
        F.add_token(row, token)
