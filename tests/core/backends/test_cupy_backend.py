"""The CUDA device over a stand-in for CuPy: where arrays go, and that nothing mixes with NumPy.

The stand-in computes with NumPy. It shows that the calls are right, not that a GPU would agree.
"""

import numpy as np
import pytest

import triptych as tp
from triptych import nn, optim
from triptych.testing import assert_close, own_primitives, samples_for

# Functions that CuPy has no equivalent of under this name.
WITHOUT = {"eig": "CuPy 14 has no general eigenvalues"}


def test_tensors_move_and_say_where_they_are(cupy):
    x = tp.tensor([1.0, 2.0], device="cuda")
    assert str(x.device) == "cuda:0"
    assert str(x.to("cuda:1").device) == "cuda:1"
    assert str((x + x).device) == "cuda:0"
    assert str(tp.zeros(2, device="cuda:1").device) == "cuda:1"
    assert str(tp.rand(2, device="cuda:1").device) == "cuda:1"
    assert x.cpu().tolist() == [1.0, 2.0]
    assert tp.cuda.device_count() == 2


def test_devices_do_not_mix(cupy):
    x, y = tp.ones(2, device="cuda:0"), tp.ones(2, device="cuda:1")
    with pytest.raises(tp.DeviceError, match=r"add: inputs are on cuda:0 and cuda:1; move one"):
        x + y
    with pytest.raises(tp.DeviceError, match=r"mul: inputs are on cuda:0 and cpu"):
        x * tp.ones(2)
    with pytest.raises(tp.DeviceError, match=r"this machine has 2 CUDA device"):
        tp.ones(2, device="cuda:2")
    with pytest.raises(tp.DeviceError, match=r"numpy\(\): the tensor is on cuda:0"):
        x.numpy()


def _moved(value):
    return value.cuda() if isinstance(value, tp.Tensor) else value


@pytest.mark.parametrize("prim", own_primitives(), ids=lambda p: p.name)
def test_every_primitive_stays_on_its_device(cupy, prim):
    if prim.name in WITHOUT:
        pytest.skip(WITHOUT[prim.name])
    for sample in samples_for(prim):
        if prim.name == "transfer" or "generator" in sample.params or prim.kind == "create":
            continue
        inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
        if prim.name == "write_view":
            continue  # its chain is run on raw arrays by the in-place tests below
        expected = prim.call(*inputs, **sample.params)
        got = prim.call(*map(_moved, inputs), **sample.params)
        for a, b in zip(_listed(got), _listed(expected), strict=True):
            assert a.device.type == "cuda"
            assert_close(a.cpu(), b, rtol=1e-12, atol=1e-12, equal_nan=True)


def _listed(value):
    return value if isinstance(value, tuple) else (value,)


def test_a_training_step_and_writes_through_views(cupy):
    tp.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
    )
    twin = nn.Sequential(
        nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
    )
    twin.load_state_dict(model.state_dict())
    twin.cuda()
    x, y = tp.randn(4, 1, 6, 6), tp.tensor([0, 1, 2, 1])
    for net, a, b in ((model, x, y), (twin, x.cuda(), y.cuda())):
        step = optim.AdamW(net.parameters(), lr=0.1)
        for _ in range(2):
            step.zero_grad()
            nn.functional.cross_entropy(net(a), b).backward()
            step.step()
    for (name, p), q in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert q.device.type == "cuda", name
        assert_close(q.detach().cpu(), p.detach(), rtol=1e-5, atol=1e-6)
    z = tp.zeros(2, 3, device="cuda")
    z[:, 1] = 5
    np.testing.assert_array_equal(z.cpu().numpy(), [[0, 5, 0], [0, 5, 0]])
