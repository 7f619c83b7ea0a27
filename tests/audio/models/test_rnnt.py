"""Transducers."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych_audio import models
from triptych_audio.functional import rnnt_loss
from triptych_audio.models import conformer_rnnt_model, emformer_rnnt_model
from triptych_audio.models.rnnt_parts import CustomLSTM, Joiner, TimeReduction

EMFORMER = {
    "input_dim": 6,
    "encoding_dim": 8,
    "num_symbols": 5,
    "segment_length": 8,
    "right_context_length": 4,
    "time_reduction_input_dim": 4,
    "time_reduction_stride": 2,
    "transformer_num_heads": 2,
    "transformer_ffn_dim": 10,
    "transformer_num_layers": 2,
    "transformer_dropout": 0.0,
    "transformer_activation": "gelu",
    "transformer_left_context_length": 4,
    "transformer_max_memory_size": 1,
    "transformer_weight_init_scale_strategy": "depthwise",
    "transformer_tanh_on_mem": True,
    "symbol_embedding_dim": 7,
    "num_lstm_layers": 2,
    "lstm_layer_norm": True,
    "lstm_layer_norm_epsilon": 1e-3,
    "lstm_dropout": 0.0,
}
CONFORMER = {
    "input_dim": 6,
    "encoding_dim": 8,
    "time_reduction_stride": 2,
    "conformer_input_dim": 8,
    "conformer_ffn_dim": 10,
    "conformer_num_layers": 1,
    "conformer_num_heads": 2,
    "conformer_depthwise_conv_kernel_size": 3,
    "conformer_dropout": 0.0,
    "num_symbols": 5,
    "symbol_embedding_dim": 7,
    "num_lstm_layers": 1,
    "lstm_hidden_dim": 6,
    "lstm_layer_norm": False,
    "lstm_layer_norm_epsilon": 1e-5,
    "lstm_dropout": 0.0,
    "joiner_activation": "tanh",
}


@pytest.fixture(params=["conformer", "emformer"])
def model(request):
    tp.manual_seed(0)
    if request.param == "conformer":
        return conformer_rnnt_model(**CONFORMER).eval()
    return emformer_rnnt_model(**EMFORMER).eval()


@pytest.fixture
def batch(model):
    """Frames with right context, lengths, symbols, lengths."""
    tp.manual_seed(1)
    right = 4 if hasattr(model.transcriber, "transformer") else 0
    symbols = tp.tensor([[1, 2, 3], [4, 0, 0]], dtype=tp.int32)
    lengths = tp.tensor([16, 12], dtype=tp.int32)
    return tp.randn(2, 16 + right, 6), lengths, symbols, tp.tensor([3, 1], dtype=tp.int32)


def test_forward_is_its_three_parts(model, batch):
    frames, lengths, symbols, counts = batch
    logits, source_lengths, target_lengths, state = model(frames, lengths, symbols, counts)
    assert logits.shape == (2, 8, 3, 5)
    assert source_lengths.tolist() == [8, 6]
    assert target_lengths is counts
    sources, source_lengths = model.transcribe(frames, lengths)
    targets, _, after = model.predict(symbols, counts, None)
    joint, _, _ = model.join(sources, source_lengths, targets, counts)
    np.testing.assert_array_equal(joint.detach().numpy(), logits.detach().numpy())
    assert len(after) == len(state)
    one = model.join(sources[:, 5:6], source_lengths, targets[:, 1:2], counts)[0]
    np.testing.assert_allclose(
        one[:, 0, 0].detach().numpy(), logits[:, 5, 1].detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_symbols_may_come_one_by_one(model, batch):
    _, _, symbols, counts = batch
    whole, _, last = model.predict(symbols, counts, None)
    state, found = None, []
    for u in range(3):
        step, _, state = model.predict(symbols[:, u : u + 1], counts, state)
        found.append(step)
    np.testing.assert_allclose(
        tp.cat(found, 1).detach().numpy(), whole.detach().numpy(), rtol=1e-5, atol=1e-6
    )
    for mine, theirs in zip(state, last, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_training_lowers_the_loss(model, batch):
    frames, lengths, symbols, counts = batch
    model.train()
    begin = tp.zeros(2, 1, dtype=tp.int32)
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(5):
        logits, source_lengths, _, _ = model(
            frames, lengths, tp.cat([begin, symbols], 1), counts + 1
        )
        loss = rnnt_loss(logits, symbols, source_lengths.to(tp.int32), counts, blank=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0] - 0.5
    assert all(p.grad is not None for p in model.parameters())


def test_numpy_arrays_go_in_and_come_out(model, batch):
    frames, lengths, symbols, counts = batch
    logits = model(*(part.numpy() for part in batch))[0]
    assert isinstance(logits, np.ndarray)
    np.testing.assert_array_equal(logits, model(*batch)[0].detach().numpy())
    assert isinstance(model.transcribe(frames.numpy(), lengths.numpy())[0], np.ndarray)
    assert isinstance(model.predict(symbols.numpy(), counts.numpy(), None)[0], np.ndarray)


def test_segments_give_what_the_whole_gives():
    tp.manual_seed(0)
    model = emformer_rnnt_model(**EMFORMER).eval()
    frames = tp.randn(1, 20, 6)
    whole, lengths = model.transcribe(frames, tp.tensor([16]))
    assert lengths.tolist() == [8]
    state, found = None, []
    for start in (0, 8):
        piece = frames[:, start : start + 12]
        out, lengths, state = model.transcribe_streaming(piece, tp.tensor([12]), state)
        assert lengths.tolist() == [4]
        found.append(out)
    np.testing.assert_allclose(
        tp.cat(found, 1).detach().numpy(), whole.detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_conformer_needs_the_whole():
    model = conformer_rnnt_model(**CONFORMER)
    with pytest.raises(RuntimeError, match="whole recording"):
        model.transcribe_streaming(tp.zeros(1, 8, 6), tp.tensor([8]), None)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_lstm_is_the_plain_one(layer_norm, rng):
    tp.manual_seed(0)
    module = CustomLSTM(3, 4, layer_norm, 1e-2)
    names = {"x2g.weight", "p2g.weight"} | ({"x2g.bias"} if not layer_norm else set())
    assert {n for n in module.state_dict() if "norm" not in n} == names
    with tp.no_grad():
        for parameter in module.parameters():
            parameter += 0.2 * tp.randn(parameter.shape)
    weights = {name: value.numpy() for name, value in module.state_dict().items()}

    def norm(x, name):
        if not layer_norm:
            return x
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-2)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    h, c = rng.standard_normal((2, 2, 4)).astype(np.float32)
    state, want = [tp.tensor(h), tp.tensor(c)], []
    for step in x:
        gates = step @ weights["x2g.weight"].T + weights.get("x2g.bias", 0)
        i, f, g, o = np.split(norm(gates + h @ weights["p2g.weight"].T, "g_norm"), 4, 1)
        c = norm(sigmoid(f) * c + sigmoid(i) * np.tanh(g), "c_norm")
        h = sigmoid(o) * np.tanh(c)
        want.append(h)
    got, after = module(tp.tensor(x), state)
    np.testing.assert_allclose(got.detach().numpy(), np.stack(want), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after[0].detach().numpy(), h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after[1].detach().numpy(), c, rtol=1e-4, atol=1e-5)


def test_frames_are_put_together():
    x = tp.arange(22.0).reshape(1, 11, 2)
    out, lengths = TimeReduction(4)(x, tp.tensor([11]))
    assert out.tolist() == [[list(range(8)), list(range(8, 16))]]
    assert lengths.tolist() == [2]


def test_joiner_adds_every_pair(rng):
    module = Joiner(3, 2, "tanh")
    s, t = rng.standard_normal((2, 4, 3)), rng.standard_normal((2, 5, 3))
    got, _, _ = module(*(tp.tensor(v.astype(np.float32)) for v in (s, s, t, t)))
    weight, bias = module.linear.weight.detach().numpy(), module.linear.bias.detach().numpy()
    want = np.tanh(s[:, :, None] + t[:, None]) @ weight.T + bias
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-5)
    with pytest.raises(DomainError, match="'relu', 'tanh'"):
        Joiner(3, 2, "gelu")


def test_published_sizes():
    with nn.init.skipped():
        emformer, conformer = models.emformer_rnnt_base(4097), models.conformer_rnnt_base()
    assert len(emformer.state_dict()) == 352
    assert sum(p.numel() for p in emformer.parameters()) == 76738049
    assert conformer.joiner.linear.out_features == 1024
    assert len(conformer.transcriber.conformer.conformer_layers) == 16
