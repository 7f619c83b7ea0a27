"""Published vocabularies beside their own libraries, on some lines of the benchmark."""

import importlib.util
import sys
from pathlib import Path

import pytest

from triptych_datasets import Offline, fetch
from triptych_text.tokenizer_files import TOKENIZER_FILES
from triptych_text.weights import PRETRAINED

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "tokenizer_agreement.py"
FILES = {
    "r50k_base": "r50k_base.tiktoken",
    "p50k_base": "p50k_base.tiktoken",
    "cl100k_base": "cl100k_base.tiktoken",
    "o200k_base": "o200k_base.tiktoken",
    "qwen": "qwen.tiktoken",
    "Mistral v1": "mistral/tokenizer.model.v1",
    "Mistral v3": "mistral/tokenizer.model.v3",
    "Jurassic-2": "j2/tokenizer.model",
    "CLIP": "clip/bpe_simple_vocab_16e6.txt.gz",
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("tokenizer_agreement", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def _artifact(name):
    if name in FILES:
        return TOKENIZER_FILES[FILES[name]]
    return PRETRAINED["all-MiniLM-L6-v2"].artifacts[name.split()[1]]


@pytest.mark.network
@pytest.mark.parametrize("name", [*FILES, "MiniLM tokenizer.json", "MiniLM vocab.txt"])
def test_ids_and_places(script, name):
    for library in ("tiktoken", "sentencepiece"):
        pytest.importorskip(library)
    try:
        fetch(_artifact(name))
    except Offline as error:
        pytest.skip(str(error))
    subject = script.SUBJECTS[name]()
    result = script.compare(subject, script.mixed_lines(200, seed=1))
    assert (result.ids, result.places) == (200, 200)
    assert not subject.lossless or result.round_trips == 200
