"""Digits: reading, splitting, downloading. The real file is used where an index is reached."""

import gzip
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych_datasets import Offline, default_catalog, fetch
from triptych_vision.datasets import Digits, MissingDataError
from triptych_vision.datasets import digits as module


@pytest.fixture
def written(tmp_path: Path) -> np.ndarray:
    """A file of the same form, in the folder that Digits(root=tmp_path) reads."""
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.integers(0, 17, (1797, 64)), rng.integers(0, 10, 1797)])
    path = tmp_path / "Digits" / "digits.csv.gz"
    path.parent.mkdir()
    with gzip.open(path, "wt") as file:
        np.savetxt(file, table, fmt="%d", delimiter=",")
    return table


def test_split_and_scale(written: np.ndarray, tmp_path: Path) -> None:
    train, test = Digits(tmp_path), Digits(tmp_path, train=False)
    assert (len(train), len(test)) == (1437, 360)
    data = np.concatenate([train.data.numpy(), test.data.numpy()])
    assert data.dtype == np.uint8
    assert np.array_equal(np.round(data.reshape(-1, 64) / 255 * 16), written[:, :64])
    assert set(np.unique(data)) <= set(np.round(np.arange(17) * 255 / 16))
    assert train.targets.tolist() + test.targets.tolist() == written[:, 64].tolist()
    assert train.targets.dtype is tp.int64


def test_items(written: np.ndarray, tmp_path: Path) -> None:
    test = Digits(tmp_path, train=False, transform=np.asarray)
    image, label = test[3]
    assert np.array_equal(image, test.data[3].numpy())
    assert label == written[1437 + 3, 64]
    assert isinstance(label, int)
    plain = Digits(tmp_path)[0][0]
    assert (plain.mode, plain.size) == ("L", (8, 8))
    both = Digits(tmp_path, transforms=lambda image, label: (label, image.size))
    assert both[0] == (written[0, 64], (8, 8))


def test_classes_and_printing(written: np.ndarray, tmp_path: Path) -> None:
    data = Digits(tmp_path, train=False)
    assert data.classes == list("0123456789")
    assert data.class_to_idx["7"] == 7
    assert "Split: Test" in repr(data)


def test_missing_file_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    for root in (None, tmp_path):
        with pytest.raises(MissingDataError, match="download=True"):
            Digits(root)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A folder the real file was downloaded into."""
    try:
        fetch(module.ARTIFACT)
    except Offline as error:
        pytest.skip(f"no source of the data can be reached: {error}")
    Digits(tmp_path, download=True)
    return tmp_path


@pytest.mark.network
def test_real_digits(real: Path) -> None:
    kept, cached = Digits(real), Digits(download=True)
    assert (kept.data == cached.data).all()
    assert (real / "Digits" / default_catalog().get(module.ARTIFACT).filename).is_file()
    counts = np.bincount(np.concatenate([kept.targets, Digits(real, train=False).targets]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.mark.network
def test_nearest_neighbour_reads_real_digits(real: Path) -> None:
    train, test = Digits(real), Digits(real, train=False)
    x = train.data.reshape(-1, 64).to(tp.float32)
    y = test.data.reshape(-1, 64).to(tp.float32)
    distance = (x**2).sum(1) - 2 * (y @ x.T)  # (test, train), up to a constant for each row
    found = train.targets[distance.argmin(1)]
    assert float((found == test.targets).to(tp.float32).mean()) > 0.95
