"""Kaldi's archives, written here byte by byte as its documentation says."""

import gzip
import io
import struct

import numpy as np
import pytest

from triptych.errors import FileFormatError
from triptych_audio import kaldi_io


def count(n):
    return b"\4" + struct.pack("<i", n)


def ints(key, values):
    return f"{key} ".encode() + b"\0B" + count(len(values)) + b"".join(count(v) for v in values)


def vector(key, values):
    kind = b"FV " if values.dtype == np.float32 else b"DV "
    return f"{key} ".encode() + b"\0B" + kind + count(len(values)) + values.tobytes()


def matrix(key, values):
    kind = b"FM " if values.dtype == np.float32 else b"DM "
    head = f"{key} ".encode() + b"\0B" + kind
    return head + count(values.shape[0]) + count(values.shape[1]) + values.tobytes()


def read(reader, content):
    return {key: value.numpy() for key, value in reader(io.BytesIO(content))}


def test_integers(tmp_path):
    content = ints("a", [1, -2, 3]) + ints("b", [])
    path = tmp_path / "ali.1.gz"
    path.write_bytes(gzip.compress(content))
    for source in (str(path), path):
        found = {key: value.tolist() for key, value in kaldi_io.read_vec_int_ark(source)}
        assert found == {"a": [1, -2, 3], "b": []}
    assert read(kaldi_io.read_vec_int_ark, b"k 7 8 9\nl 1\n")["k"].tolist() == [7, 8, 9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats(tmp_path, rng, dtype):
    one, two = rng.standard_normal(5).astype(dtype), rng.standard_normal((3, 4)).astype(dtype)
    found = read(kaldi_io.read_vec_flt_ark, vector("x", one) + vector("y", one[:1]))
    np.testing.assert_array_equal(found["x"], one)
    assert found["y"].dtype == dtype
    path = tmp_path / "feats.ark"
    path.write_bytes(matrix("utt-1", two) + matrix("utt-2", -two))
    np.testing.assert_array_equal(dict(kaldi_io.read_mat_ark(path))["utt-2"].numpy(), -two)
    offset = len(matrix("utt-1", two)) + len("utt-2 ")
    lines = f"utt-2 {path}:{offset}\n".encode()
    assert np.array_equal(read(kaldi_io.read_mat_scp, lines)["utt-2"], -two)
    path.write_bytes(vector("v", one))
    (tmp_path / "v.scp").write_text(f"v {path}:2\n")
    np.testing.assert_array_equal(dict(kaldi_io.read_vec_flt_scp(tmp_path / "v.scp"))["v"], one)


def test_text():
    vectors = read(kaldi_io.read_vec_flt_ark, b"a  [ 1 2.5 -3e-1 ]\n")
    np.testing.assert_allclose(vectors["a"], [1, 2.5, -0.3], rtol=1e-6)
    matrices = read(kaldi_io.read_mat_ark, b"m  [\n  1 2\n  3 4 ]\nn [\n 5 6 ]\n")
    np.testing.assert_array_equal(matrices["m"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(matrices["n"], [[5, 6]])


def compressed(kind, low, span, rows, columns, content):
    return b"k \0B" + kind + struct.pack("<ffii", low, span, rows, columns) + content


def test_compressed(rng):
    codes = rng.integers(0, 65536, (3, 2)).astype("<u2")
    found = read(kaldi_io.read_mat_ark, compressed(b"CM2 ", -1, 4, 3, 2, codes.tobytes()))["k"]
    np.testing.assert_allclose(found, -1 + 4.0 * codes / 65535, atol=1e-6)
    small = rng.integers(0, 256, (3, 2)).astype("u1")
    found = read(kaldi_io.read_mat_ark, compressed(b"CM3 ", -1, 4, 3, 2, small.tobytes()))["k"]
    np.testing.assert_allclose(found, -1 + 4.0 * small / 255, atol=1e-6)
    heads = np.array([[0, 100, 200, 65535], [0, 1000, 40000, 50000]], "<u2")
    codes = np.array([[0, 64, 128, 192, 255], [0, 32, 64, 223, 255]], "u1")
    data = compressed(b"CM ", 0, 65535, 5, 2, heads.tobytes() + codes.tobytes())
    want = [[0, 100, 150, 200, 65535], [0, 500, 1000, 40000 + 31 / 63 * 10000, 50000]]
    np.testing.assert_allclose(read(kaldi_io.read_mat_ark, data)["k"].T, want, rtol=1e-6)


@pytest.mark.parametrize(
    ("reader", "content", "text"),
    [
        ("vec_int_ark", ints("a", [1, 2])[:-3], "ends early"),
        ("vec_int_ark", b"a \0B\2\0\0\0\0", "count of 4 bytes"),
        ("vec_int_ark", b"a \0B" + count(1) + b"\2\0\0\0\0", "integers of 4 bytes"),
        ("vec_int_ark", b"a \0X", "mark of a binary"),
        ("vec_flt_ark", b"a \0BFM ", "wanted a vector"),
        ("vec_flt_ark", b"a [ 1 x ]\n", "could not convert"),
        ("mat_ark", b"a \0BXM ", "wanted a matrix"),
        ("mat_ark", b"a [\n 1 2\n", "without its"),
        ("mat_ark", compressed(b"CM4 ", 0, 1, 1, 1, b"\0"), "no matrix is called"),
        ("mat_ark", compressed(b"CM2 ", 0, 1, -1, 1, b"\0"), "-1 x 1"),
        ("mat_ark", b"a \0BFM " + count(2**30) + count(2**30), "ends early"),
        ("mat_scp", b"a b\n", "KEY PATH:OFFSET"),
    ],
)
def test_damaged(reader, content, text):
    with pytest.raises(FileFormatError, match=text):
        read(getattr(kaldi_io, f"read_{reader}"), content)
