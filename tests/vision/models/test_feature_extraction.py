"""Features by name: the values, the names, and what is not computed."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError
from triptych_vision.models import ResNet, mobilenet_v3_small
from triptych_vision.models.feature_extraction import (
    create_feature_extractor,
    get_graph_node_names,
)
from triptych_vision.models.resnet import BasicBlock


@pytest.fixture
def model() -> ResNet:
    tp.manual_seed(0)
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5).eval()


X = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)


def test_values_are_the_models_own(model: ResNet) -> None:
    names = {"layer1": "stage", "layer1.0.add": "sum", "layer1.0.relu_1": "end", "flatten": "f"}
    with tp.no_grad():
        out = create_feature_extractor(model, names)(tp.tensor(X))
        logits = model(tp.tensor(X))
        stem = model.maxpool(model.relu(model.bn1(model.conv1(tp.tensor(X)))))
        stage = model.layer1(stem)
    assert list(out) == list(names.values())
    assert all(type(value) is tp.Tensor for value in out.values())
    np.testing.assert_array_equal(out["stage"].numpy(), stage.numpy())
    np.testing.assert_array_equal(out["end"].numpy(), out["stage"].numpy())
    np.testing.assert_array_equal(out["end"].numpy(), np.maximum(out["sum"].numpy(), 0))
    np.testing.assert_array_equal(model.fc(out["f"]).detach().numpy(), logits.numpy())


def test_names_are_torchvisions(model: ResNet) -> None:
    train, evaluate = get_graph_node_names(model, tp.tensor(X))
    assert train == evaluate
    # recorded from torchvision for a block of ResNet, whose first name is "x", the input
    block = ["conv1", "bn1", "relu", "conv2", "bn2", "add", "relu_1"]
    assert train[:4] == ["conv1", "bn1", "relu", "maxpool"]
    assert train[4:11] == [f"layer1.0.{name}" for name in block]
    assert train[-3:] == ["avgpool", "flatten", "fc"]
    small = get_graph_node_names(mobilenet_v3_small(), tp.zeros(2, 3, 32, 32))[1]
    assert small[:2] == ["features.0", "features.1.block.0"]
    assert "features.3.add" in small and small[-1] == "classifier.3"


def test_looking_for_names_changes_nothing(model: ResNet) -> None:
    model.train()
    before = model.bn1.running_mean.numpy().copy()
    tp.manual_seed(3)
    get_graph_node_names(model, tp.tensor(X))
    drawn = tp.rand(2).tolist()
    tp.manual_seed(3)
    assert drawn == tp.rand(2).tolist()
    assert model.training
    np.testing.assert_array_equal(model.bn1.running_mean.numpy(), before)
    assert int(model.bn1.num_batches_tracked) == 0


def test_nothing_is_computed_after_the_last_value(model: ResNet) -> None:
    calls = []
    model.layer2.register_forward_hook(lambda *_: calls.append(1))
    extractor = create_feature_extractor(model, ["layer1"])
    extractor(tp.tensor(X))
    again = extractor(tp.tensor(X))
    assert len(calls) == 1 and list(again) == ["layer1"]
    assert model(tp.tensor(X)).shape == (2, 5) and len(calls) == 2  # no hook of ours stays


def test_layers_are_shared_and_keep_their_names(model: ResNet) -> None:
    extractor = create_feature_extractor(model, ["layer4"])
    assert list(extractor.state_dict()) == list(model.state_dict())
    extractor(tp.tensor(X))["layer4"].sum().backward()
    assert model.conv1.weight.grad is not None
    extractor.train()
    assert model.training and model.bn1.training


def test_other_names_while_training(model: ResNet) -> None:
    extractor = create_feature_extractor(
        model, train_return_nodes={"fc": "logits"}, eval_return_nodes={"avgpool": "pooled"}
    )
    assert list(extractor.eval()(tp.tensor(X))) == ["pooled"]
    assert list(extractor.train()(tp.tensor(X))) == ["logits"]


def test_wrong_names_and_arguments(model: ResNet) -> None:
    with pytest.raises(UnknownNameError, match=r"nothing called 'layer9'; the closest names are"):
        create_feature_extractor(model, ["layer9"])(tp.tensor(X))
    with pytest.raises(ValueError, match="give return_nodes, or both"):
        create_feature_extractor(model)
    with pytest.raises(ValueError, match="give return_nodes, or both"):
        create_feature_extractor(model, ["fc"], ["fc"], ["fc"])


def test_operators_of_a_users_module() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: tp.Tensor) -> tp.Tensor:
            x = self.layer(x)
            return 2 * (x + x) - self.layer(x)[:, :1]

    names = get_graph_node_names(Mixed(), tp.zeros(1, 3))[1]
    assert names == ["layer", "add", "mul", "layer_1", "getitem", "sub"]
