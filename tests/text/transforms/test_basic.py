import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, UnknownNameError
from triptych_text import transforms as T
from triptych_text.vocab import Vocab

V = Vocab(["<pad>", "<bos>", "<unk>", "a", "cat"], default_index=2)


def test_every_transform_is_a_module():
    made = [
        T.VocabTransform(V),
        T.ToTensor(),
        T.Truncate(1),
        T.AddToken(1),
        T.PadTransform(1, 0),
        T.StrToIntTransform(),
        T.LabelToIndex(["x"]),
        T.Sequential(),
    ]
    assert {type(transform).__name__ for transform in made} <= set(T.__all__)
    assert all(isinstance(transform, nn.Module) for transform in made)


def test_chain_on_one_and_on_many():
    chain = T.Sequential(
        T.VocabTransform(V), T.Truncate(3), T.AddToken(1), T.AddToken(2, begin=False), T.ToTensor(0)
    )
    assert chain(["a", "cat", "a", "cat"]).tolist() == [1, 3, 4, 3, 2]
    assert chain([["dog"], ["a", "cat"]]).tolist() == [[1, 2, 2, 0], [1, 3, 4, 2]]


def test_pad():
    pad = T.PadTransform(max_length=4, pad_value=7)
    x = tp.tensor([[1, 2], [3, 4]])
    assert pad(x).tolist() == [[1, 2, 7, 7], [3, 4, 7, 7]]
    assert pad(x).dtype == x.dtype
    assert pad(tp.tensor([1, 2, 3, 4, 5])).tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(DTypeError, match="wanted a tensor, got a list"):
        pad([1, 2])


def test_str_to_int():
    assert T.StrToIntTransform()([["1"], ["2", "3"]]) == [[1], [2, 3]]


def test_labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("spam\nham\n", encoding="utf-8")
    for made in (T.LabelToIndex(["spam", "ham"]), T.LabelToIndex(label_path=path)):
        assert made.label_names == ["spam", "ham"]
        assert made("ham") == 1
        assert made(["ham", "spam"]) == [1, 0]
    assert T.LabelToIndex(["spam", "ham"], sort_names=True).label_names == ["ham", "spam"]
    for error in (UnknownNameError, RuntimeError):
        with pytest.raises(error, match="no label 'eggs'; there are 'spam'"):
            T.LabelToIndex(["spam"])("eggs")
    with pytest.raises(DTypeError, match="wanted a list of names"):
        T.LabelToIndex("spam")


def test_labels_of_a_file_are_its_lines(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffone\u2028two\r\n\n three\x0bfour \n".encode())
    assert T.LabelToIndex(label_path=path).label_names == ["one\u2028two", "three\x0bfour"]


@pytest.mark.parametrize("given", [{}, {"label_names": ["a"], "label_path": "x"}])
def test_labels_need_one_source(given):
    with pytest.raises(ValueError, match="either label_names or label_path"):
        T.LabelToIndex(**given)
