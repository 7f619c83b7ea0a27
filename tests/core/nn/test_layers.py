"""The contract of layers: one row per layer yields its whole battery."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn import functional as F
from triptych.nn.modules.configured import Configured
from triptych.nn.modules.lazy import LazyModuleMixin

F64 = triptych.float64


@dataclass
class Row:
    """A layer: its class, arguments, inputs (shapes, or functions of a generator), and repr."""

    kind: Any
    args: Any = ()  # or a function that makes them, where they are modules
    options: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ((2, 3),)
    text: str | None = None
    keys: str | None = None  # of the state dict, in order

    def build(self) -> nn.Module:
        triptych.manual_seed(3)
        return self.kind(*self.given(), **self.options)

    def given(self) -> tuple[Any, ...]:
        return self.args() if callable(self.args) else self.args

    def draw(self, dtype: Any = triptych.float32) -> list[Any]:
        rng = np.random.default_rng(5)
        made = [self._one(rng, i) for i in self.inputs]
        return [
            x.to(dtype) if isinstance(x, triptych.Tensor) and x.is_floating_point() else x
            for x in made
        ]

    @staticmethod
    def _one(rng: np.random.Generator, given: Any) -> Any:
        if callable(given):
            return given(rng)
        return triptych.tensor(rng.uniform(0.1, 0.9, given))


def indices(high: int, *shape: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: triptych.tensor(rng.integers(0, high, shape))


def signs(*shape: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: triptych.tensor(rng.choice([-1.0, 1.0], shape))


def log_probabilities(*shape: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: F.log_softmax(triptych.tensor(rng.standard_normal(shape)), -1)


def constant(value: Any) -> Callable[[np.random.Generator], Any]:
    return lambda rng: triptych.tensor(value)


SEQ, IMG, VOL = (2, 4, 9), (2, 4, 8, 7), (2, 4, 5, 6, 5)
BN = "weight bias running_mean running_var num_batches_tracked"
RNN_KEYS = "weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0"
MHA_KEYS = "in_proj_weight in_proj_bias out_proj.weight out_proj.bias"
ENCODER_KEYS = (
    " ".join(f"self_attn.{k}" for k in MHA_KEYS.split())
    + " linear1.weight linear1.bias linear2.weight linear2.bias"
    + " norm1.weight norm1.bias norm2.weight norm2.bias"
)

ROWS = [
    Row(nn.Identity, text="Identity()"),
    Row(
        nn.Linear,
        (3, 4),
        text="Linear(in_features=3, out_features=4, bias=True)",
        keys="weight bias",
    ),
    Row(nn.Linear, (3, 4, False), keys="weight"),
    Row(nn.Bilinear, (3, 4, 5), inputs=((2, 3), (2, 4)), keys="weight bias"),
    Row(
        nn.Conv1d,
        (4, 6, 3),
        {"stride": 2, "padding": 1, "groups": 2},
        (SEQ,),
        "Conv1d(4, 6, kernel_size=(3,), stride=(2,), padding=(1,), groups=2)",
        "weight bias",
    ),
    Row(
        nn.Conv2d,
        (4, 6, 3),
        {"padding": "same", "padding_mode": "reflect", "bias": False},
        (IMG,),
        "Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1), padding=same, bias=False, "
        "padding_mode=reflect)",
        "weight",
    ),
    Row(nn.Conv2d, (4, 6, (3, 2)), {"dilation": (2, 1), "padding": (1, 0)}, (IMG,)),
    Row(nn.Conv2d, (4, 4, 3), {"padding": 1, "padding_mode": "circular"}, (IMG,)),
    Row(nn.Conv2d, (4, 4, 3), {"padding": (1, 2), "padding_mode": "replicate"}, ((4, 8, 7),)),
    Row(nn.Conv3d, (4, 2, 2), {}, (VOL,), keys="weight bias"),
    Row(nn.ConvTranspose1d, (4, 2, 3), {"stride": 2, "output_padding": 1}, (SEQ,)),
    Row(
        nn.ConvTranspose2d,
        (4, 2, 3),
        {"stride": 2, "groups": 2},
        (IMG,),
        "ConvTranspose2d(4, 2, kernel_size=(3, 3), stride=(2, 2), groups=2)",
        "weight bias",
    ),
    Row(nn.ConvTranspose3d, (4, 2, 2), {}, (VOL,)),
    Row(nn.BatchNorm1d, (4,), {}, (SEQ,), keys=BN),
    Row(nn.SyncBatchNorm, (4,), {}, (SEQ,), keys=BN),
    Row(
        nn.AdaptiveLogSoftmaxWithLoss,
        (8, 12, [3, 6]),
        {"div_value": 2.0},
        ((5, 8), constant([0, 4, 11, 2, 6])),
        keys="head.weight tail.0.0.weight tail.0.1.weight tail.1.0.weight tail.1.1.weight",
    ),
    Row(nn.BatchNorm1d, (3,), {"momentum": None}, ((5, 3),), keys=BN),
    Row(
        nn.BatchNorm2d,
        (4,),
        {},
        (IMG,),
        "BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
        BN,
    ),
    Row(nn.BatchNorm2d, (4,), {"track_running_stats": False}, (IMG,), keys="weight bias"),
    Row(nn.BatchNorm3d, (4,), {"affine": False}, (VOL,), keys=BN.removeprefix("weight bias ")),
    Row(nn.InstanceNorm1d, (4,), {}, (SEQ,), keys=""),
    Row(nn.InstanceNorm2d, (4,), {"affine": True, "track_running_stats": True}, (IMG,), keys=BN),
    Row(nn.InstanceNorm3d, (4,), {}, (VOL[1:],)),
    Row(nn.LayerNorm, (7,), {}, (IMG,), "LayerNorm((7,), eps=1e-05, elementwise_affine=True)"),
    Row(nn.LayerNorm, ((8, 7),), {"bias": False}, (IMG,), keys="weight"),
    Row(nn.RMSNorm, (7,), {}, (IMG,), "RMSNorm((7,), eps=None, elementwise_affine=True)", "weight"),
    Row(nn.GroupNorm, (2, 4), {}, (IMG,), "GroupNorm(2, 4, eps=1e-05, affine=True)", "weight bias"),
    Row(
        nn.LocalResponseNorm,
        (3,),
        {},
        (IMG,),
        "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)",
    ),
    Row(
        nn.Embedding,
        (10, 3),
        {"padding_idx": -1},
        (indices(10, 2, 4),),
        "Embedding(10, 3, padding_idx=9)",
    ),
    Row(
        nn.EmbeddingBag,
        (10, 3),
        {},
        (indices(10, 2, 4),),
        "EmbeddingBag(10, 3, mode='mean')",
        "weight",
    ),
    Row(nn.RNN, (9, 5), {}, (SEQ,), "RNN(9, 5)", RNN_KEYS),
    Row(nn.RNN, (9, 5, 2, "relu"), {"batch_first": True}, (SEQ,)),
    Row(nn.LSTM, (9, 5), {"num_layers": 2, "bidirectional": True, "dropout": 0.5}, (SEQ,)),
    Row(nn.LSTM, (9, 5), {"proj_size": 3}, (SEQ,), keys=RNN_KEYS + " weight_hr_l0"),
    Row(nn.LSTM, (9, 5), {"bias": False}, (SEQ[1:],), "LSTM(9, 5, bias=False)", RNN_KEYS[:26]),
    Row(nn.GRU, (9, 5, 2), {}, (SEQ,), "GRU(9, 5, num_layers=2)"),
    Row(nn.GRU, (9, 5), {"bias": False, "bidirectional": True}, (SEQ,)),
    Row(nn.RNNCell, (3, 5), {}, ((2, 3),), "RNNCell(3, 5)", "weight_ih weight_hh bias_ih bias_hh"),
    Row(nn.LSTMCell, (3, 5), {}, ((2, 3),), "LSTMCell(3, 5)"),
    Row(nn.GRUCell, (3, 5), {"bias": False}, ((3,),), "GRUCell(3, 5, bias=False)"),
    Row(nn.MultiheadAttention, (6, 2), {}, ((4, 2, 6), (5, 2, 6), (5, 2, 6)), keys=MHA_KEYS),
    Row(
        nn.MultiheadAttention,
        (6, 2),
        {"kdim": 3, "vdim": 4, "add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
        ((2, 4, 6), (2, 5, 3), (2, 5, 4)),
        keys=(
            "q_proj_weight k_proj_weight v_proj_weight in_proj_bias bias_k bias_v "
            "out_proj.weight out_proj.bias"
        ),
    ),
    Row(nn.TransformerEncoderLayer, (6, 2, 8), {}, ((4, 2, 6),), keys=ENCODER_KEYS),
    Row(nn.TransformerEncoderLayer, (6, 2, 8, 0.1, "gelu"), {"norm_first": True}, ((4, 2, 6),)),
    Row(nn.TransformerDecoderLayer, (6, 2, 8), {"batch_first": True}, ((2, 4, 6), (2, 3, 6))),
    Row(
        nn.TransformerEncoder,
        lambda: (nn.TransformerEncoderLayer(6, 2, 8), 2, nn.LayerNorm(6)),
        inputs=((4, 2, 6),),
    ),
    Row(
        nn.TransformerDecoder,
        lambda: (nn.TransformerDecoderLayer(6, 2, 8), 2),
        inputs=((4, 2, 6), (3, 2, 6)),
    ),
    Row(nn.Transformer, (6, 2, 1, 1, 8), inputs=((4, 2, 6), (3, 2, 6))),
    Row(nn.ReLU, text="ReLU()"),
    Row(nn.ReLU, (), {"inplace": True}, text="ReLU(inplace=True)"),
    Row(nn.ReLU6),
    Row(nn.LeakyReLU, (0.2,), text="LeakyReLU(negative_slope=0.2)"),
    Row(nn.PReLU, (3,), text="PReLU(num_parameters=3)", keys="weight"),
    Row(nn.RReLU, text="RReLU(lower=0.125, upper=0.3333333333333333)"),
    Row(nn.ELU, text="ELU(alpha=1.0)"),
    Row(nn.CELU),
    Row(nn.SELU),
    Row(nn.GELU, ("tanh",), text="GELU(approximate='tanh')"),
    Row(nn.SiLU),
    Row(nn.Mish),
    Row(nn.Hardswish),
    Row(nn.Hardsigmoid),
    Row(nn.Hardtanh, (-2.0, 2.0), text="Hardtanh(min_val=-2.0, max_val=2.0)"),
    Row(nn.Sigmoid, text="Sigmoid()"),
    Row(nn.Tanh),
    Row(nn.LogSigmoid),
    Row(nn.Softplus, text="Softplus(beta=1.0, threshold=20.0)"),
    Row(nn.Softsign),
    Row(nn.Tanhshrink),
    Row(nn.Hardshrink),
    Row(nn.Softshrink),
    Row(nn.Threshold, (0.5, 7.0), text="Threshold(threshold=0.5, value=7.0)"),
    Row(nn.GLU, inputs=((2, 4),), text="GLU(dim=-1)"),
    Row(nn.Softmax, (1,), text="Softmax(dim=1)"),
    Row(nn.LogSoftmax, (1,)),
    Row(nn.Softmin, (1,)),
    Row(nn.Softmax2d, inputs=(IMG,)),
    Row(nn.MaxPool1d, (2,), inputs=(SEQ,)),
    Row(
        nn.MaxPool2d,
        (3, 2, 1),
        inputs=(IMG,),
        text="MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)",
    ),
    Row(nn.MaxPool3d, (2,), inputs=(VOL,)),
    Row(nn.AvgPool1d, (2,), inputs=(SEQ,), text="AvgPool1d(kernel_size=2, stride=2, padding=0)"),
    Row(nn.AvgPool2d, (2,), {"ceil_mode": True}, (IMG,)),
    Row(nn.AvgPool3d, (2,), inputs=(VOL,)),
    Row(nn.LPPool1d, (2.0, 2), inputs=(SEQ,)),
    Row(nn.LPPool2d, (2.0, 2), inputs=(IMG,)),
    Row(nn.LPPool3d, (2.0, 2), inputs=(VOL,)),
    Row(nn.AdaptiveAvgPool1d, (4,), inputs=(SEQ,)),
    Row(
        nn.AdaptiveAvgPool2d, ((1, 1),), inputs=(IMG,), text="AdaptiveAvgPool2d(output_size=(1, 1))"
    ),
    Row(nn.AdaptiveAvgPool3d, (2,), inputs=(VOL,)),
    Row(nn.AdaptiveMaxPool1d, (4,), inputs=(SEQ,)),
    Row(nn.AdaptiveMaxPool2d, ((3, None),), inputs=(IMG,)),
    Row(nn.AdaptiveMaxPool3d, (2,), inputs=(VOL,)),
    Row(
        nn.FractionalMaxPool2d,
        (2,),
        {"output_size": 3, "_random_samples": triptych.full((2, 4, 2), 0.5)},
        (IMG,),
    ),
    Row(
        nn.FractionalMaxPool3d,
        (2,),
        {"output_ratio": 0.6, "_random_samples": triptych.full((2, 4, 3), 0.5)},
        (VOL,),
    ),
    Row(nn.MaxUnpool1d, (2,), inputs=((1, 1, 2), constant([[[0, 3]]]))),
    Row(nn.MaxUnpool2d, (2,), inputs=((1, 1, 1, 2), constant([[[[0, 3]]]]))),
    Row(nn.MaxUnpool3d, (2,), inputs=((1, 1, 1, 1, 2), constant([[[[[0, 3]]]]]))),
    Row(nn.ConstantPad1d, (1, 2.0), inputs=(SEQ,), text="ConstantPad1d(padding=(1, 1), value=2.0)"),
    Row(nn.ConstantPad2d, ((1, 2, 0, 1), 2.0), inputs=(IMG,)),
    Row(nn.ConstantPad3d, (1, 2.0), inputs=(VOL,)),
    Row(nn.ZeroPad1d, (1,), inputs=(SEQ,)),
    Row(nn.ZeroPad2d, ((1, 2, 0, 1),), inputs=(IMG,), text="ZeroPad2d((1, 2, 0, 1))"),
    Row(nn.ZeroPad3d, (1,), inputs=(VOL,)),
    Row(nn.ReflectionPad1d, (1,), inputs=(SEQ,)),
    Row(nn.ReflectionPad2d, (1,), inputs=(IMG,), text="ReflectionPad2d((1, 1, 1, 1))"),
    Row(nn.ReflectionPad3d, (1,), inputs=(VOL,)),
    Row(nn.ReplicationPad1d, (1,), inputs=(SEQ,)),
    Row(nn.ReplicationPad2d, (1,), inputs=(IMG,)),
    Row(nn.ReplicationPad3d, (1,), inputs=(VOL,)),
    Row(nn.CircularPad1d, (1,), inputs=(SEQ,)),
    Row(nn.CircularPad2d, (1,), inputs=(IMG,)),
    Row(nn.CircularPad3d, (1,), inputs=(VOL,)),
    Row(nn.Dropout, (0.3,), text="Dropout(p=0.3, inplace=False)"),
    Row(nn.Dropout1d, inputs=(SEQ,)),
    Row(nn.Dropout2d, inputs=(IMG,)),
    Row(nn.Dropout3d, inputs=(VOL,)),
    Row(nn.AlphaDropout),
    Row(nn.FeatureAlphaDropout, inputs=(IMG,)),
    Row(nn.Flatten, inputs=(IMG,), text="Flatten(start_dim=1, end_dim=-1)"),
    Row(nn.Unflatten, (1, (2, 2)), inputs=(IMG,), text="Unflatten(dim=1, unflattened_size=(2, 2))"),
    Row(nn.Fold, ((4, 5), 2), inputs=((1, 12, 12),)),
    Row(
        nn.Unfold,
        (2,),
        inputs=(IMG,),
        text="Unfold(kernel_size=2, dilation=1, padding=0, stride=1)",
    ),
    Row(nn.Upsample, (), {"scale_factor": 2}, (IMG,), "Upsample(scale_factor=2.0, mode='nearest')"),
    Row(nn.Upsample, ((5, 9),), {"mode": "bicubic", "align_corners": True}, (IMG,)),
    Row(nn.UpsamplingNearest2d, (5,), inputs=(IMG,)),
    Row(nn.UpsamplingBilinear2d, (), {"scale_factor": 2}, (IMG,)),
    Row(nn.PixelShuffle, (2,), inputs=(IMG,), text="PixelShuffle(upscale_factor=2)"),
    Row(nn.PixelUnshuffle, (2,), inputs=((2, 4, 8, 6),)),
    Row(nn.ChannelShuffle, (2,), inputs=(IMG,), text="ChannelShuffle(groups=2)"),
    Row(nn.CosineSimilarity, inputs=((2, 3), (2, 3)), text="CosineSimilarity()"),
    Row(nn.PairwiseDistance, inputs=((2, 3), (2, 3))),
    Row(nn.L1Loss, inputs=((2, 3), (2, 3)), text="L1Loss()"),
    Row(nn.MSELoss, inputs=((2, 3), (2, 3))),
    Row(nn.SmoothL1Loss, inputs=((2, 3), (2, 3))),
    Row(nn.HuberLoss, inputs=((2, 3), (2, 3))),
    Row(nn.CrossEntropyLoss, inputs=((2, 3), indices(3, 2)), text="CrossEntropyLoss()", keys=""),
    Row(
        nn.CrossEntropyLoss,
        (triptych.tensor([1.0, 2.0, 3.0]),),
        {"label_smoothing": 0.1},
        ((2, 3), indices(3, 2)),
        keys="weight",
    ),
    Row(nn.NLLLoss, inputs=(log_probabilities(2, 3), indices(3, 2))),
    Row(nn.BCELoss, inputs=((2, 3), (2, 3))),
    Row(
        nn.BCEWithLogitsLoss,
        (),
        {"pos_weight": triptych.tensor([2.0, 1.0, 1.0])},
        ((2, 3), (2, 3)),
        keys="pos_weight",
    ),
    Row(nn.KLDivLoss, (), {"reduction": "batchmean"}, (log_probabilities(2, 3), (2, 3))),
    Row(nn.PoissonNLLLoss, inputs=((2, 3), (2, 3))),
    Row(nn.GaussianNLLLoss, inputs=((2, 3), (2, 3), (2, 3))),
    Row(
        nn.CTCLoss,
        inputs=(
            log_probabilities(6, 2, 4),
            constant([[1, 2], [3, 3]]),
            constant([6, 6]),
            constant([2, 2]),
        ),
    ),
    Row(nn.HingeEmbeddingLoss, inputs=((2, 3), signs(2, 3))),
    Row(nn.SoftMarginLoss, inputs=((2, 3), signs(2, 3))),
    Row(nn.MultiLabelMarginLoss, inputs=((1, 3), constant([[2, 0, -1]]))),
    Row(nn.MultiLabelSoftMarginLoss, inputs=((2, 3), indices(2, 2, 3))),
    Row(nn.MultiMarginLoss, inputs=((2, 3), indices(3, 2))),
    Row(nn.CosineEmbeddingLoss, inputs=((2, 3), (2, 3), signs(2))),
    Row(nn.MarginRankingLoss, inputs=((2,), (2,), signs(2))),
    Row(nn.TripletMarginLoss, inputs=((2, 3), (2, 3), (2, 3))),
    Row(nn.TripletMarginWithDistanceLoss, inputs=((2, 3), (2, 3), (2, 3))),
]
TRAINED_DIFFERENTLY = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)


def title(row):
    return f"{row.kind.__name__}-{ROWS.index(row)}"


rows = pytest.mark.parametrize("row", ROWS, ids=title)
LEARNED = [row for row in ROWS if any(p.numel() for p in row.build().parameters())]
learned_rows = pytest.mark.parametrize("row", LEARNED, ids=title)


def tensors(out):
    """All tensors in an output, in order."""
    if isinstance(out, (tuple, list)):
        return [t for part in out for t in tensors(part)]
    return [] if out is None else [out]


def arrays(out):
    return [t.detach().numpy() for t in tensors(out)]


def assert_same(one, two):
    assert len(one) == len(two) > 0
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_layer_has_a_row():
    containers = {nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict}
    named = {getattr(nn, name) for name in nn.__all__}
    layers = {c for c in named if isinstance(c, type) and issubclass(c, nn.Module)}
    bases = {nn.Module, nn.RNNBase, nn.RNNCellBase}
    lazy = {c for c in layers if issubclass(c, LazyModuleMixin)}  # have tests of their own
    assert layers - {row.kind for row in ROWS} - lazy == containers | bases


@rows
def test_forward_is_finite_and_leaves_no_parameter_out(row):
    layer, inputs = row.build(), row.draw(F64)
    layer.to(F64)
    for x in inputs:
        if x.is_floating_point():
            x.requires_grad_()
    inputs = [x * 1 if x.requires_grad else x for x in inputs]  # in-place layers write into them
    outs = tensors(layer(*inputs))
    assert outs
    for out in outs:
        assert np.isfinite(out.detach().numpy()).all()
        if out.is_floating_point():
            assert out.dtype == F64
    sum((out * out).sum() for out in outs if out.requires_grad).backward()
    for name, param in layer.named_parameters():
        assert param.grad is not None, name
        assert param.grad.shape == param.shape
        assert np.isfinite(param.grad.numpy()).all()


@learned_rows
def test_parameters_have_the_gradient_of_finite_differences(row):
    layer = row.build().to(F64).eval()
    params = [p for p in layer.parameters() if p.numel()]
    inputs = row.draw(F64)

    def loss():
        outs = [o for o in tensors(layer(*inputs)) if o.is_floating_point()]
        return sum(
            (o * triptych.linspace(-1, 1, o.numel(), dtype=F64).reshape(o.shape)).sum()
            for o in outs
        )

    loss().backward()
    rng = np.random.default_rng(0)
    for param in params:
        direction = triptych.tensor(rng.standard_normal(param.shape))
        expected = float((param.grad * direction).sum())
        ends = []
        for step in (1e-6, -2e-6, 1e-6):
            with triptych.no_grad():
                param += direction * step
            ends.append(float(loss()))
        assert expected == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-7)


@rows
def test_state_dict_goes_round(row):
    layer, other = row.build(), row.build()
    for tensor in other.state_dict().values():
        tensor.copy_(triptych.ones_like(tensor))
    found = other.load_state_dict(layer.state_dict())
    assert found == ([], [])
    if row.keys is not None:
        assert list(layer.state_dict()) == row.keys.split()
    inputs = row.draw()
    assert_same(arrays(layer.eval()(*inputs)), arrays(other.eval()(*row.draw())))


@rows
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_independent(row, copied):
    layer = row.build().eval()
    twin = copied(layer)
    assert repr(twin) == repr(layer)
    assert list(twin.state_dict()) == list(layer.state_dict())
    assert_same(arrays(twin(*row.draw())), arrays(layer(*row.draw())))
    for mine, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
        assert type(theirs) is nn.Parameter
        assert theirs.requires_grad
        with triptych.no_grad():
            theirs += 1
        assert not triptych.equal(mine, theirs)


@rows
def test_repr(row):
    layer = row.build()
    assert repr(layer).startswith(row.kind.__name__ + "(")
    if row.text is not None:
        assert repr(layer) == row.text


@rows
def test_without_gradients_results_are_the_same_and_unrecorded(row):
    layer = row.build().eval()
    recorded = arrays(layer(*row.draw()))
    with triptych.no_grad():
        outs = [layer(*row.draw()) for _ in range(2)]
    for out in outs:
        assert_same(arrays(out), recorded)
        assert not any(t.requires_grad for t in tensors(out))


@rows
def test_train_and_eval(row):
    layer = row.build()
    assert layer.training
    assert all(not m.training for m in layer.eval().modules())
    rested = arrays(layer(*row.draw()))
    assert_same(rested, arrays(layer(*row.draw())))
    if row.kind in TRAINED_DIFFERENTLY and row.options.get("track_running_stats", True):
        trained = arrays(layer.train()(*row.draw()))
        assert not np.array_equal(rested[0], trained[0])


@pytest.mark.parametrize("row", [r for r in LEARNED if not callable(r.args)], ids=title)
def test_dtype_argument_reaches_every_parameter(row):
    layer = row.kind(*row.given(), **row.options, dtype=F64, device="cpu")
    floating = [t for t in layer.state_dict().values() if t.is_floating_point()]
    assert floating
    assert all(t.dtype == F64 for t in floating)


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_configured_layers_name_functions_that_exist():
    named = [c._function for c in subclasses(Configured) if hasattr(c, "_function")]
    assert len(named) > 50
    assert [name for name in named if not hasattr(F, name)] == []
