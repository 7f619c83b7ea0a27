"""Tables: rows by number, columns by name."""

from collections import Counter

import numpy as np
import pytest

import triptych as tp
from triptych.errors import BoundsError, DomainError, ShapeError, UnknownNameError
from triptych.utils.data import DataLoader
from triptych_text.datasets import ClassLabel, Dataset, Features, Sequence, Value


def table(n=10):
    return Dataset({"text": [f"t{i}" for i in range(n)], "label": [i % 2 for i in range(n)]})


def length_of(row):
    return {"length": len(row["text"])}


def shouted(batch):
    return {"text": [text.upper() for text in batch["text"]]}


def test_rows_and_columns():
    data = table(4)
    assert len(data) == data.num_rows == 4 and data.column_names == ["text", "label"]
    assert data[1] == data[-3] == data[np.int64(1)] == {"text": "t1", "label": 1}
    assert data["label"] == [0, 1, 0, 1]
    assert data[1:3] == {"text": ["t1", "t2"], "label": [1, 0]}
    assert data[[3, 0]] == data[np.array([3, 0])] == {"text": ["t3", "t0"], "label": [1, 0]}
    assert data[range(2)]["text"] == ["t0", "t1"]
    assert list(data)[2] == data[2]
    assert Dataset.from_list(list(data)).to_dict() == data.to_dict()
    assert repr(data) == "Dataset(columns=['text', 'label'], num_rows=4)"
    with pytest.raises(BoundsError, match="row 4 is outside"):
        data[4]
    with pytest.raises(UnknownNameError, match="there are text, label"):
        data["words"]
    with pytest.raises(ShapeError, match="'b': 2"):
        Dataset({"a": [1], "b": [1, 2]})


def test_batches_of_a_loader():
    batches = list(DataLoader(table(5), batch_size=2))
    assert batches[1]["text"] == ["t2", "t3"] and batches[1]["label"].tolist() == [0, 1]


@pytest.mark.parametrize("num_proc", [0, 2])
def test_map(num_proc):
    data = table(7).select([6, 0, 3])
    mapped = data.map(length_of, num_proc=num_proc, batch_size=2)
    assert mapped[0] == {"text": "t6", "label": 0, "length": 2} and len(mapped) == 3
    loud = data.map(shouted, batched=True, batch_size=2, num_proc=num_proc)
    assert loud["text"] == ["T6", "T0", "T3"]
    assert data.map(length_of, remove_columns=["text", "label"]).column_names == ["length"]
    assert len(table(0).map(length_of)) == 0


def test_choosing_rows():
    data = table()
    assert data.filter(lambda row: row["label"])["text"] == ["t1", "t3", "t5", "t7", "t9"]
    assert data.select([9, -10])["text"] == ["t9", "t0"]
    assert data.take(2).skip(1)["text"] == ["t1"]
    assert len(data.take(0)) == len(data.skip(99)) == 0
    for wrong in (lambda: data.take(-1), lambda: data.skip(-1)):
        with pytest.raises(DomainError, match="wanted a number of rows, got -1"):
            wrong()
    assert data.sort(["label", "text"], reverse=True)["text"][:2] == ["t9", "t7"]
    assert data.sort("label")["text"][:5] == ["t0", "t2", "t4", "t6", "t8"]
    assert data.shard(3, 0)["text"] == ["t0", "t1", "t2", "t3"]
    assert data.shard(3, 1, contiguous=False)["text"] == ["t1", "t4", "t7"]
    with pytest.raises(DomainError, match="from 0 to 2"):
        data.shard(3, 3)
    with pytest.raises(BoundsError):
        data.select([10])


def test_shuffles():
    data = table(50)
    assert data.shuffle(seed=1)["text"] == data.shuffle(seed=1)["text"] != data["text"]
    drawn = data.shuffle(generator=tp.Generator().manual_seed(4))["text"]
    assert data.shuffle(generator=tp.Generator().manual_seed(4))["text"] == drawn
    assert sorted(drawn) == sorted(data["text"])


def test_formats():
    data = table(4).with_format("numpy")
    assert isinstance(data["label"], np.ndarray) and data["label"].tolist() == [0, 1, 0, 1]
    assert data[1]["label"] == 1 and data[1:3]["text"].tolist() == ["t1", "t2"]
    uneven = Dataset({"ids": [[1], [2, 3]]}).with_format("numpy")["ids"]
    assert uneven.dtype == object and uneven[1] == [2, 3]
    data.set_format("triptych")
    assert data[:2]["label"].tolist() == [0, 1] and data[:2]["text"] == ["t0", "t1"]
    assert isinstance(data["label"], tp.Tensor) and data.sort("label")[0]["text"] == "t0"
    assert data.map(length_of)["length"].tolist() == [2] * 4
    data.set_format()
    assert data["label"] == [0, 1, 0, 1]
    with pytest.raises(DomainError, match="'numpy'"):
        data.set_format("pandas")


def test_columns():
    data = Dataset.from_dict(
        {"text": ["a", "b"], "label": ["pos", "1"]},
        features=Features(text=Value("string"), label=ClassLabel(names=["neg", "pos"])),
    )
    assert data["label"] == [1, 1]
    assert data.select_columns("label").features == {"label": ClassLabel(["neg", "pos"])}
    assert data.remove_columns(["label"]).column_names == ["text"]
    renamed = data.rename_column("label", "mood")
    assert renamed[0] == {"text": "a", "mood": 1} and "mood" in renamed.features
    assert data.add_column("n", range(2))[1] == {"text": "b", "label": 1, "n": 1}
    encoded = Dataset({"kind": ["x", "b", "x"]}).class_encode_column("kind")
    assert encoded["kind"] == [1, 0, 1] and encoded.features["kind"].int2str(1) == "x"
    assert Dataset({"kind": ["x", "b", "x"]}).unique("kind") == ["x", "b"]
    for change in (data.remove_columns, data.select_columns, lambda n: data.rename_column(n, "m")):
        with pytest.raises(UnknownNameError, match="no column 'x'"):
            change("x")


def test_streams_of_tables():
    rows = table(4).select([3, 1]).to_iterable_dataset()
    assert rows.num_rows == 2 and [row["text"] for row in rows.take(1)] == ["t3"]


@pytest.mark.parametrize(("test_size", "expected"), [(0.25, 25), (0.301, 31), (7, 7)])
@pytest.mark.parametrize("stratify", [None, "label"])
def test_train_and_test_have_no_row_in_common(test_size, expected, stratify):
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    data = Dataset({"n": list(range(100)), "label": labels})
    parts = data.train_test_split(test_size, stratify_by_column=stratify, seed=0)
    assert len(parts["test"]) == expected
    assert sorted(parts["train"]["n"] + parts["test"]["n"]) == list(range(100))
    assert parts["test"]["n"] != sorted(parts["test"]["n"])
    if stratify:
        counts = Counter(parts["test"]["label"])
        for name, size in (("a", 60), ("b", 30), ("c", 10)):
            assert abs(counts[name] - size * expected / 100) < 1


def test_split_sizes():
    data = table(10)
    parts = data.train_test_split(3, 0.5, shuffle=False)
    assert parts["train"]["text"] == ["t0", "t1", "t2", "t3", "t4"]
    assert parts["test"]["text"] == ["t5", "t6", "t7"]
    kept = data.train_test_split(2, 4, stratify_by_column="label", seed=1)
    assert sorted(kept["train"]["label"]) == [0, 0, 1, 1] and sorted(kept["test"]["label"]) == [
        0,
        1,
    ]
    again = data.train_test_split(2, generator=tp.Generator().manual_seed(1))["test"]["text"]
    assert (
        data.train_test_split(2, generator=tp.Generator().manual_seed(1))["test"]["text"] == again
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"test_size": 0},
        {"test_size": 10},
        {"test_size": 1.5},
        {"test_size": 6, "train_size": 5},
        {"test_size": 1, "stratify_by_column": "label"},
        {"test_size": 5, "stratify_by_column": "text"},
        {"test_size": 0.5, "stratify_by_column": "label", "shuffle": False},
    ],
)
def test_impossible_splits(arguments):
    with pytest.raises(DomainError, match="train_test_split"):
        table(10).train_test_split(**arguments)


def test_values_and_labels():
    label = ClassLabel(num_classes=3)
    assert label.names == ("0", "1", "2") and label.str2int(["2", "0"]) == [2, 0]
    assert label.int2str([2, 0]) == ["2", "0"]
    assert label == ClassLabel(names=["0", "1", "2"]) and label.encode(-1) == -1
    row = Features(n=Value("float32"), ok=Value("bool"), ids=Sequence(Value("int64")), t=label)
    assert row.encode({"n": "1.5", "ok": "false", "ids": ["1", 2], "t": None}) == {
        "n": 1.5,
        "ok": False,
        "ids": [1, 2],
        "t": None,
    }
    assert Value("bool").encode(1) is True and Value("int64").encode("") is None
    assert Sequence(Value("int64")).encode(None) is None
    for wrong, error in (
        (lambda: label.str2int("3"), UnknownNameError),
        (lambda: label.int2str(-1), DomainError),
        (lambda: label.encode(3), DomainError),
        (lambda: ClassLabel(), DomainError),
        (lambda: ClassLabel(names=["a", "a"]), DomainError),
        (lambda: ClassLabel(names=["a"], num_classes=2), DomainError),
        (lambda: Value("text"), DomainError),
    ):
        with pytest.raises(error):
            wrong()
