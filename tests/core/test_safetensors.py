"""`triptych.safetensors`: the names of the safetensors library, held to the library itself."""

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import triptych as tp
from triptych.safetensors import load, load_file, safe_open, save, save_file

TENSORS = {"w": tp.arange(6.0).reshape(2, 3), "n": tp.tensor([1, 2], dtype=tp.int8)}


@pytest.fixture
def path(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors", {"author": "me"})
    return tmp_path / "x.safetensors"


def test_files_both_ways(path, tmp_path):
    theirs = safetensors.numpy.load_file(path)
    assert theirs["w"].tolist() == TENSORS["w"].tolist() and theirs["n"].dtype == np.int8
    safetensors.numpy.save_file({"z": np.ones(2)}, tmp_path / "z.safetensors")
    assert load_file(tmp_path / "z.safetensors", device="cpu")["z"].dtype is tp.float64


def test_bytes_both_ways():
    assert safetensors.numpy.load(save(TENSORS))["n"].tolist() == [1, 2]
    assert load(safetensors.numpy.save({"z": np.ones(2)}))["z"].tolist() == [1.0, 1.0]


def test_one_by_one(path):
    with safetensors.safe_open(path, "np") as theirs, safe_open(path, framework="pt") as ours:
        assert sorted(ours.keys()) == sorted(theirs.keys())
        assert ours.metadata() == theirs.metadata() == {"author": "me"}
        for name in ours.keys():  # noqa: SIM118 -- the library's interface has no iteration
            assert ours.get_tensor(name).tolist() == theirs.get_tensor(name).tolist()
        part, whole = ours.get_slice("w"), theirs.get_slice("w")
        assert part.get_shape() == list(whole.get_shape()) == [2, 3]
        assert part.get_dtype() == whole.get_dtype() == "F32"
        assert part[:, 1:].tolist() == whole[:, 1:].tolist()
        assert isinstance(part[0], tp.Tensor)
    with pytest.raises(tp.UnknownNameError):
        ours.get_tensor("w")  # closed


def test_numpy_arrays_and_unknown_names(path):
    with safe_open(path, framework="np") as file:
        assert isinstance(file.get_tensor("w"), np.ndarray)
        with pytest.raises(tp.UnknownNameError, match=r"no tensor 'v'; there are \['w', 'n'\]"):
            file.get_tensor("v")


def test_tensors_outlive_the_file_and_its_changes(path):
    with safe_open(path) as file:
        w = file.get_tensor("w")
    w += 1
    assert load_file(path)["w"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_damaged_files(tmp_path):
    (tmp_path / "x").write_bytes(b"no header")
    with pytest.raises(tp.FileFormatError, match="safe_open"):
        safe_open(tmp_path / "x")
