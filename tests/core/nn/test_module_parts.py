"""Replacing submodules, compiling in place, moving without numbers, synchronised batch norm."""

import copy
import pickle

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn.members import ModuleError


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3)))


def test_set_submodule():
    model, tanh = net(), nn.Tanh()
    model.set_submodule("1.0", tanh)
    assert model[1][0] is tanh
    model.set_submodule("1.extra", nn.Identity())
    assert list(model[1]._modules) == ["0", "1", "extra"]
    for target, module, error, text in (
        ("", tanh, tp.ShapeError, "empty"),
        ("1.0", "tanh", tp.DTypeError, "wanted a Module"),
        ("7.0", tanh, AttributeError, "7"),
        ("0.weight", tanh, ModuleError, "is a Parameter"),
    ):
        with pytest.raises(error, match=text):
            model.set_submodule(target, module)
    with pytest.raises(ModuleError, match="is not there"):
        model.set_submodule("1.more", tanh, strict=True)


def test_compile_in_place_replays_and_copies_are_plain():
    model, x = net().eval(), tp.ones(4, 2)
    with tp.no_grad():
        expected = model(x).numpy()
        model.compile()
        for _ in range(3):
            np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-6)
        assert "primitives" in model.forward.explain()
        model[0].bias += 1  # state stays live
        assert not np.allclose(model(x).numpy(), expected)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert "forward" not in twin.__dict__ and twin(x).shape == (4, 3)


def test_to_empty_keeps_shapes_and_identity():
    model = net()
    weight = model[0].weight
    assert model.to_empty(device="cpu") is model
    assert model[0].weight is weight and weight.shape == (3, 2)
    model = net()
    before = model[0].weight.detach().clone()
    model.to_empty(device="cpu", recurse=False)
    assert tp.equal(model[0].weight, before)


def test_sync_batch_norm_is_batch_norm_in_one_process():
    tp.manual_seed(0)
    x = tp.randn(4, 3, 5, 5, 2)
    one, two = nn.BatchNorm3d(3), nn.SyncBatchNorm(3)
    np.testing.assert_array_equal(one(x).detach().numpy(), two(x).detach().numpy())
    np.testing.assert_array_equal(one.running_var.numpy(), two.running_var.numpy())
    with pytest.raises(tp.ShapeError, match="at least 2 dims"):
        two(tp.ones(3))
    with pytest.raises(tp.UnknownNameError, match="process_group"):
        nn.SyncBatchNorm(3, process_group="world")


def test_convert_sync_batchnorm_shares_tensors():
    model = net()
    old = model[1][1].eval()
    names = list(model.state_dict())
    made = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    new = made[1][1]
    assert made is model and type(new) is nn.SyncBatchNorm and not new.training
    assert new.weight is old.weight and new.running_mean is old.running_mean
    assert list(made.state_dict()) == names
    assert nn.SyncBatchNorm.convert_sync_batchnorm(made)[1][1] is new
    assert type(nn.SyncBatchNorm.convert_sync_batchnorm(old)) is nn.SyncBatchNorm


def test_in_place_activations_return_their_input():
    for name in ("relu", "elu", "celu", "selu", "hardtanh", "leaky_relu"):
        x = tp.tensor([-3.0, -0.5, 2.0])
        expected = getattr(nn.functional, name)(x).numpy()
        assert getattr(nn.functional, f"{name}_")(x) is x
        np.testing.assert_array_equal(x.numpy(), expected)
    x = tp.tensor([0.0, 2.0])
    assert nn.functional.threshold_(x, 1.0, 7.0).tolist() == [7.0, 2.0]


def test_a_mean_over_ignored_targets_alone_has_no_gradient():
    x = tp.ones(2, 3, requires_grad=True)
    loss = nn.functional.cross_entropy(x, tp.tensor([-100, -100]))
    loss.backward()
    assert np.isnan(float(loss)) and not x.grad.numpy().any()


def test_bags_divide_by_how_often_the_input_has_a_row():
    table = tp.ones(4, 1, requires_grad=True)
    bags = nn.functional.embedding_bag(
        tp.tensor([1, 1, 2, 1, 3]), table, tp.tensor([0, 1]), mode="sum", scale_grad_by_freq=True
    )
    bags.sum().backward()
    np.testing.assert_allclose(table.grad.numpy().ravel(), [0, 1, 1, 1])


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 3, 1),
        nn.Conv2d(3, 3, 1, groups=3),
        nn.ConvTranspose2d(3, 3, 1),
        nn.BatchNorm2d(3),
        nn.BatchNorm2d(3, affine=False),
        nn.GroupNorm(3, 3),
        nn.InstanceNorm2d(3, affine=True),
    ],
    ids=repr,
)
def test_without_recording_only_fresh_memory_is_written_over(layer):
    layer.eval()
    with tp.no_grad():
        for p in layer.parameters():
            nn.init.normal_(p)
    x = tp.randn(2, 3, 4, 4)
    held = [t.detach().clone() for t in (x, *layer.state_dict().values())]
    recorded = layer(x).detach()
    with tp.no_grad():
        assert tp.equal(layer(x), recorded)
    for now, before in zip((x, *layer.state_dict().values()), held, strict=True):
        assert tp.equal(now, before)
