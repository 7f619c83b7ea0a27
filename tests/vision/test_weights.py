"""Weights: looked up by name, loaded by hash."""

import hashlib
import inspect
from functools import partial
from pathlib import Path

import pytest

import triptych as tp
from triptych.errors import DTypeError, UnknownNameError
from triptych_datasets import Artifact, Catalog, HashMismatch, remove
from triptych_vision.models import MobileNet_V2_Weights, get_model_builder, list_models
from triptych_vision.transforms.presets import ImageClassification
from triptych_vision.weights import Weights, WeightsEnum, artifacts


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[WeightsEnum]:
    """An enumeration whose only member lies in a local file."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    path = tmp_path / "toy-v1.pth"
    tp.save({"weight": tp.arange(6).reshape(2, 3)}, path)

    class Toy_Weights(WeightsEnum):  # noqa: N801
        V1 = Weights(
            sources=(f"file://{tmp_path}/gone.pth", path.as_uri()),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            size=path.stat().st_size,
            licence="CC0-1.0",
            transforms=partial(ImageClassification, crop_size=8),
            meta={"num_params": 6, "categories": ("a", "b")},
        )
        DEFAULT = V1

    return Toy_Weights


def test_state_dict_comes_from_the_first_source_that_works(toy: type[WeightsEnum]) -> None:
    state = toy["V1"].get_state_dict(progress=False)
    assert state["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_check_hash_reads_the_cached_file_again(toy: type[WeightsEnum]) -> None:
    member = toy["V1"]
    member.get_state_dict(False)
    from triptych_datasets import blob_path

    cached = blob_path(member.weights.artifact)
    content = bytearray(cached.read_bytes())
    content[-1] ^= 1
    cached.write_bytes(content)
    with pytest.raises(HashMismatch):
        member.get_state_dict(False, check_hash=True)


def test_member_shows_the_record(toy: type[WeightsEnum]) -> None:
    member = toy["DEFAULT"]
    assert member is toy["V1"]
    assert member.url == member.sources[0]
    assert member.meta["categories"] == ("a", "b")
    assert isinstance(member.transforms(), ImageClassification)
    assert member.transforms() is not member.transforms()
    assert repr(member) == "Toy_Weights.V1"
    assert member.weights.artifact.name == "gone.pth"


@pytest.mark.parametrize("name", ["V1", "DEFAULT", "Toy_Weights.V1", "Toy_Weights.DEFAULT"])
def test_verify_takes_names(toy: type[WeightsEnum], name: str) -> None:
    assert toy.verify(name) is toy["V1"]
    assert toy.verify(toy["V1"]) is toy["V1"]
    assert toy.verify(None) is None


def test_verify_lists_valid_names(toy: type[WeightsEnum]) -> None:
    with pytest.raises(UnknownNameError, match="valid names are V1, DEFAULT"):
        toy.verify("V2")
    with pytest.raises(DTypeError, match=r"MobileNet_V2_Weights\.IMAGENET1K_V1"):
        toy.verify(MobileNet_V2_Weights.IMAGENET1K_V1)


def test_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        MobileNet_V2_Weights.DEFAULT.weights.size = 3  # type: ignore[misc]


def test_artifacts_of_all_models_make_one_catalogue() -> None:
    offered = list(artifacts())
    names = Catalog(offered).names()
    assert "mobilenet_v2-b0353104.pth" in names
    assert len(names) == len(offered)
    assert all(isinstance(a, Artifact) and a.licence and a.kind == "weights" for a in offered)
    for artifact in offered:  # torch's file names carry the first eight digits of the hash
        assert artifact.sha256 is not None
        digits = Path(artifact.name).stem.rpartition("-")[2]
        assert artifact.sha256.startswith(digits) or digits.startswith(artifact.sha256)


def test_progress_shows_on_a_terminal_only_unless_asked_for(
    toy: type[WeightsEnum], capsys: pytest.CaptureFixture[str]
) -> None:
    toy["V1"].get_state_dict()
    assert capsys.readouterr().err == ""
    remove(toy["V1"].weights.artifact)
    toy["V1"].get_state_dict(progress=True)
    assert "gone.pth" in capsys.readouterr().err


@pytest.mark.parametrize("name", list_models())
def test_builders_leave_progress_to_the_terminal(name: str) -> None:
    assert inspect.signature(get_model_builder(name)).parameters["progress"].default is None
