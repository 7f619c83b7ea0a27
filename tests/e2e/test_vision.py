"""What a user of the vision package does, with real weights and real photographs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_datasets import Offline, fetch
from triptych_vision.io import read_image
from triptych_vision.models import MobileNet_V2_Weights, get_model, mobilenet_v2
from triptych_vision.models.mobilenetv2 import MobileNetV2

pytestmark = pytest.mark.network

RECORDED = Path(__file__).parent / "references" / "mobilenet_v2.npz"
WEIGHTS = MobileNet_V2_Weights.IMAGENET1K_V1


def fetched(name: str) -> Path:
    try:
        return fetch(name, progress=False)
    except Offline as error:
        pytest.skip(f"no source of {name} can be reached: {error}")


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(RECORDED) as file:
        return dict(file)


@pytest.fixture(scope="module")
def model() -> MobileNetV2:
    try:
        return mobilenet_v2(weights="IMAGENET1K_V1", progress=False).eval()
    except Offline as error:
        pytest.skip(f"no source of the weights can be reached: {error}")


@pytest.fixture(scope="module")
def inputs(recorded: dict[str, np.ndarray]) -> tp.Tensor:
    """(n, 3, 224, 224): both photographs through the preset, and the recorded pattern."""
    preset = WEIGHTS.transforms()
    photos = [Image.open(fetched(f"{name}.png")).convert("RGB") for name in recorded["names"][:2]]
    c, y, x = np.meshgrid(np.arange(3), np.arange(224), np.arange(224), indexing="ij")
    wave = (np.sin(0.05 * (c + 1) * y + 0.03 * x) + np.cos(0.001 * x * y)).astype(np.float32)
    return tp.stack([*map(preset, photos), tp.from_numpy(wave)])


def norm_error(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def test_prepared_photographs_equal_torchvisions(
    inputs: tp.Tensor, recorded: dict[str, np.ndarray]
) -> None:
    assert np.array_equal(inputs[:, :, 3::8, 3::8].numpy(), recorded["input_sample"])
    x = inputs.to(tp.float64)
    np.testing.assert_allclose(x.sum((1, 2, 3)).numpy(), recorded["input_sum"], rtol=1e-9)
    np.testing.assert_allclose(x.abs().sum((1, 2, 3)).numpy(), recorded["input_abs_sum"], rtol=1e-9)


def test_every_block_computes_what_torchvisions_does(
    model: MobileNetV2, inputs: tp.Tensor, recorded: dict[str, np.ndarray]
) -> None:
    x = inputs
    with tp.inference_mode():
        for place, block in enumerate(model.features):
            x = block(x)
            flat = x.flatten(1)
            sample = flat[:, :: flat.shape[1] // 16][:, :16].numpy()
            scale = recorded["features_abs_mean"][:, place]
            np.testing.assert_allclose(flat.abs().mean(1).numpy(), scale, rtol=1e-4)
            error = np.abs(sample - recorded["features_sample"][:, place])
            assert (error <= 2e-4 * scale[:, None]).all(), f"features.{place}"


def test_logits_equal_torchvisions(
    model: MobileNetV2, inputs: tp.Tensor, recorded: dict[str, np.ndarray]
) -> None:
    with tp.inference_mode():
        logits = model(inputs)
    for got, want in zip(logits.numpy(), recorded["logits"], strict=True):
        assert norm_error(got, want) <= 1e-4
    probabilities, labels = logits.softmax(1).topk(5)
    assert np.array_equal(labels.numpy(), recorded["top5_labels"])
    np.testing.assert_allclose(probabilities.numpy(), recorded["top5_probabilities"], atol=1e-4)
    categories = np.array(WEIGHTS.meta["categories"])
    assert np.array_equal(categories[labels.numpy()], recorded["top5_names"])


@pytest.mark.parametrize(
    ("photo", "label", "least"),
    [("coffee.png", "espresso", 0.98), ("chelsea.png", "Egyptian cat", 0.7)],
)
def test_photographs_are_recognised(
    model: MobileNetV2, photo: str, label: str, least: float
) -> None:
    image = read_image(fetched(photo), mode="RGB")
    with tp.inference_mode():
        probabilities = model(WEIGHTS.transforms()(image)[None]).softmax(1)[0]
    best = int(probabilities.argmax())
    assert WEIGHTS.meta["categories"][best] == label
    assert float(probabilities[best]) >= least


def test_state_dict_is_the_files(model: MobileNetV2) -> None:
    stored = WEIGHTS.get_state_dict(progress=False, check_hash=True)
    state = model.state_dict()
    # The file is from before layers counted their batches.
    counters = {name for name in state if name.endswith("num_batches_tracked")}
    assert set(stored) | counters == set(state)
    assert all(np.array_equal(state[name].numpy(), stored[name].numpy()) for name in stored)


def test_fine_tuning_from_pretrained_features(model: MobileNetV2) -> None:
    tuned = get_model("mobilenet_v2", weights=WEIGHTS, progress=False)
    for parameter in tuned.features.parameters():
        parameter.requires_grad_(False)
    tuned.classifier[1] = tp.nn.Linear(tuned.last_channel, 2)
    photos = [read_image(fetched(name), mode="RGB") for name in ("coffee.png", "chelsea.png")]
    x = tp.stack([WEIGHTS.transforms()(photo) for photo in photos])
    labels = tp.tensor([0, 1])
    tuned.eval()
    with tp.no_grad():
        features = tuned.features(x).mean((2, 3))
    head = tuned.classifier[1]
    for _ in range(30):
        loss = tp.nn.functional.cross_entropy(head(features), labels)
        head.zero_grad()
        loss.backward()
        with tp.no_grad():
            for parameter in head.parameters():
                parameter -= 0.5 * parameter.grad
    with tp.inference_mode():
        assert tuned(x).argmax(1).tolist() == [0, 1]
