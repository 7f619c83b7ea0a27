"""CLIP's towers in checkpoints of the whole; its results are in tests/text/generation."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionModel,
)

TOWER = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1}
TOWER |= {"num_attention_heads": 2, "projection_dim": 6}
TEXT = {**TOWER, "vocab_size": 20, "max_position_embeddings": 6, "eos_token_id": 19}
IMAGE = {**TOWER, "image_size": 8, "patch_size": 4}
IDS = tp.tensor([[18, 3, 4, 19], [18, 5, 19, 0]])


@pytest.fixture
def whole(tmp_path):
    tp.manual_seed(0)
    values = {"text_config": TEXT, "vision_config": IMAGE, "projection_dim": 6}
    model = CLIPModel(CLIPConfig.from_dict(values)).eval()
    model.save_pretrained(tmp_path)
    return model, tmp_path


def test_towers_of_a_checkpoint(whole):
    model, folder = whole
    pixels = tp.randn(2, 3, 8, 8)
    with tp.no_grad():
        texts = CLIPTextModel.from_pretrained(folder)(IDS)
        assert tp.equal(texts.last_hidden_state, model.text_model(IDS).last_hidden_state)
        both = CLIPTextModelWithProjection.from_pretrained(folder)(IDS)
        assert tp.equal(both.text_embeds, model.get_text_features(IDS))
        images = CLIPVisionModel.from_pretrained(folder)(pixels)
        assert tp.equal(model.visual_projection(images.pooler_output),
                        model.get_image_features(pixels))  # fmt: skip
        again = CLIPModel.from_pretrained(folder)(IDS, pixels)
        assert tp.equal(again.logits_per_text, model(IDS, pixels).logits_per_text)
    np.testing.assert_allclose(again.text_embeds.norm(dim=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.logit_scale.exp().item(), 1 / 0.07, rtol=1e-4)


def test_the_end_token_speaks_for_the_text(whole):
    model = whole[0].text_model
    with tp.no_grad():
        out = model(IDS, position_ids=tp.arange(4)[None])
        for row, end in enumerate((3, 2)):
            assert tp.equal(out.pooler_output[row], out.last_hidden_state[row, end])
        early = CLIPTextModel(CLIPTextConfig(**{**TEXT, "eos_token_id": 2})).eval()
        out = early(IDS)  # early settings name a wrong token; the highest id is meant
        assert tp.equal(out.pooler_output[1], out.last_hidden_state[1, 2])
        padded = model(IDS[1:], tp.tensor([[1, 1, 1, 0]])).pooler_output
        assert tp.equal(padded, model(IDS[1:, :3]).pooler_output)


def test_refuses(whole):
    with pytest.raises(ShapeError, match=r"wanted images of shape \(n, c, 8, 8\)"):
        whole[0].get_image_features(tp.zeros(1, 3, 9, 9))
    with pytest.raises(ShapeError, match="7 tokens"):
        whole[0].get_text_features(tp.ones(1, 7, dtype=tp.int64))
