"""The pipeline of text in and text out, with a tokenizer of words."""

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

import triptych as tp
from triptych.errors import DTypeError
from triptych_text.models import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
)
from triptych_text.pipelines.text_generation import TextGeneration

LETTERS = ["<pad>", "</s>", *"abcdefghij"]


@pytest.fixture
def folder(tmp_path):
    backend = Backend(models.WordLevel({w: i for i, w in enumerate(LETTERS)}, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens(["<pad>", "</s>"])
    backend.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.mark.parametrize("kind", ["decoder", "both"])
def test_pipeline(kind, folder):
    tp.manual_seed(0)
    if kind == "decoder":
        config = GPT2Config(
            vocab_size=12, n_positions=32, n_embd=8, n_layer=1, n_head=2, pad_token_id=0,
            eos_token_id=1, initializer_range=0.5,
        )  # fmt: skip
        GPT2LMHeadModel(config).save_pretrained(folder)
    else:
        config = T5Config(vocab_size=12, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
        T5ForConditionalGeneration(config).save_pretrained(folder)
    write = TextGeneration.from_pretrained(folder)
    options = {"max_new_tokens": 6, "suppress_tokens": [0, 1]}
    one = write("abc", **options)
    assert len(one) == 6 and set(one) <= set("abcdefghij")
    assert write(["abc", "cabbage"], **options)[0] == one
    assert "".join(write.stream("abc", **options)) == one
    cut = write("abc", **options, stop_strings=[one[2:4]])
    assert cut == one[: one.index(one[2:4])]
    assert "".join(write.stream("abc", **options, stop_strings=[one[2:4]])) == cut
    several = write("abc", **options, num_beams=3, num_return_sequences=2)
    assert len(several) == 2 and several[0] != several[1]
    assert write([]) == []
    assert write(["abc"], **options, num_beams=3, num_return_sequences=2) == [several]


def test_refuses():
    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    with pytest.raises(DTypeError, match="got a BertModel"):
        TextGeneration(BertModel(config), None)
