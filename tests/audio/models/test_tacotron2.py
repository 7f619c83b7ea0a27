"""Tacotron 2: like torchaudio's when its pre-net drops nothing, and its dropout is drawn."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import Tacotron2

TINY = {
    "n_mels": 4,
    "n_symbol": 6,
    "symbol_embedding_dim": 8,
    "encoder_embedding_dim": 8,
    "decoder_rnn_dim": 6,
    "attention_rnn_dim": 5,
    "attention_hidden_dim": 4,
    "attention_location_n_filter": 3,
    "attention_location_kernel_size": 5,
    "prenet_dim": 4,
    "postnet_embedding_dim": 6,
}
TOKENS, LENGTHS = [[1, 2, 3, 4, 5], [5, 4, 3, 0, 0]], [5, 3]


@pytest.fixture
def texts():
    return tp.tensor(TOKENS), tp.tensor(LENGTHS)


def without_dropout(model):
    prenet = model.decoder.prenet

    def forward(x, generator=None):
        for layer in prenet.layers:
            x = layer(x).relu()
        return x

    prenet.forward = forward
    return model


def test_forward_like_the_recorded_one(filled, normal, agree, texts):
    model = without_dropout(filled(Tacotron2(**TINY, mask_padding=True)))
    agree("tacotron2", *model(*texts, normal(0, 2, 4, 6), tp.tensor([6, 4])))


def test_infer_like_the_recorded_one(filled, agree, texts):
    options = {"decoder_max_step": 12, "n_frames_per_step": 2, "gate_threshold": 0.49}
    model = without_dropout(filled(Tacotron2(**TINY, **options)))
    with tp.no_grad():
        mel, steps, alignments = model.infer(*texts)
    assert steps.tolist() == [5, 4]
    agree("tacotron2_infer", mel, steps, alignments)


def test_texts_need_no_order(filled, texts):
    tokens, lengths = texts
    options = {"decoder_max_step": 3, "decoder_early_stopping": False}
    model = without_dropout(filled(Tacotron2(**TINY, **options)))
    with pytest.warns(UserWarning, match="decoder_max_step=3"):
        mel, _, alignments = model.infer(tokens, lengths)
    with pytest.warns(UserWarning, match="decoder_max_step=3"):
        back, _, _ = model.infer(tokens.flip(0), lengths.flip(0))
    mel, alignments, back = (x.detach() for x in (mel, alignments, back))
    np.testing.assert_allclose(back, mel.flip(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(alignments.sum(2), np.ones((2, 3)), rtol=1e-5)
    assert float(alignments[1, :, 3:].abs().max()) == 0  # nothing behind the end is looked at


@pytest.mark.filterwarnings("ignore:Tacotron2.infer stopped")
def test_dropout_of_the_pre_net_is_drawn(filled):
    model = filled(Tacotron2(**TINY, decoder_max_step=4, gate_threshold=1.1))
    tokens = tp.tensor([[1, 2, 3]])
    one, two, other = (
        model.infer(tokens, generator=tp.Generator().manual_seed(s))[0].detach().numpy()
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3


def test_gradients_reach_every_parameter(normal, texts):
    model = Tacotron2(**TINY)
    before, after, gates, _ = model(*texts, normal(0, 2, 4, 6), tp.tensor([6, 4]))
    (before.square().sum() + after.square().sum() + gates.square().sum()).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


def test_mistakes(normal, texts):
    with pytest.raises(ShapeError, match="no multiple of n_frames_per_step=4"):
        Tacotron2(**TINY, n_frames_per_step=4)(*texts, normal(0, 2, 4, 6), tp.tensor([6, 4]))
    with pytest.raises(ShapeError, match=r"wanted \(n, l\) tokens"):
        Tacotron2(**TINY).infer(tp.zeros(0, dtype=tp.int64))
    with pytest.raises(DomainError, match="kernel sizes are odd"):
        Tacotron2(encoder_kernel_size=4)
