"""Layers with int8 weights in place of linear ones."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.quantization import DynamicLinear, quantize_dynamic


@pytest.fixture(autouse=True)
def seed():
    tp.manual_seed(0)


def network():
    return nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Sequential(nn.Linear(64, 10, bias=False)))


def close(found, want, most):
    """Errors as a part of the largest result."""
    return (found - want).abs().max().item() <= most * want.abs().max().item()


def test_results_are_near():
    layer, x = nn.Linear(300, 70), tp.randn(5, 9, 300)
    found = DynamicLinear.from_linear(layer)(x)
    assert found.shape == (5, 9, 70)
    assert close(found, layer(x).detach(), 0.02)


def test_error_is_that_of_rounding():
    """Weights and inputs that bytes hold exactly give what floats give."""
    layer = nn.Linear(64, 8)
    with tp.no_grad():
        layer.weight.copy_(tp.randint(-127, 128, (8, 64)).float() / 64)
        layer.weight[:, 0] = 127 / 64
    x = tp.randint(0, 256, (20, 64)).float() / 32 - 4
    x[0, :2] = tp.tensor([-4.0, 255 / 32 - 4])
    found = DynamicLinear.from_linear(layer)(x)
    np.testing.assert_allclose(found.numpy(), layer(x).detach().numpy(), rtol=1e-5, atol=1e-4)


def test_all_linear_layers_of_a_copy():
    model = network()
    made = quantize_dynamic(model)
    assert [type(m) for m in made.modules() if not isinstance(m, nn.Sequential)] == [
        DynamicLinear,
        nn.ReLU,
        DynamicLinear,
    ]
    assert type(model[0]) is nn.Linear
    x = tp.randn(16, 40)
    assert close(made(x), model(x).detach(), 0.03)


def test_in_place_and_alone():
    model = network()
    assert quantize_dynamic(model, inplace=True) is model
    assert type(model[0]) is DynamicLinear
    assert type(quantize_dynamic(nn.Linear(3, 4))) is DynamicLinear


def test_what_stays():
    class Own(nn.Linear):
        pass

    model = nn.Sequential(nn.Linear(4, 4), Own(4, 4), nn.Linear(40_000, 1), network())
    made = quantize_dynamic(model, skip=["0", "3.2"])
    assert [type(m) for m in (made[0], made[1], made[2])] == [nn.Linear, Own, nn.Linear]
    assert type(made[3][0]) is DynamicLinear
    assert type(made[3][2][0]) is nn.Linear


def test_shared_layers_stay_shared():
    layer = nn.Linear(4, 4)
    made = quantize_dynamic(nn.Sequential(layer, nn.ReLU(), layer))
    assert made[0] is made[2]


@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer(norm_first):
    layer = nn.TransformerEncoderLayer(64, 4, 128, norm_first=norm_first, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).eval()
    made = quantize_dynamic(model)
    assert type(made.layers[0].linear1) is DynamicLinear
    assert type(made.layers[0].self_attn.out_proj) is nn.Linear
    x = tp.randn(3, 10, 64)
    with tp.no_grad():
        assert close(made(x), model(x), 0.03)


def test_state_dict():
    made = quantize_dynamic(network())
    state = made.state_dict()
    assert {name: t.dtype for name, t in state.items()} == {
        "0.weight": tp.int8,
        "0.scale": tp.float32,
        "0.bias": tp.float32,
        "2.0.weight": tp.int8,
        "2.0.scale": tp.float32,
    }
    other, x = quantize_dynamic(network()), tp.randn(4, 40)
    assert not tp.equal(other(x), made(x))
    other.load_state_dict(state)
    assert tp.equal(other(x), made(x))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_result_has_the_dtype_of_the_input(dtype):
    made = quantize_dynamic(nn.Linear(8, 4))
    assert made(tp.ones(2, 8, dtype=getattr(tp, dtype))).dtype is getattr(tp, dtype)


def test_no_gradients_and_nan():
    made = quantize_dynamic(nn.Linear(8, 4))
    x = tp.randn(2, 8, requires_grad=True)
    assert not made(x).requires_grad
    x = tp.randn(2, 8)
    x[0, 3] = float("inf")
    assert made(x).isnan().all()
    assert tp.equal(made(tp.zeros(2, 8)), made.bias.expand(2, 4))


def test_compiled_and_batched():
    made, x = quantize_dynamic(nn.Linear(8, 4)), tp.randn(3, 8)
    assert tp.equal(tp.compile(made)(x), made(x))
    assert tp.compile(made)(2 * x).shape == (3, 4)
    rows = tp.func.vmap(made)(x)
    np.testing.assert_allclose(rows.numpy(), made(x).numpy(), atol=0.1)
