"""Native convolution: equal to NumPy's path, forward and backward, and taken where it should be."""

from functools import partial

import numpy as np
import pytest

import triptych as tp
import triptych.nn.functional as F
from triptych.backends import native
from triptych.backends.native import conv as module
from triptych.prims.contract import conv_lengths
from triptych.prims.table import TABLE

pytestmark = pytest.mark.native

# x, out channels, kernel, stride, padding (the same on all sides or (low, high)), dilation, groups
LAYERS = {
    "stem": ((2, 3, 37, 41), 16, (7, 7), 2, 3, 1, 1),
    "large stem": ((3, 3, 101, 90), 16, (7, 7), 2, 3, 1, 1),
    "large 3x3 of few channels": ((1, 4, 99, 80), 10, (3, 3), 1, (0, 2), 1, 1),
    "large 3x3 stride 2": ((2, 24, 111, 112), 40, (3, 3), 2, 1, 1, 1),
    "large groups": ((2, 12, 61, 57), 18, (3, 3), 1, 1, 1, 3),
    "large dilation": ((2, 6, 75, 70), 9, (3, 3), 1, 2, 2, 1),
    "3x3": ((2, 16, 19, 23), 32, (3, 3), 1, 1, 1, 1),
    "3x3 stride 2": ((1, 24, 28, 28), 17, (3, 3), 2, 1, 1, 1),
    "3x3 small image": ((1, 64, 7, 7), 64, (3, 3), 1, 1, 1, 1),
    "1x1": ((3, 20, 14, 14), 40, (1, 1), 1, 0, 1, 1),
    "1x1 of few pixels": ((3, 20, 2, 2), 40, (1, 1), 1, 0, 1, 1),
    "one pixel": ((3, 50, 1, 1), 21, (1, 1), 1, 0, 1, 1),
    "1x1 stride 2": ((2, 16, 15, 14), 8, (1, 1), 2, 0, 1, 1),
    "1x1 padded": ((2, 5, 9, 9), 8, (1, 1), 1, 2, 1, 1),
    "5x5": ((2, 6, 13, 31), 9, (5, 5), 1, 2, 1, 1),
    "no padding": ((2, 6, 13, 31), 9, (3, 5), 1, 0, 1, 1),
    "dilation": ((2, 6, 20, 21), 9, (3, 3), 1, 2, 2, 1),
    "dilation and stride": ((2, 6, 20, 21), 9, (3, 4), 2, 2, 2, 1),
    "stride 3": ((2, 6, 20, 21), 9, (5, 4), 3, 1, 1, 1),
    "stride beyond the kernel": ((2, 6, 20, 21), 9, (2, 2), 3, 0, 1, 1),
    "sides differ": ((2, 6, 11, 12), 9, (4, 4), 1, (1, 2), 1, 1),
    "wide padding": ((2, 6, 5, 6), 9, (3, 3), 1, 4, 1, 1),
    "groups": ((2, 12, 11, 17), 18, (3, 3), 1, 1, 1, 3),
    "groups stride 2": ((2, 12, 11, 17), 18, (3, 3), 2, 1, 1, 3),
    "depthwise": ((2, 24, 14, 14), 24, (3, 3), 1, 1, 1, 24),
    "depthwise stride 2": ((2, 24, 28, 28), 24, (3, 3), 2, 1, 1, 24),
    "depthwise 5x5": ((1, 24, 7, 7), 24, (5, 5), 1, 2, 1, 24),
    "depthwise 5x5 stride 2": ((1, 24, 15, 35), 24, (5, 5), 2, 2, 1, 24),
    "depthwise, wide rows": ((1, 16, 23, 70), 16, (3, 3), 1, 1, 1, 16),
    "depthwise, sides differ": ((1, 16, 12, 40), 16, (5, 5), 2, (1, 3), 1, 16),
    "depthwise, one row out": ((1, 16, 3, 20), 16, (3, 3), 1, 0, 1, 16),
    "depthwise twice": ((2, 8, 9, 20), 16, (3, 3), 1, 1, 1, 8),
    "depthwise dilation": ((2, 8, 19, 20), 8, (3, 3), 1, 2, 2, 8),
    "many channels": ((2, 136, 18, 21), 300, (3, 3), 2, 1, 1, 1),
    "many channels, groups": ((2, 80, 9, 11), 120, (3, 3), 2, 1, 1, 2),
    "many channels, 1x1": ((2, 40, 18, 21), 300, (1, 1), 1, 0, 1, 1),
    "many channels, 7x7 pixels": ((1, 70, 7, 7), 90, (1, 1), 1, 0, 1, 1),
    "many channels, few pixels": ((3, 70, 7, 7), 90, (3, 3), 1, 1, 1, 1),
    "one row": ((2, 1, 1, 100), 3, (1, 5), 1, 0, 1, 1),
    "sound": ((2, 7, 401), 12, (10,), 5, 0, 1, 1),
    "sound, long kernel": ((1, 2, 3000), 3, (257,), 1, 128, 1, 1),
    "sound, filter": ((3, 1, 2000), 1, (101,), 1, 50, 1, 1),
    "sound, depthwise": ((2, 16, 200), 16, (31,), 1, 15, 1, 16),
}


def options_of(layer):
    _, _, kernel, stride, padding, dilation, groups = layer
    dims = len(kernel)
    low_high = padding if isinstance(padding, tuple) else (padding, padding)
    return {
        "stride": (stride,) * dims,
        "padding": (low_high,) * dims,
        "dilation": (dilation,) * dims,
        "groups": groups,
    }


def arrays_of(layer, dtype=np.float32):
    shape, out, kernel, *_, groups = layer
    options = options_of(layer)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    w = rng.standard_normal((out, shape[1] // groups, *kernel)).astype(dtype)
    lengths = conv_lengths(
        "conv", shape[2:], kernel, options["stride"], options["padding"], options["dilation"]
    )
    g = rng.standard_normal((shape[0], out, *lengths)).astype(dtype)
    return x, w, g


def kernel_of(name):
    """The override of a primitive: `plain` is NumPy's path."""
    return TABLE[name].kernel(np.zeros(1))


def close(got, want, error=2e-6):
    """Within a part of the largest number."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=error * max(1.0, np.abs(want).max()))


def taken(run):
    """What run gives, and by which kernels."""
    before = native.calls()
    out = run()
    after = native.calls()
    return out, {name for name in after if after[name] > before[name]}


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request):
    before = tp.get_num_threads()
    tp.set_num_threads(request.param)
    yield request.param
    tp.set_num_threads(before)


@pytest.mark.parametrize("name", LAYERS)
class TestLayers:
    """The three primitives beside the NumPy path."""

    def test_forward(self, name, threads):
        x, w, _ = arrays_of(LAYERS[name])
        kernel = kernel_of("conv")
        got, by = taken(lambda: kernel(x, w, **options_of(LAYERS[name])))
        assert by & {"conv", "conv_depthwise", "conv_winograd_2"}
        close(got, kernel.plain(x, w, **options_of(LAYERS[name])))

    def test_gradient_of_x(self, name, threads):
        x, w, g = arrays_of(LAYERS[name])
        kernel, options = kernel_of("conv_dx"), options_of(LAYERS[name])
        got, by = taken(lambda: kernel(g, w, shape=x.shape, **options))
        assert "conv_dx" in by
        close(got, kernel.plain(g, w, shape=x.shape, **options))

    def test_gradient_of_w(self, name, threads):
        x, w, g = arrays_of(LAYERS[name])
        kernel, options = kernel_of("conv_dw"), options_of(LAYERS[name])
        got, by = taken(lambda: kernel(g, x, shape=w.shape, **options))
        assert "conv_dw" in by
        close(got, kernel.plain(g, x, shape=w.shape, **options), 5e-6)


@pytest.mark.parametrize(
    "shape", [(1, 32, 56, 56), (2, 32, 14, 14), (3, 64, 9, 30), (1, 48, 13, 17)]
)
@pytest.mark.parametrize("padding", [0, 1, (0, 2)])
@pytest.mark.parametrize("out", [32, 80])
@pytest.mark.parametrize(("recorded", "tile"), [(True, 2), (False, 4)])
def test_winograd(shape, out, padding, recorded, tile, threads):
    layer = (shape, out, (3, 3), 1, padding, 1, 1)
    x, w, _ = arrays_of(layer)
    kernel, options = kernel_of("conv"), options_of(layer)
    with tp.set_grad_enabled(recorded):
        got, by = taken(lambda: kernel(x, w, **options))
    assert by == {f"conv_winograd_{tile}"}
    close(got, kernel.plain(x, w, **options), 5e-6)


@pytest.mark.parametrize("shape", [(2, 32, 56, 56), (3, 64, 9, 30), (1, 144, 15, 17)])
@pytest.mark.parametrize("padding", [0, 1, (0, 2)])
@pytest.mark.parametrize("out", [32, 80, 192])
def test_winograd_of_weights(shape, out, padding, threads):
    layer = (shape, out, (3, 3), 1, padding, 1, 1)
    x, w, g = arrays_of(layer)
    kernel, options = kernel_of("conv_dw"), options_of(layer)
    got, by = taken(lambda: kernel(g, x, shape=w.shape, **options))
    assert by == {"conv_dw", "conv_winograd_dw"}
    close(got, kernel.plain(g, x, shape=w.shape, **options), 5e-6)


def test_winograd_of_the_weights_of_many_samples():
    """So many tiles that they are taken in turns."""
    layer = ((40, 144, 20, 20), 144, (3, 3), 1, 1, 1, 1)
    x, w, g = arrays_of(layer)
    kernel, options = kernel_of("conv_dw"), options_of(layer)
    got, by = taken(lambda: kernel(g, x, shape=w.shape, **options))
    assert by == {"conv_dw", "conv_winograd_dw"}
    close(got, kernel.plain(g, x, shape=w.shape, **options), 5e-6)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("layer", [((1, 32, 40, 40), 48), ((2, 128, 14, 14), 160)])
def test_winograd_is_the_same_for_any_number_of_threads(layer, recorded):
    """By strips, where tiles are many and channels few, and by outputs."""
    layer = (*layer, (3, 3), 1, 1, 1, 1)
    x, w, _ = arrays_of(layer)
    before, results = tp.get_num_threads(), []
    with tp.set_grad_enabled(recorded):
        for count in (1, 2, 3):
            tp.set_num_threads(count)
            results.append(kernel_of("conv")(x, w, **options_of(layer)))
    tp.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


MODES = {
    "auto": ("conv_winograd_2", "conv_winograd_4"),
    "off": ("conv", "conv"),
    "always": ("conv_winograd_4", "conv_winograd_4"),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_winograd(mode, request):
    recorded, other = MODES[mode]
    request.addfinalizer(partial(module.set_winograd, module.get_winograd()))
    module.set_winograd(mode)
    layer = ((1, 32, 20, 20), 32, (3, 3), 1, 1, 1, 1)
    x, w, g = arrays_of(layer)
    options = options_of(layer)
    forward, backward = kernel_of("conv"), kernel_of("conv_dx")
    assert taken(lambda: forward(x, w, **options))[1] == {recorded}
    with tp.no_grad():
        assert taken(lambda: forward(x, w, **options))[1] == {other}
    got, by = taken(lambda: backward(g, w, shape=x.shape, **options))
    assert by == {"conv_dx", recorded}
    close(got, backward.plain(g, w, shape=x.shape, **options), 5e-6)
    weights = kernel_of("conv_dw")
    got, by = taken(lambda: weights(g, x, shape=w.shape, **options))
    assert by == ({"conv_dw"} if mode == "off" else {"conv_dw", "conv_winograd_dw"})
    close(got, weights.plain(g, x, shape=w.shape, **options), 5e-6)


def test_winograd_wants_a_known_mode():
    with pytest.raises(tp.ShapeError, match="set_winograd: wanted one of auto, off, always, got"):
        module.set_winograd("sometimes")


def test_through_the_tape():
    """Gradients of a layer, whose incoming gradient is a broadcast scalar, and of these again."""
    x, w, _ = arrays_of(((2, 3, 8, 9), 4, (3, 3), 2, 1, 1, 1))
    found = {}
    for dtype in (tp.float32, tp.float64):  # float64 goes over NumPy
        a, b = tp.tensor(x, dtype=dtype), tp.tensor(w, dtype=dtype)
        a.requires_grad_(), b.requires_grad_()
        y = F.conv2d(a, b, stride=2, padding=1).sum()
        first = tp.autograd.grad(y, (a, b), create_graph=True)
        again = tp.autograd.grad((first[0] ** 2).sum(), b)
        found[dtype] = [t.detach().numpy() for t in (*first, *again)]
    for got, want in zip(found[tp.float32], found[tp.float64], strict=True):
        close(got, want.astype(np.float32), 5e-6)


def test_transposed():
    x, w = tp.randn(2, 6, 9, 10), tp.randn(6, 4, 4, 3)
    options = {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}
    got, by = taken(lambda: F.conv_transpose2d(x, w, **options))
    assert "conv_dx" in by
    close(got.numpy(), F.conv_transpose2d(x.double(), w.double(), **options).float().numpy())


def test_same_for_any_number_of_threads():
    before = tp.get_num_threads()
    results = []
    names = [name for name in LAYERS if name.startswith(("3x3", "many channels", "groups"))]
    wide = {"many tiles": ((2, 32, 56, 56), 32, (3, 3), 1, 1, 1, 1)}
    wide["many weights"] = ((1, 144, 15, 17), 192, (3, 3), 1, 1, 1, 1)
    for count in (1, 2):
        tp.set_num_threads(count)
        for name in ("stem", "large stem", "depthwise", *names, *wide):
            layer = {**LAYERS, **wide}[name]
            x, w, g = arrays_of(layer)
            options = options_of(layer)
            results.append(kernel_of("conv")(x, w, **options))
            results.append(kernel_of("conv_dx")(g, w, shape=x.shape, **options))
            results.append(kernel_of("conv_dw")(g, x, shape=w.shape, **options))
    tp.set_num_threads(before)
    half = len(results) // 2
    for one, two in zip(results[:half], results[half:], strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", ["stem", "3x3", "1x1", "depthwise", "depthwise 5x5", "groups"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_reaches_the_windows_it_is_in(name, value):
    x, w, _ = arrays_of(LAYERS[name])
    kernel, options = kernel_of("conv"), options_of(LAYERS[name])
    x[0, 0, 3, 4] = value
    want = kernel.plain((~np.isfinite(x)).astype(x.dtype), np.ones_like(w), **options) == 0
    np.testing.assert_array_equal(np.isfinite(kernel(x, w, **options)), want)


def test_arrays_that_are_not_packed():
    x, w, _ = arrays_of(LAYERS["3x3"])
    kernel, options = kernel_of("conv"), options_of(LAYERS["3x3"])
    got, by = taken(lambda: kernel(np.asfortranarray(x), np.asfortranarray(w), **options))
    assert by == {"conv"}
    close(got, kernel.plain(x, w, **options))


def test_what_goes_over_numpy():
    kernel = kernel_of("conv")
    x, w, _ = arrays_of(LAYERS["3x3"], np.float64)
    assert not taken(lambda: kernel(x, w, **options_of(LAYERS["3x3"])))[1]
    layer = ((1, 2, 4, 5, 6), 3, (3, 3, 3), 1, 1, 1, 1)
    x, w, _ = arrays_of(layer)
    assert not taken(lambda: kernel(x, w, **options_of(layer)))[1]
    x, w, _ = arrays_of(LAYERS["3x3"])
    assert kernel(x[:0], w, **options_of(LAYERS["3x3"])).shape == (0, 32, 19, 23)
