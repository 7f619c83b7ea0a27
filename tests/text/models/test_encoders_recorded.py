"""Encoders and heads against transformers 5.23, as tools/record_encoders.py has recorded it."""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych_text.models import from_config

PATH = Path(__file__).parent / "encoders_recorded.json"
RECORDS = json.loads(PATH.read_text(encoding="utf-8"))


def fill(name, shape):
    """As in tools/record_encoders.py."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) < 2:
        return np.asarray(0.1 * drawn + float(name.endswith("weight")), np.float32)
    return np.asarray(drawn / math.sqrt(math.prod(shape[1:])), np.float32)


@pytest.mark.parametrize("place", range(len(RECORDS)), ids=lambda i: f"{i}-{RECORDS[i]['name']}")
def test_outputs_and_losses(place):
    record = RECORDS[place]
    model = from_config({"architectures": [record["name"]], **record["config"]}).eval()
    state = {name: tp.tensor(fill(name, tuple(t.shape))) for name, t in model.state_dict().items()}
    # tied weights are loaded under several names; the last one stays, as in the recording
    model.load_state_dict(state)
    out = model(**{name: tp.tensor(value) for name, value in record["inputs"].items()})
    names = out.keys()
    assert set(names) == set(record["outputs"])
    for name, wanted in record["outputs"].items():
        flat = out[name].detach().numpy().ravel()
        np.testing.assert_allclose(flat[:: max(1, len(flat) // 6)], wanted, rtol=2e-4, atol=2e-5)
    if "loss" in names:
        out.loss.backward()
        assert any(p.grad is not None and p.grad.abs().sum().item() > 0 for p in model.parameters())


@pytest.mark.parametrize("place", range(0, len(RECORDS), 3))
def test_what_is_asked_for_besides(place):
    record = RECORDS[place]
    model = from_config({"architectures": [record["name"]], **record["config"]}).eval()
    given = {n: tp.tensor(record["inputs"][n]) for n in ("input_ids", "attention_mask")}
    with tp.no_grad():
        plain = model(**given)
        out = model(**given, output_hidden_states=True, output_attentions=True)
    assert len(out.hidden_states) == 3
    assert len(out.attentions) == 2
    texts, length = out.hidden_states[0].shape[:2]
    for weights in out.attentions:
        assert weights.shape == (texts, 4, length, length)
        np.testing.assert_allclose(weights.sum(-1).numpy(), 1.0, rtol=1e-5)
    first = plain.keys()[0]
    np.testing.assert_allclose(plain[first].numpy(), out[first].numpy(), atol=1e-5)
    assert plain.hidden_states is None
    assert plain.attentions is None
