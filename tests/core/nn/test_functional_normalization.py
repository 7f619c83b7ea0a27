"""Normalisation, dropout and padding against NumPy."""

import numpy as np
import pytest

import triptych as tp
from triptych import ShapeError, nn
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def standardized(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def per_channel(v, ndim):
    return v.reshape(-1, *[1] * (ndim - 2))


def tensors(*arrays, grad=False):
    return tuple(tp.tensor(a, requires_grad=grad) for a in arrays)


@pytest.mark.parametrize("space", [(), (5,), (4, 3), (2, 3, 2)])
def test_batch_norm(space):
    x = RNG.standard_normal((6, 3, *space)) * 2 + 1
    w, b = RNG.standard_normal(3), RNG.standard_normal(3)
    mean, var = RNG.standard_normal(3), RNG.uniform(0.5, 2, 3)
    axes = (0, *range(2, x.ndim))
    tx, tw, tb, tm, tv = tensors(x, w, b, mean, var)
    scaled = [per_channel(v, x.ndim) for v in (mean, var, w, b)]
    want = (x - scaled[0]) / np.sqrt(scaled[1] + 1e-5) * scaled[2] + scaled[3]
    np.testing.assert_allclose(F.batch_norm(tx, tm, tv, tw, tb).numpy(), want)
    np.testing.assert_array_equal(tm.numpy(), mean)
    got = F.batch_norm(tx, tm, tv, tw, tb, True, 0.3).numpy()
    np.testing.assert_allclose(got, standardized(x, axes) * scaled[2] + scaled[3])
    np.testing.assert_allclose(tm.numpy(), 0.7 * mean + 0.3 * x.mean(axes))
    np.testing.assert_allclose(tv.numpy(), 0.7 * var + 0.3 * x.var(axes, ddof=1))


def test_batch_norm_derivatives():
    x, w, b = RNG.standard_normal((4, 2, 3)), RNG.standard_normal(2), RNG.standard_normal(2)
    mean, var = tensors(np.zeros(2), np.ones(2))
    inputs = tensors(x, w, b, grad=True)
    for training in (True, False):

        def run(x, w, b, training=training):
            return F.batch_norm(x, mean.clone(), var.clone(), w, b, training)

        assert gradcheck(run, inputs)
        assert gradgradcheck(run, inputs)


def test_batch_norm_running_statistics_keep_no_history():
    x, mean, var = tp.randn(4, 2, requires_grad=True), tp.zeros(2), tp.ones(2)
    F.batch_norm(x, mean, var, training=True)
    assert not mean.requires_grad
    assert mean.grad_fn is None


def test_instance_norm():
    x = RNG.standard_normal((2, 3, 4, 5))
    mean, var = np.zeros(3), np.ones(3)
    tx, tm, tv = tensors(x, mean, var)
    np.testing.assert_allclose(F.instance_norm(tx, tm, tv).numpy(), standardized(x, (2, 3)))
    np.testing.assert_allclose(tm.numpy(), 0.1 * x.mean((2, 3)).mean(0))
    np.testing.assert_allclose(tv.numpy(), 0.9 + 0.1 * x.var((2, 3), ddof=1).mean(0))
    fixed = F.instance_norm(tx, tm, tv, use_input_stats=False).numpy()
    np.testing.assert_allclose(fixed, F.batch_norm(tx, tm, tv).numpy())


@pytest.mark.parametrize("affine", ["none", "weight", "bias", "both"])
@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_layer_norm(shape, affine):
    x = RNG.standard_normal((2, 3, 4))
    w, b = RNG.standard_normal(shape), RNG.standard_normal(shape)
    use_w, use_b = affine in ("weight", "both"), affine in ("bias", "both")
    want = standardized(x, tuple(range(-len(shape), 0)))
    want = want * (w if use_w else 1) + (b if use_b else 0)
    options = {"weight": tp.tensor(w) if use_w else None, "bias": tp.tensor(b) if use_b else None}
    np.testing.assert_allclose(F.layer_norm(tp.tensor(x), shape, **options).numpy(), want)


def test_layer_norm_derivatives():
    inputs = tensors(RNG.standard_normal((2, 4)), RNG.standard_normal(4), np.zeros(4), grad=True)
    assert gradcheck(lambda x, w, b: F.layer_norm(x, (4,), w, b), inputs)
    assert gradgradcheck(lambda x, w, b: F.layer_norm(x, (4,), w, b), inputs)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(groups):
    x, w, b = RNG.standard_normal((2, 6, 3)), RNG.standard_normal(6), RNG.standard_normal(6)
    flat = standardized(x.reshape(2, groups, -1), 2).reshape(x.shape)
    got = F.group_norm(*tensors(x), groups, *tensors(w, b)).numpy()
    np.testing.assert_allclose(got, flat * w[:, None] + b[:, None])
    assert gradgradcheck(lambda x: F.group_norm(x, groups), tensors(x[:1], grad=True))


def test_rms_norm():
    x, w = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((3, 4))
    got = F.rms_norm(tp.tensor(x), (3, 4), tp.tensor(w), 1e-3).numpy()
    want = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 1e-3) * w
    np.testing.assert_allclose(got, want)
    zero = F.rms_norm(tp.zeros(4), (4,))
    np.testing.assert_array_equal(zero.numpy(), 0)
    assert gradgradcheck(lambda x: F.rms_norm(x, (4,)), tensors(x[0], grad=True))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_local_response_norm(size):
    x = RNG.standard_normal((2, 6, 3))
    want = np.empty_like(x)
    for c in range(6):
        low, high = max(c - size // 2, 0), min(c + (size - 1) // 2, 5)
        power = (x[:, low : high + 1] ** 2).sum(1) / size
        want[:, c] = x[:, c] / (2 + 0.5 * power) ** 0.75
    got = F.local_response_norm(tp.tensor(x), size, alpha=0.5, k=2.0).numpy()
    np.testing.assert_allclose(got, want)


def test_normalize():
    x = RNG.standard_normal((3, 4))
    for p in (1, 2, np.inf):
        lengths = np.linalg.norm(x, p, axis=1, keepdims=True)
        np.testing.assert_allclose(F.normalize(tp.tensor(x), p).numpy(), x / lengths)
    zero = tp.zeros(2, 3, requires_grad=True)
    F.normalize(zero).sum().backward()
    assert np.isfinite(zero.grad.numpy()).all()


def test_normalization_errors():
    x = tp.ones(2, 3, 4)
    with pytest.raises(tp.ShapeError, match="one value per channel"):
        F.batch_norm(tp.ones(1, 3), None, None, training=True)
    with pytest.raises(tp.ShapeError, match="running_mean and running_var are needed"):
        F.batch_norm(x, None, None)
    with pytest.raises(tp.ShapeError, match=r"weight has shape \(4,\), wanted \(3,\)"):
        F.group_norm(x, 1, tp.ones(4))
    with pytest.raises(tp.ShapeError, match="do not split into 2 groups"):
        F.group_norm(x, 2)
    with pytest.raises(tp.ShapeError, match="does not end in normalized_shape"):
        F.layer_norm(x, (3,))
    with pytest.raises(tp.ShapeError, match="more than one value per channel"):
        F.instance_norm(tp.ones(2, 3, 1))


# Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p):
    x, g = tp.ones(20000), tp.Generator().manual_seed(1)
    y = F.dropout(x, p, generator=g).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - p)], rtol=1e-6)
    assert (y == 0).mean() == pytest.approx(p, abs=0.02)


def test_dropout_ends_and_inference():
    x = tp.randn(5)
    assert F.dropout(x, 0.5, training=False) is x
    assert tp.equal(F.dropout(x, 0.0), x)
    assert tp.equal(F.dropout(x, 1.0), tp.zeros(5))
    with pytest.raises(tp.ShapeError, match="probability"):
        F.dropout(x, 1.5)


def test_dropout_replays_with_its_generator_and_masks_gradients():
    x = tp.randn(50, requires_grad=True)
    one = F.dropout(x, generator=tp.Generator().manual_seed(5))
    two = F.dropout(x, generator=tp.Generator().manual_seed(5))
    assert tp.equal(one, two)
    one.sum().backward()
    np.testing.assert_allclose(x.grad.numpy() * x.detach().numpy(), one.detach().numpy(), rtol=1e-6)
    assert not tp.equal(one, F.dropout(x, generator=tp.Generator().manual_seed(6)))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_channel_dropout_takes_whole_channels(dims):
    x = tp.ones(40, 30, *[2] * dims)
    y = getattr(F, f"dropout{dims}d")(x, generator=tp.Generator().manual_seed(2)).numpy()
    flat = y.reshape(40, 30, -1)
    assert (flat == flat[..., :1]).all()
    assert (flat[..., 0] == 0).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    x = tp.randn(300, 300, generator=tp.Generator().manual_seed(0))
    y = getattr(F, name)(x, 0.3, True, generator=tp.Generator().manual_seed(4)).numpy()
    assert y.mean() == pytest.approx(0, abs=0.02)
    assert y.std() == pytest.approx(1, abs=0.02)
    assert getattr(F, name)(x, 0.3, False) is x


# Padding

NUMPY_MODES = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


@pytest.mark.parametrize("mode", NUMPY_MODES)
@pytest.mark.parametrize("widths", [(1, 2), (0, 3, 2, 1), (2, 0, 0, 0, 1, 1)])
def test_pad(mode, widths):
    x = RNG.standard_normal((2, 3, 4, 5))
    pairs = [tuple(widths[i : i + 2]) for i in range(0, len(widths), 2)][::-1]
    want = np.pad(x, [(0, 0)] * (4 - len(pairs)) + pairs, NUMPY_MODES[mode])
    got = F.pad(tp.tensor(x), widths, mode)
    np.testing.assert_array_equal(got.numpy(), want)
    t = tp.tensor(x[:1, :, :3], requires_grad=True)
    assert gradcheck(lambda x: F.pad(x, widths, mode), (t,))


def test_pad_with_a_value_and_with_negative_widths():
    x = tp.arange(5)
    assert F.pad(x, (1, 1), value=7).tolist() == [7, 0, 1, 2, 3, 4, 7]
    assert F.pad(x, (-1, 2)).tolist() == [1, 2, 3, 4, 0, 0]
    assert F.pad(x, (-2, 1), mode="replicate").tolist() == [2, 3, 4, 4]
    out = F.pad(x, (0, 0))
    out[0] = 9
    assert x[0].item() == 0


def test_pad_errors():
    x = tp.ones(2, 3)
    with pytest.raises(tp.ShapeError, match="below the length 3"):
        F.pad(x, (3, 0), mode="reflect")
    with pytest.raises(tp.ShapeError, match="up to the length 3"):
        F.pad(x, (4, 0), mode="circular")
    with pytest.raises(tp.ShapeError, match="pairs"):
        F.pad(x, (1, 1, 1))
    with pytest.raises(tp.ShapeError, match="mode is one of"):
        F.pad(x, (1, 1), mode="mirror")
    with pytest.raises(tp.ShapeError, match="take more than axis"):
        F.pad(x, (-2, -2))
    with pytest.raises(tp.ShapeError, match="value goes with"):
        F.pad(x, (1, 1), mode="reflect", value=2.0)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_with_other_channels_names_itself_and_changes_nothing(training):
    layer = nn.BatchNorm2d(3).train(training)
    with pytest.raises(ShapeError, match=r"batch_norm: running_mean .*\(3,\), wanted \(4,\)"):
        layer(tp.randn(2, 4, 3, 3))
    assert int(layer.num_batches_tracked) == 0
    np.testing.assert_array_equal(layer.running_mean.numpy(), 0)
    np.testing.assert_array_equal(layer.running_var.numpy(), 1)


def test_batch_norm_checks_a_weight_before_it_moves_statistics():
    mean, var = tp.zeros(4), tp.ones(4)
    with pytest.raises(ShapeError, match="batch_norm: weight"):
        F.batch_norm(tp.randn(2, 4, 3), mean, var, tp.ones(3), None, True)
    np.testing.assert_array_equal(mean.numpy(), 0)
    np.testing.assert_array_equal(var.numpy(), 1)


def test_batch_norm_of_one_value_does_not_count_the_batch():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ShapeError, match="one value per channel"):
        layer(tp.randn(1, 2))
    assert int(layer.num_batches_tracked) == 0


def test_batch_norm_averages_all_batches_without_momentum():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [tp.randn(5, 2) for _ in range(3)]
    for batch in batches:
        layer(batch)
    mean = np.mean([b.numpy().mean(0) for b in batches], 0)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-5)
    assert int(layer.num_batches_tracked) == 3


def test_instance_norm_with_other_channels_changes_nothing():
    layer = nn.InstanceNorm2d(3, track_running_stats=True)
    with pytest.raises(ShapeError, match="instance_norm: running_mean"):
        layer(tp.randn(2, 4, 3, 3))
    np.testing.assert_array_equal(layer.running_mean.numpy(), 0)


def naive_pad(x, lo, hi, place):
    return np.stack([x[..., place(j - lo, x.shape[-1])] for j in range(x.shape[-1] + lo + hi)], -1)


@pytest.mark.parametrize("widths", [(-4, 5), (-2, 1), (3, -1), (3, -3), (-3, 3)])
def test_borders_are_laid_on_before_they_are_cut(widths):
    x = RNG.standard_normal((1, 2, 5))
    places = {
        "replicate": lambda i, n: min(max(i, 0), n - 1),
        "reflect": lambda i, n: n - 1 - abs(n - 1 - abs(i)),
    }
    for mode, place in places.items():
        if mode == "reflect" and max(widths) >= 5:
            continue
        want = naive_pad(x, *widths, place)
        np.testing.assert_array_equal(F.pad(tp.tensor(x), widths, mode=mode).numpy(), want)


def test_cutting_everything_leaves_nothing():
    assert F.pad(tp.ones(1, 1, 2), (-1, -1), mode="circular").shape == (1, 1, 0)


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
def test_layer_norm_of_half_precision_takes_single_precision_parameters(dtype):
    x, weight, bias = (RNG.standard_normal(s).astype(np.float32) for s in ((3, 8), 8, 8))
    half = tp.tensor(x).to(dtype).requires_grad_()
    w = tp.tensor(weight, requires_grad=True)
    got = F.layer_norm(half, (8,), w, tp.tensor(bias))
    want = standardized(half.detach().float().numpy(), 1) * weight + bias
    assert got.dtype is dtype
    np.testing.assert_allclose(got.detach().float().numpy(), want, rtol=1e-2, atol=2e-2)
    got.sum().backward()
    assert (half.grad.dtype, w.grad.dtype) == (dtype, tp.float32)
    with pytest.raises(tp.DTypeError, match="layer_norm: inputs want one dtype"):
        F.layer_norm(tp.ones(2, 8), (8,), tp.ones(8).half())


def test_feature_alpha_dropout_looks_at_shapes_in_training_only():
    x = tp.ones(3)
    assert F.feature_alpha_dropout(x, training=False) is x
    with pytest.raises(ShapeError, match="feature_alpha_dropout"):
        F.feature_alpha_dropout(x, training=True)
