"""Multi-head attention of single parameters, against the module and a loop over heads."""

import numpy as np
import pytest
from scipy import special

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

RNG = np.random.default_rng(0)
E, H = 8, 2


def tensors(*shapes):
    return [tp.tensor(RNG.standard_normal(s)) for s in shapes]


def call(module, q, k, v, **options):
    separate = module.in_proj_weight is None
    return F.multi_head_attention_forward(
        q,
        k,
        v,
        E,
        H,
        module.in_proj_weight,
        module.in_proj_bias,
        module.bias_k,
        module.bias_v,
        module.add_zero_attn,
        0.0,
        module.out_proj.weight,
        module.out_proj.bias,
        use_separate_proj_weight=separate,
        q_proj_weight=module.q_proj_weight,
        k_proj_weight=module.k_proj_weight,
        v_proj_weight=module.v_proj_weight,
        **options,
    )


@pytest.mark.parametrize(
    "settings", [{}, {"add_bias_kv": True, "add_zero_attn": True}, {"kdim": 5, "vdim": 6}]
)
@pytest.mark.parametrize("options", [{}, {"need_weights": False}, {"average_attn_weights": False}])
def test_it_is_what_the_module_computes(settings, options):
    module = nn.MultiheadAttention(E, H, **settings).double()
    q, k, v = tensors((3, 2, E), (5, 2, settings.get("kdim", E)), (5, 2, settings.get("vdim", E)))
    padding = tp.tensor([[False] * 5, [False, False, True, True, False]])
    expected = module(q, k, v, key_padding_mask=padding, **options)
    found = call(module, q, k, v, key_padding_mask=padding, **options)
    for one, two in zip(found, expected, strict=True):
        assert (one is None) == (two is None)
        if one is not None:
            np.testing.assert_array_equal(one.detach().numpy(), two.detach().numpy())


def test_one_head_at_a_time():
    w, b, wo, bo, q, k, v = tensors(
        (3 * E, E), (3 * E,), (E, E), (E,), (3, 2, E), (5, 2, E), (5, 2, E)
    )
    out, weights = F.multi_head_attention_forward(
        q, k, v, E, H, w, b, None, None, False, 0.0, wo, bo
    )
    parts = [
        t.numpy() @ w.numpy()[i * E : i * E + E].T + b.numpy()[i * E : i * E + E]
        for i, t in enumerate((q, k, v))
    ]
    heads, mean = [], 0
    for h in range(H):
        qh, kh, vh = (p[..., h * 4 : h * 4 + 4] for p in parts)
        p = special.softmax(np.einsum("lne,sne->nls", qh, kh) / 2, -1)
        heads.append(np.einsum("nls,sne->lne", p, vh))
        mean = mean + p / H
    np.testing.assert_allclose(out.numpy(), np.concatenate(heads, -1) @ wo.numpy().T + bo.numpy())
    np.testing.assert_allclose(weights.numpy(), mean)


def test_static_keys_and_values_replace_projected_ones():
    w, wo, q, ready_k, ready_v = tensors((3 * E, E), (E, E), (3, 2, E), (4, 6, 4), (4, 6, 4))
    args = (E, H, w, None, None, None, False, 0.0, wo, None)
    out, weights = F.multi_head_attention_forward(
        q, q, q, *args, static_k=ready_k, static_v=ready_v
    )
    assert weights.shape == (2, 3, 6)
    queries = (q.numpy() @ w.numpy()[:E].T).reshape(3, 2, H, 4).transpose(1, 2, 0, 3)
    keys, values = (t.numpy().reshape(2, H, 6, 4) for t in (ready_k, ready_v))
    p = special.softmax(np.einsum("nhle,nhse->nhls", queries, keys) / 2, -1)
    joined = np.einsum("nhls,nhse->lnhe", p, values).reshape(3, 2, E)
    np.testing.assert_allclose(out.numpy(), joined @ wo.numpy().T)
    with pytest.raises(tp.ShapeError, match="static_k"):
        F.multi_head_attention_forward(q, q, q, *args, static_k=ready_k[:2], static_v=ready_v)


def test_dropout_acts_in_training_alone():
    module = nn.MultiheadAttention(E, H, dropout=0.5).double()
    q = tensors((3, 2, E))[0]
    args = (E, H, module.in_proj_weight, None, None, None, False, 0.5, module.out_proj.weight, None)
    still = [F.multi_head_attention_forward(q, q, q, *args, training=False)[0] for _ in range(2)]
    moved = F.multi_head_attention_forward(q, q, q, *args)[0]
    assert tp.equal(*still) and not tp.equal(still[0], moved)


def test_errors():
    module = nn.MultiheadAttention(E, H).double()
    q, k = tensors((3, 2, E), (5, 2, E))
    with pytest.raises(tp.ShapeError, match="causal attn_mask"):
        call(module, q, k, k, is_causal=True)
    with pytest.raises(tp.ShapeError, match="batch sizes differ"):
        call(module, q, *tensors((5, 3, E)) * 2)
    args = (None, None, None, False, 0.0, module.out_proj.weight, None)
    with pytest.raises(tp.ShapeError, match="in_proj_weight or"):
        F.multi_head_attention_forward(q, k, k, E, H, None, *args)
    with pytest.raises(tp.ShapeError, match="multiple of num_heads"):
        F.multi_head_attention_forward(q, k, k, E, 3, module.in_proj_weight, *args)
