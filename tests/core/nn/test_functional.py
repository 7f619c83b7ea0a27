"""What holds for the whole of nn.functional."""

import inspect

import pytest

import triptych as tp
from triptych.nn import functional as F


def test_exports_are_sorted_and_there():
    assert F.__all__ == sorted(set(F.__all__))
    assert all(callable(getattr(F, name)) for name in F.__all__)


@pytest.mark.parametrize("name", F.__all__)
def test_every_function_is_documented_and_typed(name):
    function = getattr(F, name)
    assert len(inspect.getdoc(function) or "") > 15
    if inspect.signature(function).return_annotation is not inspect.Signature.empty:
        for parameter in inspect.signature(function).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, parameter


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16, tp.float32, tp.float64])
@pytest.mark.parametrize(
    "call",
    [
        F.gelu,
        F.softplus,
        F.leaky_relu,
        F.hardswish,
        lambda x: F.softmax(x, 1),
        lambda x: F.dropout(x, 0.5),
        lambda x: F.alpha_dropout(x, 0.5, True),
        lambda x: F.conv2d(x, x.new_ones(2, 2, 2, 2), x.new_ones(2)),
        lambda x: F.conv_transpose2d(x, x.new_ones(2, 2, 2, 2)),
        lambda x: F.max_pool2d(x, 2, padding=1),
        lambda x: F.avg_pool2d(x, 2, padding=1, count_include_pad=False),
        lambda x: F.adaptive_avg_pool2d(x, 3),
        lambda x: F.layer_norm(x, (4,)),
        lambda x: F.batch_norm(x, x.new_zeros(2), x.new_ones(2)),
        lambda x: F.rms_norm(x, (4,)),
        lambda x: F.interpolate(x, (3, 5), mode="bilinear"),
        lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        lambda x: F.mse_loss(x, x),
        lambda x: F.pad(x, (1, 1), "reflect"),
    ],
)
def test_the_dtype_of_the_input_is_kept(call, dtype):
    x = tp.rand(2, 2, 4, 4, generator=tp.Generator().manual_seed(0)).to(dtype)
    assert call(x).dtype == dtype
    x.requires_grad_()
    (g,) = tp.autograd.grad(call(x).sum(), [x])
    assert g.dtype == dtype
