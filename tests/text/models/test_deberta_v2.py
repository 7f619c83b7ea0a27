"""Distances, disentangled attention against plain loops, settings, what is refused."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import (
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    DebertaV2ForSequenceClassification,
    DebertaV2Model,
    from_pretrained,
)
from triptych_text.models.deberta_v2_layers import distance_buckets

SMALL = {
    "vocab_size": 20,
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 3,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "relative_attention": True,
}
IDS = tp.tensor([[3, 7, 11, 2, 9], [5, 19, 4, 0, 0]])
MASK = tp.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def build(kind=DebertaV2Model, **settings):
    tp.manual_seed(0)
    return kind(DebertaV2Config.from_dict({**SMALL, **settings})).eval()


def test_near_distances_are_their_own_kinds_far_ones_share():
    kinds = distance_buckets(600, 256, 512)
    np.testing.assert_array_equal(kinds, -kinds.T)
    row = kinds[:, 0]
    np.testing.assert_array_equal(row[:129], np.arange(129))
    assert (np.diff(row) >= 0).all()
    assert row[511] == 255
    share = math.log(200 / 128) / math.log(511 / 128)
    assert row[200] == math.ceil(share * 127) + 128


@pytest.mark.parametrize("kinds", [["c2p"], ["p2c"], ["c2p", "p2c"]])
def test_attention_is_that_of_plain_loops(kinds):
    model = build(pos_att_type=kinds, position_buckets=4)
    attention = model.encoder.layer[0].attention.self
    x = tp.randn(1, 6, 12)
    distances, table = model.encoder.distances(6)
    weights = []
    with tp.no_grad():
        attention(x, None, distances, table, weights)
    q, k = (f(x).detach().numpy()[0].reshape(6, 3, 4)
            for f in (attention.query_proj, attention.key_proj))  # fmt: skip
    every = model.encoder.rel_embeddings.weight
    rows = distance_buckets(6, 4, 16) + 4
    scores = np.zeros((3, 6, 6))
    for h in range(3):
        for i in range(6):
            for j in range(6):
                s = q[i, h] @ k[j, h]
                if "c2p" in kinds:
                    keys = attention.pos_key_proj(every).detach().numpy().reshape(8, 3, 4)
                    s += q[i, h] @ keys[min(max(rows[i, j], 0), 7), h]
                if "p2c" in kinds:
                    queries = attention.pos_query_proj(every).detach().numpy().reshape(8, 3, 4)
                    s += k[j, h] @ queries[min(max(rows[i, j], 0), 7), h]
                scores[h, i, j] = s / math.sqrt(4 * (1 + len(kinds)))
    wanted = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights[0].numpy()[0], wanted, rtol=1e-4, atol=1e-6)


def test_padding_changes_nothing():
    model = build(pos_att_type="p2c|c2p", conv_kernel_size=3, position_biased_input=True)
    with tp.no_grad():
        both = model(IDS, MASK).last_hidden_state
        alone = model(IDS[1:, :3]).last_hidden_state
        # the same said for each token
        wide = model(IDS, MASK[:, None, :] * MASK[:, :, None]).last_hidden_state
    np.testing.assert_allclose(both[1:, :3].numpy(), alone.numpy(), atol=1e-5)
    np.testing.assert_allclose(wide.numpy(), both.numpy(), atol=1e-6)


def test_places_and_segments():
    model = build(position_biased_input=True, type_vocab_size=2)
    with tp.no_grad():
        plain = model(IDS).last_hidden_state
        same = model(IDS, None, tp.zeros_like(IDS), tp.arange(5)[None]).last_hidden_state
        other = model(IDS, None, tp.ones_like(IDS)).last_hidden_state
    np.testing.assert_allclose(same.numpy(), plain.numpy(), atol=1e-6)
    assert not tp.allclose(other, plain)


def test_published_names_of_masked_words(tmp_path):
    saved = build(DebertaV2ForMaskedLM, legacy=False, pos_att_type=["c2p"])
    assert not saved.ties()
    saved.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path)
    with tp.no_grad():
        np.testing.assert_array_equal(loaded(IDS).logits.numpy(), saved(IDS).logits.numpy())
    assert "lm_predictions.lm_head.dense.weight" in saved.state_dict()


def test_labels_below_zero_do_not_count():
    model = build(DebertaV2ForSequenceClassification, num_labels=3)
    out = model(IDS, labels=tp.tensor([-1, 2]))
    with tp.no_grad():
        alone = model(IDS[1:], labels=tp.tensor([2]))
    assert out.loss.item() == pytest.approx(alone.loss.item(), rel=1e-5)
    assert model(IDS, labels=tp.tensor([-1, -1])).loss.item() == 0
    shares = tp.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    logs = out.logits.log_softmax(-1).detach().numpy()
    wanted = -(logs * shares.numpy()).sum(-1).mean()
    assert model(IDS, labels=shares).loss.item() == pytest.approx(wanted, rel=1e-5)
    number = build(DebertaV2ForSequenceClassification, num_labels=1)
    got = number(IDS, labels=tp.tensor([0.5, 2.0]))
    wanted = np.mean((got.logits.detach().numpy()[:, 0] - [0.5, 2.0]) ** 2)
    assert got.loss.item() == pytest.approx(wanted, rel=1e-5)


def test_refuses():
    with pytest.raises(ShapeError, match="wanted an odd number"):
        build(conv_kernel_size=4)
    with pytest.raises(ShapeError, match="embedding_size is hidden_size"):
        build(DebertaV2ForMaskedLM, legacy=False, embedding_size=8)
    with pytest.raises(ShapeError, match=r"wanted \(n, l\) or \(n, l, l\)"):
        build()(IDS, MASK[0])
