import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_text.tokenizers.arguments import (
    as_ids,
    checked_inputs,
    options_of,
    truncation_limit,
)


def test_truncation_limit():
    assert truncation_limit(False, 9, 0, 5) is None
    assert truncation_limit(True, 9, 2, 5) == (9, 2, "longest_first")
    assert truncation_limit("only_first", None, 0, 5) == (5, 0, "only_first")


def test_inputs_name_the_position_of_what_is_no_text():
    assert checked_inputs(["a", "b"], ["c", "d"]) == [("a", "c"), ("b", "d")]
    with pytest.raises(
        DTypeError, match="texts is a sequence of str, got a NoneType at position 1"
    ):
        checked_inputs(["a", None], None)
    with pytest.raises(DTypeError, match="pairs is a sequence of str, got a float at position 0"):
        checked_inputs(["a"], [float("nan")])
    with pytest.raises(DTypeError, match="got a single NoneType"):
        checked_inputs(None, None)


@pytest.mark.parametrize("ids", [[1, 2], (1, 2), np.array([1, 2]), tp.tensor([1, 2])])
def test_ids(ids):
    assert as_ids(ids) == [1, 2]


@pytest.mark.parametrize("ids", [tp.tensor(3), [1.5], ["a"], tp.tensor([[1]]), [True]])
def test_no_ids(ids):
    with pytest.raises(DTypeError, match="flat list of integers"):
        as_ids(ids)


def test_options():
    nothing = {"pad_token": None, "padding_side": None, "truncation_side": None}
    assert options_of({}) == nothing
    assert "max_length" not in options_of({"model_max_length": int(1e30)})
    read = options_of({"pad_token": "<p>", "padding_side": "left", "model_max_length": 512})
    wanted = {"pad_token": "<p>", "padding_side": "left", "max_length": 512}
    assert read == {**nothing, **wanted}
    assert options_of({"truncation_side": "left"})["truncation_side"] == "left"
