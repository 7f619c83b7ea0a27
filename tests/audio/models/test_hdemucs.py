"""Hybrid Demucs: like torchaudio's, for every length, and its spectrum can be undone."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import HDemucs, hdemucs_high, hdemucs_low, hdemucs_medium
from triptych_audio.models.hdemucs_layers import (
    DecoderLayer,
    DilatedConv,
    EncoderLayer,
    LocalState,
    ScaledEmbedding,
)

STEMS = ["drums", "bass", "other", "vocals"]


def tiny(**options):
    config = {"channels": 4, "nfft": 256, "depth": 4} | options
    return HDemucs(["a", "b"], **config).eval()


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    model = filled(HDemucs(["a", "b"], channels=4, nfft=1024, depth=5))
    agree("hdemucs", model(normal(0, 1, 2, 1600))[..., ::7])


def test_a_sequence_longer_than_the_recurrent_layer_takes(filled, normal, agree):
    model = HDemucs(
        ["a"], channels=4, nfft=256, depth=4, dconv_attn=3, dconv_lstm=3, audio_channels=1
    )
    agree("hdemucs_long", filled(model)(normal(0, 1, 1, 32000))[..., ::131])


@pytest.mark.parametrize("length", [1, 50, 63, 64, 65, 1000])
def test_as_many_samples_come_out(length):
    assert tiny()(tp.ones(1, 2, length)).shape == (1, 2, 2, length)


def test_the_way_back_undoes_the_spectrum():
    """But for the highest frequency, and the ends, whose outermost windows are left out."""
    model = tiny()
    times = np.arange(1000, dtype=np.float32)
    x = tp.tensor(np.sin(times / np.array([[5.0], [9.0]], np.float32))).unsqueeze(0)
    again = model._waveform(model._spectrum(x), 1000)
    np.testing.assert_allclose(again[..., 128:-128], x[..., 128:-128], atol=1e-3)


@pytest.mark.parametrize(
    ("build", "params"),
    [(hdemucs_low, 20_040_296), (hdemucs_medium, 78_908_488), (hdemucs_high, 83_639_368)],
)
def test_sizes(build, params):
    with tp.nn.init.skipped():
        assert sum(p.numel() for p in build(STEMS).parameters()) == params


def test_medium_runs(normal):
    model = HDemucs(["a"], channels=4, nfft=2048, depth=6).eval()
    assert model(normal(0, 1, 2, 3000)).shape == (1, 1, 2, 3000)


def test_gradients_reach_every_parameter(normal):
    model = tiny().train()
    model(normal(0, 1, 2, 700)).square().sum().backward()
    lacking = [n for n, p in model.named_parameters() if p.grad is None]
    assert lacking == []


def test_without_an_embedding_of_frequencies():
    model = tiny(freq_emb=0)
    assert model.freq_emb is None
    assert model(tp.ones(1, 2, 100)).shape == (1, 2, 2, 100)


def test_smooth_embeddings_start_alike():
    tp.manual_seed(0)
    rough, smooth = (
        (e.weight[1:] - e.weight[:-1]).abs().mean()
        for e in (ScaledEmbedding(50, 20), ScaledEmbedding(50, 20, smooth=True))
    )
    assert float(smooth) < 0.5 * float(rough)


def test_attention_of_one_head_is_the_written_sum(normal):
    layer = LocalState(2, heads=1, ndecay=2)
    x = normal(0, 1, 2, 5)
    with tp.no_grad():
        got = layer(x)[0].numpy()
        q, k, c, slow = (
            f(x)[0].numpy() for f in (layer.query, layer.key, layer.content, layer.query_decay)
        )
    slow = 1 / (1 + np.exp(-slow)) / 2
    seen = np.zeros((2, 5))
    for s in range(5):
        scores = [
            -100
            if t == s
            else k[:, t] @ q[:, s] / np.sqrt(2)
            - sum((f + 1) * abs(t - s) * slow[f, s] for f in range(2)) / np.sqrt(2)
            for t in range(5)
        ]
        weights = np.exp(scores) / np.exp(scores).sum()
        seen[:, s] = c @ weights
    proj = layer.proj.weight[:, :, 0].detach().numpy() @ seen
    want = x[0].numpy() + proj + layer.proj.bias.detach().numpy()[:, None]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_blocks_without_dilation_and_decay():
    block = DilatedConv(8, depth=-2, norm_type="none", attn=True, heads=1, ndecay=0)
    assert [layer[0].dilation for layer in block.layers] == [(1,), (1,)]
    assert block(tp.ones(1, 8, 6)).shape == (1, 8, 6)


def test_mistakes():
    with pytest.raises(ShapeError, match=r"wanted \(n, 2, t\)"):
        tiny()(tp.zeros(1, 1, 100))
    with pytest.raises(DomainError, match="frequencies at level"):
        HDemucs(["a"], channels=4, nfft=10, depth=2, stride=8, kernel_size=4, freq_emb=0)
    with pytest.raises(DomainError, match="multiple of heads"):
        LocalState(6, heads=4)
    with pytest.raises(DomainError, match="kernel_size is odd"):
        DilatedConv(8, kernel_size=4)
    with pytest.raises(DomainError, match="kernel_size - stride is even"):
        DecoderLayer(4, 4, kernel_size=7, stride=4)
    with pytest.raises(ShapeError, match="frames of the branch over time"):
        EncoderLayer(2, 4, freq=False)(tp.zeros(1, 2, 16), tp.zeros(1, 4, 3))
