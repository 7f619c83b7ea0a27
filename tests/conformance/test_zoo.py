"""Recorded models (names, shapes, parameters, outputs under numbers drawn from names) replayed.

The recordings are not part of the project: they are looked for beside it, or where the environment
variable TRIPTYCH_CONFORMANCE says. Here some of the smaller models are replayed; the program beside
the recordings replays them all.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import triptych as tp

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPTYCH_CONFORMANCE", ROOT.parent / "shared" / "conformance"))

needs_data = pytest.mark.skipif(
    not (DATA / "zoo.json.gz").exists(),
    reason=f"no recorded models in {DATA}; set TRIPTYCH_CONFORMANCE to their folder",
)
# package -> name -> by what the recordings at hand can compare it
VISION = {
    "convnext_tiny": "outputs",
    "deeplabv3_mobilenet_v3_large": "outputs",
    "densenet121": "keys",
    "efficientnet_b1": "outputs",
    "googlenet": "outputs",
    "lraspp_mobilenet_v3_large": "outputs",
    "mnasnet0_5": "outputs",
    "mobilenet_v2": "outputs",
    "mobilenet_v3_large": "outputs",
    "mobilenet_v3_small": "outputs",
    "mvit_v2_s": "keys",
    "r2plus1d_18": "keys",
    "raft_small": "outputs",
    "regnet_x_400mf": "outputs",
    "regnet_y_400mf": "outputs",
    "resnet50": "outputs",
    "s3d": "outputs",
    "shufflenet_v2_x1_0": "outputs",
    "squeezenet1_1": "outputs",
    "swin_t": "keys",
    "swin_v2_t": "keys",
}

AUDIO = {
    "Conformer": "outputs",
    "ConvTasNet": "keys",
    "DeepSpeech": "keys",
    "Emformer": "keys",
    "Tacotron2": "outputs",
    "Wav2Letter_waveform": "keys",
    "WaveRNN": "keys",
    "conv_tasnet_base": "keys",
    "emformer_rnnt_base": "outputs",
    "hdemucs_low": "keys",
    "hubert_base": "outputs",
    "squim_objective_base": "keys",
    "wav2vec2_base": "outputs",
    "wavlm_base": "outputs",
}
TEXT = {
    "bart": "keys",
    "bert": "keys",
    "bert_cls": "outputs",
    "bert_mlm": "outputs",
    "clip": "outputs",
    "deberta_v2": "outputs",
    "distilbert": "keys",
    "electra": "outputs",
    "flan_t5": "outputs",
    "gemma2": "keys",
    "gpt2": "outputs",
    "llama": "keys",
    "marian": "outputs",
    "mistral": "keys",
    "qwen2": "outputs",
    "qwen3": "keys",
    "roberta": "outputs",
    "t5": "keys",
    "whisper": "keys",
    "xlmr_cls": "keys",
}
MODELS = [
    pytest.param(lib, name, by, id=f"{lib}-{name}")
    for lib, models in {"vision": VISION, "audio": AUDIO, "text": TEXT}.items()
    for name, by in models.items()
]


@pytest.fixture(scope="module")
def replay():
    spec = importlib.util.spec_from_file_location("replay_zoo", DATA / "replay_zoo.py")
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():  # the program quietens warnings for all
        spec.loader.exec_module(module)
    with gzip.open(DATA / "zoo.json.gz", "rt") as stream:
        rows = {(row["lib"], row["name"]): row for row in json.load(stream)}
    with np.load(DATA / "zoo_outputs.npz") as stream:
        data = {key: stream[key] for key in stream.files}
    return lambda lib, name: module.check(rows[lib, name], data, tp, False)


@needs_data
@pytest.mark.parametrize(("lib", "name", "by"), MODELS)
def test_recorded_models_agree(replay, lib, name, by):
    assert replay(lib, name) == by
