"""Small networks trained from fixed seeds to a stated loss or accuracy, each in a few seconds."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn import functional as F


@pytest.fixture(autouse=True)
def seed():
    tp.manual_seed(0)


def train(net, optimizer, loss, batches):
    """One pass; gives the losses."""
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        value = loss(net, *batch)
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        losses.append(float(value.detach()))
    return losses


def test_mlp_learns_two_spirals():
    rng = np.random.default_rng(0)
    turn = np.sqrt(rng.random(400)) * 3 * np.pi
    label = np.arange(400) % 2
    angle = turn + np.pi * label
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * turn[:, None] / 10
    x = tp.tensor((points + rng.normal(0, 0.01, points.shape)).astype(np.float32))
    y = tp.tensor(label)
    net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = tp.optim.Adam(net.parameters(), lr=0.01)
    losses = train(net, optimizer, lambda m, a, b: F.cross_entropy(m(a), b), [(x, y)] * 600)
    assert losses[0] > 0.6 and losses[-1] < 0.05
    assert float((net(x).argmax(1) == y).float().mean()) > 0.98


def stripes(rng, count):
    """Noisy 12 x 12 images of horizontal, vertical or diagonal stripes, with a random phase."""
    i, j = np.mgrid[:12, :12]
    ways = np.stack([i, j, (i + j) / 2**0.5, (i - j) / 2**0.5])
    label = rng.integers(0, 4, count)
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    images = np.sin(ways[label] * 1.5 + phase) + rng.normal(0, 0.5, (count, 12, 12))
    return tp.tensor(images[:, None].astype(np.float32)), tp.tensor(label)


def test_cnn_tells_directions_of_stripes():
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 16, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(16, 4),
    )
    optimizer = tp.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = tp.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
    for _ in range(4):
        train(
            net,
            optimizer,
            lambda m, a, b: F.cross_entropy(m(a), b, label_smoothing=0.05),
            [stripes(rng, 32) for _ in range(30)],
        )
        schedule.step()
    x, y = stripes(rng, 500)
    net.eval()
    with tp.no_grad():
        assert float((net(x).argmax(1) == y).float().mean()) > 0.95


def additions(rng, count, steps):
    """Two numbers of each sequence are marked; the target is their sum (Hochreiter and
    Schmidhuber 1997, the adding problem)."""
    values = rng.random((count, steps))
    marks = np.zeros((count, steps))
    for row in marks:
        row[rng.choice(steps, 2, replace=False)] = 1
    x = np.stack([values, marks], -1).astype(np.float32)
    return tp.tensor(x), tp.tensor((values * marks).sum(1).astype(np.float32))


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1]).squeeze(-1)


def test_lstm_remembers_what_to_add():
    rng = np.random.default_rng(0)
    net = Adder()
    optimizer = tp.optim.Adam(net.parameters(), lr=0.01)

    def loss(m, x, y):
        return F.mse_loss(m(x), y)

    for _ in range(12):
        losses = train(net, optimizer, loss, [additions(rng, 32, 12) for _ in range(50)])
    x, y = additions(rng, 500, 12)
    guess = float(F.mse_loss(tp.full_like(y, 1.0), y))  # 1/6: what forgetting everything costs
    assert np.mean(losses) < 0.02
    with tp.no_grad():
        assert float(F.mse_loss(net(x), y)) < guess / 8


class Reverser(nn.Module):
    """Gives a sequence of digits back to front."""

    def __init__(self, digits, steps, width=32):
        super().__init__()
        self.embed, self.place = nn.Embedding(digits, width), nn.Embedding(steps, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, 0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width))
        self.out = nn.Linear(width, digits)

    def forward(self, x):
        return self.out(self.body(self.embed(x) + self.place(tp.arange(x.shape[1]))))


def test_transformer_learns_to_reverse():
    rng = np.random.default_rng(0)
    net = Reverser(8, 6)
    optimizer = tp.optim.AdamW(net.parameters(), lr=3e-3)

    def loss(m, x):
        return F.cross_entropy(m(x).transpose(1, 2), x.flip(1))

    batches = [(tp.tensor(rng.integers(0, 8, (32, 6))),) for _ in range(250)]
    losses = train(net, optimizer, loss, batches)
    assert losses[0] > 1.8  # log 8 is 2.08
    x = tp.tensor(rng.integers(0, 8, (200, 6)))
    net.eval()
    with tp.no_grad():
        assert float((net(x).argmax(-1) == x.flip(1)).float().mean()) > 0.98
