"""Generation with a small GPT-2: rules, limits, stops, streams, refusals."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_text import generation as g
from triptych_text.models import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
)

PROMPT = tp.tensor([[4, 5, 6]])


def greedy_twin(model, ids, count):
    """One token at a time, all from the start."""
    ids = list(ids)
    for _ in range(count):
        with tp.no_grad():
            ids.append(model(tp.tensor([ids])).logits[0, -1].argmax().item())
    return ids


def test_greedy_is_the_best_token_each_time(model):
    wanted = greedy_twin(model, [4, 5, 6], 12)
    assert model.generate(PROMPT, max_new_tokens=12, eos_token_id=[]).tolist() == [wanted]
    end = wanted[6]
    first = wanted.index(end, 3)
    stopped = model.generate(PROMPT, max_new_tokens=12, eos_token_id=[end, 11]).tolist()[0]
    assert stopped == wanted[: first + 1] or stopped[-1] == 11


def test_finished_rows_are_filled_up(model):
    ids = tp.tensor([[4, 5, 6], [7, 8, 9]])
    rows = [greedy_twin(model, row, 12) for row in ids.tolist()]
    end = rows[0][4]
    out = model.generate(ids, max_new_tokens=12, eos_token_id=end, pad_token_id=0).tolist()
    for row, wanted in zip(out, rows, strict=True):
        stop = wanted.index(end, 3) + 1 if end in wanted[3:] else len(wanted)
        assert row[:stop] == wanted[: min(stop, len(row))]
        assert set(row[stop:]) <= {0}


def test_left_padding_changes_nothing(model):
    alone = model.generate(PROMPT, max_new_tokens=8, eos_token_id=[]).tolist()[0]
    ids = tp.tensor([[0, 0, 4, 5, 6], [7, 8, 9, 10, 11]])
    for options in ({}, {"attention_mask": (ids != 0).long()}):
        out = model.generate(ids, max_new_tokens=8, eos_token_id=[], **options)
        assert out[0, 2:].tolist() == alone
    with pytest.warns(UserWarning, match="padding on its right"):
        model.generate(tp.tensor([[4, 5, 0], [7, 8, 9]]), max_new_tokens=2)


def test_beams_find_the_most_probable_text(model):
    """All 12 ** 3 continuations are scored; as many beams as that miss none."""
    with tp.no_grad():
        tails = np.stack(np.meshgrid(*[range(12)] * 3, indexing="ij"), -1).reshape(-1, 3)
        ids = np.concatenate([np.tile([4, 5, 6], (len(tails), 1)), tails], 1)
        logp = tp.log_softmax(model(tp.from_numpy(ids)).logits, -1).numpy()
    total = sum(logp[np.arange(len(ids)), 2 + i, tails[:, i]] for i in range(3))
    order = np.argsort(-total)[:2]
    out = model.generate(
        PROMPT, max_new_tokens=3, num_beams=144, num_return_sequences=2, eos_token_id=[],
        length_penalty=0.0, return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    assert out.sequences.tolist() == ids[order].tolist()
    np.testing.assert_allclose(out.sequences_scores.numpy(), total[order], rtol=1e-5)
    assert len(out.scores) == 3 and out.scores[0].shape == (144, 12)


def test_sampling_follows_the_probabilities(model):
    options = {"do_sample": True, "max_new_tokens": 1, "num_return_sequences": 4000, "top_k": 0}
    out = model.generate(PROMPT, **options, generator=tp.Generator().manual_seed(1))
    with tp.no_grad():
        wanted = tp.softmax(model(PROMPT).logits[0, -1], -1).numpy()
    share = np.bincount(out[:, -1].numpy(), minlength=12) / 4000
    np.testing.assert_allclose(share, wanted, atol=4 * np.sqrt(0.25 / 4000))
    tp.manual_seed(5)
    one = model.generate(PROMPT, do_sample=True, max_new_tokens=9)
    tp.manual_seed(5)
    assert one.tolist() == model.generate(PROMPT, do_sample=True, max_new_tokens=9).tolist()
    drawn = model.generate(
        PROMPT, do_sample=True, num_beams=3, max_new_tokens=4, top_p=0.9, min_p=0.01, temperature=2
    )
    assert drawn.shape == (1, 7) or 1 in drawn[0, 3:].tolist()


def test_callbacks_and_criteria(model):
    out = model.generate(
        PROMPT,
        max_new_tokens=6,
        prefix_allowed_tokens_fn=lambda prompt, ids: [3 + len(ids) % 2],
        eos_token_id=[],
    )
    assert out[0, 3:].tolist() == [4, 3, 4, 3, 4, 3]
    doubled = model.generate(
        PROMPT, max_new_tokens=4, eos_token_id=[], num_beams=2,
        logits_processor=[lambda ids, scores: scores + tp.eye(12)[7] * 100],
    )  # fmt: skip
    assert doubled[0, 3:].tolist() == [7] * 4
    stop = model.generate(
        PROMPT, max_new_tokens=9, eos_token_id=[],
        stopping_criteria=[lambda ids, scores: ids.shape[1] >= 5],
    )  # fmt: skip
    assert stop.shape == (1, 5)


def test_limits(model):
    assert model.generate(PROMPT, eos_token_id=[]).shape == (1, 23)
    assert model.generate(PROMPT, eos_token_id=[], max_length=7).shape == (1, 7)
    assert model.generate(tp.ones(1, 35, dtype=tp.int64) * 4, eos_token_id=[]).shape == (1, 40)
    ends = list(range(12))
    assert model.generate(PROMPT, eos_token_id=ends).shape == (1, 4)
    kept = model.generate(PROMPT, eos_token_id=[1], min_length=9, max_length=9)
    assert kept.shape == (1, 9)
    assert 1 not in kept[0, 3:8].tolist()
    out = model.generate(PROMPT, max_new_tokens=2, return_dict_in_generate=True, output_scores=True)
    assert out.keys() == ["sequences", "scores"]
    assert out.scores[0].shape == (1, 12)
    assert len(model.generate(PROMPT, max_new_tokens=2, return_dict_in_generate=True)) == 1


class Collector:
    def __init__(self):
        self.got, self.ended = [], False

    def put(self, ids):
        self.got.append(ids.tolist())

    def end(self):
        self.ended = True


def test_streams(model):
    whole = model.generate(PROMPT, max_new_tokens=5, eos_token_id=[]).tolist()[0]
    collector = Collector()
    model.generate(PROMPT, max_new_tokens=5, eos_token_id=[], streamer=collector)
    assert collector.got == [[whole[:3]], *([token] for token in whole[3:])]
    assert collector.ended
    steps = list(g.stream_tokens(model, PROMPT, max_new_tokens=5, eos_token_id=[]))
    assert [step.item() for step in steps] == whole[3:]
    with pytest.raises(ShapeError, match="num_beams must be 1"):
        next(g.stream_tokens(model, PROMPT, num_beams=2))
    with pytest.raises(ShapeError, match="streamer wants num_beams=1"):
        model.generate(PROMPT, num_beams=2, streamer=collector)


@pytest.fixture
def speller():
    config = T5Config(
        vocab_size=1300, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, eos_token_id=1
    )
    return T5ForConditionalGeneration(config).eval()


def test_text_comes_in_pieces(speller, letters):
    data = [1000 + byte for byte in "añ€!".encode()] + [1]
    rule = lambda prompt, ids: [data[len(ids) - 1]]  # noqa: E731
    options = {"prefix_allowed_tokens_fn": rule, "max_new_tokens": 20}
    pieces = list(g.stream_text(speller, letters, "hi", **options))
    assert pieces == ["a", "ñ", "€", "!", "\x01"]
    stopped = list(g.stream_text(speller, letters, "hi", **options, stop_strings="€"))
    assert stopped == ["a", "ñ"]
    ids = tp.tensor([[104, 105]])
    cut = g.stream_text(speller, letters, ids, **options, stop_strings=["€x"])
    assert "".join(cut) == "añ€!\x01"


def test_stop_strings_end_the_generation(speller, letters):
    text = list(map(ord, "one. two. three"))
    rule = lambda prompt, ids: [text[len(ids) - 1]]  # noqa: E731
    options = {"prefix_allowed_tokens_fn": rule, "max_new_tokens": 15, "tokenizer": letters}
    ids = tp.tensor([[104, 105]])
    out = speller.generate(ids, **options, stop_strings=[". t"])
    assert letters.decode(out[0, 1:].tolist()) == "one. t"
    beams = speller.generate(ids, **options, stop_strings="two", num_beams=2)
    assert letters.decode(beams[0, 1:].tolist()) == "one. two"
    with pytest.raises(UnknownNameError, match="tokenizer="):
        speller.generate(ids, stop_strings="x")
    with pytest.raises(ShapeError, match='stop_strings hold ""'):
        speller.generate(ids, stop_strings=["x", ""], tokenizer=letters)


def test_pieces_hold_back_what_may_change(letters):
    pieces = g.TextPieces(letters, ["END"])
    assert pieces.push(1000 + 0xC3) == ""
    assert pieces.push(1000 + 0xB1) == "ñ"
    assert [pieces.push(ord(c)) for c in "xEN"] == ["x", "", ""]
    assert pieces.end() == "EN"
    broken = g.TextPieces(letters)
    assert broken.push(1000 + 0xC3) == ""
    assert broken.end() == "\ufffd"
    done = g.TextPieces(letters, ["a"])
    assert done.push(ord("a")) == "" and done.stopped
    assert done.push(ord("b")) == "" and done.end() == ""


def test_starts_of_decoders(speller):
    ids = tp.tensor([[104, 105]])
    given = speller.generate(ids, decoder_input_ids=tp.tensor([[7, 8]]), max_new_tokens=2)
    assert given[0, :3].tolist() == [0, 7, 8]
    kept = speller.generate(ids, decoder_input_ids=tp.tensor([[0, 8]]), max_new_tokens=2)
    assert kept[0, :2].tolist() == [0, 8]
    with pytest.raises(ShapeError, match="decoder_start_token_id"):
        speller.generate(ids, decoder_start_token_id=None)
    config = BartConfig(
        vocab_size=20, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, forced_bos_token_id=5,
        max_position_embeddings=30,
    )  # fmt: skip
    bart = BartForConditionalGeneration(config).eval()
    out = bart.generate(tp.tensor([[0, 7, 2]]), max_new_tokens=4, min_new_tokens=4)[0].tolist()
    assert out[:2] == [2, 5] and out[-1] == 2


def test_settings(model, tmp_path):
    assert model.generation_config.end_ids == [1]
    assert model.generation_config.fill_id == 0
    model.generation_config = model.generation_config.updated(max_new_tokens=2)
    assert model.generate(PROMPT, eos_token_id=[]).shape == (1, 5)
    model.save_pretrained(tmp_path)
    saved = GPT2LMHeadModel.from_pretrained(tmp_path).generation_config
    assert saved == model.generation_config
    values = {"max_new_tokens": 4, "top_k": None, "eos_token_id": [7, 8], "unknown": 1}
    (tmp_path / "generation_config.json").write_text(json.dumps(values))
    loaded = GPT2LMHeadModel.from_pretrained(tmp_path).generation_config
    assert (loaded.max_new_tokens, loaded.top_k, loaded.end_ids) == (4, 50, [7, 8])
    assert loaded.pad_token_id == 0
    assert loaded.to_dict() == {"max_new_tokens": 4, "eos_token_id": [7, 8], "pad_token_id": 0} | (
        {"bos_token_id": 50256}
    )
    (tmp_path / "generation_config.json").unlink()
    older = json.loads((tmp_path / "config.json").read_text()) | {"num_beams": 4}
    (tmp_path / "config.json").write_text(json.dumps(older))
    assert GPT2LMHeadModel.from_pretrained(tmp_path).generation_config.num_beams == 4
    assert g.GenerationConfig(eos_token_id=[3, 4]).fill_id == 3
    assert g.GenerationConfig().fill_id == 0


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"num_beams": 0}, ShapeError, "num_beams >= 1, got num_beams=0"),
        ({"temperature": 0.0}, ShapeError, "temperature > 0"),
        ({"top_p": 1.5}, ShapeError, "0 <= top_p <= 1, got top_p=1.5"),
        ({"min_p": -1.0}, ShapeError, "min_p"),
        ({"top_k": -1}, ShapeError, "top_k >= 0"),
        ({"num_beams": "2"}, DTypeError, "num_beams is a number, got '2'"),
        ({"early_stopping": "soon"}, DTypeError, "never"),
        ({"num_return_sequences": 2}, ShapeError, "do_sample=True"),
        (
            {"num_return_sequences": 3, "num_beams": 2, "do_sample": True},
            ShapeError,
            "num_return_sequences <= num_beams",
        ),
        ({"max_length": 3}, ShapeError, "the prompt has 3 tokens"),
        ({"max_new_token": 3}, UnknownNameError, "no setting is named max_new_token"),
        ({"attention_mask": tp.ones(1, 2)}, ShapeError, "wanted attention_mask"),
    ],
)
def test_refuses_settings(model, settings, error, text):
    with pytest.raises(error, match=text):
        model.generate(PROMPT, **settings)


def test_refuses_prompts(model):
    for ids in (tp.tensor([1, 2]), tp.ones(1, 2), tp.zeros(1, 0, dtype=tp.int64)):
        with pytest.raises(ShapeError, match="wanted input_ids"):
            model.generate(ids)
    with pytest.raises(DTypeError, match="wanted input_ids as a tensor"):
        model.generate([[1, 2]])
    with pytest.raises(ShapeError, match="40"):
        model.generate(PROMPT, max_new_tokens=60, eos_token_id=[])
