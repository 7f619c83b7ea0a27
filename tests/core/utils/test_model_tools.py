"""Counting operations, summing up layers, logging."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.utils import summary
from triptych.utils.flop_counter import FlopCounterMode
from triptych.utils.tensorboard import SummaryWriter


def net():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, groups=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 16, 5)
    )


CONV, LINEAR = 2 * (2 * 8 * 4 * 4) * (3 * 3 * 3), 2 * 2 * 5 * 128


def test_counts_forward_and_backward():
    model, x = net(), triptych.ones(2, 3, 4, 4, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        loss = model(x).sum()
        assert counter.get_total_flops() == CONV + LINEAR
        loss.backward()
    assert counter.get_total_flops() == 3 * (CONV + LINEAR), "two more products for each"


def test_counts_belong_to_modules(capsys):
    with FlopCounterMode(depth=1) as counter:
        net()(triptych.ones(2, 3, 4, 4))
    counts = counter.get_flop_counts()
    assert counts["Global.Sequential.Conv2d"] == {"conv": CONV}
    assert counts["Global.Sequential"] == {"conv": CONV, "linear": LINEAR}
    shown = capsys.readouterr().out
    assert "Sequential" in shown
    assert "Conv2d" not in shown, "deeper than asked for"


def test_grouped_convolution_counts_its_own_channels():
    with FlopCounterMode(display=False) as counter:
        nn.Conv2d(8, 8, 3, groups=8, bias=False)(triptych.ones(1, 8, 5, 5))
    assert counter.get_total_flops() == 2 * 8 * 9 * 9


def test_summary_table():
    model = net().train()
    model[0].weight.requires_grad_(False)
    found = summary(model, input_size=(2, 3, 4, 4), depth=1)
    assert model.training
    assert [layer.kind for layer in found.layers] == [
        "Sequential",
        "Conv2d",
        "ReLU",
        "Flatten",
        "Linear",
    ]
    assert found.layers[1].shapes == [(2, 8, 4, 4)]
    assert found.total_mult_adds == (CONV + LINEAR) // 2
    assert found.total_params - found.trainable_params == 8 * 27
    text = str(found)
    assert "Conv2d (0)" in text
    assert f"{found.total_params:,}" in text
    assert "Conv2d" not in str(summary(model, input_size=(2, 3, 4, 4), depth=0))


def test_summary_takes_data_and_refuses_neither():
    found = summary(nn.Bilinear(2, 3, 4), input_data=[triptych.ones(5, 2), triptych.ones(5, 3)])
    assert found.layers[0].shapes == [(5, 4)]
    assert summary(nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)]).layers[0].shapes == [(5, 4)]
    with pytest.raises(triptych.ShapeError, match="input_size or input_data"):
        summary(nn.ReLU())
    with pytest.raises(ValueError, match="'eval' or 'train'"):
        summary(nn.ReLU(), (1,), mode="test")


def test_writer_takes_tensors(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", triptych.tensor(0.25, requires_grad=True), global_step=3)
        writer.add_scalars("both", {"a": triptych.tensor(1.0), "b": 2.0}, 3)
        writer.add_histogram("weights", triptych.randn(100), 3)
        writer.add_image("picture", triptych.zeros(3, 4, 4), 3)
        assert writer.log_dir == str(tmp_path)
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for file in tmp_path.rglob("events*"):
        for record in records(file.read_bytes()):
            for value in Event.FromString(record).summary.value:
                found[value.tag] = value
    assert found["loss"].simple_value == 0.25
    assert found["weights"].histo.num == 100
    assert found["picture"].image.height == 4
    assert not hasattr(SummaryWriter(str(tmp_path)), "other")


def records(data):
    """The payloads of a TFRecord file: length (8 bytes), check (4), payload, check (4)."""
    while data:
        (size,) = np.frombuffer(data[:8], np.uint64)
        yield data[12 : 12 + int(size)]
        data = data[16 + int(size) :]


def test_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "tensorboardX":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(triptych.TriptychError, match=r"pip install 'triptych\[tensorboard\]'"):
        SummaryWriter()
