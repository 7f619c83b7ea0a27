"""The transducer loss against all paths through the lattice; CTC's against all labellings."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F
from triptych_audio import transforms as T


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def naive(logits, target, blank):
    """Minus the logarithm of the sum over all orders of moves; the last is a blank."""
    p = log_softmax(logits)
    t, u = logits.shape[0], len(target)
    total = -np.inf
    for places in itertools.combinations(range(t - 1 + u), u):
        i = j = 0
        score = 0.0
        for k in range(t - 1 + u):
            if k in places:
                score, j = score + p[i, j, target[j]], j + 1
            else:
                score, i = score + p[i, j, blank], i + 1
        total = np.logaddexp(total, score + p[i, j, blank])
    return -total


@pytest.fixture
def batch(rng):
    lengths = [np.array(v, np.int32) for v in ([4, 2, 3], [1, 2, 0])]
    return rng.standard_normal((3, 4, 3, 5)), np.array([[1, 0], [2, 1], [0, 0]], np.int32), *lengths


@pytest.mark.parametrize("blank", [-1, 4, 3])
def test_against_all_paths(batch, blank):
    logits, targets, frames, spans = batch
    want = [
        naive(logits[i, : frames[i], : spans[i] + 1], targets[i, : spans[i]], blank)
        for i in range(3)
    ]
    got = F.rnnt_loss(*batch, blank=blank, reduction="none")
    np.testing.assert_allclose(got, want)
    np.testing.assert_allclose(F.rnnt_loss(*batch, blank=blank, reduction="sum"), sum(want))
    np.testing.assert_allclose(F.rnnt_loss(*batch, blank=blank), sum(want) / 3)
    normal = log_softmax(logits)
    again = F.rnnt_loss(normal, *batch[1:], blank, fused_log_softmax=False, reduction="none")
    np.testing.assert_allclose(again, want)


def test_gradients(batch):
    logits, *rest = (tp.tensor(a) for a in batch)
    logits.requires_grad_()
    assert tp.autograd.gradcheck(lambda x: F.rnnt_loss(x, *rest, reduction="none"), (logits,))
    F.rnnt_loss(logits, *rest, reduction="sum").backward()
    full, logits.grad = logits.grad, None
    T.RNNTLoss(clamp=0.05, reduction="sum")(logits, *rest).backward()
    np.testing.assert_allclose(logits.grad.numpy(), full.clamp(-0.05, 0.05).numpy())


def test_module(batch):
    module = T.RNNTLoss(blank=3, reduction="none", fused_log_softmax=False)
    want = F.rnnt_loss(*batch, 3, -1, "none", False)
    np.testing.assert_array_equal(module(*batch), want)


WRONG = [
    (1, lambda a: a.astype(np.int64), TypeError, "targets must be int32"),
    (2, lambda a: a.astype(np.int64), TypeError, "logit_lengths must be int32"),
    (3, lambda a: a.astype(np.int64), TypeError, "target_lengths must be int32"),
    (0, lambda a: a[0], ValueError, "wanted logits"),
    (1, lambda a: a[:, :1], ValueError, "wanted logits"),
    (2, lambda a: a[:2], ValueError, "n lengths each"),
    (2, lambda a: np.minimum(a, 3), ValueError, "longest of logit_lengths"),
    (3, lambda a: np.minimum(a, 1), ValueError, "longest of logit_lengths"),
    (1, lambda a: a + 5, IndexError, "rnnt_loss"),
    (0, lambda a: a.astype(np.int32), TypeError, "floating"),
]


@pytest.mark.parametrize(("place", "change", "error", "text"), WRONG)
def test_errors(batch, place, change, error, text):
    arguments = list(batch)
    arguments[place] = change(arguments[place])
    with pytest.raises(error, match=text):
        F.rnnt_loss(*arguments)


def test_errors_of_settings(batch):
    with pytest.raises(ValueError, match="reduction is one of"):
        F.rnnt_loss(*batch, reduction="all")
    with pytest.raises(ValueError, match="blank 5"):
        F.rnnt_loss(*batch, blank=5)


def test_ctc_loss(rng):
    log_probs = log_softmax(rng.standard_normal((4, 1, 3)))
    total = -np.inf
    for path in itertools.product(range(3), repeat=4):
        if [k for k, _ in itertools.groupby(path) if k] == [1, 2]:
            total = np.logaddexp(total, sum(log_probs[t, 0, k] for t, k in enumerate(path)))
    got = F.ctc_loss(log_probs, np.array([[1, 2]]), np.array([4]), np.array([2]), reduction="sum")
    np.testing.assert_allclose(got, -total)
