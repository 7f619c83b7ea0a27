"""EnCodec: like the original, codes that can be streamed, and gradients through the codebooks."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import EncodecModel, encodec_model_24khz, encodec_model_48khz
from triptych_audio.models.encodec_layers import (
    NormConv,
    SConv1d,
    SConvTranspose1d,
    SEANetDecoder,
    SEANetEncoder,
    WeightNorm,
)
from triptych_audio.models.encodec_quantizer import ResidualVectorQuantizer


def tiny(causal=True, segment=None, overlap=0.1):
    norm = "weight_norm" if causal else "time_group_norm"
    options = {"channels": 2, "dimension": 6, "n_filters": 2, "ratios": [4, 2]}
    options |= {"causal": causal, "norm": norm, "lstm": 1}
    model = EncodecModel(
        SEANetEncoder(**options),
        SEANetDecoder(**options),
        ResidualVectorQuantizer(dimension=6, n_q=4, bins=16),
        [0.5, 2.0],
        800,
        2,
        normalize=not causal,
        segment=segment,
        overlap=overlap,
    )
    model.set_target_bandwidth(2.0)
    return model


def test_causal_model_like_the_recorded_one(filled, normal, agree):
    model = filled(tiny())
    frames = model.encode(normal(0, 1, 2, 501))
    assert frames[0][1] is None
    agree("encodec_causal", frames[0][0], model.decode(frames))


def test_model_in_segments_like_the_recorded_one(filled, normal, agree):
    model = filled(tiny(causal=False, segment=0.25))
    frames = model.encode(normal(0, 1, 2, 501))
    assert len(frames) == 3
    agree("encodec_both", *(a for frame in frames for a in frame), model.decode(frames))


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 501])
def test_as_many_samples_come_back(length):
    model = tiny().eval()
    x = np.ones((1, 2, length), np.float32)
    assert model.encode(x)[0][0].shape == (1, 4, -(-length // 8))
    assert model(x).shape == x.shape


def test_causal_codes_do_not_know_the_future(filled, normal):
    model = filled(tiny())
    x = normal(0, 1, 2, 400)
    changed = tp.cat([x[..., :200], -x[..., 200:]], -1)
    with tp.no_grad():
        a, b = model.encoder(x), model.encoder(changed)
    np.testing.assert_allclose(a[..., :25], b[..., :25], rtol=1e-4, atol=1e-5)
    assert float((a - b)[..., 25:].abs().max()) > 1e-3


def test_bandwidth_decides_how_many_codebooks():
    model = tiny()
    for bandwidth, books in ((0.5, 1), (2.0, 4)):
        model.set_target_bandwidth(bandwidth)
        assert model.encode(tp.ones(1, 2, 16))[0][0].shape[1] == books
    model.bandwidth = None
    assert model.encode(tp.ones(1, 2, 16))[0][0].shape[1] == 4


def test_more_codebooks_come_nearer(normal):
    quantizer = ResidualVectorQuantizer(6, 4, 16)
    x = 0.1 * normal(0, 2, 6, 30)
    errors = []
    for books in range(1, 5):
        codes = quantizer.encode(x, 100, books * 0.4)
        errors.append(float((quantizer.decode(codes) - x).square().mean()))
        assert codes.shape == (books, 2, 30)
    assert quantizer.get_num_quantizers_for_bandwidth(100, 99.0) == 4
    assert quantizer.get_num_quantizers_for_bandwidth(100, 0.01) == 1
    first = quantizer.vq.layers[0]._codebook.embed.numpy()
    distances = ((x.numpy()[0, :, 0] - first) ** 2).sum(1)
    assert int(quantizer.encode(x, 100, 0.4)[0, 0, 0]) == distances.argmin()


def test_gradients_pass_the_codebooks_as_if_they_were_not_there(normal):
    quantizer = ResidualVectorQuantizer(6, 4, 16)
    x = normal(0, 2, 6, 5).requires_grad_()
    result = quantizer(x, 100, 0.8)
    np.testing.assert_allclose(
        result.quantized.detach(), quantizer.decode(result.codes), rtol=1e-5, atol=1e-6
    )
    (slope,) = tp.autograd.grad(result.quantized.sum(), x)
    np.testing.assert_array_equal(slope, np.ones((2, 6, 5)))
    assert float(result.bandwidth) == pytest.approx(0.8)
    (pull,) = tp.autograd.grad(quantizer(x, 100, 0.8).penalty, x)
    want = 2 * (x - result.quantized).detach() / x.numel()
    np.testing.assert_allclose(pull, want, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("blocks", [[501], [1, 500], [100] * 5 + [1], [180, 20, 301]])
def test_streams_give_what_the_whole_gives(filled, normal, causal, blocks):
    model = filled(tiny(causal, segment=0.25))
    x = normal(0, 1, 2, 501)
    with tp.no_grad():
        whole = model.encode(x)
        sound = model.decode(whole)
    pieces = list(model.encode_stream(x.split(blocks, -1)))
    assert len(pieces) == len(whole)
    for (codes, scale), (codes2, scale2) in zip(pieces, whole, strict=True):
        np.testing.assert_array_equal(codes, codes2)
        if not causal:
            np.testing.assert_allclose(scale, scale2, rtol=1e-6)
    streamed = list(model.decode_stream(iter(pieces)))
    assert len(streamed) == len(whole)
    np.testing.assert_allclose(tp.cat(streamed, -1), sound, rtol=1e-5, atol=1e-6)


def test_a_stream_of_a_model_without_segments(filled, normal):
    model = filled(tiny())
    x = normal(0, 1, 2, 1700)
    pieces = list(model.encode_stream([x]))
    assert [p[0].shape[-1] for p in pieces] == [100, 100, 33]  # a second each, then the rest
    assert sum(s.shape[-1] for s in model.decode_stream(pieces)) >= 1700
    assert list(model.encode_stream([])) == []
    assert list(model.decode_stream([])) == []


def test_an_overlap_of_nothing(filled, normal):
    model = filled(tiny(segment=0.25, overlap=0.0))
    x = normal(0, 1, 2, 400)
    halves = [model.decode([model.encode(h)[0]]) for h in x.split(200, -1)]
    np.testing.assert_allclose(model(x).detach(), tp.cat(halves, -1).detach(), rtol=1e-4, atol=1e-5)


def test_weights_under_a_norm(normal):
    conv = nn.Conv1d(3, 4, 5)
    layer = WeightNorm(conv)
    x = normal(0, 2, 3, 9)
    np.testing.assert_allclose(layer(x).detach(), conv(x).detach(), rtol=1e-4, atol=1e-5)
    state = {
        "parametrizations.weight.original0": 2 * layer.weight_g.detach(),
        "parametrizations.weight.original1": layer.weight_v.detach(),
        "bias": layer.bias.detach(),
    }
    layer.load_state_dict(state)
    np.testing.assert_allclose(layer.weight.detach(), 2 * conv.weight.detach(), rtol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
def test_strides_up_and_down(causal):
    down = SConv1d(1, 2, 6, stride=3, causal=causal)
    up = SConvTranspose1d(2, 1, 6, stride=3, causal=causal)
    assert down(tp.zeros(1, 1, 10)).shape == (1, 2, 4)
    assert up(tp.zeros(1, 2, 4)).shape == (1, 1, 12)


def test_configurations():
    with tp.nn.init.skipped():
        small, large = encodec_model_24khz(), encodec_model_48khz()
    assert (small.frame_rate, small.quantizer.n_q, small.segment_length) == (75, 32, None)
    assert (large.frame_rate, large.quantizer.n_q) == (150, 16)
    assert (large.segment_length, large.segment_stride) == (48000, 47520)
    names = small.state_dict()
    assert (len(names), len(large.state_dict())) == (252, 224)
    assert names["encoder.model.0.conv.conv.weight_g"].shape == (32, 1, 1)
    assert names["decoder.model.3.convtr.convtr.weight_g"].shape == (512, 1, 1)
    assert names["quantizer.vq.layers.31._codebook.embed"].shape == (1024, 128)


def test_mistakes():
    model = tiny()
    with pytest.raises(DomainError, match=r"bandwidth is one of \[0.5, 2.0\]"):
        model.set_target_bandwidth(3.0)
    with pytest.raises(ShapeError, match=r"wanted \(n, 2, t\)"):
        model.encode(tp.zeros(1, 1, 100))
    with pytest.raises(ShapeError, match="wanted one segment, got 0"):
        model.decode([])
    with pytest.raises(ShapeError, match="1 to 4 books"):
        model.quantizer.decode(tp.zeros(5, 1, 3, dtype=tp.int64))
    with pytest.raises(DomainError, match="bins are a power of two"):
        ResidualVectorQuantizer(6, 4, 17)
    with pytest.raises(DomainError, match="norm is one of"):
        NormConv(nn.Conv1d(1, 1, 1), "layer_norm", "conv")
