"""The bundles' records: addresses, labels, and what torchaudio's have."""

import csv
import os
from pathlib import Path

import pytest

from triptych_audio import pipelines
from triptych_audio.models.wav2vec2.sizes import DROPOUTS
from triptych_audio.pipelines import wav2vec2
from triptych_audio.pipelines.wav2vec2_labels import LABELS
from triptych_audio.weights import ARTIFACTS

ROOT = Path(__file__).parents[3]
CATALOG = Path(os.environ.get("TRIPTYCH_CATALOG", ROOT.parent / "shared" / "catalog"))
NAMES = sorted(wav2vec2.__all__)
SPEECH = [*NAMES, *(name for name in pipelines.__all__ if name.startswith("EMFORMER"))]


@pytest.mark.parametrize("name", NAMES)
def test_records_are_whole(name):
    bundle = getattr(pipelines, name)
    assert bundle.sample_rate == 16000
    assert bundle.weights in ARTIFACTS
    assert bundle.weights.unverified and bundle.weights.kind == "weights"
    assert bundle.weights.licence == (
        "CC-BY-NC-4.0" if name.startswith(("MMS", "VOXPOPULI")) else "MIT"
    )
    assert bundle.params.keys() >= set(DROPOUTS)
    per_frame = bundle.params["extractor_mode"] == "layer_norm"
    assert bundle.normalize_waveform == per_frame
    assert ("encoder_num_buckets" in bundle.params) == (bundle.model_type == "WavLM")


@pytest.mark.parametrize("name", [name for name in NAMES if "ASR" in name or name == "MMS_FA"])
def test_labels_are_as_many_as_the_scores(name):
    bundle = getattr(pipelines, name)
    labels = bundle.get_labels() if name != "MMS_FA" else bundle.get_labels(star=None)
    assert len(labels) == len(set(labels)) == bundle.params["aux_num_out"]
    assert labels[0] == "-"
    assert bundle.remove_aux_axis[:3] == (1, 2, 3)


def test_labels():
    english = pipelines.WAV2VEC2_ASR_BASE_960H.get_labels(blank="#")
    assert "".join(english) == "#|ETAONIHSRDLUMWCFGYPBVK'XJQZ"
    assert {key: len(value) for key, value in LABELS.items()} == {
        "english": 28,
        "voxpopuli_de": 31,
        "voxpopuli_en": 27,
        "voxpopuli_es": 34,
        "voxpopuli_fr": 42,
        "voxpopuli_it": 36,
        "mms": 27,
    }


def test_labels_of_the_aligner():
    bundle = pipelines.MMS_FA
    assert bundle.get_labels()[-1] == "*"
    assert bundle.get_labels(None, "_") == ("_", *LABELS["mms"])
    assert bundle.get_dict() == {label: i for i, label in enumerate(bundle.get_labels())}
    assert bundle.get_tokenizer()(["a*"]) == [[1, 28]]
    assert isinstance(bundle.get_aligner(), bundle.Aligner)
    assert isinstance(bundle.get_tokenizer(), bundle.Tokenizer)


@pytest.mark.skipif(
    not (CATALOG / "checkpoint_urls.tsv").exists(),
    reason=f"no list of addresses in {CATALOG}; set TRIPTYCH_CATALOG to its folder",
)
def test_addresses_are_in_the_list():
    with open(CATALOG / "checkpoint_urls.tsv", encoding="utf-8", newline="") as stream:
        listed = {row["name"]: row["url"] for row in csv.DictReader(stream, delimiter="\t")}
    compared = [name for name in SPEECH if name in listed]
    assert len(compared) == 31
    for name in compared:
        assert getattr(pipelines, name).weights.sources == (listed[name],), name
