"""custom_fwd and custom_bwd: a Function of the user's own under autocast."""

import pytest

import triptych as tp
from triptych.amp import custom_bwd, custom_fwd


def make(seen, **options):
    class Product(tp.autograd.Function):
        @staticmethod
        @custom_fwd(device_type="cpu", **options)
        def forward(ctx, a, b):
            seen["forward"] = a.dtype.name, tp.is_autocast_enabled("cpu")
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @custom_bwd(device_type="cpu")
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            found = g @ b.mT
            seen["backward"] = found.dtype.name, tp.is_autocast_enabled("cpu")
            return found, a.mT @ g

    return Product


def run(product, inside=True):
    a, b = (tp.ones(2, 2, requires_grad=True) for _ in range(2))
    with tp.autocast("cpu", enabled=inside):
        y = product.apply(a, b)
    y.sum().backward()
    return y, a, b


def test_without_cast_inputs_both_run_under_the_region():
    seen = {}
    y, a, _ = run(make(seen))
    assert seen == {"forward": ("float32", True), "backward": ("bfloat16", True)}
    assert y.dtype is tp.bfloat16
    assert a.grad.dtype is tp.float32


def test_with_cast_inputs_both_run_without_autocast():
    seen = {}
    y, a, b = run(make(seen, cast_inputs=tp.float32))
    assert seen == {"forward": ("float32", False), "backward": ("float32", False)}
    assert y.dtype is tp.float32
    assert a.grad.tolist() == b.grad.tolist() == [[2, 2], [2, 2]]
    seen = {}
    y, a, _ = run(make(seen, cast_inputs=tp.float16))
    assert seen["forward"] == ("float16", False)
    assert a.grad.dtype is tp.float32


def test_outside_a_region_they_change_nothing():
    seen = {}
    run(make(seen, cast_inputs=tp.float16), inside=False)
    assert seen == {"forward": ("float32", False), "backward": ("float32", False)}


def test_the_device_type_is_needed():
    with pytest.raises(tp.DTypeError, match="wanted device_type='cpu' or 'cuda'"):
        custom_fwd(lambda ctx: ctx, device_type=None)
