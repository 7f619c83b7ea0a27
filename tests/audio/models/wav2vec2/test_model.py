"""The whole model: lengths, layers, gradients, old names of weights."""

import numpy as np
import pytest

import triptych as tp
from triptych.nn import functional as nnF


@pytest.mark.parametrize("kind", ["wav2vec2", "wavlm"])
@pytest.mark.parametrize("first", [False, True])
def test_padding_changes_nothing(kind, first, tiny, waveforms):
    x, lengths = waveforms
    model = tiny(kind, encoder_layer_norm_first=first, aux_num_out=5)
    together, frames = model(x, lengths)
    assert frames.tolist() == [39, 22, 5]
    for row, (samples, count) in enumerate(zip(lengths.tolist(), frames.tolist(), strict=True)):
        alone, none = model(x[row : row + 1, :samples])
        assert none is None
        assert alone.shape == (1, count, 5)
        np.testing.assert_allclose(
            together[row, :count].detach().numpy(),
            alone[0].detach().numpy(),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", ["wav2vec2", "wavlm"])
def test_layers_lead_to_the_output(kind, tiny, waveforms):
    x, lengths = waveforms
    for first in (False, True):
        model = tiny(kind, encoder_layer_norm_first=first)
        layers, frames = model.extract_features(x, lengths)
        assert len(layers) == 2
        assert frames.tolist() == [39, 22, 5]
        last = model.encoder.transformer.layer_norm(layers[1]) if first else layers[1]
        want = model(x, lengths)[0].detach().numpy()
        np.testing.assert_array_equal(last.detach().numpy(), want)
        (one,), _ = model.extract_features(x, lengths, num_layers=1)
        np.testing.assert_array_equal(one.detach().numpy(), layers[0].detach().numpy())


def test_lengths_count_only_where_they_are_given(tiny, waveforms):
    x, lengths = waveforms
    model = tiny()
    whole = model(x)[0].detach().numpy()
    same = model(x, tp.full((3,), 400))[0].detach().numpy()
    np.testing.assert_allclose(whole, same, rtol=1e-5, atol=1e-6)
    assert not np.allclose(model(x, lengths)[0].detach().numpy(), whole)


def test_group_norm_extractor_mixes_over_time(tiny, waveforms):
    x, _ = waveforms
    model = tiny(extractor_mode="group_norm", extractor_conv_bias=False)
    assert [name for name in model.state_dict() if "feature_extractor" in name] == [
        "feature_extractor.conv_layers.0.layer_norm.weight",
        "feature_extractor.conv_layers.0.layer_norm.bias",
        "feature_extractor.conv_layers.0.conv.weight",
        "feature_extractor.conv_layers.1.conv.weight",
    ]
    louder = model(2 * x)[0].detach().numpy()
    np.testing.assert_allclose(louder, model(x)[0].detach().numpy(), rtol=1e-3, atol=1e-4)


def test_numpy_arrays_go_in_and_come_out(tiny, waveforms):
    x, lengths = waveforms
    model = tiny()
    out, frames = model(x.numpy(), lengths.numpy())
    assert isinstance(out, np.ndarray)
    assert frames.tolist() == [39, 22, 5]
    np.testing.assert_array_equal(out, model(x, lengths)[0].detach().numpy())
    layers, none = model.extract_features(x.numpy())
    assert none is None
    assert [type(layer) for layer in layers] == [np.ndarray] * 2


def test_both_spellings_of_weight_norm_load(tiny, waveforms):
    x, _ = waveforms
    model, other = tiny(), tiny(encoder_layer_drop=0.5)
    weights = model.state_dict()
    new = "conv.parametrizations.weight.original"
    assert sum(new in name for name in weights) == 2
    old = {
        name.replace(f"{new}0", "conv.weight_g").replace(f"{new}1", "conv.weight_v"): value
        for name, value in weights.items()
    }
    for named in (weights, old):
        with tp.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        other.load_state_dict(named)
        np.testing.assert_array_equal(other(x)[0].detach().numpy(), model(x)[0].detach().numpy())


@pytest.mark.parametrize("kind", ["wav2vec2", "wavlm"])
def test_fine_tuning_lowers_the_loss(kind, tiny, waveforms):
    x, lengths = waveforms
    model = tiny(kind, aux_num_out=5).train()
    targets, target_lengths = tp.tensor([[1, 2, 3], [4, 1, 2], [3, 0, 0]]), tp.tensor([3, 3, 1])
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(6):
        scores, frames = model(x, lengths)
        logs = scores.log_softmax(-1).transpose(0, 1)
        loss = nnF.ctc_loss(logs, targets, frames, target_lengths)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]
    lacking = [name for name, p in model.named_parameters() if p.grad is None]
    assert not lacking
