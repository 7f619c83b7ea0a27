"""Silero VAD with random weights: a naive twin, batches, pieces, gradients."""

import copy

import numpy as np
import pytest

import triptych as tp
from triptych_audio.models import SileroVAD, silero_vad

SHAPES = {
    "stft_conv.weight": (258, 1, 256),
    "conv1.weight": (128, 129, 3),
    "conv1.bias": (128,),
    "conv2.weight": (64, 128, 3),
    "conv2.bias": (64,),
    "conv3.weight": (64, 64, 3),
    "conv3.bias": (64,),
    "conv4.weight": (128, 64, 3),
    "conv4.bias": (128,),
    "lstm_cell.weight_ih": (512, 128),
    "lstm_cell.weight_hh": (512, 128),
    "lstm_cell.bias_ih": (512,),
    "lstm_cell.bias_hh": (512,),
    "final_conv.weight": (1, 128, 1),
    "final_conv.bias": (1,),
}


@pytest.fixture(scope="module")
def model():
    """Random weights that make probabilities move."""
    model = SileroVAD().double().eval()
    rng = np.random.default_rng(3)
    state = {}
    for name, shape in SHAPES.items():
        fan_in = np.prod(shape[1:]) or 1
        state[name] = tp.tensor(rng.standard_normal(shape) * (2 / fan_in) ** 0.5)
    model.load_state_dict(state)
    return model


@pytest.fixture
def sound(rng):
    return rng.uniform(-1, 1, 5000)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_conv(x, weight, bias, stride):
    """(c, t) by (o, c, 3), one position at a time."""
    x = np.pad(x, ((0, 0), (1, 1)))
    positions = range(0, x.shape[1] - 2, stride)
    return np.stack([(weight * x[None, :, p : p + 3]).sum((1, 2)) + bias for p in positions], 1)


def naive_forward(state, x):
    """One frame after the other, straight from the description of the model."""
    w = {name: value.numpy() for name, value in state.items()}
    count = -(-len(x) // 512)
    padded = np.concatenate([np.zeros(64), x, np.zeros(count * 512 - len(x))])
    h, c, out = np.zeros(128), np.zeros(128), []
    for k in range(count):
        frame = np.pad(padded[512 * k : 512 * k + 576], (0, 64), "reflect")
        s = np.stack([w["stft_conv.weight"][:, 0] @ frame[a : a + 256] for a in (0, 128, 256, 384)])
        a = np.sqrt(s[:, :129] ** 2 + s[:, 129:] ** 2).T
        for i, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
            layer = naive_conv(a, w[f"conv{i}.weight"], w[f"conv{i}.bias"], stride)
            a = np.maximum(layer, 0)
        gates = w["lstm_cell.weight_ih"] @ a[:, 0] + w["lstm_cell.bias_ih"]
        gates = gates + w["lstm_cell.weight_hh"] @ h + w["lstm_cell.bias_hh"]
        i, f, g, o = gates.reshape(4, 128)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        logit = w["final_conv.weight"][0, :, 0] @ np.maximum(h, 0) + w["final_conv.bias"][0]
        out.append(sigmoid(logit))
    return np.array(out)


def test_parameter_names_and_shapes():
    state = SileroVAD().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == SHAPES


@pytest.mark.parametrize("t", [1, 511, 512, 513, 3000])
def test_naive_twin(model, sound, t):
    got = model(sound[:t])
    want = naive_forward(model.state_dict(), sound[:t])
    assert np.ptp(want) > 0.01 or t <= 512
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_batch_equals_loop(model, sound):
    batch = np.stack([sound[:2000], sound[2000:4000], sound[:2000] * 0.1])
    np.testing.assert_allclose(model(batch), [model(x) for x in batch], atol=1e-12)


def test_blocks_of_frames_change_nothing(model, sound, monkeypatch):
    whole = model(sound)
    monkeypatch.setattr(silero_vad, "FRAMES_AT_ONCE", 3)
    np.testing.assert_allclose(model(sound), whole, atol=1e-12)


def test_state_in_state_out(model, sound):
    x = tp.tensor(np.stack([sound[:2048], sound[2048:4096]]))
    whole, end = model.advance(x)
    first, state = model.advance(x[:, :512])
    second, state = model.advance(x[:, 512:], state)
    joined = tp.cat([first, second], 1)
    np.testing.assert_allclose(joined.detach().numpy(), whole.detach().numpy(), atol=1e-12)
    for a, b in zip(state, end, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("step", [1, 100, 512, 1300, 5000])
@pytest.mark.parametrize("batch", [False, True])
def test_stream_equals_whole(model, sound, step, batch):
    sound = np.stack([sound, sound[::-1]]) if batch else sound
    if step == 1:
        sound = sound[..., :1100]
    model.reset_states()
    pieces = [model.stream(sound[..., a : a + step]) for a in range(0, sound.shape[-1], step)]
    whole = model(sound)[..., : sound.shape[-1] // 512]
    np.testing.assert_allclose(np.concatenate(pieces, -1), whole, atol=1e-12)


def test_whole_recordings_leave_the_stream_alone(model, sound):
    model.reset_states()
    first = model.stream(sound[:1000])
    model(sound[::-1].copy())
    second = model.stream(sound[1000:])
    together = np.concatenate([first, second])
    np.testing.assert_allclose(together, model(sound)[: len(together)], atol=1e-12)
    model.reset_states()
    np.testing.assert_array_equal(model.stream(sound[:1000]), first)


def test_copies_stream_on_their_own(model, sound):
    model.reset_states()
    model.stream(sound[:1000])
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin.stream(sound[1000:]), model.stream(sound[1000:]))


def test_every_parameter_gets_a_gradient(model, sound):
    model.zero_grad()
    model(tp.tensor(sound)).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_gradient_of_the_sound(model, rng):
    x = rng.uniform(-1, 1, 600)
    at = tp.tensor(x, requires_grad=True)
    model(at)[-1].backward()
    step = 1e-5
    for i in (0, 100, 450, 500, 599):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        slope = (model(up)[-1] - model(down)[-1]) / (2 * step)
        assert at.grad[i].item() == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_same_kind():
    model = SileroVAD()
    assert isinstance(model(tp.zeros(600)), tp.Tensor)
    assert type(model(np.zeros(600, np.float32))) is np.ndarray


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m: m(tp.zeros(0)), "wanted samples"),
        (lambda m: m(tp.zeros(1, 2, 600)), r"\(t,\) or \(n, t\)"),
        (lambda m: m(np.zeros(600, np.int16)), "floating"),
        (lambda m: m.advance(tp.zeros(1, 600)), "multiple of 512"),
        (lambda m: m.advance(tp.zeros(2, 512), m.initial_state(3)), "state is of 3"),
        (lambda m: (m.stream(tp.zeros(9)), m.stream(tp.zeros(2, 9))), r"began with 1 recording"),
    ],
)
def test_errors(call, text):
    with pytest.raises(ValueError, match=text):
        call(SileroVAD())
