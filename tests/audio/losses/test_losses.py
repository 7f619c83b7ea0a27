"""Losses beside their formulas."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio import losses as L
from triptych_audio.metrics import si_sdr


def waves(rng, *shape):
    return tp.tensor(rng.standard_normal(shape))


def test_stft_loss_equals_the_formula(rng):
    x, y = waves(rng, 2, 3000), waves(rng, 2, 3000)

    def magnitude(v):
        padded = np.pad(v.numpy(), [(0, 0), (64, 64)], mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, 128, -1)[:, ::30]
        window = np.zeros(128)
        window[14:114] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(100) / 100)
        return np.sqrt(np.maximum(np.abs(np.fft.rfft(frames * window)) ** 2, 1e-7))

    a, b = magnitude(x), magnitude(y)
    convergence, logs = L.stft_loss(x, y, 128, 30, 100)
    assert convergence.item() == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(b))
    assert logs.item() == pytest.approx(np.abs(np.log(a) - np.log(b)).mean())


def test_many_resolutions(rng):
    x, y = waves(rng, 4000), waves(rng, 4000)
    sizes = ((64, 128), (16, 32), (64, 100))
    loss = L.MultiResolutionSTFTLoss(*sizes)(x, y)
    terms = [sum(L.stft_loss(x, y, *frame)) for frame in zip(*sizes, strict=True)]
    assert loss.item() == pytest.approx(sum(t.item() for t in terms) / 2)
    assert L.multi_resolution_stft_loss(y, y).item() == 0.0
    silent = tp.zeros(4000, dtype=tp.float64, requires_grad=True)
    L.multi_resolution_stft_loss(silent, y).backward()
    assert silent.grad.isfinite().all()


def test_pit_finds_the_order(rng):
    target = waves(rng, 3, 4, 500)
    orders = [[2, 0, 3, 1], [0, 1, 2, 3], [3, 2, 1, 0]]
    noisy = tp.stack([t[o] for t, o in zip(target, orders, strict=True)])
    noisy = noisy + 0.1 * waves(rng, 3, 4, 500)
    loss, order = L.pit_loss(noisy, target)
    assert order.tolist() == [np.argsort(o).tolist() for o in orders]
    for n in range(3):
        scores = [
            -si_sdr(noisy[n][list(p)], target[n]).mean().item()
            for p in itertools.permutations(range(4))
        ]
        assert L.pit_loss(noisy, target, reduction="none")[0][n].item() == pytest.approx(
            min(scores)
        )
    assert L.PITLoss()(noisy, target).item() == pytest.approx(loss.item())


def test_pit_takes_any_loss_and_has_gradients(rng):
    target = waves(rng, 2, 2, 50)
    x = target.flip(1).clone().requires_grad_()

    def squared(a, b):
        return (a - b).square().mean(-1)

    loss, order = L.pit_loss(x + 0.5, target, squared, "sum")
    assert loss.item() == pytest.approx(0.5)
    assert order.tolist() == [[1, 0]] * 2
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * 0.5 / 50 / 2)


def test_si_sdr_loss(rng):
    x, y = waves(rng, 3, 100), waves(rng, 3, 100)
    want = -si_sdr(x, y)
    assert L.SISDRLoss()(x, y).item() == pytest.approx(want.mean().item())
    np.testing.assert_array_equal(L.si_sdr_loss(x, y, reduction="none").numpy(), want.numpy())


@pytest.mark.parametrize("easy", [False, True])
def test_margin_equals_the_angle(rng, easy):
    angles = tp.tensor(rng.uniform(0.05, 3.0, (8, 5)))
    target = tp.tensor(rng.integers(0, 5, 8))
    theta = angles.numpy()[np.arange(8), target.numpy()]
    wider = np.cos(theta + 0.3)
    straight = np.cos(theta) - np.sin(0.3) * 0.3
    wider = (
        np.where(np.cos(theta) > 0, wider, np.cos(theta))
        if easy
        else np.where(theta + 0.3 < np.pi, wider, straight)
    )
    logits = np.cos(angles.numpy())
    logits[np.arange(8), target.numpy()] = wider
    logits *= 10
    want = np.log(np.exp(logits).sum(1)) - logits[np.arange(8), target.numpy()]
    got = L.aam_softmax(angles.cos(), target, 0.3, 10.0, easy)
    assert got.item() == pytest.approx(want.mean())


def test_margin_head_learns(rng):
    tp.manual_seed(0)
    centres = 3 * rng.standard_normal((4, 8))
    labels = tp.tensor(rng.integers(0, 4, 64))
    x = tp.tensor(centres[labels.numpy()] + 0.1 * rng.standard_normal((64, 8))).float()
    head = L.AAMSoftmax(8, 4, sub_centers=2)
    optimizer = tp.optim.SGD(head.parameters(), lr=0.1)
    first = head(x, labels).item()
    for _ in range(60):
        optimizer.zero_grad()
        head(x, labels).backward()
        optimizer.step()
    assert head(x, labels).item() < first / 4
    cosine = head.cosine(x)
    assert cosine.shape == (64, 4) and cosine.abs().max() <= 1.0001
    assert (cosine.argmax(1) == labels).all()


def test_refuses():
    with pytest.raises(ShapeError, match="same shape"):
        L.stft_loss(tp.ones(500), tp.ones(400), 64, 16, 64)
    with pytest.raises(ShapeError, match="as many hop_sizes"):
        L.multi_resolution_stft_loss(tp.ones(500), tp.ones(500), (64,), (16, 8), (64,))
    with pytest.raises(ShapeError, match=r"\(n, sources, t\)"):
        L.pit_loss(tp.ones(2, 5), tp.ones(2, 5))
    with pytest.raises(DTypeError, match="reduction"):
        L.si_sdr_loss(tp.ones(5), tp.ones(5), reduction="max")
    with pytest.raises(ShapeError, match="targets"):
        L.aam_softmax(tp.ones(2, 3), tp.tensor([0]))
    with pytest.raises(DomainError, match="margin"):
        L.aam_softmax(tp.ones(1, 3), tp.tensor([0]), 4.0)
