"""Training leaves nothing behind: no growth over many steps, and no cycles for the collector."""

import gc
import sys

import pytest

import triptych as tp
from triptych import nn
from triptych.nn import functional as F
from triptych.nn.utils import parametrizations

NETS = {
    "mlp": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2)),
    "cnn": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 2, 2)),
        nn.Conv2d(1, 2, 3, padding=1),
        nn.BatchNorm2d(2),
        nn.MaxPool2d(2),
        nn.Flatten(),
    ),
    "transformer": lambda: nn.Sequential(
        nn.Unflatten(1, (2, 2)),
        nn.TransformerEncoderLayer(2, 1, 4, batch_first=True),
        nn.Flatten(),
        parametrizations.weight_norm(nn.Linear(4, 2)),
    ),
    "lstm": lambda: Last(),
}


class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 2, batch_first=True, bidirectional=True, num_layers=2)

    def forward(self, x):
        return self.lstm(x.reshape(-1, 2, 2))[0][:, -1, :2]


def step(net, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def setup(name):
    tp.manual_seed(0)
    net = NETS[name]()
    optimizer = tp.optim.Adam(net.parameters(), lr=1e-3)
    return net, optimizer, tp.randn(3, 4), tp.tensor([0, 1, 1])


def test_memory_does_not_grow_over_two_thousand_steps():
    args = setup("mlp")
    for _ in range(500):  # the interpreter's free lists fill up
        step(*args)
    gc.collect()
    blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
    for _ in range(2000):
        step(*args)
    gc.collect()
    # One object kept per step would be 2000 of either.
    assert sys.getallocatedblocks() - blocks < 1000
    assert len(gc.get_objects()) - objects < 100


@pytest.mark.parametrize("name", NETS)
def test_no_object_of_a_step_is_in_a_cycle(name):
    args = setup(name)
    for _ in range(3):
        step(*args)
    assert cycles(lambda: step(*args)) == []


def test_no_object_of_a_second_derivative_is_in_a_cycle():
    net, _, x, y = setup("mlp")

    def penalised():
        loss = F.cross_entropy(net(x), y)
        grads = tp.autograd.grad(loss, list(net.parameters()), create_graph=True)
        sum(g.square().sum() for g in grads).backward()

    penalised()
    assert cycles(penalised) == []


def cycles(run):
    """Types of our own objects that only the collector frees after twenty runs."""
    gc.collect()
    gc.disable()
    flags = gc.get_debug()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(20):
            run()
        gc.collect()
        return [
            type(x).__name__
            for x in gc.garbage
            if type(x).__module__.startswith(("triptych", "numpy"))
        ]
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        gc.enable()


def test_the_collector_would_show_a_cycle():
    def cyclic():
        t = tp.ones(2)
        t.itself = t

    assert cycles(cyclic) == ["Tensor"] * 20
