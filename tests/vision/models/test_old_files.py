"""Files of earlier versions of the models load."""

import re

import pytest

import triptych as tp
from triptych_vision.models import DenseNet, MNASNet


def test_densenet_with_points_in_the_names() -> None:
    tp.manual_seed(0)
    model = DenseNet(4, (2, 2), 8, num_classes=2)
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))(\d)")
    old = {
        pattern.sub(r"\1.\2", key): value
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer2.norm.1.running_var" in old
    other = DenseNet(4, (2, 2), 8, num_classes=2)
    other.load_state_dict(old, strict=False)
    x = tp.randn(1, 3, 32, 32)
    assert other.eval()(x).tolist() == model.eval()(x).tolist()


def test_mnasnet_with_a_stem_of_one_width() -> None:
    model, narrow = MNASNet(1.0, num_classes=2), MNASNet(0.5, num_classes=2)
    stem = {k: v for k, v in model.state_dict().items() if int(k.split(".")[1]) < 8}
    old = {**narrow.state_dict(), **{k: v for k, v in stem.items() if k.startswith("layers")}}
    first = "layers.8.0.layers.0.weight"  # the next block widens the wide stem's 16 channels
    old[first] = tp.zeros(48, 16, 1, 1)
    for key in [k for k in old if k.startswith("layers.8.0.layers.")]:
        if old[key].ndim and old[key].shape[0] == 24:
            old[key] = tp.ones(48, *old[key].shape[1:])
    old["layers.8.0.layers.6.weight"] = tp.zeros(16, 48, 1, 1)
    with pytest.warns(UserWarning, match="of the first version"):
        narrow.load_state_dict(old)
    assert narrow.layers[0].out_channels == 32
    assert narrow.eval()(tp.zeros(1, 3, 32, 32)).shape == (1, 2)
