"""BERT against a twin in plain NumPy, written from the paper, that loops over texts and heads."""

import numpy as np
import pytest
from scipy.special import erf

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import BertConfig, BertModel

IDS = np.array([[3, 7, 11, 2, 0], [5, 19, 4, 0, 0], [9, 8, 7, 6, 5]])
MASK = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(x, weights, name, eps):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attention(x, weights, name, num_heads, count):
    """x (l, d); only the first `count` tokens are looked at."""
    q, k, v = (linear(x, weights, f"{name}.{part}") for part in ("query", "key", "value"))
    out = np.empty_like(x)
    for part in np.split(np.arange(x.shape[1]), num_heads):
        scores = q[:, part] @ k[:count, part].T / np.sqrt(len(part))
        shares = np.exp(scores - scores.max(1, keepdims=True))
        out[:, part] = shares / shares.sum(1, keepdims=True) @ v[:count, part]
    return out


def naive_bert(config, weights, ids, segments, count):
    """Hidden states of one text of l ids, `count` of them no padding."""
    tables = ("word", ids), ("position", np.arange(len(ids))), ("token_type", segments)
    x = sum(weights[f"embeddings.{name}_embeddings.weight"][at] for name, at in tables)
    x = norm(x, weights, "embeddings.LayerNorm", config.layer_norm_eps)
    states = [x]
    for i in range(config.num_hidden_layers):
        layer = f"encoder.layer.{i}"
        mixed = attention(x, weights, f"{layer}.attention.self", config.num_attention_heads, count)
        x = x + linear(mixed, weights, f"{layer}.attention.output.dense")
        x = norm(x, weights, f"{layer}.attention.output.LayerNorm", config.layer_norm_eps)
        wide = linear(x, weights, f"{layer}.intermediate.dense")
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        x = x + linear(wide, weights, f"{layer}.output.dense")
        x = norm(x, weights, f"{layer}.output.LayerNorm", config.layer_norm_eps)
        states.append(x)
    return states


@pytest.fixture
def model(bert_config):
    tp.manual_seed(0)
    model = BertModel(bert_config).eval()
    with tp.no_grad():  # starting values are small and biases zero: make everything count
        for parameter in model.parameters():
            parameter.copy_(tp.randn(parameter.shape) * 0.5)
    return model


def double_weights(model):
    return {name: t.numpy().astype(np.float64) for name, t in model.state_dict().items()}


@pytest.mark.parametrize("segments", [None, np.array([[0, 0, 1, 1, 1]] * 3)])
def test_against_the_naive_twin(model, bert_config, segments):
    types = None if segments is None else tp.tensor(segments)
    with tp.no_grad():
        out = model(tp.tensor(IDS), tp.tensor(MASK), types, output_hidden_states=True)
    weights = double_weights(model)
    for row, count in enumerate(MASK.sum(1)):
        own = np.zeros(5, dtype=int) if segments is None else segments[row]
        states = naive_bert(bert_config, weights, IDS[row], own, count)
        for got, expected in zip(out.hidden_states, states, strict=True):
            np.testing.assert_allclose(got[row].numpy(), expected, rtol=2e-5, atol=2e-5)
        np.testing.assert_array_equal(out.last_hidden_state.numpy(), out.hidden_states[-1].numpy())
        pooled = np.tanh(linear(states[-1][0], weights, "pooler.dense"))
        np.testing.assert_allclose(out.pooler_output[row].numpy(), pooled, rtol=2e-5, atol=2e-5)


def test_no_mask_is_a_mask_of_ones(model):
    ids = tp.tensor(IDS)
    with tp.no_grad():
        bare = model(ids).last_hidden_state.numpy()
        ones = model(ids, tp.ones(3, 5, dtype=tp.int64)).last_hidden_state.numpy()
    np.testing.assert_allclose(bare, ones, rtol=1e-5, atol=1e-6)


def test_padding_changes_nothing(model):
    with tp.no_grad():
        alone = model(tp.tensor(IDS[1:2, :3])).last_hidden_state.numpy()
        padded = model(tp.tensor(IDS), tp.tensor(MASK)).last_hidden_state.numpy()
    np.testing.assert_allclose(alone[0], padded[1, :3], rtol=1e-5, atol=1e-5)


def test_a_text_of_padding_only_is_finite(model):
    with tp.no_grad():
        out = model(tp.tensor(IDS), tp.zeros(3, 5, dtype=tp.int64))
    assert bool(out.last_hidden_state.isfinite().all())


def test_mask_for_each_query(model):
    """With a triangle as mask the first token cannot know what comes after it."""
    triangle = tp.ones(5, 5, dtype=tp.int64).tril().expand(3, 5, 5)
    changed = IDS.copy()
    changed[:, 1:] = 1
    with tp.no_grad():
        one = model(tp.tensor(IDS), triangle).last_hidden_state.numpy()
        other = model(tp.tensor(changed), triangle).last_hidden_state.numpy()
    np.testing.assert_array_equal(one[:, 0], other[:, 0])
    assert not np.allclose(one[:, 1], other[:, 1])


def test_given_places(model):
    ids = tp.tensor(IDS)
    with tp.no_grad():
        plain = model(ids).last_hidden_state.numpy()
        same = model(ids, position_ids=tp.arange(5)[None]).last_hidden_state.numpy()
        moved = model(ids, position_ids=tp.arange(5)[None] + 1).last_hidden_state.numpy()
    np.testing.assert_allclose(plain, same, rtol=1e-6, atol=1e-6)
    assert not np.allclose(plain, moved)


def test_every_weight_gets_a_gradient(bert_config):
    model = BertModel(bert_config)
    out = model(tp.tensor(IDS), tp.tensor(MASK))
    (out.pooler_output.sum() + out.last_hidden_state.square().sum()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []
    assert model.embeddings.word_embeddings.weight.grad[0].abs().sum().item() == 0  # padding


def test_dropout_only_in_training(model):
    ids = tp.tensor(IDS)
    with tp.no_grad():
        assert bool((model(ids)[0] == model(ids)[0]).all())
        model.train()
        assert not bool((model(ids)[0] == model(ids)[0]).all())


def test_starting_values(bert_config):
    tp.manual_seed(1)
    bert_config.hidden_size, bert_config.initializer_range = 120, 0.5
    weights = BertModel(bert_config).state_dict()
    assert 0.49 < weights["encoder.layer.0.attention.self.query.weight"].std().item() < 0.51
    assert weights["encoder.layer.0.intermediate.dense.bias"].abs().sum().item() == 0
    assert weights["embeddings.word_embeddings.weight"][0].abs().sum().item() == 0
    assert weights["embeddings.word_embeddings.weight"][1].abs().sum().item() > 0
    assert weights["embeddings.LayerNorm.weight"].tolist() == [1.0] * 120


def test_refuses(model):
    with pytest.raises(ShapeError, match=r"11 tokens.*places for 10.*truncation"):
        model(tp.zeros(1, 11, dtype=tp.int64))
    with pytest.raises(ShapeError, match=r"\(n, l\).*\(5,\)"):
        model(tp.tensor(IDS[0]))
    with pytest.raises(ShapeError, match="attention_mask"):
        model(tp.tensor(IDS), tp.ones(5))
    with pytest.raises(ShapeError, match="13 does not divide into 3 heads"):
        BertModel(BertConfig(hidden_size=13, num_attention_heads=3))


def test_without_pooler(bert_config):
    model = BertModel(bert_config, add_pooling_layer=False)
    assert model(tp.tensor(IDS)).pooler_output is None
    assert not any("pooler" in name for name in model.state_dict())
