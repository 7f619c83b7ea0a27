"""Steps of training under the double: no copies, no waiting, and a budget of kernels.

A GPU runs a kernel of a small network in less time than Python takes to launch it, so launches are
what such a step costs. The budgets are a tenth above what was counted when they were written.
"""

import pytest
from gpu.fixtures import CHOICE, compiles, cupy

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

__all__ = ["cupy"]
pytestmark = [
    compiles,
    pytest.mark.skipif(CHOICE != "double", reason="launches are counted by the double"),
]


class Reader(nn.Module):
    """An LSTM that judges a sequence by its last step."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Tiny(nn.Module):
    """A transformer of one layer that gives a token for each token."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, 11)

    def forward(self, x):
        return self.head(self.layer(self.embedding(x)))


def small_cnn():
    """Convolution, batch norm, pooling and a linear map."""
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 16, 4))


def tokens(shift):
    return (tp.arange(24).reshape(4, 6) + shift).remainder(11)


CASES = {
    "cnn": (small_cnn, lambda: (tp.randn(6, 3, 8, 8), tp.arange(6).remainder(4)), 72),
    "lstm": (Reader, lambda: (tp.randn(5, 7, 8), tp.arange(5).remainder(3)), 94),
    "transformer": (Tiny, lambda: (tokens(0), tokens(1)), 121),
}


def training(make, data, device, steps):
    """The losses of some steps; what the last of them cost."""
    from gpu.double import counted

    tp.manual_seed(0)
    net, (x, y) = make(), data()
    net, x, y = net.to(device), x.to(device), y.to(device)
    optimizer = tp.optim.AdamW(net.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        with counted() as costs:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x).flatten(0, -2), y.flatten())
            loss.backward()
            optimizer.step()
        losses.append(loss.detach())
    return [loss.item() for loss in losses], costs


@pytest.mark.parametrize("name", CASES)
def test_a_step_stays_on_the_gpu_and_within_its_budget(cupy, name):
    make, data, budget = CASES[name]
    losses, costs = training(make, data, "cuda", 20)
    assert (costs.to_device, costs.to_host, costs.synchronizations) == (0, 0, 0)
    assert costs.launches <= budget, f"{costs.launches} launches"
    assert losses[-1] < 0.5 * losses[0]
    want, _ = training(make, data, "cpu", 20)
    assert losses == pytest.approx(want, rel=2e-3, abs=1e-4)
