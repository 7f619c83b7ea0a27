"""save and load with tensors: every format by its content, every structure back as it was."""

from __future__ import annotations

import io
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.numpy

import triptych
from triptych.errors import DTypeError, FileFormatError, UnsafeFileError
from triptych.serialization import (
    load,
    load_file,
    read_safetensors,
    read_torch,
    save,
    save_file,
)


def checkpoint() -> dict:
    weight = triptych.tensor([[1.0, 2.0], [3.0, 4.0]])
    return {
        "model": OrderedDict(weight=weight, tied=weight, bias=triptych.tensor([0.5])),
        "optimizer": {"state": {0: {"step": triptych.tensor(3), "avg": weight * 2}}, "lr": 1e-3},
        "epoch": 7,
        "best": float("inf"),
        "dtype": triptych.bfloat16,
        "rng": (b"\x00\xff", [1, 2**63]),
        "array": np.arange(3),
    }


def assert_same(got: dict) -> None:
    want = checkpoint()
    assert list(got) == list(want)
    assert type(got["model"]) is OrderedDict
    assert got["model"]["weight"] is got["model"]["tied"]
    np.testing.assert_array_equal(got["model"]["weight"].numpy(), [[1, 2], [3, 4]])
    assert got["model"]["weight"].dtype is triptych.float32
    assert got["optimizer"]["state"][0]["step"].item() == 3
    assert got["optimizer"]["lr"] == 1e-3
    for name in ("epoch", "best", "rng"):
        assert got[name] == want[name]
    assert got["dtype"] is triptych.bfloat16
    assert type(got["array"]) is np.ndarray


@pytest.mark.parametrize("name", ["c.safetensors", "c.pt", "c"])
@pytest.mark.parametrize("mmap", [False, True])
def test_checkpoint_round_trip(tmp_path, name, mmap):
    save(checkpoint(), tmp_path / name)
    assert_same(load(tmp_path / name, mmap=mmap))
    assert_same(load(str(tmp_path / name), map_location="cpu"))
    with open(tmp_path / name, "rb") as file:
        assert_same(load(file))
    names = safetensors.numpy.load_file(tmp_path / name)
    assert "optimizer.state.0.avg" in names


def test_state_dict_is_an_ordinary_safetensors_file(tmp_path):
    path = tmp_path / "m.safetensors"
    state = OrderedDict(b=triptych.ones(2), a=triptych.zeros(3, dtype=triptych.bfloat16))
    save(state, path)
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() == {"format": "pt"}
        assert set(file.keys()) == {"a", "b"}
    for got in (load(path), load_file(path), load_file(path, "cpu", mmap=True)):
        assert type(got) is dict
        assert list(got) == ["b", "a"]
        assert got["a"].dtype is triptych.bfloat16


@pytest.mark.parametrize("value", [triptych.arange(3), [triptych.ones(1)], 5, {}, {"a": {}}, None])
def test_anything_can_be_the_root(value):
    file = io.BytesIO()
    save(value, file)
    got = load(io.BytesIO(file.getvalue()))
    assert repr(got) == repr(value)


def test_complex128():
    file, want = io.BytesIO(), np.array([1 + 2j, 3])
    save({"x": triptych.from_numpy(want)}, file)
    np.testing.assert_array_equal(load(io.BytesIO(file.getvalue()))["x"].numpy(), want)
    with pytest.raises(DTypeError, match=r"save_file: 'x' has dtype complex128.*triptych\.save"):
        save_file({"x": triptych.from_numpy(want)}, io.BytesIO())


def test_views_and_gradients_are_saved_as_values():
    file = io.BytesIO()
    weight = triptych.ones(2, 3).requires_grad_()
    save({"t": weight.T, "w": weight}, file)
    got = load(io.BytesIO(file.getvalue()))
    assert got["t"].shape == (3, 2)
    assert not got["w"].requires_grad


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_files(tmp_path, save_torch, mmap):
    path = tmp_path / "m.safetensors"  # the content decides, not the name
    array = np.ones(3, "f4")
    path.write_bytes(save_torch({"model": OrderedDict(w=array, tied=array), "step": 3}))
    got = load(path, mmap=mmap)
    assert got["model"]["w"] is got["model"]["tied"]
    assert isinstance(got["model"]["w"], triptych.Tensor)
    got["model"]["w"].fill_(5)  # writable, and private when mapped
    assert got["model"]["tied"].tolist() == [5, 5, 5]
    assert load(path)["model"]["w"].tolist() == [1, 1, 1]
    assert got["step"] == 3


def test_npz_and_npy(tmp_path):
    save({"x": triptych.arange(3)}, tmp_path / "a.npz")
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    assert load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    np.save(tmp_path / "a.npy", np.eye(2))
    assert load(tmp_path / "a.npy", mmap=True).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(FileFormatError, match=r"a\.npz: an npz file holds a flat dict"):
        save([triptych.ones(1)], tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"hello", "something else"),
        (b"\x80\x04N.", "never executes pickles"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs/spec/v1\n", "Git LFS"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_unknown_formats(tmp_path, data, match):
    path = tmp_path / "weights.bin"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=rf"load: .*weights\.bin: not a known .*{match}"):
        load(path)


def test_an_empty_file(tmp_path):
    path = tmp_path / "weights.bin"
    path.touch()
    for read in (load, load_file, read_torch, read_safetensors):
        with pytest.raises(FileFormatError, match=r"weights\.bin: is empty; is the download"):
            read(path)


@pytest.mark.parametrize("kept", [5, 100, 2000])
def test_a_zip_file_that_is_cut_short(kept):
    file = io.BytesIO()
    np.savez(file, x=np.zeros(1000))
    with pytest.raises(FileFormatError, match=r"cut short: .*is the download complete"):
        load(io.BytesIO(file.getvalue()[:kept]))


def test_pickles_are_never_executed(tmp_path):
    with pytest.raises(UnsafeFileError, match=r"m\.pth: weights_only=False .*never does"):
        load(tmp_path / "m.pth", weights_only=False)


def test_hostile_pickle_through_load(tmp_path, around_pickle):
    path = tmp_path / "m.pth"
    path.write_bytes(around_pickle(b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R."))
    with pytest.raises(
        UnsafeFileError, match=r"load: .*m\.pth: asks for the global 'posix\.system'"
    ):
        load(path)


def test_damaged_structure_names_the_file():
    file = io.BytesIO()
    save_file({}, file, metadata={"triptych.structure": "{}"})
    with pytest.raises(FileFormatError, match="load: <BytesIO>: its structure"):
        load(io.BytesIO(file.getvalue()))


def test_types_that_tensors_do_not_have(writer):
    file = io.BytesIO(writer.zip_file(b"\x80\x02ctorch\nfloat8_e5m2\n."))
    with pytest.raises(
        DTypeError, match=r"load: <BytesIO>: the file holds float8_e5m2.*read_torch"
    ):
        load(file)


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(DTypeError, match=r"save: model\.0 is a builtins\.object"):
        save({"model": [object()]}, tmp_path / "x")
    with pytest.raises(DTypeError, match=r"Linear, which no file can hold.*its state_dict\(\)"):
        save(triptych.nn.Linear(2, 2), tmp_path / "x")
    with pytest.raises(DTypeError, match="save_file: 'x' is a int, wanted a tensor"):
        save_file({"x": 3}, tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="save: the folder"):
        save(1, tmp_path / "no" / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match=r"load: there is no file 'no-such-file\.pth'"):
        load("no-such-file.pth")


def test_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"load_file: .* is a folder"):
        load_file(tmp_path)


def test_triptych_offers_both():
    assert triptych.load is load
    assert triptych.save is save
