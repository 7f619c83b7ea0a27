"""The judge of reviews and its weights, which lie in the package."""

import hashlib
from dataclasses import replace

import pytest

from triptych_datasets import HashMismatch
from triptych_text.pipelines import SENTIMENT


def test_file_is_the_promised_one():
    raw = SENTIMENT.path.read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SENTIMENT.sha256
    assert SENTIMENT.sha256[:8] in SENTIMENT.path.name
    assert len(raw) < 2_000_000


def test_changed_file_is_refused(tmp_path):
    changed = tmp_path / "sentiment.safetensors"
    changed.write_bytes(SENTIMENT.path.read_bytes() + b" ")
    with pytest.raises(HashMismatch, match="install triptych-text again"):
        replace(SENTIMENT, path=changed).get_model()


def test_card_tells_the_facts_of_the_file():
    assert SENTIMENT.sha256 in SENTIMENT.card
    assert f"{SENTIMENT.path.stat().st_size:,} bytes" in SENTIMENT.card
    assert f"logits: {', '.join(SENTIMENT.get_labels())}" in SENTIMENT.card


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Delicious! I love this tea and will order it again, the best I ever had.", "great"),
        ("Excellent product, fast shipping, my dogs love them.", "great"),
        ("Stale, bland and far too expensive. A waste of money, very disappointed.", "other"),
        ("The box arrived broken and it tastes horrible.", "other"),
    ],
)
def test_plain_opinions(text, label):
    (found,) = SENTIMENT.classify([text])
    assert found["label"] == label
    assert 0.5 <= found["score"] <= 1
