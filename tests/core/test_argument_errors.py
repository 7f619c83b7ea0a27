"""Arguments that used to be taken silently, or refused in NumPy's words, name the call."""

import numpy as np
import pytest

import triptych as tp
from triptych import DomainError, DTypeError, GradError, LinAlgError, ShapeError, nn
from triptych.autograd import Function
from triptych.nn import functional as F

IMAGE, KERNEL = tp.ones(1, 3, 8, 8), tp.ones(4, 3, 3, 3)
ONES = tp.ones(2, 2, dtype=tp.int64)

REFUSED = {
    "zeros(2.5)": (lambda: tp.zeros(2.5), DTypeError, r"zeros: wanted integers, got 2\.5"),
    "randn((2.0, 1))": (lambda: tp.randn((2.0, 1)), DTypeError, "randn: wanted integers"),
    "randint": (lambda: tp.randint(0, 5, (2.5,)), DTypeError, "randint: wanted integers"),
    "float tensor": (lambda: tp.ones(tp.tensor(2.0)), DTypeError, "ones: wanted integers"),
    "reshape": (lambda: tp.ones(4).reshape(2.0, 2), DTypeError, "reshape: wanted integers"),
    "expand": (lambda: tp.ones(4).expand(2.0, 4), DTypeError, "expand: wanted integers"),
    "permute": (lambda: tp.ones(1, 1).permute(1.0, 0), DTypeError, "permute: wanted integers"),
    "sum": (lambda: tp.ones(2, 2).sum(1.0), DTypeError, "sum: wanted integers, got 1.0"),
    "cumsum": (lambda: tp.ones(2, 2).cumsum(1.0), DTypeError, "cumsum: wanted integers"),
    "Linear": (lambda: nn.Linear(2.5, 3), DTypeError, "Linear: in_features: wanted integers"),
    "Linear(-1)": (lambda: nn.Linear(2, -1), ShapeError, "Linear: out_features must be at least 0"),
    "Embedding": (lambda: nn.Embedding(2.5, 3), DTypeError, "Embedding: num_embeddings"),
    "eye(-1)": (lambda: tp.eye(-1), ShapeError, "eye: lengths must not be negative"),
    "eye(2.5)": (lambda: tp.eye(2.5), DTypeError, "eye: wanted integers"),
    "linspace": (lambda: tp.linspace(0, 1, -1), ShapeError, "linspace: lengths"),
    "logspace": (lambda: tp.logspace(0, 1, 2.5), DTypeError, "logspace: wanted integers"),
    "arange": (lambda: tp.arange("a"), DTypeError, "arange: wanted numbers, got 'a'"),
    "tril": (lambda: tp.ones(3).tril(), ShapeError, r"tril: wanted matrices .* got shape \(3,\)"),
    "triu": (lambda: tp.ones(()).triu(), ShapeError, r"triu: wanted matrices .* got shape \(\)"),
    "int ** -1": (lambda: tp.tensor([2]) ** -1, DTypeError, "pow: .*negative integer powers"),
    "arange(inf)": (lambda: tp.arange(0, float("inf")), ShapeError, "arange: wanted finite"),
    "layout": (lambda: tp.zeros(2, layout="coo"), DTypeError, "zeros: layout is triptych.strided"),
    "to": (lambda: IMAGE.to("gpu"), DTypeError, "'gpu' names neither a dtype nor a device"),
    "cat": (lambda: tp.cat([IMAGE, None]), DTypeError, "cat: wanted tensors, got NoneType at"),
    "hstack": (lambda: tp.hstack([]), ShapeError, "hstack: wanted a non-empty sequence"),
    "column_stack": (lambda: tp.column_stack([]), ShapeError, "column_stack: wanted a non-empty"),
    "clamp_min": (lambda: tp.clamp_min(2, IMAGE), DTypeError, "clamp_min: wanted tensors, got int"),
    "heaviside": (lambda: tp.heaviside(2, IMAGE), DTypeError, "heaviside: wanted tensors, got int"),
    "narrow": (lambda: tp.tensor(1.0).narrow(0, 0, 1), ShapeError, "narrow: wanted at least one"),
    "fft": (lambda: tp.fft.fft(tp.tensor(1.0)), ShapeError, "fft: wanted at least one dim"),
    "irfft": (lambda: tp.fft.irfft(tp.tensor(1.0)), ShapeError, "irfft: wanted at least one dim"),
    "diagonal": (lambda: tp.ones(2, 2).diagonal(0, 0, -2), ShapeError, "diagonal: wanted two diff"),
    "diag_embed": (
        lambda: tp.diag_embed(tp.ones(2), 0, 1, 1),
        ShapeError,
        "diag_embed: wanted two",
    ),
    "roll": (lambda: IMAGE.roll([1], [0, 1]), ShapeError, "roll: wanted a shift per dim"),
    "rot90": (lambda: IMAGE.rot90(1, (1, -3)), ShapeError, "rot90: wanted two different dims"),
    "rot90 in a line": (lambda: IMAGE.rot90(1, (1,)), ShapeError, "rot90: wanted two different"),
    "cov": (lambda: tp.cov(tp.ones(2, 2, 2)), ShapeError, "cov: wanted at most two dims"),
    "corrcoef": (lambda: tp.corrcoef(tp.ones(2, 2, 2)), ShapeError, "corrcoef: wanted at most two"),
    "diff": (lambda: tp.ones(3).diff(-1), DomainError, "diff: wanted n >= 0, got -1"),
    "isclose": (lambda: IMAGE.isclose(IMAGE, rtol=-1), DomainError, "isclose: wanted rtol >= 0"),
    "normal": (lambda: tp.normal(0.0, -1.0, (2,)), DomainError, "normal: wanted std >= 0"),
    "searchsorted": (
        lambda: tp.searchsorted(tp.ones(3), 1.0, right=True, side="left"),
        DTypeError,
        "searchsorted: side is 'left' or 'right' and agrees",
    ),
    "sorter": (
        lambda: tp.searchsorted(tp.ones(3), 1.0, sorter=tp.tensor([0, 1])),
        ShapeError,
        r"sorter has shape \(2,\), the sequences \(3,\)",
    ),
    "masked_fill": (
        lambda: tp.ones(2).masked_fill(tp.ones(2) > 0, tp.tensor([3.0])),
        ShapeError,
        r"masked_fill: wanted a number or a 0-d tensor, got shape \(1,\)",
    ),
    "index_copy": (
        lambda: tp.ones(3, 2).index_copy(0, tp.tensor([0, 1]), tp.ones(2, 1)),
        ShapeError,
        r"index_copy: 2 indices along dim 0 of \(3, 2\) want a source of shape \(2, 2\)",
    ),
    "gather(out=)": (
        lambda: tp.gather(tp.ones(2), 0, tp.tensor([0]), out=tp.zeros(1, dtype=tp.float64)),
        DTypeError,
        r"gather\(out=\): wanted a tensor of triptych.float32, got triptych.float64",
    ),
    "addr": (
        lambda: tp.addr(ONES, ONES[0], ONES[0], alpha=0.5),
        DTypeError,
        "addr: alpha must be an int for integers, got 0.5",
    ),
    "hardtanh": (lambda: F.hardtanh(IMAGE, 2.0, -1.0), DomainError, "hardtanh: min_val 2.0 is ab"),
    "hardtanh of bytes": (lambda: F.hardtanh(ONES.byte()), DomainError, "holds no numbers down to"),
    "relu6": (lambda: F.relu6(ONES.bool()), DTypeError, "relu6: not defined for bool"),
    "rrelu": (lambda: F.rrelu(IMAGE, 0.5, 0.1), DomainError, "rrelu: lower 0.5 is above"),
    "triplets": (
        lambda: F.triplet_margin_loss(IMAGE, IMAGE, IMAGE, margin=0),
        DomainError,
        "triplet_margin_loss: wanted margin > 0, got 0",
    ),
    "no channels": (lambda: F.max_pool1d(tp.ones(0, 10), 2), ShapeError, "there are no channels"),
    "means of bytes": (lambda: F.avg_pool2d(IMAGE.byte(), 2), DTypeError, "avg_pool2d: wanted fl"),
    "adaptive": (lambda: F.adaptive_avg_pool2d(IMAGE.long(), 2), DTypeError, "wanted floating num"),
    "kernel axes": (
        lambda: F.conv2d(IMAGE, tp.ones(4, 3, 3), padding="same"),
        ShapeError,
        r"conv2d: wanted a weight \(out, c / groups, 2 kernel axes\), got shape \(4, 3, 3\)",
    ),
    "SVD of NaN": (
        lambda: tp.linalg.svd(tp.full((2, 2), float("nan"))),
        LinAlgError,
        "svd: the input holds NaN or infinity",
    ),
    "stride": (lambda: F.conv2d(IMAGE, KERNEL, stride=0), ShapeError, "conv2d: stride must be"),
    "padding": (lambda: F.conv2d(IMAGE, KERNEL, padding=-1), ShapeError, "conv2d: padding must"),
    "dilation": (lambda: F.conv2d(IMAGE, KERNEL, dilation=0), ShapeError, "conv2d: dilation must"),
    "transposed": (
        lambda: F.conv_transpose2d(IMAGE, KERNEL.transpose(0, 1), stride=0),
        ShapeError,
        "conv_transpose2d: stride must be at least 1, got 0",
    ),
    "unfold": (lambda: F.unfold(IMAGE, 3, stride=0), ShapeError, "unfold: stride must be"),
    "Conv2d(stride=0)": (lambda: nn.Conv2d(3, 4, 3, stride=0), ShapeError, "Conv2d: stride must"),
    "Conv2d(padding=-1)": (
        lambda: nn.Conv2d(3, 4, 3, padding=(0, -1)),
        ShapeError,
        r"Conv2d: padding must be at least 0, got \(0, -1\)",
    ),
    "Conv2d(2.5)": (lambda: nn.Conv2d(3, 4, 2.5), DTypeError, "Conv2d: kernel_size: wanted int"),
    "max_pool2d": (lambda: F.max_pool2d(IMAGE, 2.5), DTypeError, "max_pool2d: kernel_size: wanted"),
    "pos_weight": (
        lambda: F.binary_cross_entropy_with_logits(
            tp.ones(2, 3), tp.ones(2, 3), pos_weight=tp.ones(4)
        ),
        ShapeError,
        r"with_logits: pos_weight has shape \(4,\), which does not broadcast to the input \(2, 3\)",
    ),
    "bce weight": (
        lambda: F.binary_cross_entropy(0.5 * tp.ones(3), tp.ones(3), weight=tp.ones(2, 3)),
        ShapeError,
        "binary_cross_entropy: weight has shape",
    ),
    "LSTM": (
        lambda: nn.LSTM(2, 3)(tp.ones(4, 1, 2), tp.ones(2, 1, 3)),
        DTypeError,
        r"LSTM: wanted the states to start from as a pair of tensors \(h, c\), got a Tensor",
    ),
    "GRU": (
        lambda: nn.GRU(2, 3)(tp.ones(4, 1, 2), (tp.ones(1, 1, 3), tp.ones(1, 1, 3))),
        DTypeError,
        "GRU: wanted the states to start from as one tensor h, got a tuple of 2",
    ),
    "LSTMCell": (
        lambda: nn.LSTMCell(2, 3)(tp.ones(1, 2), tp.ones(1, 3)),
        DTypeError,
        r"LSTMCell: wanted the states to start from as a pair",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(name):
    call, kind, text = REFUSED[name]
    with pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("two", [2, np.int64(2), np.int32(2), np.array(2), tp.tensor(2)])
def test_whatever_counts_as_an_integer_is_a_length(two):
    assert tuple(tp.zeros(two, 3).shape) == (2, 3)
    assert tuple(tp.ones(4).reshape(two, -1).shape) == (2, 2)
    assert tuple(tp.linspace(0, 1, two).shape) == (2,)
    assert tuple(tp.ones(1, 1, 3).sum(two).shape) == (1, 1)
    assert tuple(nn.Linear(two, 3).weight.shape) == (3, 2)


@pytest.mark.parametrize("p", [1.5, -0.1, float("nan")])
def test_binary_cross_entropy_refuses_what_is_no_probability(p):
    with pytest.raises(ShapeError, match="binary_cross_entropy: wanted probabilities from 0 to 1"):
        F.binary_cross_entropy(tp.tensor([0.5, p]), tp.ones(2))


@pytest.mark.parametrize(("p", "target", "slope"), [(0.0, 1.0, -1e12), (1.0, 0.0, 1e12)])
def test_a_certain_and_wrong_prediction_has_a_steep_but_finite_gradient(p, target, slope):
    x = tp.tensor([p], dtype=tp.float64, requires_grad=True)
    loss = F.binary_cross_entropy(x, tp.tensor([target], dtype=tp.float64))
    loss.backward()
    assert loss.item() == 100
    np.testing.assert_allclose(x.grad.numpy(), [slope])


class Doubled(Function):
    extra: tuple = ()

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @classmethod
    def backward(cls, ctx, g):
        return 2 * g, *cls.extra


class TrailingNone(Doubled):
    extra = (None, None)


class TooMany(Doubled):
    extra = (tp.ones(3),)


def test_a_backward_may_add_none_but_no_further_gradients():
    x = tp.ones(3, requires_grad=True)
    TrailingNone.apply(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2)
    with pytest.raises(GradError, match=r"TooMany\.backward: 2 gradients for 1 inputs"):
        TooMany.apply(x).sum().backward()


def test_a_tensor_of_one_number_formats_as_that_number():
    assert f"{tp.tensor(2)}" == "2"
    assert f"{tp.tensor(2.5):.3f} {tp.tensor(True)}" == "2.500 True"
    assert f"{tp.tensor([2])}" == "tensor([2])"


@pytest.mark.parametrize("op", [tp.floor_divide, tp.remainder, tp.fmod])
@pytest.mark.parametrize("divisor", [0, tp.tensor([1, 0, 2]), tp.tensor(0)])
def test_integers_refuse_to_be_divided_by_zero(op, divisor):
    with pytest.raises(ZeroDivisionError, match=f"{op.__name__}: an integer divided by zero"):
        op(tp.tensor([4, 5, 6]), divisor)


def test_division_by_zero_of_floats_and_by_other_integers():
    assert (tp.tensor([4.0, -4.0]) // 0).tolist() == [np.inf, -np.inf]
    assert (tp.tensor([4, -5]) // 2).tolist() == [2, -3]
    assert (7 % tp.tensor([4, -5])).tolist() == [3, -3]
    assert (tp.tensor([], dtype=tp.int64) // tp.tensor([], dtype=tp.int64)).tolist() == []
