"""GoogLeNet and Inception v3: what they give while training, and their inputs."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych_vision.models import (
    GoogLeNet,
    GoogLeNetOutputs,
    Inception3,
    InceptionOutputs,
)
from triptych_vision.models.inception import scaled_to_one
from triptych_vision.transforms.functional import normalize


def test_auxiliary_classifiers_speak_while_training() -> None:
    with nn.init.skipped():
        model = GoogLeNet(num_classes=3)
    out = model(tp.zeros(2, 3, 64, 64))
    assert isinstance(out, GoogLeNetOutputs)
    assert out._fields == ("logits", "aux_logits2", "aux_logits1")
    assert [tuple(part.shape) for part in out] == [(2, 3)] * 3
    assert model.eval()(tp.zeros(2, 3, 64, 64)).shape == (2, 3)
    with nn.init.skipped():
        plain = GoogLeNet(num_classes=3, aux_logits=False)
    assert plain(tp.zeros(2, 3, 64, 64)).shape == (2, 3)


def test_inception_gives_two() -> None:
    with nn.init.skipped():
        model = Inception3(num_classes=3)
    out = model(tp.zeros(2, 3, 299, 299))
    assert isinstance(out, InceptionOutputs)
    assert [tuple(part.shape) for part in out] == [(2, 3)] * 2


def test_inputs_are_scaled_from_imagenets_numbers_to_one() -> None:
    image = tp.rand(1, 3, 4, 5)
    seen = normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    np.testing.assert_allclose(scaled_to_one(seen).numpy(), 2 * image.numpy() - 1, atol=1e-6)


def test_wrong_numbers_of_blocks() -> None:
    with pytest.raises(ShapeError, match="three blocks, got 1"):
        GoogLeNet(blocks=[nn.Conv2d])
    with pytest.raises(ShapeError, match="seven inception_blocks, got 1"):
        Inception3(inception_blocks=[nn.Conv2d])
