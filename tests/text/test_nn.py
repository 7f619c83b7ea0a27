import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError
from triptych_text.nn import (
    InProjContainer,
    MultiheadAttentionContainer,
    ScaledDotProduct,
    generate_square_subsequent_mask,
)

L, S, N, E, HEADS = 5, 7, 2, 8, 4
G = tp.Generator().manual_seed(1)


def rand(*shape):
    return tp.randn(*shape, generator=G)


def made(batch_first=False):
    tp.manual_seed(0)
    parts = InProjContainer(nn.Linear(E, E), nn.Linear(E, E), nn.Linear(E, E))
    return MultiheadAttentionContainer(
        HEADS, parts, ScaledDotProduct(), nn.Linear(E, E), batch_first
    )


def test_against_multihead_attention():
    own, core = made(), nn.MultiheadAttention(E, HEADS)
    parts = own.in_proj_container
    projections = (parts.query_proj, parts.key_proj, parts.value_proj)
    core.load_state_dict(
        {
            "in_proj_weight": tp.cat([p.weight for p in projections]),
            "in_proj_bias": tp.cat([p.bias for p in projections]),
            "out_proj.weight": own.out_proj.weight,
            "out_proj.bias": own.out_proj.bias,
        }
    )
    q, k, v = rand(L, N, E), rand(S, N, E), rand(S, N, E)
    mask = rand(L, S) > 0.5
    mask[:, 0] = False
    wanted, weights = core(q, k, v, attn_mask=mask, average_attn_weights=False)
    got, own_weights = own(q, k, v, attn_mask=mask[None])
    np.testing.assert_allclose(got.detach().numpy(), wanted.detach().numpy(), atol=1e-5)
    flat = weights.reshape(N * HEADS, L, S).detach().numpy()
    np.testing.assert_allclose(own_weights.detach().numpy(), flat, atol=1e-5)
    swapped = made(batch_first=True)(*(x.transpose(0, 1) for x in (q, k, v)), attn_mask=mask[None])
    np.testing.assert_allclose(swapped[0].transpose(0, 1).detach().numpy(), got.detach().numpy(),
                               atol=1e-5)  # fmt: skip


def test_bias_rows_are_one_more_key_and_value():
    q, k, v = rand(L, N, E), rand(S, N, E), rand(S, N, E)
    bias_k, bias_v = rand(1, N, E), rand(1, N, E)
    mask = tp.zeros(1, L, S, dtype=tp.bool)
    got, weights = ScaledDotProduct()(q, k, v, mask, bias_k, bias_v)
    wanted, _ = ScaledDotProduct()(q, tp.cat([k, bias_k]), tp.cat([v, bias_v]))
    assert weights.shape == (N, L, S + 1)
    np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-6)
    first = ScaledDotProduct(batch_first=True)(*(x.transpose(0, 1) for x in (q, k, v)))[0]
    np.testing.assert_allclose(
        first.transpose(0, 1).numpy(), ScaledDotProduct()(q, k, v)[0].numpy(), atol=1e-6
    )


def test_dropout_only_in_training():
    q = tp.ones(3, 2, 4)
    layer = ScaledDotProduct(dropout=1.0)
    assert float(layer(q, q, q)[0].abs().sum()) == 0
    assert layer.eval()(q, q, q)[0].tolist() == q.tolist()


def test_errors():
    q, k = rand(L, N, E), rand(S, N, E)
    layer = ScaledDotProduct()
    with pytest.raises(ShapeError, match="do not fit"):
        layer(q, k, k[:, :, :3])
    with pytest.raises(RuntimeError, match="attn_mask should be"):
        layer(q, k, k, tp.zeros(L, S, dtype=tp.bool))
    with pytest.raises(RuntimeError, match="attn_mask should be bool"):
        layer(q, k, k, tp.zeros(1, L, S))
    with pytest.raises(DTypeError):
        layer(q, k, k, tp.zeros(N, L, S))
    with pytest.raises(ShapeError, match="bias_k"):
        layer(q, k, k, None, rand(2, N, E), rand(1, N, E))
    with pytest.raises(ShapeError, match="no multiple of 3 heads"):
        MultiheadAttentionContainer(
            3, made().in_proj_container, ScaledDotProduct(), nn.Linear(E, E)
        )(q, k, k)


def test_subsequent_mask():
    mask = generate_square_subsequent_mask(2, 3)
    assert mask.int().tolist() == [[[1, 0, 0], [1, 1, 0], [1, 1, 1]]] * 2
    assert mask.dtype == tp.bool
