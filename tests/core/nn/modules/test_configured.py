"""Layers whose class attributes are their arguments."""

import inspect
import math

import pytest

import triptych
from triptych import nn


def test_signatures_are_visible():
    assert str(inspect.signature(nn.Softplus)) == (
        "(beta: 'float' = 1.0, threshold: 'float' = 20.0)"
    )
    assert list(inspect.signature(nn.MaxPool2d).parameters) == [
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "return_indices",
        "ceil_mode",
    ]


def test_wrong_arguments_name_the_layer():
    with pytest.raises(TypeError, match=r"MaxPool2d.*missing a required argument: 'kernel_size'"):
        nn.MaxPool2d()
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        nn.ReLU(size=3)
    with pytest.raises(ValueError, match="p is a probability"):
        nn.Dropout(2)
    with pytest.raises(ValueError, match="min_val 1 is not below"):
        nn.Hardtanh(1, 0)


def test_subclasses_may_have_arguments_of_their_own():
    class Twice(nn.LeakyReLU):
        def __init__(self, slope, *, times=2):
            super().__init__(slope)
            self.times = times

        def forward(self, x):
            return super().forward(x) * self.times

    assert list(inspect.signature(Twice).parameters) == ["slope", "times"]
    assert Twice(0.5)(triptych.tensor(-1.0)).item() == -1.0
    assert repr(Twice(0.5)) == "Twice(negative_slope=0.5)"


def test_strides_default_to_the_window():
    assert nn.AvgPool2d((2, 3)).stride == (2, 3)
    assert nn.MaxPool2d(3, 1).stride == 1


def test_weights_of_losses_are_buffers():
    loss = nn.CrossEntropyLoss(weight=triptych.ones(3))
    assert [n for n, _ in loss.named_buffers()] == ["weight"]
    assert loss.double().weight.dtype == triptych.float64
    assert nn.CrossEntropyLoss().weight is None


def test_weights_of_losses_count():
    logits, target = triptych.tensor([[0.0, 0.0], [0.0, 3.0]]), triptych.tensor([0, 0])
    weighted = nn.CrossEntropyLoss(weight=triptych.tensor([2.0, 1.0]), reduction="sum")
    plain = nn.CrossEntropyLoss(reduction="sum")
    assert float(weighted(logits, target)) == pytest.approx(2 * float(plain(logits, target)))
    heavy = nn.BCEWithLogitsLoss(pos_weight=triptych.tensor([3.0, 1.0]))
    ones = triptych.ones(1, 2)
    assert float(heavy(ones * 0, ones)) == pytest.approx(2 * math.log(2))
