"""A user's files: CSV, TSV, JSON, Parquet, text, folders of them."""

import bz2
import csv
import json
import pickle
import re
import sys

import pytest

from triptych.errors import DomainError, FileFormatError, MissingDependencyError, UnknownNameError
from triptych_datasets import MissingDataError
from triptych_text.datasets import (
    ClassLabel,
    Features,
    LineDataset,
    TextFolder,
    UnknownSplitError,
    Value,
    from_csv,
    from_json,
    from_parquet,
    from_text,
    load_dataset,
)

CSV = 'id,text,score,ok,zip\n1,"a, ""b""",1.5,true,007\n2,"two\nlines",,false,12\n'
ROWS = [
    {"id": 1, "text": 'a, "b"', "score": 1.5, "ok": True, "zip": "007"},
    {"id": 2, "text": "two\nlines", "score": None, "ok": False, "zip": "12"},
]


@pytest.fixture
def write(tmp_path, pack):
    def make(name, content):
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        packer = pack.by.get(name.rpartition(".")[2])
        path.write_bytes(packer(raw) if packer else raw)
        return path

    return make


@pytest.fixture
def parquet(tmp_path):
    library = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")

    def make(name, rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        library.write_table(arrow.Table.from_pylist(rows), path, row_group_size=2)
        return path

    return make


def both(read, path, **options):
    table, rows = read(path, **options), read(path, streaming=True, **options)
    assert list(table) == list(rows) == list(rows)
    return table


@pytest.mark.parametrize("end", ["", ".gz", ".bz2", ".xz"])
def test_csv(write, end):
    table = both(from_csv, write("a.csv" + end, "\ufeff" + CSV))
    assert list(table) == ROWS and table.features["zip"] == Value("string")


def test_tables_without_a_head_and_with_tabs(write):
    path = write("a.tsv", 'x\t"1\nz\t2\n')
    table = both(from_csv, path, column_names=["w", "n"], quoted=False)
    assert table.to_dict() == {"w": ["x", "z"], "n": ['"1', "2"]}
    features = Features(w=ClassLabel(names=["x", "z"]), n=Value("string"))
    assert both(from_csv, path, column_names=["w", "n"], quoted=False, features=features)["w"] == [
        0,
        1,
    ]
    assert both(from_csv, [path, path], column_names=["w", "n"], quoted=False).num_rows == 4
    assert both(from_csv, write("e.csv", "")).num_rows == 0
    assert both(from_csv, write("p.txt", "a|b\n1|2\n"), delimiter="|")[0] == {"a": 1, "b": 2}


def test_json(write):
    rows = [{"a": 1, "b": [None, "é"]}, {"a": 2, "b": []}]
    by_line = "\n".join(json.dumps(row) for row in rows) + "\n\n"
    for path, options in (
        (write("a.jsonl.gz", by_line), {}),
        (write("b.json", by_line), {}),
        (write("c.json", " \n" + json.dumps(rows, indent=1)), {}),
        (write("d.json", json.dumps({"data": rows})), {"field": "data"}),
    ):
        assert list(both(from_json, path, **options)) == rows


def test_parquet(parquet):
    rows = [{"a": i, "b": [str(i)]} for i in range(5)]
    path = parquet("a.parquet", rows)
    assert list(both(from_parquet, path)) == rows
    assert both(from_parquet, path, columns=["a"])["a"] == [0, 1, 2, 3, 4]


def test_parquet_without_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingDependencyError, match=re.escape("triptych-text[parquet]")):
        from_parquet("x.parquet")


@pytest.mark.parametrize(
    ("sample_by", "expected"),
    [
        ("line", ["One", "two", "", "", "three"]),
        ("paragraph", ["One\ntwo", "three"]),
        ("document", ["One\ntwo\n\n\nthree"]),
    ],
)
def test_text(write, sample_by, expected):
    path = write("a.txt.xz", "One\r\ntwo\n\n\nthree\n")
    assert both(from_text, path, sample_by=sample_by)["text"] == expected


@pytest.mark.parametrize(
    ("read", "name", "content", "told"),
    [
        (from_csv, "a.csv", "a,b\n1,2\n3\n", "a.csv, line 3: 1 cells, where the columns are a, b"),
        (from_csv, "a.csv", "a,a\n", "line 1: a column's name comes twice"),
        (from_csv, "a.csv", b"a,b\n1,\xff\n", "no text in UTF-8"),
        (from_json, "a.jsonl", '{"a": 1}\n{"a"\n', "a.jsonl, line 2: no JSON"),
        (from_json, "a.jsonl", "3\n", "line 1: wanted an object, got 3"),
        (from_json, "a.json", "[3]", "entry 1: wanted an object"),
        (from_json, "a.json", "[3", "no JSON"),
        pytest.param(from_json, "a.json", "[" * 100_000, "no JSON", id="nested array"),
        pytest.param(from_json, "a.jsonl", '{"a":' * 100_000, "line 1: no JSON", id="nested"),
        (from_text, "a.txt", b"\xff", "no text in UTF-8"),
        (from_parquet, "a.parquet", "PAR1", "a.parquet"),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
def test_damage_names_the_place(write, read, name, content, told, streaming):
    with pytest.raises(FileFormatError, match=re.escape(told)):
        list(read(write(name, content), streaming=streaming))


def test_damage_in_the_middle_of_a_packed_file(tmp_path):
    path = tmp_path / "a.txt.bz2"
    raw = bytearray(bz2.compress(b"one\ntwo\n" * 1000))
    raw[20] ^= 255
    path.write_bytes(raw)
    with pytest.raises(FileFormatError, match=r"a\.txt\.bz2: damaged"):
        from_text(path)


def test_files_that_may_not_be_read_are_no_damaged_ones(write):
    path = write("a.txt", "x\n")
    rows = from_text(path, streaming=True)
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        list(rows)


def test_cells_beyond_all_measure(write, monkeypatch):
    monkeypatch.setattr("triptych_text.datasets.records.LONGEST_CELL", 10)
    before = csv.field_size_limit(10)
    try:
        with pytest.raises(FileFormatError, match=r"a\.csv, line 2: field larger"):
            from_csv(write("a.csv", "n\n" + "x" * 11))
    finally:
        csv.field_size_limit(before)
    monkeypatch.undo()
    assert len(from_csv(write("b.csv", "n\n" + "x" * 200_000))["n"][0]) == 200_000


def test_rows_that_are_not_as_told(write):
    late = "n\n" + "1\n" * 1200 + "x\n"
    with pytest.raises(FileFormatError, match="line 1202: malformed"):
        list(from_csv(write("a.csv", late), streaming=True))
    assert from_csv(write("a.csv", late)).features["n"] == Value("string")
    with pytest.raises(FileFormatError, match="line 2: malformed"):
        from_csv(write("b.csv", "n\nx\n"), features=Features(n=Value("int64")))


def test_missing_files_and_wrong_arguments(tmp_path, write):
    for read in (from_csv, from_json, from_text):
        with pytest.raises(MissingDataError, match="gone"):
            read(tmp_path / "gone", streaming=True)
    for content in ("[]", "{}", '{"data": {}}'):
        with pytest.raises(FileFormatError, match="from_json"):
            from_json(write("a.json", content), field="data")
    with pytest.raises(ValueError, match="paragraph"):
        from_text(write("a.txt", ""), sample_by="word")
    path = write("b.txt", "x\n")
    rows = from_text(path, streaming=True)
    path.unlink()
    with pytest.raises(MissingDataError, match=r"b\.txt not found"):
        list(rows)


def test_folders(write, parquet, tmp_path):
    for number in range(2):
        parquet(f"p/data/train-0000{number}-of-00002.parquet", [{"n": number}])
    parquet("p/data/validation-00000-of-00001.parquet", [{"n": 9}])
    write("p/README.md", "---\nconfigs: !!python/object/apply:os.system [x]\n---\n")
    write("p/p.py", "raise SystemExit")
    write("p/notes.txt", "x")
    write("p/.cache/test.parquet", b"x")
    splits = load_dataset(tmp_path / "p")
    assert list(splits) == ["train", "validation"]
    assert splits["train"]["n"] == [0, 1] and splits["validation"]["n"] == [9]
    assert load_dataset(tmp_path / "p", split="train+validation")["n"] == [0, 1, 9]
    write("q/dev/a.csv.gz", "n\n1\n")
    write("q/eval/b.csv", "n\n2\n")
    assert {k: list(v) for k, v in load_dataset(tmp_path / "q", streaming=True).items()} == {
        "validation": [{"n": 1}],
        "test": [{"n": 2}],
    }
    write("r/lines.txt", "a\nb\n")
    assert load_dataset(tmp_path / "r", split="train")["text"] == ["a", "b"]


def test_chosen_files(write, tmp_path):
    one, two = write("f/one.csv", "n\n1\n"), write("f/two.csv", "n\n2\n")
    table = load_dataset("csv", data_files={"a": str(one), "b": [one, two]})
    assert table["b"]["n"] == [1, 2]
    assert load_dataset(tmp_path / "f", data_files="two.csv", split="train")["n"] == [2]
    assert load_dataset("text", data_files=one, split="train")["text"] == ["n", "1"]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train[:10%]", [0, 1]),
        ("train[90%:]", [18, 19]),
        ("train[-3:]", [17, 18, 19]),
        ("train[2:4]", [2, 3]),
        ("train[5:2]", []),
        ("train[:1]+train[-1:]", [0, 19]),
        ("train[18:200]", [18, 19]),
        ("train[:-90%]", [0, 1]),
    ],
)
def test_slices(write, tmp_path, split, expected):
    write("s/train.csv", "n\n" + "\n".join(map(str, range(20))))
    assert load_dataset(tmp_path / "s", split=split)["n"] == expected
    if "%" in split or "-" in split:
        with pytest.raises(DomainError, match="needs the number of rows"):
            load_dataset(tmp_path / "s", split=split, streaming=True)
    else:
        rows = load_dataset(tmp_path / "s", split=split, streaming=True)
        assert [row["n"] for row in rows] == expected


def test_what_cannot_be_loaded(write, tmp_path):
    write("m/a.csv", "n\n1\n")
    with pytest.raises(UnknownSplitError, match="there are 'train'"):
        load_dataset(tmp_path / "m", split="test")
    for split in ("train[", "train[:200%]", "train[1]"):
        with pytest.raises(DomainError, match="split"):
            load_dataset(tmp_path / "m", split=split)
    write("m/b.jsonl", "{}\n")
    with pytest.raises(UnknownNameError, match=r"got \.csv, \.jsonl"):
        load_dataset(tmp_path / "m")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="holds no"):
        load_dataset(tmp_path / "empty")
    with pytest.raises(MissingDataError, match="DATASETS"):
        load_dataset("imdb")
    with pytest.raises(MissingDataError, match="csv, json"):
        load_dataset("imdb", data_files="a.csv")


def test_class_folders(write, tmp_path):
    for name in ("c/pos/1.txt", "c/pos/more/2.txt", "c/neg/1.txt", "c/neg/note.md"):
        write(name, name)
    data = TextFolder(tmp_path / "c", transform=len, target_transform=float)
    assert data.classes == ["neg", "pos"] and data.class_to_idx == {"neg": 0, "pos": 1}
    assert data.targets == [0, 1, 1] and data[0] == (11, 0.0) and len(data) == 3
    assert TextFolder(tmp_path / "c")[2] == ("c/pos/more/2.txt", 1)
    assert repr(data).startswith("TextFolder(3 texts of 2 classes in")
    write("c/neg/1.txt", b"\xff")
    with pytest.raises(FileFormatError, match=r"neg.1\.txt"):
        data[0]
    write("c/new/x.md", "x")
    with pytest.raises(MissingDataError, match=r"new holds no \.txt file"):
        TextFolder(tmp_path / "c")
    with pytest.raises(MissingDataError, match="a folder for each class"):
        TextFolder(tmp_path / "gone")


@pytest.mark.parametrize("content", ["a\nbé\r\n\nlast", "a\n", "\n\n", "one", ""])
def test_lines_by_number(write, content):
    data = LineDataset(write("a.txt", content))
    lines = [line.removesuffix("\r") for line in content.split("\n")]
    expected = lines if lines[-1] else lines[:-1]
    assert [data[i] for i in range(len(data))] == expected
    assert not expected or data[-1] == expected[-1]
    with pytest.raises(IndexError, match="is outside a file of"):
        data[len(data)]


def test_lines_of_a_large_file_and_in_workers(write, monkeypatch):
    from triptych.utils.data import DataLoader

    path = write("a.txt", "".join(f"line {i}\n" for i in range(3000)))
    data = LineDataset(path, transform=str.upper)
    assert data._find_lines(chunk=7).tolist() == data._starts.tolist()
    loader = DataLoader(data, batch_size=1000, num_workers=2)
    assert [line for batch in loader for line in batch][2999] == "LINE 2999"
    assert pickle.loads(pickle.dumps(LineDataset(path)))[2999] == "line 2999"
    assert repr(data) == f"LineDataset(3000 lines of {path})"


def test_lines_that_cannot_be_read(write, tmp_path):
    with pytest.raises(MissingDataError):
        LineDataset(tmp_path / "gone")
    with pytest.raises(FileFormatError, match="is packed"):
        LineDataset(write("a.txt.gz", "x"))
    with pytest.raises(FileFormatError, match="line 2: no text"):
        LineDataset(write("b.txt", b"a\n\xff\n"))[1]
