"""Embedding tables; lookups are tested with `functional`."""

import pytest

import triptych
from triptych import nn


def test_padding_is_zero_and_not_learned():
    layer = nn.Embedding(5, 3, padding_idx=-2)
    assert layer.padding_idx == 3
    assert not layer.weight[3].detach().numpy().any()
    layer(triptych.tensor([3, 1])).sum().backward()
    assert layer.weight.grad.sum(1).tolist() == [0.0, 3.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_from_pretrained(kind):
    table = triptych.eye(3)
    frozen, learned = kind.from_pretrained(table), kind.from_pretrained(table, freeze=False)
    assert not frozen.weight.requires_grad
    assert learned.weight.requires_grad
    assert (frozen.num_embeddings, frozen.embedding_dim) == (3, 3)
    assert frozen(triptych.tensor([[1]])).reshape(-1).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(ValueError, match=r"wanted \(v, e\)"):
        kind.from_pretrained(triptych.zeros(3))


def test_mistakes():
    with pytest.raises(IndexError, match="padding_idx 5 is outside the table of 5"):
        nn.Embedding(5, 3, padding_idx=5)
    with pytest.raises(ValueError, match=r"_weight has shape \(2, 2\), wanted \(5, 3\)"):
        nn.Embedding(5, 3, _weight=triptych.zeros(2, 2))
