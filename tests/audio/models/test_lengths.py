"""Lengths that do not fit are told by the models that take them."""

import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_audio import models
from triptych_audio.models.lengths import check_lengths


def small_wav2vec2():
    return models.wav2vec2_model(
        "group_norm", [(8, 10, 5)], False, 8, 0.0, 4, 2, 1, 2, 0.0, 16, 0.0, 0.0, False, 0.0, None
    ).eval()


def small_conformer():
    return models.Conformer(8, 2, ffn_dim=16, num_layers=1, depthwise_conv_kernel_size=3).eval()


def small_emformer():
    return models.Emformer(8, 2, 16, 1, segment_length=4, right_context_length=1).eval()


def small_wavernn():
    return models.WaveRNN(
        [2, 3], 16, 6, 1, n_rnn=8, n_fc=8, n_freq=5, n_hidden=4, n_output=8
    ).eval()


def small_tacotron2():
    return models.Tacotron2(
        n_mels=4, n_symbol=9, symbol_embedding_dim=8, encoder_embedding_dim=8,
        decoder_rnn_dim=8, attention_rnn_dim=8, attention_hidden_dim=8, prenet_dim=8,
        postnet_embedding_dim=8,
    ).eval()  # fmt: skip


def small_rnnt():
    return models.emformer_rnnt_model(
        input_dim=4, encoding_dim=8, num_symbols=6, segment_length=8, right_context_length=4,
        time_reduction_input_dim=4, time_reduction_stride=4, transformer_num_heads=2,
        transformer_ffn_dim=8, transformer_num_layers=1, transformer_dropout=0.0,
        transformer_activation="gelu", transformer_left_context_length=4,
        transformer_max_memory_size=0, transformer_weight_init_scale_strategy="depthwise",
        transformer_tanh_on_mem=True, symbol_embedding_dim=8, num_lstm_layers=1,
        lstm_layer_norm=True, lstm_layer_norm_epsilon=1e-3, lstm_dropout=0.0,
    ).eval()  # fmt: skip


def rnnt(sources, source_lengths, targets, target_lengths):
    integers = [x.int() for x in (source_lengths, targets, target_lengths)]
    return small_rnnt()(sources, integers[0], integers[1], integers[2])


CALLS = {
    "wav2vec2": (lambda n: small_wav2vec2()(tp.zeros(2, 100), n), 100),
    "features": (lambda n: small_wav2vec2().extract_features(tp.zeros(2, 100), n), 100),
    "conformer": (lambda n: small_conformer()(tp.zeros(2, 10, 8), n), 10),
    "emformer": (lambda n: small_emformer()(tp.zeros(2, 11, 8), n), 11),
    "emformer in pieces": (lambda n: small_emformer().infer(tp.zeros(2, 5, 8), n), 5),
    "wavernn": (lambda n: small_wavernn().infer(tp.zeros(2, 5, 3), n), 3),
    "tacotron2": (
        lambda n: small_tacotron2()(
            tp.zeros(2, 3, dtype=tp.int64), tp.tensor([3, 2]), tp.zeros(2, 4, 5), n
        ),
        5,
    ),
    "rnnt sources": (
        lambda n: rnnt(tp.zeros(2, 20, 4), n, tp.zeros(2, 3), tp.tensor([3, 2])),
        20,
    ),
    "rnnt targets": (
        lambda n: rnnt(tp.zeros(2, 20, 4), tp.tensor([16, 9]), tp.zeros(2, 3), n),
        3,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_lengths_of_every_model(name):
    call, most = CALLS[name]
    call(tp.tensor([most, 1]))
    for wrong in ([most, 1, 1], [most], [[most, 1]]):
        with pytest.raises(ShapeError, match=r"lengths: wanted shape \(2,\)"):
            call(tp.tensor(wrong))
    for wrong in ([most + 1, 1], [most, -1]):
        with pytest.raises(ShapeError, match=rf"lengths: wanted 2 numbers from 0 to {most}"):
            call(tp.tensor(wrong))


def test_lists_are_refused():
    with pytest.raises(DTypeError, match=r"Wav2Vec2Model: lengths: wanted a tensor .* got list"):
        small_wav2vec2()(tp.zeros(2, 100), [100, 50])


def test_values_are_not_looked_at_in_a_graph():
    model = small_conformer()
    x, lengths = tp.rand(2, 6, 8), tp.tensor([6, 4])
    with tp.no_grad():
        compiled = tp.compile(lambda x, lengths: model(x, lengths)[0])(x, lengths)
        assert tp.allclose(compiled, model(x, lengths)[0], atol=1e-5)
    check_lengths("f: lengths", tp.zeros(0, dtype=tp.int64), 0, 5)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: small_conformer()(tp.zeros(6, 8), tp.tensor([6])), ShapeError, "Conformer: want"),
        (lambda: small_wavernn().infer(tp.zeros(2, 4, 3)), ShapeError, r"specgram \(n, 5, t\)"),
        (
            lambda: small_tacotron2()(
                tp.zeros(2, 3, dtype=tp.int64), tp.tensor([3, 2]), tp.zeros(2, 5, 7),
                tp.tensor([7, 7]),
            ),
            ShapeError,
            r"mel_specgram \(2, 4, t\)",
        ),
        (
            lambda: rnnt(tp.zeros(20, 4), tp.tensor([16]), tp.zeros(1, 3), tp.tensor([3])),
            ShapeError,
            "RNNT: wanted sources",
        ),
        (
            lambda: rnnt(tp.zeros(2, 20, 4), tp.tensor([9, 9]), tp.zeros(1, 3), tp.tensor([3])),
            ShapeError,
            "RNNT: wanted sources",
        ),
        (
            lambda: models.squim_subjective_model("wav2vec3", 768, 8, 5),
            UnknownNameError,
            "'wav2vec3' is no builder",
        ),
    ],
)  # fmt: skip
def test_other_mistakes(call, error, text):
    with pytest.raises(error, match=text):
        call()
