"""Multi-head attention beside its equations, one head and one query at a time in NumPy."""

import numpy as np
import pytest

import triptych
from triptych import nn

F64 = triptych.float64


def naive(layer, q, k, v, blocked):
    """Attention of one sample: q (l, e), k (s, kdim), v (s, vdim), blocked (h, l, s) booleans or
    numbers to add. Returns the output and the weights (h, l, s).
    """
    p = {n: t.numpy() for n, t in layer.state_dict().items()}
    if "in_proj_weight" in p:
        wq, wk, wv = np.split(p["in_proj_weight"], 3)
    else:
        wq, wk, wv = (p[f"{n}_proj_weight"] for n in "qkv")
    bq, bk, bv = np.split(p["in_proj_bias"], 3)
    q, k, v = q @ wq.T + bq, k @ wk.T + bk, v @ wv.T + bv
    extra = 0
    if "bias_k" in p:
        k, v, extra = np.vstack([k, p["bias_k"][0]]), np.vstack([v, p["bias_v"][0]]), extra + 1
    if layer.add_zero_attn:
        zeros = np.zeros((1, layer.embed_dim))
        k, v, extra = np.vstack([k, zeros]), np.vstack([v, zeros]), extra + 1
    d = layer.head_dim
    out, weights = np.zeros_like(q), np.zeros((layer.num_heads, len(q), len(k)))
    for h in range(layer.num_heads):
        part = slice(h * d, (h + 1) * d)
        for i in range(len(q)):
            scores = k[:, part] @ q[i, part] / np.sqrt(d)
            mask = np.concatenate([blocked[h, i], np.zeros(extra, blocked.dtype)])
            scores = np.where(mask, -np.inf, scores) if mask.dtype == bool else scores + mask
            if np.isneginf(scores).all():
                continue
            e = np.exp(scores - scores.max())
            weights[h, i] = e / e.sum()
            out[i, part] = weights[h, i] @ v[:, part]
    return out @ p["out_proj.weight"].T + p["out_proj.bias"], weights


def build(**options):
    triptych.manual_seed(2)
    layer = nn.MultiheadAttention(6, 2, dtype=F64, **options)
    with triptych.no_grad():
        for p in layer.parameters():
            nn.init.normal_(p)
    return layer


OPTIONS = [
    {},
    {"batch_first": True},
    {"kdim": 3, "vdim": 5},
    {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("masks", ["none", "bool", "additive", "padding", "per head", "both"])
@pytest.mark.parametrize("need_weights", [True, False])
def test_equals_the_equations(options, masks, need_weights):
    rng = np.random.default_rng(0)
    layer = build(**options)
    n, l, s = 2, 4, 5
    q, k, v = (
        rng.standard_normal(shape) for shape in ((n, l, 6), (n, s, layer.kdim), (n, s, layer.vdim))
    )
    blocked, given = np.zeros((n, 2, l, s), bool), {}
    if masks in ("bool", "both"):
        given["attn_mask"] = rng.random((l, s)) < 0.4
        given["attn_mask"][1] = True  # this query may look nowhere
        blocked |= given["attn_mask"]
    if masks in ("padding", "both"):
        given["key_padding_mask"] = np.arange(s) >= np.array([[3], [5]])
        blocked |= given["key_padding_mask"][:, None, None]
    if masks == "per head":
        given["attn_mask"] = rng.random((n * 2, l, s)) < 0.4
        blocked |= given["attn_mask"].reshape(n, 2, l, s)
    if masks == "additive":
        given["attn_mask"] = rng.standard_normal((l, s))
        given["key_padding_mask"] = np.arange(s) >= np.array([[3], [5]])
        blocked = np.where(given["key_padding_mask"][:, None, None], -np.inf, given["attn_mask"])
        blocked = np.broadcast_to(blocked, (n, 2, l, s))
    turn = (0, 1, 2) if layer.batch_first else (1, 0, 2)
    out, weights = layer(
        *(triptych.tensor(x.transpose(turn)) for x in (q, k, v)),
        **{name: triptych.tensor(m) for name, m in given.items()},
        need_weights=need_weights,
        average_attn_weights=False,
    )
    for i in range(n):
        want, want_weights = naive(layer, q[i], k[i], v[i], blocked[i])
        np.testing.assert_allclose(out.detach().numpy().transpose(turn)[i], want, atol=1e-12)
        if need_weights:
            np.testing.assert_allclose(weights[i].detach().numpy(), want_weights, atol=1e-12)
    assert need_weights or weights is None


def test_self_attention_projects_at_once_and_gives_the_same():
    layer = build()
    x = triptych.randn(4, 2, 6, dtype=F64)
    packed, _ = layer(x, x, x)
    apart, _ = layer(x, x.clone(), x.clone())
    shared = x.clone()
    kv_packed, _ = layer(x, shared, shared)
    np.testing.assert_allclose(packed.detach().numpy(), apart.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(packed.detach().numpy(), kv_packed.detach().numpy(), atol=1e-12)


def test_weights_are_averaged_over_heads():
    layer = build()
    x = triptych.randn(4, 2, 6, dtype=F64)
    _, each = layer(x, x, x, average_attn_weights=False)
    _, mean = layer(x, x, x)
    np.testing.assert_allclose(each.mean(1).detach().numpy(), mean.detach().numpy())
    np.testing.assert_allclose(mean.sum(-1).detach().numpy(), np.ones((2, 4)))


def test_unbatched_input():
    layer = build()
    x = triptych.randn(4, 6, dtype=F64)
    padding = triptych.tensor([False, False, True, False])
    out, weights = layer(x, x, x, key_padding_mask=padding)
    batched, _ = layer(*[x.unsqueeze(1)] * 3, key_padding_mask=padding.unsqueeze(0))
    assert (out.shape, weights.shape) == ((4, 6), (4, 4))
    np.testing.assert_array_equal(out.detach().numpy(), batched[:, 0].detach().numpy())


@pytest.mark.parametrize("options", [{}, {"add_zero_attn": True}])
def test_causal_hint_changes_nothing(options):
    layer = build(**options)
    x = triptych.randn(4, 2, 6, dtype=F64)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    hinted, _ = layer(x, x, x, attn_mask=mask, is_causal=True, need_weights=False)
    plain, _ = layer(x, x, x, attn_mask=mask)
    np.testing.assert_allclose(hinted.detach().numpy(), plain.detach().numpy(), atol=1e-12)


def test_dropout_acts_on_weights_in_training():
    layer = build(dropout=0.5)
    x = triptych.randn(4, 2, 6, dtype=F64)
    assert not triptych.equal(layer(x, x, x)[0], layer(x, x, x)[0])
    layer.eval()
    assert triptych.equal(layer(x, x, x)[0], layer(x, x, x)[0])


def test_starting_values():
    layer = nn.MultiheadAttention(64, 4)
    bound = np.sqrt(6 / (64 + 192))
    weight = layer.in_proj_weight.detach().numpy()
    assert np.abs(weight).max() <= bound
    assert weight.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert not layer.in_proj_bias.detach().numpy().any()
    assert not layer.out_proj.bias.detach().numpy().any()


def test_mistakes():
    layer = nn.MultiheadAttention(6, 2)
    x = triptych.zeros(4, 2, 6)
    with pytest.raises(ValueError, match="embed_dim 6 is no multiple of num_heads 4"):
        nn.MultiheadAttention(6, 4)
    with pytest.raises(ValueError, match="needs the causal attn_mask"):
        layer(x, x, x, is_causal=True)
    with pytest.raises(ValueError, match=r"attn_mask has shape \(3, 3\), wanted \(4, 4\) or"):
        layer(x, x, x, attn_mask=triptych.zeros(3, 3))
    with pytest.raises(ValueError, match=r"key_padding_mask has shape \(4, 2\), wanted \(2, 4\)"):
        layer(x, x, x, key_padding_mask=triptych.zeros(4, 2, dtype=triptych.bool))
    with pytest.raises(ValueError, match="wanted query"):
        layer(x, x, triptych.zeros(4, 2, 5))
    with pytest.raises(ValueError, match="batch sizes differ"):
        layer(x, *[triptych.zeros(4, 3, 6)] * 2)
