"""The shipped classifier of clothes on all of Fashion-MNIST's test pictures."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import triptych as tp
from triptych_datasets import Offline
from triptych_vision.models import Fashion_CNN_Weights, fashion_cnn
from triptych_vision.transforms.functional import to_pil_image

EXAMPLES = Path(__file__).parents[2] / "examples"
WEIGHTS = Fashion_CNN_Weights.DEFAULT

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def example() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        spec = importlib.util.spec_from_file_location(
            "train_fashion", EXAMPLES / "train_fashion.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(example: ModuleType, tmp_path_factory: pytest.TempPathFactory):
    try:
        return example.load(tmp_path_factory.mktemp("data"))
    except Offline as error:
        pytest.skip(f"Debian's dataset-fashion-mnist is not installed, nor a server there: {error}")


def test_accuracy_is_the_stated_one(example: ModuleType, data) -> None:
    _, test = data
    model = fashion_cnn(weights="DEFAULT").eval()
    right = example.predict(model, test.data) == test.targets
    score = float(right.float().mean()) * 100
    # Another BLAS rounds differently, which moves pictures on the edge between two classes.
    assert score == pytest.approx(WEIGHTS.meta["_metrics"]["Fashion-MNIST"]["acc@1"], abs=0.03)


def test_the_preset_prepares_as_training_did(example: ModuleType, data) -> None:
    _, test = data
    prepare = WEIGHTS.transforms()
    from_pictures = tp.stack([prepare(to_pil_image(image)) for image in test.data[:20]])
    trained_on = example.as_input(test.data[:20])
    np.testing.assert_allclose(from_pictures.numpy(), trained_on.numpy(), rtol=1e-5, atol=1e-6)


def test_training_repeats_itself_and_learns(example: ModuleType, data) -> None:
    train, test = data
    runs = [example.train(train.data[:1280], train.targets[:1280], 1) for _ in range(2)]
    one, two = (run.state_dict() for run in runs)
    assert all(np.array_equal(one[name].numpy(), two[name].numpy()) for name in one)
    model = example.train(train.data[:2560], train.targets[:2560], 3)
    right = example.predict(model, test.data[:1000]) == test.targets[:1000]
    # After sixty steps, the moving average still holds half of the first weights; chance is 0.1.
    assert float(right.float().mean()) > 0.25


def test_the_program_tests_the_shipped_weights(
    example: ModuleType, data, tmp_path_factory: pytest.TempPathFactory
) -> None:
    finding = example.run(0, tmp_path_factory.getbasetemp() / "data0")
    stated = WEIGHTS.meta["_metrics"]["Fashion-MNIST"]["acc@1"] / 100
    assert float(finding.answer.split()[0]) == pytest.approx(stated, abs=3e-4)
    assert len(finding.facts) == 10
