"""Losses against their formulas, and their refusal to broadcast."""

import itertools

import numpy as np
import pytest
from scipy import special, stats

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def tensors(*arrays, grad=False):
    return tuple(tp.tensor(a, requires_grad=grad) for a in arrays)


def logistic(x):
    return np.logaddexp(0, -x)


# name, options, target kind, formula per element
PAIRS = [
    ("mse_loss", {}, "real", lambda x, t: (x - t) ** 2),
    ("l1_loss", {}, "real", lambda x, t: np.abs(x - t)),
    (
        "smooth_l1_loss",
        {"beta": 0.7},
        "real",
        lambda x, t: np.where(np.abs(x - t) < 0.7, (x - t) ** 2 / 1.4, np.abs(x - t) - 0.35),
    ),
    ("smooth_l1_loss", {"beta": 0.0}, "real", lambda x, t: np.abs(x - t)),
    ("huber_loss", {"delta": 0.7}, "real", lambda x, t: special.huber(0.7, x - t)),
    (
        "binary_cross_entropy_with_logits",
        {},
        "share",
        lambda x, t: t * logistic(x) + (1 - t) * logistic(-x),
    ),
    (
        "binary_cross_entropy_with_logits",
        {"pos_weight": np.array([1.0, 2.0, 0.5])},
        "share",
        lambda x, t: np.array([1.0, 2.0, 0.5]) * t * logistic(x) + (1 - t) * logistic(-x),
    ),
    ("kl_div", {}, "share", lambda x, t: special.xlogy(t, t) - t * x),
    ("kl_div", {"log_target": True}, "real", lambda x, t: np.exp(t) * (t - x)),
    ("poisson_nll_loss", {}, "count", lambda x, t: np.exp(x) - t * x),
    (
        "poisson_nll_loss",
        {"full": True},
        "count",
        lambda x, t: (
            np.exp(x)
            - t * x
            + np.where(
                t > 1,
                t * np.log(np.maximum(t, 1)) - t + np.log(2 * np.pi * np.maximum(t, 1)) / 2,
                0,
            )
        ),
    ),
    ("soft_margin_loss", {}, "sign", lambda x, t: logistic(t * x)),
    (
        "hinge_embedding_loss",
        {"margin": 0.6},
        "sign",
        lambda x, t: np.where(t == 1, x, np.maximum(0, 0.6 - x)),
    ),
]
IDS = [f"{i}-{row[0]}" for i, row in enumerate(PAIRS)]
TARGETS = {
    "real": lambda: RNG.standard_normal((4, 3)),
    "share": lambda: RNG.uniform(0, 1, (4, 3)).round(1),
    "count": lambda: RNG.integers(0, 6, (4, 3)).astype(float),
    "sign": lambda: RNG.choice([-1.0, 1.0], (4, 3)),
}
SHAPES = {"mean": np.mean, "sum": np.sum, "none": lambda v: v}


def converted(options):
    return {k: tp.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


@pytest.mark.parametrize(("name", "options", "kind", "formula"), PAIRS, ids=IDS)
@pytest.mark.parametrize("reduction", SHAPES)
def test_values(name, options, kind, formula, reduction):
    x, t = RNG.standard_normal((4, 3)), TARGETS[kind]()
    got = getattr(F, name)(*tensors(x, t), **converted(options), reduction=reduction).numpy()
    np.testing.assert_allclose(got, SHAPES[reduction](formula(x, t)))


@pytest.mark.parametrize(("name", "options", "kind", "formula"), PAIRS, ids=IDS)
def test_derivatives(name, options, kind, formula):
    x, t = tensors(RNG.standard_normal((4, 3)), TARGETS[kind]())

    def run(x):
        return getattr(F, name)(x, t, **converted(options))

    assert gradcheck(run, (x.requires_grad_(),))
    assert gradgradcheck(run, (x,))


@pytest.mark.parametrize(("name", "options", "kind", "formula"), PAIRS, ids=IDS)
def test_nothing_broadcasts(name, options, kind, formula):
    with pytest.raises(
        tp.ShapeError, match=rf"{name}: input is \(4, 1\) and target \(4,\).*input.squeeze"
    ):
        getattr(F, name)(tp.ones(4, 1), tp.ones(4))
    with pytest.raises(tp.ShapeError, match=r"target.squeeze\(-1\)"):
        getattr(F, name)(tp.ones(4), tp.ones(4, 1))
    with pytest.raises(tp.ShapeError, match="losses do not broadcast"):
        getattr(F, name)(tp.ones(4, 3), tp.ones(3))


@pytest.mark.parametrize(("name", "options", "kind", "formula"), PAIRS, ids=IDS)
def test_unknown_reduction(name, options, kind, formula):
    with pytest.raises(tp.ShapeError, match="'mean', 'sum' or 'none'"):
        getattr(F, name)(tp.ones(4), tp.ones(4), reduction="avg")


def test_old_reduction_flags():
    x, t = tensors(RNG.standard_normal(5), RNG.standard_normal(5))
    assert tp.equal(F.mse_loss(x, t, size_average=False), F.mse_loss(x, t, reduction="sum"))
    assert tp.equal(F.mse_loss(x, t, reduce=False), F.mse_loss(x, t, reduction="none"))
    assert tp.equal(F.mse_loss(x, t, size_average=True), F.mse_loss(x, t))


def test_regression_weights():
    x, t, w = RNG.standard_normal(5), RNG.standard_normal(5), RNG.uniform(0, 1, 5)
    got = F.mse_loss(*tensors(x, t), weight=tp.tensor(w)).item()
    assert got == pytest.approx(np.average((x - t) ** 2, weights=w))
    with pytest.raises(tp.ShapeError, match="weight"):
        F.l1_loss(*tensors(x, t), weight=tp.ones(4))


def test_binary_cross_entropy():
    p, t = RNG.uniform(0.05, 0.95, (4, 3)), RNG.uniform(0, 1, (4, 3))
    want = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(F.binary_cross_entropy(*tensors(p, t)).item(), want.mean())
    sure = F.binary_cross_entropy(tp.tensor([0.0, 1.0]), tp.tensor([1.0, 1.0]), reduction="none")
    np.testing.assert_array_equal(sure.numpy(), [100, 0])
    target = tp.tensor(t)
    assert gradgradcheck(lambda p: F.binary_cross_entropy(p, target), tensors(p, grad=True))


def test_bce_with_logits_does_not_overflow():
    x = tp.tensor([-1e4, 1e4], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tp.tensor([0.0, 0.0]), reduction="none")
    np.testing.assert_array_equal(loss.detach().numpy(), [0, 1e4])
    loss.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 1])


def test_kl_div_batchmean():
    x, t = RNG.standard_normal((4, 3)), RNG.uniform(0, 1, (4, 3))
    total = F.kl_div(*tensors(x, t), reduction="sum").item()
    assert F.kl_div(*tensors(x, t), reduction="batchmean").item() == pytest.approx(total / 4)


def test_gaussian_nll():
    x, t, var = (
        RNG.standard_normal((4, 3)),
        RNG.standard_normal((4, 3)),
        RNG.uniform(0.1, 2, (4, 3)),
    )
    want = -stats.norm.logpdf(t, x, np.sqrt(var))
    got = F.gaussian_nll_loss(*tensors(x, t, var), full=True, reduction="none")
    np.testing.assert_allclose(got.numpy(), want)
    rows = F.gaussian_nll_loss(*tensors(x, t, var[:, 0])).item()
    cols = F.gaussian_nll_loss(*tensors(x, t, var[:, :1])).item()
    assert rows == pytest.approx(cols)
    assert F.gaussian_nll_loss(*tensors(x, t), 1.0).item() == pytest.approx(
        ((x - t) ** 2).mean() / 2
    )
    with pytest.raises(tp.ShapeError, match="var has shape"):
        F.gaussian_nll_loss(*tensors(x, t), tp.ones(3))


# Classes


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("reduction", SHAPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(shape, reduction, smoothing):
    axis = 0 if len(shape) == 1 else 1
    x, w = RNG.standard_normal(shape), RNG.uniform(0.5, 2, 5)
    labels = np.array(RNG.integers(0, 5, [n for i, n in enumerate(shape) if i != axis]))
    ignored = np.zeros(labels.shape, bool)
    if labels.ndim:
        ignored.flat[0] = True
    log_p = special.log_softmax(x, axis)
    by_class = np.moveaxis(log_p, axis, -1) * w
    picked = np.take_along_axis(by_class, labels[..., None], -1)[..., 0]
    loss = -(1 - smoothing) * picked - smoothing / 5 * by_class.sum(-1)
    loss = np.where(ignored, 0, loss)
    want = {"none": loss, "sum": loss.sum(), "mean": loss.sum() / w[labels][~ignored].sum()}
    target = tp.tensor(np.where(ignored, -100, labels))
    options = {"reduction": reduction, "label_smoothing": smoothing}
    got = F.cross_entropy(tp.tensor(x), target, tp.tensor(w), **options)
    np.testing.assert_allclose(got.numpy(), want[reduction])
    if not smoothing:
        nll = F.nll_loss(tp.tensor(log_p), target, tp.tensor(w), reduction=reduction)
        np.testing.assert_allclose(nll.numpy(), want[reduction])


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities(smoothing):
    x, t = RNG.standard_normal((4, 5, 2)), special.softmax(RNG.standard_normal((4, 5, 2)), 1)
    mixed = t * (1 - smoothing) + smoothing / 5
    want = -(special.log_softmax(x, 1) * mixed).sum(1)
    got = F.cross_entropy(*tensors(x, t), label_smoothing=smoothing)
    assert got.item() == pytest.approx(want.mean())


def test_cross_entropy_gradient_is_probability_minus_target():
    x = tp.tensor(RNG.standard_normal((3, 4)), requires_grad=True)
    F.cross_entropy(x, tp.tensor([1, 3, 0]), reduction="sum").backward()
    want = special.softmax(x.detach().numpy(), 1) - np.eye(4)[[1, 3, 0]]
    np.testing.assert_allclose(x.grad.numpy(), want, atol=1e-12)
    target = tp.tensor([1, -100, 0])
    assert gradgradcheck(lambda x: F.cross_entropy(x, target, label_smoothing=0.1), (x,))


def test_cross_entropy_of_nothing_is_nan():
    assert np.isnan(F.cross_entropy(tp.ones(2, 3), tp.tensor([-100, -100])).item())
    assert np.isnan(F.cross_entropy(tp.ones(0, 3), tp.zeros(0).long()).item())


def test_cross_entropy_errors():
    x = tp.ones(4, 3)
    with pytest.raises(
        tp.BoundsError, match="cross_entropy: index 3 is out of range; wanted 0 to 2"
    ):
        F.cross_entropy(x, tp.tensor([0, 1, 2, 3]))
    with pytest.raises(tp.BoundsError, match="index -1"):
        F.nll_loss(x, tp.tensor([0, 1, 2, -1]))
    with pytest.raises(tp.ShapeError, match=r"target.squeeze\(-1\) would agree"):
        F.cross_entropy(x, tp.zeros(4, 1).long())
    with pytest.raises(tp.ShapeError, match=r"use .long\(\)"):
        F.cross_entropy(x, tp.zeros(4))
    with pytest.raises(tp.ShapeError, match="weight for each of 3 classes"):
        F.cross_entropy(x, tp.zeros(4).long(), tp.ones(4))
    with pytest.raises(tp.ShapeError, match="label_smoothing wants 0 to 1"):
        F.cross_entropy(x, tp.zeros(4).long(), label_smoothing=1.5)
    with pytest.raises(tp.DTypeError, match="integer indices"):
        F.nll_loss(x, tp.zeros(4))


# Margins


def test_multi_margin():
    x, y, w = RNG.standard_normal((4, 5)), np.array([0, 2, 4, 2]), RNG.uniform(0.5, 2, 5)
    for p in (1, 2):
        want = [
            sum(max(0, 0.7 - row[t] + row[j]) ** p * w[t] for j in range(5) if j != t) / 5
            for row, t in zip(x, y, strict=True)
        ]
        got = F.multi_margin_loss(*tensors(x, y), p, 0.7, tp.tensor(w), reduction="none").numpy()
        np.testing.assert_allclose(got, want)
    single = F.multi_margin_loss(tp.tensor(x[0]), tp.tensor(0)).item()
    assert single == pytest.approx(F.multi_margin_loss(*tensors(x[:1], y[:1])).item())


def test_multilabel_margin():
    x = RNG.standard_normal((2, 4))
    y = np.array([[3, 0, -1, 1], [1, -1, 2, 2]])
    want = []
    for row, labels in zip(x, ([3, 0], [1]), strict=True):
        wrong = [j for j in range(4) if j not in labels]
        want.append(sum(max(0, 1 - row[r] + row[j]) for r in labels for j in wrong) / 4)
    got = F.multilabel_margin_loss(*tensors(x, y), reduction="none").numpy()
    np.testing.assert_allclose(got, want)


def test_multilabel_soft_margin():
    x, t, w = RNG.standard_normal((3, 4)), RNG.integers(0, 2, (3, 4)) * 1.0, RNG.uniform(0, 1, 4)
    want = (w * (t * logistic(x) + (1 - t) * logistic(-x))).mean(1)
    got = F.multilabel_soft_margin_loss(*tensors(x, t), tp.tensor(w), reduction="none").numpy()
    np.testing.assert_allclose(got, want)


def test_rankings_and_triplets():
    a, b, c = (RNG.standard_normal((4, 3)) for _ in range(3))
    sign = RNG.choice([-1.0, 1.0], (4, 3))
    got = F.margin_ranking_loss(*tensors(a, b, sign), margin=0.2, reduction="none").numpy()
    np.testing.assert_allclose(got, np.maximum(0, -sign * (a - b) + 0.2))
    near, far, other = (np.linalg.norm(u - v + 1e-6, axis=1) for u, v in ((a, b), (a, c), (b, c)))
    got = F.triplet_margin_loss(*tensors(a, b, c), swap=True, reduction="none").numpy()
    np.testing.assert_allclose(got, np.maximum(0, 1 + near - np.minimum(far, other)))
    city = F.triplet_margin_with_distance_loss(
        *tensors(a, b, c), distance_function=lambda u, v: (u - v).abs().sum(-1), reduction="none"
    ).numpy()
    np.testing.assert_allclose(city, np.maximum(0, 1 + np.abs(a - b).sum(1) - np.abs(a - c).sum(1)))


def test_cosine_embedding():
    a, b, sign = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), np.array([1, -1, 1, -1])
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    got = F.cosine_embedding_loss(*tensors(a, b, sign), margin=-0.5, reduction="none").numpy()
    np.testing.assert_allclose(got, np.where(sign == 1, 1 - cosine, np.maximum(0, cosine + 0.5)))


def test_margin_losses_do_not_broadcast():
    x = tp.ones(4, 3)
    with pytest.raises(tp.ShapeError, match="input2"):
        F.margin_ranking_loss(x, tp.ones(3), x)
    with pytest.raises(tp.ShapeError, match="positive"):
        F.triplet_margin_loss(x, tp.ones(1, 3), x)
    with pytest.raises(tp.ShapeError, match=r"want a target of \(4,\)"):
        F.cosine_embedding_loss(x, x, tp.ones(4, 1))
    with pytest.raises(tp.ShapeError, match="target"):
        F.multilabel_soft_margin_loss(x, tp.ones(3))


# CTC


def collapsed(path, blank):
    return [c for c, _ in itertools.groupby(path) if c != blank]


def brute_force(log_p, labels, blank):
    """The total probability of every path that reads as the labels."""
    steps, classes = log_p.shape
    total = -np.inf
    for path in itertools.product(range(classes), repeat=steps):
        if collapsed(path, blank) == list(labels):
            total = np.logaddexp(total, sum(log_p[t, c] for t, c in enumerate(path)))
    return -total


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc(blank):
    classes = [c for c in range(3) if c != blank]
    log_p = special.log_softmax(RNG.standard_normal((5, 3, 3)), -1)
    labels = np.array([[classes[0], classes[1]], [classes[1], classes[1]], [classes[0], 0]])
    used, spans = [5, 4, 3], [2, 2, 1]
    want = [
        brute_force(log_p[:n, i], labels[i, :s], blank)
        for i, (n, s) in enumerate(zip(used, spans, strict=True))
    ]
    x = tp.tensor(log_p)
    got = F.ctc_loss(x, tp.tensor(labels), used, spans, blank, "none")
    np.testing.assert_allclose(got.numpy(), want)
    flat = np.concatenate([row[:s] for row, s in zip(labels, spans, strict=True)])
    again = F.ctc_loss(x, tp.tensor(flat), tp.tensor(used), tp.tensor(spans), blank, "none")
    np.testing.assert_allclose(again.numpy(), want)
    mean = F.ctc_loss(x, tp.tensor(labels), used, spans, blank).item()
    assert mean == pytest.approx(np.mean(np.array(want) / spans))
    one = F.ctc_loss(x[:, 0], tp.tensor(labels[0]), [5], [2], blank, "none")
    assert one.item() == pytest.approx(want[0])


def test_ctc_gradient_and_impossible_targets():
    logits = tp.tensor(RNG.standard_normal((4, 2, 3)), requires_grad=True)
    target = tp.tensor([[1, 2], [1, 1]])

    def run(x):
        return F.ctc_loss(F.log_softmax(x, -1), target, [4, 3], [2, 2], reduction="none")

    assert gradcheck(run, (logits,))
    short = F.ctc_loss(F.log_softmax(logits, -1), target, [4, 2], [2, 2], reduction="none")
    assert np.isinf(short[1].item())
    assert np.isfinite(short[0].item())
    zero = F.ctc_loss(
        F.log_softmax(logits, -1), target, [4, 2], [2, 2], reduction="sum", zero_infinity=True
    )
    zero.backward()
    assert np.isfinite(logits.grad.numpy()).all()
    np.testing.assert_array_equal(logits.grad.numpy()[:, 1], 0)


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("flat", [True, False])
def test_ctc_gradient_is_that_of_the_enumeration(blank, flat):
    """By log_softmax's logits, with a repeated label, a short sample and an empty target."""
    one, two = (c for c in range(3) if c != blank)
    labels, used, spans = np.array([[one, one], [two, one], [one, two]]), [5, 4, 3], [2, 1, 0]
    logits = RNG.standard_normal((5, 3, 3))

    def total(z):
        log_p = special.log_softmax(z, -1)
        pairs = enumerate(zip(used, spans, strict=True))
        return sum(brute_force(log_p[:n, i], labels[i, :s], blank) for i, (n, s) in pairs)

    x = tp.tensor(logits, requires_grad=True)
    targets = (
        np.concatenate([r[:s] for r, s in zip(labels, spans, strict=True)]) if flat else labels
    )
    F.ctc_loss(x.log_softmax(-1), tp.tensor(targets), used, spans, blank, "sum").backward()
    for _ in range(6):
        direction = RNG.standard_normal(logits.shape)
        slope = (total(logits + 1e-6 * direction) - total(logits - 1e-6 * direction)) / 2e-6
        assert (x.grad.numpy() * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8)
    assert not x.grad.numpy()[4:, 1].any() and not x.grad.numpy()[3:, 2].any()


def test_ctc_of_an_empty_target_is_all_blanks():
    log_p = special.log_softmax(RNG.standard_normal((3, 1, 2)), -1)
    got = F.ctc_loss(tp.tensor(log_p), tp.zeros(1, 0).long(), [3], [0], reduction="sum").item()
    assert got == pytest.approx(-log_p[:, 0, 0].sum())


def test_ctc_errors():
    x = tp.randn(3, 2, 4).log_softmax(-1)
    with pytest.raises(tp.ShapeError, match="wanted 2 input_lengths"):
        F.ctc_loss(x, tp.ones(2, 2).long(), [3], [2, 2])
    with pytest.raises(tp.ShapeError, match="log_probs has 3 steps"):
        F.ctc_loss(x, tp.ones(2, 2).long(), [4, 3], [2, 2])
    with pytest.raises(tp.ShapeError, match="add up to 4"):
        F.ctc_loss(x, tp.ones(3).long(), [3, 3], [2, 2])
    with pytest.raises(tp.BoundsError, match="index 9"):
        F.ctc_loss(x, tp.full((2, 2), 9), [3, 3], [2, 2])


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
def test_half_precision_adds_up_in_single(dtype):
    ones = tp.full((1000,), 100.0, dtype=dtype)
    zeros = tp.zeros_like(ones)
    assert F.mse_loss(ones, zeros).item() == pytest.approx(10000, rel=1e-2)
    assert F.l1_loss(ones, zeros).item() == 100
    long = tp.full((1, 1, 8), 60000.0, dtype=dtype)
    assert F.avg_pool1d(long, 8).item() == long[0, 0, 0].item()
    assert F.adaptive_avg_pool1d(long, 1).item() == long[0, 0, 0].item()
    pair = tp.tensor([300.0, 400.0], dtype=dtype)
    assert F.cosine_similarity(pair, pair, dim=0).item() == 1
    scaled = F.rms_norm(pair, [2])
    assert scaled.dtype is dtype
    np.testing.assert_allclose(scaled.float().numpy(), [0.8485, 1.1314], rtol=1e-2)


@pytest.mark.parametrize("shape", [(2, 1, 4), (1, 3, 4), (2, 3, 1), (2, 3)])
def test_variances_may_be_one_along_one_axis(shape):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2, 3, 4))
    var = rng.uniform(0.5, 2, shape)
    spread = var[..., None] if var.ndim == 2 else var
    want = 0.5 * (np.log(spread) + (x - y) ** 2 / spread)
    got = F.gaussian_nll_loss(tp.tensor(x), tp.tensor(y), tp.tensor(var), reduction="none")
    np.testing.assert_allclose(got.numpy(), want)
