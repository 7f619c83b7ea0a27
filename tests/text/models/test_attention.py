import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_text.models.attention import ACTIVATIONS, additive_mask, multi_head_attention


def test_heads_against_a_loop():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, n, 6)) for n in (3, 4, 4))
    mask = rng.standard_normal((2, 1, 3, 4))
    got = multi_head_attention(*map(tp.tensor, (q, k, v)), 2, tp.tensor(mask)).numpy()
    for text in range(2):
        for head in (slice(0, 3), slice(3, 6)):
            scores = q[text, :, head] @ k[text, :, head].T / np.sqrt(3) + mask[text, 0]
            shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            np.testing.assert_allclose(got[text, :, head], shares @ v[text, :, head], rtol=1e-10)


def test_additive_mask():
    lowest = tp.finfo(tp.float32).min
    mask = additive_mask(tp.tensor([[1, 0]]), tp.float32)
    assert mask.tolist() == [[[[0.0, lowest]]]]
    assert additive_mask(tp.ones(2, 3, 4), tp.float32).shape == (2, 1, 3, 4)
    assert additive_mask(None, tp.float32) is None
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        additive_mask(tp.ones(4), tp.float32)


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_activations_at_a_few_points(name):
    x = np.array([-2.0, 0.0, 0.5, 3.0, 12.0])
    twins = {
        "gelu": lambda x: x * (1 + tp.erf(tp.tensor(x / np.sqrt(2))).numpy()) / 2,
        "leaky_relu": lambda x: np.where(x < 0, x / 100, x),
        "linear": lambda x: x,
        "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
        "quick_gelu": lambda x: x / (1 + np.exp(-1.702 * x)),
        "relu": lambda x: np.maximum(x, 0),
        "relu2": lambda x: np.maximum(x, 0) ** 2,
        "relu6": lambda x: np.clip(x, 0, 6),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "silu": lambda x: x / (1 + np.exp(-x)),
        "tanh": np.tanh,
    }
    tanh_gelu = lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))  # noqa: E731
    twins |= {"swish": twins["silu"], "gelu_python": twins["gelu"]}
    twins["gelu_10"] = lambda x: np.minimum(twins["gelu"](x), 10)
    for kind in ("accurate", "fast", "new", "python_tanh", "pytorch_tanh"):
        twins[f"gelu_{kind}"] = tanh_gelu
    np.testing.assert_allclose(ACTIVATIONS[name](tp.tensor(x)).numpy(), twins[name](x), rtol=1e-12)


def test_unknown_activation():
    with pytest.raises(UnknownNameError, match="gelu"):
        ACTIVATIONS["gelu_neu"]
