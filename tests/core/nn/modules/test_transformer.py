"""Transformer layers beside a composition of their parts."""

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn import functional as F

F64 = triptych.float64


def close(one, two):
    np.testing.assert_allclose(one.detach().numpy(), two.detach().numpy(), atol=1e-12)


def attend(layer, x, memory, mask=None):
    return layer(x, memory, memory, attn_mask=mask)[0]


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", F.gelu, nn.SiLU()])
def test_encoder_layer(norm_first, activation):
    layer = nn.TransformerEncoderLayer(
        6, 2, 8, activation=activation, norm_first=norm_first, dtype=F64
    ).eval()
    act = F.relu if activation == "relu" else activation
    x, mask = triptych.randn(4, 2, 6, dtype=F64), nn.Transformer.generate_square_subsequent_mask(4)

    def feed(v):
        return layer.linear2(act(layer.linear1(v)))

    if norm_first:
        normed = layer.norm1(x)
        y = x + attend(layer.self_attn, normed, normed, mask)
        want = y + feed(layer.norm2(y))
    else:
        y = layer.norm1(x + attend(layer.self_attn, x, x, mask))
        want = layer.norm2(y + feed(y))
    close(layer(x, mask), want)
    close(layer(x, mask, is_causal=True), want)


def test_decoder_layer():
    layer = nn.TransformerDecoderLayer(6, 2, 8, dtype=F64).eval()
    x, memory = triptych.randn(4, 2, 6, dtype=F64), triptych.randn(3, 2, 6, dtype=F64)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    y = layer.norm1(x + attend(layer.self_attn, x, x, mask))
    y = layer.norm2(y + attend(layer.multihead_attn, y, memory))
    want = layer.norm3(y + layer.linear2(F.relu(layer.linear1(y))))
    close(layer(x, memory, mask), want)


def test_stacks_run_copies_in_order():
    layer = nn.TransformerEncoderLayer(6, 2, 8, dtype=F64)
    stack = nn.TransformerEncoder(layer, 3, nn.LayerNorm(6, dtype=F64)).eval()
    assert len({id(p) for p in stack.parameters()}) == 3 * 12 + 2
    x = triptych.randn(4, 2, 6, dtype=F64)
    y = x
    for one in stack.layers:
        y = one(y)
    close(stack(x), stack.norm(y))
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, dtype=F64), 2).eval()
    close(decoder(x, y), decoder.layers[1](decoder.layers[0](x, y), y))


def test_padding_does_not_reach_the_output():
    model = nn.Transformer(6, 2, 2, 2, 8, batch_first=True, dtype=F64).eval()
    src, tgt = triptych.randn(1, 5, 6, dtype=F64), triptych.randn(1, 3, 6, dtype=F64)
    padding = triptych.tensor([[False, False, False, True, True]])
    masked = model(src, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    close(masked, model(src[:, :3], tgt))


def test_the_causal_mask_hides_the_future():
    model = nn.Transformer(6, 2, 1, 1, 8, dtype=F64).eval()
    src, tgt = triptych.randn(5, 1, 6, dtype=F64), triptych.randn(4, 1, 6, dtype=F64)
    mask = nn.Transformer.generate_square_subsequent_mask(4, dtype=F64)
    full = model(src, tgt, tgt_mask=mask)
    close(full[:2], model(src, tgt[:2], tgt_mask=mask[:2, :2]))
    changed = tgt.clone()
    changed[3] = 9
    close(full[:3], model(src, changed, tgt_mask=mask)[:3])


@pytest.fixture
def fused(monkeypatch):
    """How often layers took their linear maps with what follows in one pass."""
    from triptych.nn.modules import transformer

    calls = []
    plain = transformer.fused_linear
    monkeypatch.setattr(
        transformer, "fused_linear", lambda *xs, **params: calls.append(1) or plain(*xs, **params)
    )
    return calls


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_inference_gives_what_training_gives(fused, norm_first, bias, activation):
    options = {"activation": activation, "norm_first": norm_first, "bias": bias, "dtype": F64}
    x = triptych.randn(3, 2, 6, dtype=F64)
    for layer in (
        nn.TransformerEncoderLayer(6, 2, 8, **options).eval(),
        nn.TransformerDecoderLayer(6, 2, 8, **options).eval(),
    ):
        inputs = (x,) if isinstance(layer, nn.TransformerEncoderLayer) else (x, x)
        want = layer(*inputs)
        assert not fused
        with triptych.no_grad():
            close(layer(*inputs), want)
        assert len(fused) == 2
        fused.clear()


def test_inference_calls_all_parts_where_something_depends_on_them(fused):
    def layer(**options):
        return nn.TransformerEncoderLayer(6, 2, 8, activation="gelu", **options)

    seen = []
    watched, dropping, replaced = layer().eval(), layer(dropout=0.5).train(), layer().eval()
    watched.linear1.register_forward_hook(lambda *args: seen.append(1))
    replaced.linear2.forward = lambda x: seen.append(2) or x[..., :6]
    with triptych.no_grad():
        for one in (watched, dropping, replaced):
            one(triptych.randn(3, 2, 6))
    assert seen == [1, 2]
    assert not fused


def test_names_are_those_of_official_checkpoints():
    keys = set(nn.Transformer(6, 2, 1, 1, 8).state_dict())
    assert {
        "encoder.layers.0.self_attn.in_proj_weight",
        "encoder.norm.weight",
        "decoder.layers.0.multihead_attn.out_proj.bias",
        "decoder.layers.0.norm3.weight",
        "decoder.norm.bias",
    } <= keys
    assert not any(
        "bias" in k for k in nn.TransformerEncoderLayer(6, 2, 8, bias=False).state_dict()
    )


def test_mistakes():
    with pytest.raises(KeyError, match="activation is 'relu', 'gelu' or a function"):
        nn.TransformerEncoderLayer(6, 2, activation="tanh")
    with pytest.raises(ValueError, match="wanted 6 features"):
        nn.Transformer(6, 2, 1, 1, 8)(triptych.zeros(2, 1, 6), triptych.zeros(2, 1, 5))
