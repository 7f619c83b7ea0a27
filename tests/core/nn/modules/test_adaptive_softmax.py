"""Adaptive softmax: the clusters make one distribution over all classes."""

import numpy as np
import pytest
from scipy import special

import triptych as tp
from triptych import nn


def layer(head_bias=False):
    tp.manual_seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], 2.0, head_bias).double()


X = tp.tensor(np.random.default_rng(0).standard_normal((6, 8)))


def by_hand(net, x):
    """(n, 12) probabilities: the head's own, and a cluster's times that of its class in it."""
    head = special.softmax(x @ net.head.weight.detach().numpy().T, -1)
    parts = [head[:, :3]]
    for i, (down, out) in enumerate(net.tail):
        inner = x @ down.weight.detach().numpy().T @ out.weight.detach().numpy().T
        parts.append(special.softmax(inner, -1) * head[:, 3 + i : 4 + i])
    return np.concatenate(parts, 1)


def test_probabilities():
    net = layer()
    log_p = net.log_prob(X).detach().numpy()
    np.testing.assert_allclose(np.exp(log_p), by_hand(net, X.numpy()))
    np.testing.assert_allclose(np.exp(log_p).sum(1), 1)
    np.testing.assert_array_equal(net.predict(X).numpy(), log_p.argmax(1))


@pytest.mark.parametrize("targets", [[0, 2, 3, 5, 6, 11], [1] * 6, [7] * 6])
def test_output_and_loss_are_those_of_the_targets(targets):
    net = layer(True)
    output, loss = net(X, tp.tensor(targets))
    expected = net.log_prob(X).detach().numpy()[np.arange(6), targets]
    np.testing.assert_allclose(output.detach().numpy(), expected)
    assert float(loss) == pytest.approx(-expected.mean())
    one = net(X[0], tp.tensor(targets[0]))
    assert one.output.shape == () and float(one.output) == pytest.approx(expected[0])


def test_gradient_is_that_of_the_whole_distribution():
    net, twin = layer(), layer()
    targets = tp.tensor([0, 2, 3, 5, 6, 11])
    net(X, targets).loss.backward()
    (-twin.log_prob(X).gather(1, targets.unsqueeze(1)).mean()).backward()
    for one, two in zip(net.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(one.grad.numpy(), two.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("cutoffs", [[], [0, 3], [3, 3], [6, 3], [12]])
def test_cutoffs_must_rise_within_the_classes(cutoffs):
    with pytest.raises(tp.ShapeError, match="cutoffs that rise"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)


def test_errors():
    net = layer()
    with pytest.raises(tp.BoundsError, match="0 to 11"):
        net(X, tp.tensor([0, 1, 2, 3, 4, 12]))
    with pytest.raises(tp.ShapeError, match="6 inputs, but 5 targets"):
        net(X, tp.zeros(5).long())
    with pytest.raises(tp.ShapeError, match="wanted input"):
        net(X, tp.tensor(3))
