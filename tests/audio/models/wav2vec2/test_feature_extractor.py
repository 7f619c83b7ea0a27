"""The convolutions in front, against plain loops."""

import numpy as np
import pytest
from scipy.special import erf

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.wav2vec2.feature_extractor import build_feature_extractor

SHAPES = [(4, 5, 3), (6, 3, 2)]


def naive(x, extractor, mode):
    """(t,) to (frames, channels), one frame after the other."""
    h = x[None]
    for i, block in enumerate(extractor.conv_layers):
        w = block.conv.weight.detach().numpy()
        b = 0 if block.conv.bias is None else block.conv.bias.detach().numpy()
        k, s = block.kernel_size, block.stride
        starts = range(0, h.shape[1] - k + 1, s)
        h = np.stack([(w * h[None, :, j : j + k]).sum((1, 2)) + b for j in starts], 1)
        axis = 0 if mode == "layer_norm" else 1
        if mode == "layer_norm" or i == 0:
            h = (h - h.mean(axis, keepdims=True)) / np.sqrt(h.var(axis, keepdims=True) + 1e-5)
            h = h * block.layer_norm.weight.detach().numpy()[:, None]
            h = h + block.layer_norm.bias.detach().numpy()[:, None]
        h = h * 0.5 * (1 + erf(h / np.sqrt(2)))
    return h.T


@pytest.mark.parametrize("mode", ["group_norm", "layer_norm"])
@pytest.mark.parametrize("bias", [False, True])
def test_is_the_plain_computation(mode, bias, rng):
    tp.manual_seed(0)
    extractor = build_feature_extractor(mode, SHAPES, bias)
    with tp.no_grad():
        for block in extractor.conv_layers:
            if block.layer_norm is not None:
                block.layer_norm.weight += 0.2 * tp.randn(block.layer_norm.weight.shape)
                block.layer_norm.bias += 0.2 * tp.randn(block.layer_norm.bias.shape)
    x = rng.standard_normal((2, 40)).astype(np.float32)
    got, lengths = extractor(tp.tensor(x))
    want = np.stack([naive(row.astype(np.float64), extractor, mode) for row in x])
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-5)
    assert lengths is None


def test_lengths_are_those_of_each_recording_alone():
    extractor = build_feature_extractor("layer_norm", SHAPES, True)
    lengths = tp.arange(40)
    _, got = extractor(tp.zeros(40, 40), lengths)
    alone = [
        extractor(tp.zeros(1, n))[0].shape[1] if n >= extractor.receptive_field else 0
        for n in range(40)
    ]
    assert got.tolist() == alone
    assert got.dtype == lengths.dtype


def test_receptive_field_of_the_published_models():
    published = [(512, 10, 5), *[(512, 3, 2)] * 4, *[(512, 2, 2)] * 2]
    small = [(1, kernel, stride) for _, kernel, stride in published]
    assert build_feature_extractor("group_norm", small, False).receptive_field == 400


@pytest.mark.parametrize("shape", [(40,), (1, 2, 40), (2, 10)])
def test_refuses(shape):
    with pytest.raises(ShapeError, match="Wav2Vec2Model"):
        build_feature_extractor("group_norm", SHAPES, False)(tp.zeros(shape))


def test_unknown_mode():
    with pytest.raises(DomainError, match="group_norm"):
        build_feature_extractor("batch_norm", SHAPES, False)
