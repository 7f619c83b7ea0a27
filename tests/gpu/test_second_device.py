"""Work on a GPU that is not the current one stays there: memory, writes, copies and kernels."""

import numpy as np
import pytest
from gpu.checks import numbers, taken
from gpu.fixtures import CHOICE, compiles

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

pytestmark = compiles


def given(*shape, seed=0):
    """Makes the same numbers on a device."""
    return lambda device: tp.from_numpy(numbers(*shape, seed=seed)).to(device)


x, y, line = given(5, 4), given(5, 4, seed=1), given(4, seed=2)


def picks(device):
    return tp.tensor([0, 0, 2], device=device)


def stored(device):
    z = x(device)
    z[1] = 7
    z[2:4] = line(device)
    z[tp.tensor([0, 4], device=device)] = y(device)[:2]
    z[z > 2] = 0.0
    return z


def seen_through(device):
    z = x(device)
    z.view(-1)[3:7].add_(1)
    return z


def added_twice(device):
    p = x(device).requires_grad_()
    for _ in range(2):
        (p * y(device)).sum().backward()
    return p.grad


def read_at_places(device):
    image = given(2, 3, 6, 7)(device).requires_grad_()
    grid = (given(2, 4, 5, 2)(device) / 3).requires_grad_()
    F.grid_sample(image, grid, align_corners=False).square().sum().backward()
    return image.grad, grid.grad


def trained(rule, **options):
    def run(device):
        tp.manual_seed(0)
        layers = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
        net = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 4)).to(device)
        optimizer = rule(net.parameters(), lr=0.01, **options)
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(given(6, 3, 8, 8)(device)), tp.arange(6).to(device) % 4)
            loss.backward()
            optimizer.step()
        return [loss, *net.parameters(), *net.buffers()]

    return run


def recurrent(device):
    tp.manual_seed(0)
    net = nn.LSTM(5, 6, bidirectional=True).to(device)
    steps = given(7, 3, 5)(device).requires_grad_()
    net(steps)[0].square().sum().backward()
    return [steps.grad, *(p.grad for p in net.parameters())]


CALLS = {
    "add_": lambda d: x(d).add_(y(d)),
    "mul_ by a number": lambda d: x(d).mul_(2.0),
    "exp_": lambda d: x(d).exp_(),
    "copy_": lambda d: x(d).copy_(y("cpu")),
    "fill_": lambda d: x(d).fill_(3),
    "index_add_": lambda d: x(d).index_add_(0, picks(d), y(d)[:3]),
    "index_put_": lambda d: x(d).index_put_((picks(d),), y(d)[:3], accumulate=True),
    "scatter_add_": lambda d: x(d).scatter_add_(0, picks(d)[:, None], y(d)[:3, :1]),
    "masked_fill_": lambda d: x(d).masked_fill_(x(d) > 0, 1.0),
    "where of numbers": lambda d: tp.where(x(d) > 0, 1.0, 2.0),
    "resize_": lambda d: x(d).resize_(6, 5),
    "as_strided": lambda d: x(d).as_strided((2, 2), (1, 2)),
    "an attention": lambda d: F.scaled_dot_product_attention(x(d), y(d), y(d)),
    "stored": stored,
    "seen through": seen_through,
    "added twice": added_twice,
    "read at places": read_at_places,
    "recurrent": recurrent,
    "SGD": trained(tp.optim.SGD, momentum=0.9, nesterov=True),
    "AdamW": trained(tp.optim.AdamW),
    "Rprop": trained(tp.optim.Rprop),
}


@pytest.mark.filterwarnings("error:.*Peer access")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_results_are_there_and_right(cupy, call):
    got, want = call("cuda:1"), call("cpu")
    pairs = zip(got, want, strict=True) if isinstance(got, (list, tuple)) else [(got, want)]
    for one, two in pairs:
        assert str(one.device) == "cuda:1"
        np.testing.assert_allclose(
            one.detach().cpu().numpy(), two.detach().numpy(), rtol=1e-3, atol=1e-4
        )


@pytest.mark.filterwarnings("error:.*Peer access")
def test_a_fused_chain(cupy):
    compiled = tp.compile(lambda a, b: (a * b + 1).tanh())
    compiled(x("cuda:1"), line("cuda:1"))
    got, was_taken = taken("chain", lambda: compiled(x("cuda:1"), line("cuda:1")))
    assert was_taken and str(got.device) == "cuda:1"
    assert tp.allclose(got.cpu(), (x("cpu") * line("cpu") + 1).tanh(), atol=1e-6)


def test_writes_do_not_mix_devices(cupy):
    with pytest.raises(tp.DeviceError, match="add: inputs are on cuda:0 and cuda:1"):
        x("cuda:1").add_(x("cuda:0"))


@pytest.mark.skipif(CHOICE == "emulator", reason="the emulated runtime records no streams")
def test_a_recorded_graph(cupy):
    compiled = tp.compile(lambda a, b: (a @ b).tanh().sum(0), mode="reduce-overhead")
    for seed in range(4):
        a, b = given(3, 4, seed=seed), given(4, 2, seed=seed + 5)
        got = compiled(a("cuda:1"), b("cuda:1"))
        assert str(got.device) == "cuda:1"
        assert tp.allclose(got.cpu(), (a("cpu") @ b("cpu")).tanh().sum(0), atol=1e-6)
    assert ", a CUDA graph" in compiled.explain()


def test_streams_of_another_device(cupy):
    """CuPy takes streams and events of the current device alone."""
    cuda = tp.cuda
    other = cuda.Stream(1)
    other.wait_stream(cuda.current_stream())
    with cuda.stream(other):
        assert cuda.current_device() == 1 and cuda.current_stream() == other
        assert tp.zeros(2, device="cuda").device == tp.device("cuda:1")
        with cuda.stream(cuda.Stream(0)):
            assert cuda.current_device() == 0
        assert cuda.current_stream() == other
    assert cuda.current_device() == 0 and cuda.current_stream() == cuda.default_stream()
    cuda.current_stream().wait_stream(other)
    cuda.set_stream(other)
    try:
        assert cuda.current_stream() == other
    finally:
        cuda.set_stream(cuda.default_stream(1))
        cuda.set_stream(cuda.default_stream(0))
    assert cuda.current_device() == 0
