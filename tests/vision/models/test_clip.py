"""CLIP's image towers: the names of three kinds of files, and sizes."""

import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.models import CLIPVisionTransformer


def tiny() -> CLIPVisionTransformer:
    return CLIPVisionTransformer(16, 8, width=8, layers=2, heads=2, output_dim=4).eval()


def as_hugging_face(state: dict[str, tp.Tensor]) -> dict[str, tp.Tensor]:
    """The same numbers as Hugging Face's CLIPModel names and cuts them."""
    out = {
        "logit_scale": tp.zeros(()),
        "text_model.embeddings.token_embedding.weight": tp.zeros(2, 2),
        "vision_model.embeddings.position_ids": tp.arange(5)[None],
        "vision_model.embeddings.class_embedding": state["class_embedding"],
        "vision_model.embeddings.position_embedding.weight": state["positional_embedding"],
        "vision_model.embeddings.patch_embedding.weight": state["conv1.weight"],
        "visual_projection.weight": state["proj"].T,
    }
    for kind in ("weight", "bias"):
        out[f"vision_model.pre_layrnorm.{kind}"] = state[f"ln_pre.{kind}"]
        out[f"vision_model.post_layernorm.{kind}"] = state[f"ln_post.{kind}"]
        for number in range(2):
            ours, theirs = (
                f"transformer.resblocks.{number}",
                f"vision_model.encoder.layers.{number}",
            )
            for part, piece in zip(
                "qkv", state[f"{ours}.attn.in_proj_{kind}"].chunk(3), strict=True
            ):
                out[f"{theirs}.self_attn.{part}_proj.{kind}"] = piece
            for old, new in (
                ("attn.out_proj", "self_attn.out_proj"),
                ("ln_1", "layer_norm1"),
                ("ln_2", "layer_norm2"),
                ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
            ):
                out[f"{theirs}.{new}.{kind}"] = state[f"{ours}.{old}.{kind}"]
    return out


@pytest.mark.parametrize("kind", ["own", "openai", "hugging face"])
def test_files_of_three_kinds_load(kind: str) -> None:
    tp.manual_seed(0)
    model, x = tiny(), tp.randn(2, 3, 16, 16)
    state = dict(model.state_dict())
    if kind == "openai":
        text = {"token_embedding.weight": tp.zeros(2, 2), "logit_scale": tp.zeros(())}
        state = {f"visual.{key}": value for key, value in state.items()} | text
    elif kind == "hugging face":
        state = as_hugging_face(state)
    other = tiny()
    assert other(x).tolist() != model(x).tolist()
    other.load_state_dict(state)
    assert other(x).tolist() == model(x).tolist()


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="wanted images of 16 x 16 pixels"):
        tiny()(tp.zeros(1, 3, 24, 24))
