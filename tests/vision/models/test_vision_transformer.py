"""The vision transformer: positions at other sizes, old names, and what it refuses."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych_vision.models import VisionTransformer
from triptych_vision.models.vision_transformer import ConvStemConfig, interpolate_embeddings


def tiny(image_size: int = 32, **config: object) -> VisionTransformer:
    return VisionTransformer(image_size, 8, 2, 2, 8, 16, num_classes=3, **config)


def test_new_models_know_nothing() -> None:
    assert tiny()(tp.randn(2, 3, 32, 32)).tolist() == [[0.0] * 3] * 2  # the head starts at zero


def test_positions_interpolate_linear_ones_exactly() -> None:
    state = tiny().state_dict()
    line = np.linspace(0, 1, 4, dtype=np.float32)
    grid = np.broadcast_to((line[:, None] + 2 * line)[..., None], (4, 4, 8))
    token = np.full((1, 1, 8), 7, np.float32)
    positions = np.concatenate([token, grid.reshape(1, 16, 8)], axis=1)
    state["encoder.pos_embedding"] = tp.tensor(positions)
    new = interpolate_embeddings(56, 8, state, interpolation_mode="bilinear")
    fine = np.linspace(0, 1, 7)
    got = new["encoder.pos_embedding"].numpy()
    assert (got[0, 0] == 7).all()
    np.testing.assert_allclose(got[0, 1:, 3].reshape(7, 7), fine[:, None] + 2 * fine, atol=1e-6)
    assert tiny(56).load_state_dict(new).missing_keys == []
    assert state["encoder.pos_embedding"].shape == (1, 17, 8)  # the given one stays


def test_heads_can_be_left_out() -> None:
    new = interpolate_embeddings(64, 8, tiny().state_dict(), reset_heads=True)
    assert not any(key.startswith("heads") for key in new)
    with pytest.raises(ShapeError, match=r"wanted encoder\.pos_embedding of shape"):
        interpolate_embeddings(64, 8, {"encoder.pos_embedding": tp.zeros(1, 8, 4)})


def test_old_names_of_the_two_layers_load() -> None:
    tp.manual_seed(0)
    model = tiny()
    old = {
        key.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): value
        for key, value in model.state_dict().items()
    }
    assert any("linear_2" in key for key in old)
    other = tiny()
    other.load_state_dict(old)
    assert (
        other.state_dict()["encoder.layers.encoder_layer_1.mlp.3.weight"].tolist()
        == model.state_dict()["encoder.layers.encoder_layer_1.mlp.3.weight"].tolist()
    )


def test_stem_of_convolutions_and_further_layer() -> None:
    stem = [ConvStemConfig(4, 3, 2), ConvStemConfig(8, 3, 4)]
    model = tiny(conv_stem_configs=stem, representation_size=5).eval()
    assert [name for name, _ in model.heads.named_children()] == ["pre_logits", "act", "head"]
    assert "conv_proj.conv_last.weight" in model.state_dict()
    assert model(tp.zeros(1, 3, 32, 32)).shape == (1, 3)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="wanted images of 32 x 32 pixels"):
        tiny()(tp.zeros(1, 3, 40, 32))
    with pytest.raises(ShapeError, match="no multiple of patch_size=8"):
        tiny(30)
    assert isinstance(tiny().encoder.ln, nn.LayerNorm)
