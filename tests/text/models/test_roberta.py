import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import BertModel, RobertaConfig, RobertaModel, XLMRobertaModel

SMALL = {
    "vocab_size": 20,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 24,
    "max_position_embeddings": 10,
}
IDS = tp.tensor([[0, 5, 6, 2, 1, 1], [0, 7, 8, 9, 4, 2]])  # 1 is padding
MASK = tp.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])


@pytest.mark.parametrize("cls", [RobertaModel, XLMRobertaModel])
def test_is_bert_with_shifted_places(cls):
    config = cls.config_class(**SMALL)
    model = cls(config).eval()
    bert = BertModel(config).eval()
    bert.load_state_dict(model.state_dict())
    places = tp.tensor([[2, 3, 4, 5, 1, 1], [2, 3, 4, 5, 6, 7]])
    with tp.no_grad():
        got = model(IDS, MASK).last_hidden_state.numpy()
        expected = bert(IDS, MASK, position_ids=places).last_hidden_state.numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
        assert not np.allclose(got, bert(IDS, MASK).last_hidden_state.numpy())


def test_longest_input():
    model = RobertaModel(RobertaConfig(**SMALL)).eval()
    assert model(tp.full((1, 8), 5)).last_hidden_state.shape == (1, 8, 12)
    with pytest.raises(ShapeError, match="places for 8"):
        model(tp.full((1, 9), 5))


def test_padding_id_is_needed():
    with pytest.raises(ValueError, match="pad_token_id"):
        RobertaModel(RobertaConfig(**SMALL, pad_token_id=None))
