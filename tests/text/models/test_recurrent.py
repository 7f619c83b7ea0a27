"""Recurrent models: padding does not count, they learn, and against plain loops."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_text.models import GRUSeq2Seq, LSTMClassifier
from triptych_text.models.recurrent import AdditiveAttention

IDS = tp.tensor([[3, 7, 5, 4], [6, 4, 0, 0]])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_padding_does_not_count(bidirectional, num_layers):
    tp.manual_seed(0)
    model = LSTMClassifier(9, 3, 4, 5, num_layers, bidirectional).eval()
    both = model(IDS)
    assert both.shape == (2, 3)
    np.testing.assert_allclose(both[1:].detach(), model(IDS[1:, :2]).detach(), atol=1e-6)
    wide = tp.cat([IDS, tp.zeros(2, 3, dtype=tp.int64)], 1)
    np.testing.assert_allclose(model(wide).detach(), both.detach(), atol=1e-6)


def test_order_is_read():
    tp.manual_seed(0)
    model = LSTMClassifier(6, 2, 8, 16, dropout=0.0)
    texts = tp.tensor([[1, 2, 3], [3, 2, 1], [1, 3, 2], [2, 3, 1]])
    labels = tp.tensor([0, 1, 0, 1])  # whether 1 is before 3 ... or first
    optimizer = tp.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        loss = tp.nn.functional.cross_entropy(model(texts), labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert model.eval()(texts).argmax(1).tolist() == labels.tolist()


def test_attention_is_that_of_the_paper():
    tp.manual_seed(0)
    attention = AdditiveAttention(3, 4, 5)
    state, encoded = tp.randn(2, 3), tp.randn(2, 6, 4)
    mask = tp.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0]]).bool()
    mean, weights = attention(state, encoded, attention.keys(encoded), mask)
    w, b = attention.state.weight.detach().numpy(), attention.state.bias.detach().numpy()
    u, v = attention.keys.weight.detach().numpy(), attention.score.weight.detach().numpy()[0]
    for n, count in enumerate((6, 2)):
        e = [
            v @ np.tanh(w @ state[n].numpy() + b + u @ encoded[n, i].numpy()) for i in range(count)
        ]
        alpha = np.exp(e) / np.exp(e).sum()
        np.testing.assert_allclose(weights[n, :count].detach(), alpha, rtol=1e-4)
        assert weights[n, count:].abs().sum().item() == 0
        np.testing.assert_allclose(
            mean[n].detach(), alpha @ encoded[n, :count].numpy(), rtol=1e-4, atol=1e-6
        )


def build(**options):
    tp.manual_seed(0)
    return GRUSeq2Seq(9, 11, embedding_dim=6, hidden_size=10, **options)


def test_the_source_is_read_without_padding():
    model = build().eval()
    target = tp.tensor([[1, 5, 6], [1, 7, 2]])
    both = model(IDS, target)
    alone = model(IDS[1:, :2], target[1:])
    np.testing.assert_allclose(both[1:].detach(), alone.detach(), atol=1e-5)


def test_what_is_written_is_what_is_likeliest():
    model = build().eval()
    written = model.generate(IDS, max_length=6)
    for row, source in zip(written.tolist(), (IDS[:1], IDS[1:, :2]), strict=True):
        given, ended = [1], False
        for token in row:
            if ended:
                assert token == 0
                continue
            best = model(source, tp.tensor([given]))[0, -1].argmax().item()
            assert token == best
            given.append(token)
            ended = token == 2


def test_own_choices():
    model = build().eval()
    target = tp.tensor([[1, 5, 6, 3]])
    free = model(IDS[:1], target, teacher_forcing=0.0)
    own = [1]
    for place in range(4):
        np.testing.assert_allclose(
            model(IDS[:1], tp.tensor([own]))[0, -1].detach(), free[0, place].detach(), atol=1e-5
        )
        own.append(free[0, place].argmax().item())
    some = [
        model(
            IDS[:1], target, teacher_forcing=0.5, generator=tp.Generator().manual_seed(seed)
        ).detach()
        for seed in (3, 3)
    ]
    assert tp.equal(*some)


def test_it_learns_to_turn_around():
    model = build(dropout=0.0)
    source = tp.tensor([[3, 4, 5], [5, 3, 0], [4, 5, 3], [4, 0, 0]])
    target = tp.tensor([[1, 5, 4, 3, 2], [1, 3, 5, 2, 0], [1, 3, 5, 4, 2], [1, 4, 2, 0, 0]])
    optimizer = tp.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        loss = model.loss(source, target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert model.eval().generate(source).tolist() == target[:, 1:].tolist()


def test_refuses():
    with pytest.raises(ShapeError, match=r"wanted ids of shape \(n, l\)"):
        LSTMClassifier(9, 2)(IDS[0])
    model = build()
    for nothing in IDS[:, :0], IDS[:0]:
        with pytest.raises(ShapeError, match=r"GRUSeq2Seq: wanted ids .* got \(\d, \d\)"):
            model.generate(nothing)
        with pytest.raises(ShapeError, match="LSTMClassifier: wanted ids"):
            LSTMClassifier(9, 2)(nothing)
    for target in IDS[0], IDS[:1], IDS[:, :0]:
        with pytest.raises(ShapeError, match=r"wanted target of shape \(2, t\)"):
            model(IDS, target)
    with pytest.raises(ShapeError, match=r"got \(2, 0\)"):
        model.loss(IDS, IDS[:, :1])
    with pytest.raises(DomainError, match="max_length is 1 or more, got 0"):
        model.generate(IDS, max_length=0)
    with pytest.raises(DomainError, match="teacher_forcing <= 1, got 2"):
        model(IDS, IDS, teacher_forcing=2)
