"""The language model that lies in the package."""

import hashlib
import math
import shutil
from dataclasses import replace

import pytest

import triptych as tp
from triptych.nn import functional as F
from triptych_datasets import HashMismatch
from triptych_text.pipelines import AUSTEN_LM


@pytest.fixture(scope="module")
def writer():
    return AUSTEN_LM.get_generator()


def test_files_are_the_promised_ones():
    for name, digest in AUSTEN_LM.hashes.items():
        assert hashlib.sha256((AUSTEN_LM.folder / name).read_bytes()).hexdigest() == digest
    assert (AUSTEN_LM.folder / "model.safetensors").stat().st_size < 2_000_000


def test_changed_file_is_refused(tmp_path):
    shutil.copytree(AUSTEN_LM.folder, tmp_path / "lm")
    with (tmp_path / "lm" / "tokenizer.json").open("a") as stream:
        stream.write(" ")
    with pytest.raises(HashMismatch, match="install triptych-text again"):
        replace(AUSTEN_LM, folder=tmp_path / "lm").get_tokenizer()


def test_card_tells_the_facts_of_the_files(writer):
    assert AUSTEN_LM.hashes["model.safetensors"] in AUSTEN_LM.card
    size = (AUSTEN_LM.folder / "model.safetensors").stat().st_size
    assert f"{size:,} bytes" in AUSTEN_LM.card
    assert f"{sum(p.numel() for p in writer.model.parameters()):,} parameters" in AUSTEN_LM.card


def test_her_manner_surprises_it_less_than_another(writer):
    def bits(text):
        ids = tp.tensor([writer.tokenizer.encode(text).ids])
        with tp.inference_mode():
            scores = writer.model(ids[:, :-1]).logits[0]
        return F.cross_entropy(scores, ids[0, 1:], reduction="sum").item() / math.log(2) / len(text)

    hers = bits("She was not at all sorry to be prevented from going to the ball with her sister.")
    ours = bits("The quarterly router firmware patch bricked 40% of our staging Kubernetes pods.")
    assert hers < 2.5 < 3 < ours


def test_it_writes_words_in_pieces(writer):
    options = {"max_new_tokens": 30, "do_sample": False}
    whole = writer("She was very", **options)
    assert "".join(writer.stream("She was very", **options)) == whole
    assert len(whole.split()) >= 4
