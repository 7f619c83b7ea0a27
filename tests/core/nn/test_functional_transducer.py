"""The transducer loss against the enumeration of all alignments."""

import itertools

import numpy as np
import pytest
from scipy import special

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def enumerated(logits, labels, frames, span, blank, fused=True):
    """One sample: the sum over all orders of `frames` blanks, the last at the end, and labels."""
    log_p = special.log_softmax(logits, -1) if fused else logits
    ways = []
    for places in itertools.combinations(range(frames - 1 + span), span):
        t = u = 0
        total = 0.0
        for step in range(frames + span):
            if step in places:
                total += log_p[t, u, labels[u]]
                u += 1
            else:
                total += log_p[t, u, blank]
                t += 1
        ways.append(total)
    return -special.logsumexp(ways)


CASE = RNG.standard_normal((3, 4, 4, 5)), RNG.integers(1, 4, (3, 3)), [4, 3, 1], [3, 1, 0]


def run(logits, labels, frames, spans, **options):
    wanted = {"dtype": tp.int32}
    lengths = tp.tensor(frames, **wanted), tp.tensor(spans, **wanted)
    return F.rnnt_loss(tp.as_tensor(logits), tp.tensor(labels, **wanted), *lengths, **options)


@pytest.mark.parametrize("blank", [0, 4, -1])
@pytest.mark.parametrize("fused", [True, False])
def test_every_alignment_counts(blank, fused):
    logits, labels, frames, spans = CASE
    cases = zip(logits, labels, frames, spans, strict=True)
    expected = [enumerated(*case, blank, fused) for case in cases]
    losses = run(*CASE, blank=blank, fused_log_softmax=fused, reduction="none")
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("fused", [True, False])
def test_gradients(fused):
    logits = tp.tensor(CASE[0][:2, :3, :3, :3]).requires_grad_()
    rest = np.array([[1, 1], [1, 0]]), [3, 2], [2, 1]
    assert gradcheck(lambda x: run(x, *rest, reduction="none", fused_log_softmax=fused), logits)
    assert gradgradcheck(lambda x: run(x, *rest, fused_log_softmax=fused), logits)


def test_gradients_of_the_logits_sum_to_zero_and_vanish_outside_the_lengths():
    logits = tp.tensor(CASE[0]).requires_grad_()
    run(logits, *CASE[1:], reduction="sum").backward()
    grad = logits.grad.numpy()
    np.testing.assert_allclose(grad.sum(-1), 0, atol=1e-12)
    assert grad[0, -1, -1, -1] < 0 < np.abs(grad[1, :3, :2]).min()
    assert not grad[1, 3:].any() and not grad[1, :, 2:].any() and not grad[2, 1:].any()


def test_reductions():
    each = run(*CASE, reduction="none").numpy()
    np.testing.assert_allclose(float(run(*CASE)), each.mean())
    np.testing.assert_allclose(float(run(*CASE, reduction="sum")), each.sum())


def test_clamp_limits_the_gradient_of_each_sample():
    free, held = (tp.tensor(CASE[0]).requires_grad_() for _ in range(2))
    run(free, *CASE[1:], reduction="sum").backward()
    (run(held, *CASE[1:], reduction="sum", clamp=0.1) * 3).backward()
    assert np.abs(free.grad.numpy()).max() > 0.1
    np.testing.assert_allclose(held.grad.numpy(), 3 * np.clip(free.grad.numpy(), -0.1, 0.1))


def test_one_frame_and_no_labels_is_one_blank():
    logits = RNG.standard_normal((1, 1, 1, 3))
    loss = run(logits, np.zeros((1, 0), int), [1], [0], blank=2)
    np.testing.assert_allclose(float(loss), -special.log_softmax(logits, -1)[0, 0, 0, 2])


def test_half_precision_is_computed_in_single():
    single = run(CASE[0].astype(np.float16).astype(np.float32), *CASE[1:])
    half = run(CASE[0].astype(np.float16), *CASE[1:])
    assert half.dtype == tp.float16
    np.testing.assert_allclose(float(half), float(single), rtol=1e-3)


def test_long_lattices_stay_finite():
    logits = tp.tensor(RNG.standard_normal((1, 200, 50, 3)).astype(np.float32) * 20)
    logits.requires_grad_()
    loss = F.rnnt_loss(
        logits, tp.ones(1, 49, dtype=tp.int32), tp.tensor([200]), tp.tensor([49]), blank=0
    )
    loss.backward()
    assert np.isfinite(float(loss)) and np.isfinite(logits.grad.numpy()).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"frames": [5, 3, 1]}, "logit_lengths"),
        ({"frames": [0, 3, 1]}, "logit_lengths"),
        ({"spans": [4, 1, 0]}, "target_lengths"),
        ({"labels": CASE[1][:, :2]}, "wanted logits"),
        ({"labels": CASE[1] + 9}, "out of range"),
        ({"logits": CASE[0].astype(int)}, "floating"),
        ({"blank": 5}, "blank"),
    ],
)
def test_errors(change, text):
    given = dict(zip(("logits", "labels", "frames", "spans"), CASE, strict=True)) | change
    with pytest.raises(tp.TriptychError, match=text):
        run(**given)
