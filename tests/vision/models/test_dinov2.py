"""DINOv2: positions at other sizes, masks, registers, intermediate layers."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.models import DinoVisionTransformer


def tiny(**config: object) -> DinoVisionTransformer:
    tp.manual_seed(0)
    return DinoVisionTransformer(56, 14, embed_dim=8, depth=3, num_heads=2, **config).eval()


@pytest.mark.parametrize("registers", [0, 4])
def test_features_have_a_place_for_each_token(registers: int) -> None:
    model = tiny(num_register_tokens=registers)
    out = model.forward_features(tp.randn(2, 3, 42, 70))
    assert out["x_norm_clstoken"].shape == (2, 8)
    assert out["x_norm_regtokens"].shape == (2, registers, 8)
    assert out["x_norm_patchtokens"].shape == (2, 15, 8)
    assert out["x_prenorm"].shape == (2, 16 + registers, 8)


def test_positions_stay_at_the_trained_size_and_follow_others() -> None:
    model = tiny(interpolate_offset=0.0)
    assert model.interpolate_pos_encoding(56, 56) is model.pos_embed
    with tp.no_grad():
        model.pos_embed.fill_(3.0)
    got = model.interpolate_pos_encoding(70, 28).detach().numpy()
    assert got.shape == (1, 1 + 5 * 2, 8)
    np.testing.assert_allclose(got, 3.0, rtol=1e-6)  # weights of an interpolation add up to one


def test_masked_patches_do_not_matter() -> None:
    model = tiny()
    masks = tp.zeros(1, 16, dtype=tp.bool)
    masks[0, 5] = True
    image = tp.randn(1, 3, 56, 56)
    other = image.clone()
    other[:, :, 14:28, 14:28] = 9.0  # patch 5: second row, second column
    kept = model.forward_features(image, masks)["x_prenorm"].tolist()
    assert model.forward_features(other, masks)["x_prenorm"].tolist() == kept
    assert model.forward_features(other)["x_prenorm"].tolist() != kept


def test_intermediate_layers() -> None:
    model, x = tiny(), tp.randn(1, 3, 42, 28)
    first, last = model.get_intermediate_layers(x, [0, 2], reshape=True, return_class_token=True)
    assert first[0].shape == (1, 8, 3, 2) and first[1].shape == (1, 8)
    whole = model.forward_features(x)
    assert last[1].tolist() == whole["x_norm_clstoken"].tolist()
    (patches,) = model.get_intermediate_layers(x)
    assert patches.tolist() == whole["x_norm_patchtokens"].tolist()
    assert last[0][0, :, 1, 0].tolist() == patches[0, 2].tolist()


def test_gated_layers_are_two_thirds_wide() -> None:
    state = tiny(gated=True).state_dict()
    assert tuple(state["blocks.0.mlp.w12.weight"].shape) == (48, 8)  # int(32 * 2 / 3) up to 24
    assert tuple(state["blocks.0.mlp.w3.weight"].shape) == (8, 24)


def test_sizes_are_multiples_of_the_patches() -> None:
    with pytest.raises(ShapeError, match="multiples of 14"):
        tiny()(tp.zeros(1, 3, 56, 60))
