"""Attention block by block against the plain formula, and what it holds in memory."""

import tracemalloc

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F
from triptych.nn.attention import SDPBackend, sdpa_kernel
from triptych.prims import attention as blocks

RNG = np.random.default_rng(0)
attend = F.scaled_dot_product_attention


@pytest.fixture(params=[(3, 7), (1024, 1 << 18)], ids=["small blocks", "one block"])
def cut(request, monkeypatch):
    """Blocks of a few elements, so that every edge is met; and blocks as they are."""
    columns, elements = request.param
    monkeypatch.setattr(blocks, "MOST_COLUMNS", columns)
    monkeypatch.setattr(blocks, "MOST_ELEMENTS", elements)


def leaves(*shapes):
    return [tp.tensor(RNG.standard_normal(s)).requires_grad_() for s in shapes]


def both(inputs, call):
    """Output and gradients, in blocks and at once."""
    found = []
    for way in (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH):
        for t in inputs:
            t.grad = None
        with sdpa_kernel(way):
            out = call(*inputs)
        weights = tp.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
        (out * weights).sum().backward()
        found.append([out.detach().numpy(), *(t.grad.numpy() for t in inputs)])
    return found


def assert_alike(inputs, call):
    for one, two in zip(*both(inputs, call), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize(("l", "s"), [(5, 8), (8, 5), (1, 9)])
@pytest.mark.parametrize("causal", [False, True])
def test_blocks_change_nothing(cut, lead, l, s, causal):
    inputs = leaves((*lead, l, 4), (*lead, s, 4), (*lead, s, 3))
    assert_alike(inputs, lambda q, k, v: attend(q, k, v, is_causal=causal, scale=0.7))


@pytest.mark.parametrize("shape", [(5, 8), (1, 8), (5, 1), (2, 1, 5, 8), (3, 1, 8), (2, 3, 5, 1)])
def test_added_masks_and_their_gradients(cut, shape):
    mask, *inputs = leaves(shape, (2, 3, 5, 4), (2, 3, 8, 4), (2, 3, 8, 3))
    assert_alike([mask, *inputs], lambda m, q, k, v: attend(q, k, v, m))


@pytest.mark.parametrize("shape", [(5, 8), (1, 8), (2, 1, 5, 8)])
def test_boolean_masks_with_rows_that_see_nothing(cut, shape):
    mask = RNG.random(shape) > 0.5
    mask[..., 0, :] = False
    inputs = leaves((2, 3, 5, 4), (2, 3, 8, 4), (2, 3, 8, 3))
    assert_alike(inputs, lambda q, k, v: attend(q, k, v, tp.tensor(mask)))


def test_shared_heads_and_broadcast_leads(cut):
    inputs = leaves((2, 6, 5, 4), (2, 3, 8, 4), (2, 3, 8, 3))
    mask = tp.tensor(RNG.random((2, 6, 5, 8)) > 0.3)
    assert_alike(inputs, lambda q, k, v: attend(q, k, v, mask, enable_gqa=True))
    wide = [t.detach().repeat_interleave(2, 1) for t in inputs[1:]]
    out, plain = attend(*inputs, mask, enable_gqa=True), attend(inputs[0], *wide, mask)
    np.testing.assert_allclose(out.detach().numpy(), plain.detach().numpy(), rtol=1e-9)
    assert_alike(leaves((2, 1, 5, 4), (3, 8, 4), (1, 1, 8, 3)), attend)


def test_second_derivatives(cut):
    inputs = leaves((2, 3, 2), (2, 4, 2), (2, 4, 2), (3, 4))
    mask = tp.tensor(RNG.random((3, 4)) > 0.3)
    for call in (
        lambda q, k, v, m: attend(q, k, v, m),
        lambda q, k, v, m: attend(q, k, v, is_causal=True) + m.sum(),
        lambda q, k, v, m: attend(q, k, v, mask) * m.sum(),
        lambda q, k, v, m: attend(q, k, v, m, 0.3, generator=tp.Generator().manual_seed(1)),
    ):
        assert gradcheck(call, inputs)
        assert gradgradcheck(call, inputs)


def test_dropout_zeroes_the_share_and_keeps_the_mean():
    n, s = 40, 500
    q, k = tp.zeros(n, 1, 2), tp.zeros(n, s, 2)
    v = tp.eye(s).expand(n, s, s)  # the output is the weights themselves
    weights = attend(q, k, v, dropout_p=0.3).numpy() * s
    np.testing.assert_allclose(np.unique(weights), [0, 1 / 0.7], rtol=1e-5)
    share = (weights == 0).mean(), (weights == 0).mean((0, 1)), (weights == 0).mean((1, 2))
    assert abs(share[0] - 0.3) < 0.01  # 20,000 draws: three standard deviations
    assert share[1].std() < 0.1 and share[2].std() < 0.05  # neither columns nor heads agree
    assert not attend(q, k, v, dropout_p=1.0).numpy().any()


def test_dropout_draws_by_generator_and_not_by_block(monkeypatch):
    inputs = [t.detach() for t in leaves((2, 5, 4), (2, 8, 4), (2, 8, 3))]

    def run(seed):
        return attend(*inputs, dropout_p=0.5, generator=tp.Generator().manual_seed(seed)).numpy()

    first = run(1)
    monkeypatch.setattr(blocks, "MOST_COLUMNS", 3)
    monkeypatch.setattr(blocks, "MOST_ELEMENTS", 7)
    np.testing.assert_allclose(run(1), first, rtol=1e-12)
    assert not np.allclose(run(2), first)


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
def test_halves_are_computed_in_single(dtype):
    inputs = [
        t.detach().to(dtype).requires_grad_() for t in leaves((2, 5, 4), (2, 8, 4), (2, 8, 3))
    ]
    singles = [t.detach().float().requires_grad_() for t in inputs]
    out, expected = attend(*inputs, is_causal=True), attend(*singles, is_causal=True)
    assert out.dtype == dtype
    np.testing.assert_array_equal(
        out.detach().float().numpy(), expected.to(dtype).float().detach().numpy()
    )
    out.sum().backward()
    expected.sum().backward()
    for half, single in zip(inputs, singles, strict=True):
        assert half.grad.dtype == dtype
        np.testing.assert_allclose(half.grad.float().numpy(), single.grad.numpy(), atol=2e-2)


@pytest.mark.parametrize(("l", "s", "e"), [(0, 3, 2), (3, 0, 2), (0, 0, 2), (2, 3, 0)])
def test_nothing_to_attend(l, s, e):
    q, k, v = leaves((2, l, e), (2, s, e), (2, s, 3))
    out = attend(q, k, v, is_causal=True)
    out.sum().backward()
    assert out.shape == (2, l, 3)
    assert q.grad.shape == q.shape and v.grad.shape == v.shape
    if not s:
        assert not out.detach().numpy().any()


@pytest.mark.parametrize(
    "options",
    [
        {"is_causal": True},
        {"dropout_p": 0.1},
        {"attn_mask": tp.zeros(1, 4096)},
        {"enable_gqa": True},
    ],
    ids=str,
)
def test_long_sequences_hold_no_matrix_of_scores(options):
    length, width = 4096, 16
    inputs = [tp.ones(1, heads, length, width) for heads in (2, 1, 1)]
    if not options.get("enable_gqa"):
        inputs[0] = inputs[0][:, :1]
    inputs = [t.detach().requires_grad_() for t in inputs]
    tracemalloc.start()
    attend(*inputs, **options).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    scores = inputs[0].shape[1] * length * length * 4
    assert peak < scores / 5, f"{peak / 2**20:.1f} MB of {scores / 2**20:.0f} MB"


def test_errors():
    q, k, v = (t.detach() for t in leaves((2, 5, 4), (2, 8, 4), (2, 8, 3)))
    with pytest.raises(tp.ShapeError, match="not both"):
        attend(q, k, v, tp.ones(5, 8), is_causal=True)
    with pytest.raises(tp.DTypeError, match="boolean mask"):
        attend(q, k, v, tp.ones(5, 8, dtype=tp.int64))
    with pytest.raises(tp.ShapeError, match="broadcast"):
        attend(q, k, v, tp.ones(4, 8))
    with pytest.raises(tp.ShapeError, match="probability"):
        attend(q, k, v, dropout_p=1.5)
    with pytest.raises(tp.ShapeError, match="no multiple"):
        attend(q, k[:1].expand(3, 8, 4), v[:1].expand(3, 8, 3), enable_gqa=True)
    with pytest.raises(tp.ShapeError, match="axis of heads"):
        attend(q, k[0], v[0], enable_gqa=True)
    with pytest.raises(tp.DTypeError, match="one dtype"):
        attend(q, k.float(), v)
    with (
        pytest.raises(tp.UnknownNameError, match="CUDNN_ATTENTION"),
        sdpa_kernel(SDPBackend.CUDNN_ATTENTION),
    ):
        pass


def test_sdpa_kernel_takes_lists_and_nests():
    q = tp.ones(1, 2, 2, requires_grad=True)
    made = lambda: attend(q, q, q).grad_fn.name()  # noqa: E731 -- the kernel leaves its mark there
    inside = made()
    with sdpa_kernel([SDPBackend.MATH]):
        plain = made()
        with sdpa_kernel([SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION]):
            assert made() == inside
        with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
            assert made() == plain
    assert made() == inside == "AttentionBackward" != plain
