"""Checkpoints come from where their records say, with their hashes checked."""

import hashlib

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych_audio.pipelines.checkpoints import checkpoint, loaded
from triptych_audio.weights import ARTIFACTS, PUBLISHED, published
from triptych_datasets import Artifact, HashMismatch


@pytest.fixture
def linear(tmp_path, monkeypatch):
    """A layer, and the record of a file with its weights."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    layer = nn.Linear(3, 2)
    path = tmp_path / "linear.pth"
    tp.save(layer.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return layer, Artifact("linear.pth", sources=(path.as_uri(),), sha256=digest)


def test_loaded_model_is_ready(linear):
    layer, record = linear
    new = loaded(nn.Linear(3, 2), record)
    assert not new.training
    np.testing.assert_array_equal(new.weight.detach(), layer.weight.detach())


def test_options(linear):
    _, record = linear
    options = {"progress": False, "check_hash": True, "map_location": "cpu"}
    assert set(checkpoint(record, options)) == {"weight", "bias"}
    with pytest.raises(DomainError, match="file_name unknown, wanted some of check_hash"):
        checkpoint(record, {"file_name": "x.pth"})


def test_a_folder_of_somebody_else(linear, tmp_path):
    layer, record = linear
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    there = {"model_dir": str(folder), "check_hash": True}
    assert set(checkpoint(record, there)) == {"weight", "bias"}  # not there: fetched
    (folder / "linear.pth").write_bytes((tmp_path / "linear.pth").read_bytes())
    np.testing.assert_array_equal(checkpoint(record, there)["bias"], layer.bias.detach())
    tp.save({"bias": tp.zeros(1)}, folder / "linear.pth")
    assert set(checkpoint(record, {"model_dir": str(folder)})) == {"bias"}
    with pytest.raises(HashMismatch, match=r"linear.pth: sha256 is .*leave model_dir out"):
        checkpoint(record, there)


def test_another_file_is_refused(linear, tmp_path):
    _, record = linear
    wrong = Artifact("linear.pth", sources=record.sources, sha256="0" * 64)
    with pytest.raises(HashMismatch):
        checkpoint(wrong)


@pytest.mark.parametrize("file", PUBLISHED)
def test_published_records(file):
    record = published(file)
    assert record in ARTIFACTS
    assert record.sources == (f"https://download.pytorch.org/torchaudio/models/{file}",)
    assert record.unverified
    assert record.licence
    assert record is published(file)


def test_names_are_unique():
    assert len({a.name for a in ARTIFACTS}) == len(ARTIFACTS)
