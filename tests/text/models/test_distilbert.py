"""DistilBERT is BERT without segments and pooler: the same weights give the same numbers."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import BertConfig, BertModel, DistilBertConfig, DistilBertModel

IDS = tp.tensor([[3, 7, 11, 0], [5, 19, 4, 9]])
MASK = tp.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])

RENAMED = {
    "transformer.layer": "encoder.layer",
    "attention.q_lin": "attention.self.query",
    "attention.k_lin": "attention.self.key",
    "attention.v_lin": "attention.self.value",
    "attention.out_lin": "attention.output.dense",
    "sa_layer_norm": "attention.output.LayerNorm",
    "ffn.lin1": "intermediate.dense",
    "ffn.lin2": "output.dense",
    "output_layer_norm": "output.LayerNorm",
}


@pytest.fixture
def config():
    return DistilBertConfig(
        vocab_size=20, dim=12, n_layers=2, n_heads=3, hidden_dim=24, max_position_embeddings=6
    )


def test_against_bert(config):
    model = DistilBertModel(config).eval()
    bert = BertModel(
        BertConfig(
            vocab_size=20,
            hidden_size=12,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=24,
            max_position_embeddings=6,
        ),
        add_pooling_layer=False,
    ).eval()
    weights = {"embeddings.token_type_embeddings.weight": tp.zeros(2, 12)}
    for name, tensor in model.state_dict().items():
        for own, other in RENAMED.items():
            name = name.replace(own, other)
        weights[name] = tensor
    bert.load_state_dict(weights)
    with tp.no_grad():
        got = model(IDS, MASK, output_hidden_states=True)
        expected = bert(IDS, MASK, output_hidden_states=True)
    assert len(got.hidden_states) == 3
    for one, other in zip(got.hidden_states, expected.hidden_states, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-6)


def test_takes_what_a_tokenizer_returns(config):
    model = DistilBertModel(config).eval()
    with tp.no_grad():
        plain = model(IDS, MASK)[0]
        with_types = model(input_ids=IDS, attention_mask=MASK, token_type_ids=tp.ones_like(IDS))[0]
    assert bool((plain == with_types).all())
    with pytest.raises(ShapeError, match="places for 6"):
        model(tp.zeros(1, 7, dtype=tp.int64))
