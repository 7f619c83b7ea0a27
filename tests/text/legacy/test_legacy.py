"""torchtext's first interface on small data."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, FileFormatError, ShapeError, UnknownNameError
from triptych_text.legacy import data
from triptych_text.vocab import Vectors

LINES = ["the cat sat", "a dog", "the dog sat on the cat", "birds"]


def texts(**kwargs):
    field = data.Field(**kwargs)
    label = data.LabelField()
    fields = [("text", field), ("label", label)]
    rows = [data.Example.fromlist([x, y], fields) for x, y in zip(LINES, "abab", strict=True)]
    made = data.Dataset(rows, fields)
    field.build_vocab(made)
    label.build_vocab(made)
    return made, field, label


def test_vocabulary_order():
    made, field, label = texts(init_token="<s>")
    assert field.vocab.itos == [
        "<unk>", "<pad>", "<s>", "the", "cat", "dog", "sat", "a", "birds", "on",
    ]  # fmt: skip
    assert field.vocab.stoi["nobody"] == 0 and "nobody" not in field.vocab.stoi
    assert field.vocab.freqs["the"] == 3
    assert label.vocab.itos == ["a", "b"]
    with pytest.raises(KeyError):
        label.vocab.stoi["c"]
    field.build_vocab(made, max_size=2, specials=["<x>"])
    assert field.vocab.itos == ["<unk>", "<pad>", "<s>", "<x>", "the", "cat"]
    field.build_vocab(made.text, min_freq=3)
    assert field.vocab.itos[-1] == "the"


def test_field_choices():
    _, field, _ = texts(
        init_token="<s>", eos_token="</s>", fix_length=5, batch_first=True, include_lengths=True
    )
    rows = [["the", "cat"], ["the", "dog", "sat", "on"]]
    values, lengths = field.process(rows)
    assert lengths.tolist() == [4, 5]
    assert [field.vocab.lookup_tokens(row) for row in values.tolist()] == [
        ["<s>", "the", "cat", "</s>", "<pad>"],
        ["<s>", "the", "dog", "sat", "</s>"],
    ]
    field.pad_first = field.truncate_first = True
    assert field.pad(rows)[0] == [
        ["<pad>", "<s>", "the", "cat", "</s>"],
        ["<s>", "dog", "sat", "on", "</s>"],
    ]
    with pytest.raises(TypeError, match="pair"):
        field.numericalize([["the"]])
    _, time_first, _ = texts()
    assert tuple(time_first.process(rows).shape) == (4, 2)


def test_preprocessing():
    field = data.Field(lower=True, stop_words={"the"}, preprocessing=lambda x: x[::-1])
    assert field.preprocess("The CAT sat\n") == ["sat", "cat"]
    assert data.Field(sequential=False, lower=True).preprocess("ABC") == "abc"
    numbers = data.Field(sequential=False, use_vocab=False, dtype=tp.float32)
    assert numbers.process(["1.5", 2]).tolist() == [1.5, 2.0]

    def doubled(rows):
        return [[2 * x for x in row] for row in rows]

    rows = data.Field(use_vocab=False, pad_token="0", batch_first=True, postprocessing=doubled)
    assert rows.process([["1", "2"], ["3"]]).tolist() == [[2, 4], [6, 0]]
    raw = data.RawField(preprocessing=str.upper, postprocessing="".join)
    assert raw.process([raw.preprocess("a"), "b"]) == "Ab"
    with pytest.raises(UnknownNameError, match="build_vocab"):
        data.Field().process([["a"]])
    _, field, _ = texts(postprocessing=lambda rows, vocab: [[len(vocab)] * len(r) for r in rows])
    assert field.process([["the"]]).tolist() == [[9]]


def test_vectors(tmp_path):
    (tmp_path / "tiny").write_text("cat 1 2\ndog 3 4\n", encoding="utf-8")
    vectors = Vectors("tiny", cache=tmp_path)
    made, field, _ = texts()
    field.build_vocab(made, vectors=vectors)
    assert field.vocab.vectors.shape == (9, 2)
    assert field.vocab.vectors[field.vocab["dog"]].tolist() == [3, 4]
    field.vocab.load_vectors([vectors, vectors])
    assert field.vocab.vectors[field.vocab["cat"]].tolist() == [1, 2, 1, 2]
    field.vocab.set_vectors({"the": 0}, tp.tensor([[7.0]]), 1, unk_init=lambda x: x - 1)
    assert field.vocab.vectors[field.vocab["the"]].tolist() == [7]
    assert field.vocab.vectors[0].tolist() == [-1]
    (tmp_path / "glove.6B.50d.txt").write_text("cat 1 2\n", encoding="utf-8")
    field.build_vocab(made, vectors="glove.6B.50d", vectors_cache=tmp_path)
    assert field.vocab.vectors[field.vocab["cat"]].tolist() == [1, 2]
    with pytest.raises(UnknownNameError, match="no vectors 'none'"):
        field.build_vocab(made, vectors="none")


def test_nested():
    chars = data.Field(tokenize=list, init_token="<w>")
    field = data.NestedField(chars, init_token="<s>", include_lengths=True)
    rows = [field.preprocess("ab c"), field.preprocess("abc")]
    assert rows[0] == [["a", "b"], ["c"]]
    field.build_vocab(rows)
    assert chars.vocab is field.vocab
    values, lengths, inner = field.process(rows)
    assert tuple(values.shape) == (2, 3, 4)
    assert lengths.tolist() == [3, 2]
    shown = [[field.vocab.lookup_tokens(r) for r in text] for text in values.tolist()]
    assert shown[1] == [
        ["<w>", "<s>", "<pad>", "<pad>"], ["<w>", "a", "b", "c"], ["<pad>"] * 4,
    ]  # fmt: skip
    assert inner.tolist() == [[2, 3, 2], [2, 4, 0]]
    doubled = data.NestedField(chars, postprocessing=lambda x, vocab: [[[1]]])
    doubled.vocab = field.vocab
    assert doubled.process(rows).tolist() == [[[1]]]


def test_examples():
    field = data.Field()
    pairs = {"a.b": ("x", field), "c": [("y", field), ("z", data.RawField())]}
    one = data.Example.fromdict({"a": {"b": "p q"}, "c": "r"}, pairs)
    assert (one.x, one.y, one.z) == (["p", "q"], ["r"], "r")
    many = data.Example.fromJSON('{"a": [{"b": 1}, {"b": 2}]}', {"a.b": ("x", data.RawField())})
    assert many.x == [1, 2]
    row = data.Example.fromCSV('"p, q",r\n', [("x", field), None])
    assert row.x == ["p,", "q"] and not hasattr(row, "y")
    both = data.Example.fromlist(["p q"], [(("x", "y"), (field, data.RawField()))])
    assert (both.x, both.y) == (["p", "q"], "p q")
    with pytest.raises(ValueError, match=r"no key 'a\.z'"):
        data.Example.fromdict({"a": {"b": 1}}, {"a.z": ("x", field)})
    with pytest.raises(ShapeError, match="1 values for 2 fields"):
        data.Example.fromlist(["p"], [("x", field), ("y", field)])
    for wrong in ("{", "[]"):
        with pytest.raises(FileFormatError, match="fromJSON"):
            data.Example.fromJSON(wrong, {})


@pytest.mark.parametrize("kind", ["csv", "TSV", "json"])
def test_tables(tmp_path, kind):
    path = tmp_path / f"train.{kind}"
    rows = [("good, \u00e9\nfine", "pos"), ("bad", "neg")]
    if kind == "json":
        lines = [json.dumps({"text": t, "label": y}) for t, y in rows]
        path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    else:
        mark = "," if kind == "csv" else "\t"
        body = "".join(f'"{t}"{mark}{y}\n' for t, y in rows)
        path.write_text(f"text{mark}label\n{body}\n", encoding="utf-8")
    field, label = data.Field(), data.LabelField()
    by_name = {"label": ("y", label), "text": ("x", field)}
    made = data.TabularDataset(path, kind, by_name)
    assert [(row.x, row.y) for row in made] == [
        (["good,", "\u00e9", "fine"], "pos"),
        (["bad"], "neg"),
    ]
    assert list(made.fields) == ["y", "x"]
    if kind != "json":
        listed = [("x", field), ("y", label)]
        (again,) = data.TabularDataset.splits(
            tmp_path, train=path.name, format=kind, fields=listed, skip_header=True,
            filter_pred=lambda row: row.y == "neg",
        )  # fmt: skip
        assert [row.x for row in again] == [["bad"]]
        with pytest.raises(UnknownNameError, match="no column 'z'"):
            data.TabularDataset(path, kind, {"z": ("z", field)})
    with pytest.raises(ValueError, match="do not skip"):
        data.TabularDataset(path, kind, by_name, skip_header=True)
    with pytest.raises(UnknownNameError, match="no format"):
        data.TabularDataset(path, "xml", by_name)


def numbers(n=100):
    field = data.RawField()
    rows = [data.Example.fromlist([i, i % 4], [("x", field), ("label", field)]) for i in range(n)]
    return data.Dataset(rows, [("x", field), ("label", field)])


def test_dataset():
    made = numbers()
    assert len(made) == 100 and made[3].x == 3 and list(made.x) == list(range(100))
    with pytest.raises(AttributeError, match="no field 'y'"):
        _ = made.y
    tp.manual_seed(0)
    first, last = made.split(0.7)
    assert (len(first), len(last)) == (70, 30)
    assert sorted([*first.x, *last.x]) == list(range(100))
    parts = made.split([6, 1, 3], stratified=True)
    assert [len(part) for part in parts] == [60, 8, 32]  # 15, 2 and 8 of each of four labels
    assert list(parts[0].label).count(0) == 15
    for wrong in (1.5, [1], [1, -1]):
        with pytest.raises(DomainError, match="split"):
            made.split(wrong)
    with pytest.raises(UnknownNameError, match="no field 'z'"):
        made.split(stratified=True, strata_field="z")


def test_filter_examples():
    made, field, _ = texts()
    field.build_vocab(made, min_freq=2)
    made.filter_examples(["text"])
    assert list(made.text) == [
        ["the", "cat", "sat"],
        ["dog"],
        ["the", "dog", "sat", "the", "cat"],
        [],
    ]


def test_batches_by_hand():
    assert list(data.batch(range(5), 2)) == [[0, 1], [2, 3], [4]]

    def total(new, count, size):
        return size + new

    assert list(data.batch([1, 2, 3, 9, 1], 5, total)) == [[1, 2], [3], [9], [1]]
    rows = list(data.pool([5, 1, 4, 2, 3], 2, key=lambda x: x, sort_within_batch=True))
    assert rows == [[1, 2], [3, 4], [5]]


def test_bucket_iterator():
    made, field, _ = texts()
    made.sort_key = lambda row: len(row.text)
    train, test = data.BucketIterator.splits(
        (made, made), batch_size=2, sort_within_batch=True, generator=tp.Generator().manual_seed(0)
    )
    assert len(train) == len(test) == 2
    seen = []
    for one in train:
        (text, label), size = one, len(one)
        assert tuple(label.shape) == (size,) == (2,)
        lengths = (text != field.vocab["<pad>"]).sum(dim=0).tolist()
        assert lengths == sorted(lengths, reverse=True)
        seen += lengths
    assert sorted(seen) == [1, 2, 3, 6]
    assert train.epoch == 1
    assert [tuple(b.text.shape) for b in test] == [(2, 2), (6, 2)]  # sorted: 1, 2 and 3, 6
    assert "2 examples; text=(2, 2)" in repr(next(iter(test)))


def test_iterator_choices():
    made = numbers(10)
    plain = data.Iterator(made, 4, shuffle=False)
    assert [b.x for b in plain] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    mixed = data.Iterator(made, 4, generator=tp.Generator().manual_seed(0))
    first, second = ([x for b in mixed for x in b.x] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(10)) and first != second
    endless = iter(data.Iterator(made, 10, repeat=True))
    assert len([next(endless) for _ in range(3)]) == 3
    sized = data.Iterator(made, 8, shuffle=False, batch_size_fn=lambda new, n, size: size + new.x)
    assert len(sized) == len(list(sized)) == 7
    bucket = data.BucketIterator(made, 3, shuffle=False)
    assert next(iter(bucket)).x == [0, 1, 2]
    with pytest.raises(DomainError, match="sort_key"):
        data.Iterator(made, 2, sort=True)
    with pytest.raises(DomainError, match="give batch_size"):
        data.Iterator.splits((made,))
    by_size = data.Iterator.splits((made, made), batch_sizes=(1, 2), sort_key=lambda r: r.x)
    assert [i.batch_size for i in by_size] == [1, 2]


@pytest.mark.parametrize("batch_first", [False, True])
def test_bptt(batch_first):
    field = data.Field(batch_first=batch_first)
    text = data.Example.fromlist(["a b c d e f g h i j k"], [("text", field)])
    made = data.Dataset([text], [("text", field)])
    field.build_vocab(made)
    made_of = data.BPTTIterator(made, batch_size=2, bptt_len=3)
    batches = list(made_of)
    assert len(batches) == len(made_of) == 2
    shown = [
        [field.vocab.lookup_tokens(r) for r in (x if batch_first else x.transpose(0, 1)).tolist()]
        for b in batches
        for x in (b.text, b.target)
    ]
    assert shown == [
        [["a", "b", "c"], ["g", "h", "i"]],
        [["b", "c", "d"], ["h", "i", "j"]],
        [["d", "e"], ["j", "k"]],
        [["e", "f"], ["k", "<pad>"]],
    ]
    again = iter(data.BPTTIterator(made, 2, 3, repeat=True))
    assert len([next(again) for _ in range(5)]) == 5
    with pytest.raises(DomainError, match="one example"):
        data.BPTTIterator(numbers(2), 2, 3)
    assert np.shape(batches[0].text.numpy()) == ((2, 3) if batch_first else (3, 2))
