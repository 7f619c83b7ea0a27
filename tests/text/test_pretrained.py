import hashlib
import json

import pytest

from triptych import Registry
from triptych.errors import FileFormatError, UnknownNameError
from triptych_datasets import Artifact, Catalog, CatalogError
from triptych_text.pretrained import FetchedFiles, FolderFiles, model_files
from triptych_text.weights import ARTIFACTS, PRETRAINED, PretrainedFiles


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """A model of two files that come from a folder on this disk."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    artifacts = {}
    for name, content in (("config.json", b'{"a": 1}'), ("sub/config.json", b'{"b": 2}')):
        path = tmp_path / name.replace("/", "-")
        path.write_bytes(content)
        artifacts[name] = Artifact(
            f"toy-text-model/{name}",
            sources=(path.as_uri(),),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    model = PretrainedFiles("toy-text-model", "for tests", artifacts)
    registry = Registry("pretrained model")
    registry.register("toy-text-model", model)
    monkeypatch.setattr("triptych_text.weights.PRETRAINED", registry)
    return tmp_path


def test_fetched_files_lie_apart_and_are_found(registered):
    files = model_files("toy-text-model")
    assert isinstance(files, FetchedFiles)
    assert files.json("config.json") == {"a": 1}
    assert files.json("sub/config.json") == {"b": 2}
    assert files.find("none.json") is None
    assert files.json("none.json", default=7) == 7
    with pytest.raises(FileNotFoundError, match=r"toy-text-model has config\.json, sub/config"):
        files.path("none.json", "nothing")
    assert model_files(files) is files


def test_nothing_is_fetched_before_it_is_asked_for(registered):
    files = model_files("toy-text-model")
    assert not (registered / "cache").exists()
    files.find("config.json")
    assert (registered / "cache").exists()


def test_a_folder_wins_over_a_name(registered, monkeypatch):
    monkeypatch.chdir(registered)
    (registered / "toy-text-model").mkdir()
    assert isinstance(model_files("toy-text-model"), FolderFiles)


def test_folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"a": 1}))
    files = model_files(tmp_path)
    assert files.find("config.json") == tmp_path / "config.json"
    assert files.json("config.json") == {"a": 1}
    with pytest.raises(FileNotFoundError, match=r"wanted x\.json \(the rest\).* has config\.json"):
        files.json("x.json", "the rest")


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_damaged_json(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(FileFormatError, match=r"config\.json"):
        model_files(tmp_path).json("config.json")


def test_neither_folder_nor_name():
    with pytest.raises(UnknownNameError, match=r"'all-MiniLM-L6' is no folder.*all-MiniLM-L6-v2"):
        model_files("all-MiniLM-L6")


def test_registered_weights_are_well_formed():
    catalog = Catalog(ARTIFACTS)
    assert len(catalog) == sum(len(model.artifacts) for model in PRETRAINED.values())
    for name in PRETRAINED:
        model = PRETRAINED[name]
        assert model.name == name
        assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(model.artifacts)
        for file, artifact in model.artifacts.items():
            assert artifact.name == f"{name}/{file}"
            assert artifact.sha256
            assert artifact.size
            assert artifact.licence
    with pytest.raises(CatalogError):
        catalog.register(Artifact(ARTIFACTS[0].name, sources=("file:///other",), sha256="0" * 64))
