"""Text to speech: text to numbers, numbers to spectrograms, spectrograms to sound."""

import dataclasses
import warnings

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, MissingDependencyError, UnknownNameError
from triptych_audio.models import Tacotron2, WaveRNN
from triptych_audio.pipelines import (
    TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH,
    TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH,
    TACOTRON2_WAVERNN_CHAR_LJSPEECH,
    TACOTRON2_WAVERNN_PHONE_LJSPEECH,
    Tacotron2TTSBundle,
)
from triptych_audio.pipelines.tts_vocoders import GriffinLimVocoder, WaveRNNVocoder
from triptych_audio.transforms import MelSpectrogram
from triptych_datasets import Artifact, UnverifiedWarning

BUNDLES = (
    TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH,
    TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH,
    TACOTRON2_WAVERNN_CHAR_LJSPEECH,
    TACOTRON2_WAVERNN_PHONE_LJSPEECH,
)
WORDS = {
    "hello": ["HH", "AH0", "L", "OW1"],
    "world": ["W", "ER1", "L", "D"],
    "it's": ["IH1", "T", "S"],
}
SMALL = {
    "symbol_embedding_dim": 8,
    "encoder_embedding_dim": 8,
    "decoder_rnn_dim": 8,
    "attention_rnn_dim": 8,
    "prenet_dim": 4,
    "postnet_embedding_dim": 8,
    "decoder_max_step": 3,
}


def test_letters():
    """The numbers are those in torchaudio's documentation."""
    processor = TACOTRON2_WAVERNN_CHAR_LJSPEECH.get_text_processor()
    tokens, lengths = processor(["Hello World!", "Text-to-speech!"])
    assert tokens.tolist() == [
        [19, 16, 23, 23, 26, 11, 34, 26, 29, 23, 15, 2, 0, 0, 0],
        [31, 16, 35, 31, 1, 31, 26, 1, 30, 27, 16, 16, 14, 19, 2],
    ]
    assert (tokens.dtype, lengths.dtype) == (tp.int64, tp.int32)
    assert lengths.tolist() == [12, 15]
    assert "".join(processor.tokens[i] for i in tokens[1].tolist()) == "text-to-speech!"
    assert processor("a5é")[0].tolist() == [[12]]
    assert len(processor.tokens) == 38


@pytest.mark.parametrize("source", [WORDS, lambda word: WORDS.get(word, [])])
def test_phonemes(source):
    """The numbers are those in torchaudio's documentation."""
    processor = TACOTRON2_WAVERNN_PHONE_LJSPEECH.get_text_processor(pronunciation=source)
    tokens, lengths = processor(["Hello World!", "It's 1"])
    assert tokens[0].tolist() == [54, 20, 65, 69, 11, 92, 44, 65, 38, 2]
    assert [processor.tokens[i] for i in tokens[1].tolist()[:4]] == ["IH", "T", "S", " "]
    assert lengths.tolist() == [10, 4]
    assert len(processor.tokens) == 96
    with pytest.raises(UnknownNameError, match="for birds, sing;"):
        processor("hello birds sing")


def test_phonemes_outside_of_the_alphabet():
    processor = TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH.get_text_processor(
        pronunciation={"tschüs": ["X"], "tsch": ["TX"]}
    )
    with pytest.raises(UnknownNameError, match="for tsch"):
        processor("tsch")


def test_phonemes_must_come_from_somewhere():
    with pytest.raises(MissingDependencyError, match=r"DeepPhonemizer.*pronunciation="):
        TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH.get_text_processor()


def test_no_text():
    with pytest.raises(DomainError, match="at least one text"):
        TACOTRON2_WAVERNN_CHAR_LJSPEECH.get_text_processor()([])


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))

    def store(name, model):
        path = tmp_path / name
        tp.save(model.state_dict(), path)
        return Artifact(name, sources=(path.as_uri(),), unverified=True)

    return store


def test_from_text_to_sound(stored):
    wavernn = {"upsample_scales": [2, 3], "n_classes": 256, "hop_length": 6, "n_freq": 80}
    wavernn |= {"n_rnn": 8, "n_fc": 8, "n_res_block": 1, "n_hidden": 4, "n_output": 8}
    bundle = dataclasses.replace(
        TACOTRON2_WAVERNN_CHAR_LJSPEECH,
        tacotron2_weights=stored("t.pth", Tacotron2(n_symbol=38, **SMALL)),
        wavernn_weights=stored("w.pth", WaveRNN(**wavernn)),
        tacotron2_params={"n_symbol": 38, **SMALL},
        wavernn_params=wavernn,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        model, vocoder = bundle.get_tacotron2(), bundle.get_vocoder()
    assert not model.training
    assert not vocoder.training
    assert isinstance(vocoder, Tacotron2TTSBundle.Vocoder)
    tokens, lengths = bundle.get_text_processor()("Hi!")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # new weights may know no end
        specgram, lengths, _ = model.infer(tokens, lengths)
    waveforms, samples = vocoder(specgram, lengths)
    assert waveforms.shape == (1, specgram.shape[2] * 6)
    assert samples.tolist() == [n * 6 for n in lengths.tolist()]
    assert float(waveforms.abs().max()) <= 1


def test_wavernn_levels(monkeypatch):
    """Spectrograms reach WaveRNN as levels from 0 to 1, and its samples leave as mu-law."""
    seen = []

    class Fake(tp.nn.Module):
        n_bits, n_classes = 8, 256

        def infer(self, x, lengths):
            seen.append(x)
            return tp.tensor([[[-1.0, 0.0, 1.0, 2 * 200 / 255 - 1]]]), lengths

    waveform, lengths = WaveRNNVocoder(Fake())(tp.tensor([[[0.0, -50.0, np.log(1e-3), 3.0]]]))
    np.testing.assert_allclose(seen[0], [[[1.0, 0.0, 0.4, 1.0]]], atol=1e-6)
    assert lengths is None
    assert waveform.shape == (1, 4)
    np.testing.assert_allclose(waveform[0, [0, 2]], [-1.0, 1.0], atol=1e-6)
    level = (256 ** (2 * 200 / 255 - 1) - 1) / 255
    assert float(waveform[0, 3]) == pytest.approx(level, abs=1e-5)
    WaveRNNVocoder(Fake(), min_level_db=None)(tp.tensor([[[0.0]]]))
    assert float(seen[1]) == 0.0


def test_griffin_lim_makes_a_tone_again():
    times = np.arange(22050, dtype=np.float32) / 22050
    tone = tp.tensor(np.sin(2 * np.pi * 700 * times)).unsqueeze(0)
    mel = MelSpectrogram(
        22050,
        1024,
        hop_length=256,
        f_max=8000.0,
        n_mels=80,
        power=1.0,
        norm="slaney",
        mel_scale="slaney",
    )(tone)
    vocoder = TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH.get_vocoder()
    assert isinstance(vocoder, GriffinLimVocoder)
    waveform, samples = vocoder(mel.clamp(min=1e-5).log(), tp.tensor([mel.shape[2]]))
    assert samples.tolist() == [waveform.shape[1]]
    spectrum = np.abs(np.fft.rfft(waveform[0].numpy()))
    loudest = spectrum.argmax() * 22050 / waveform.shape[1]
    assert abs(loudest - 700) < 20
    assert vocoder(mel.log1p())[1] is None


def test_records():
    for bundle in BUNDLES:
        assert isinstance(bundle, Tacotron2TTSBundle)
        assert (bundle.tacotron2_params["n_symbol"] == 96) == bundle.phonemes
        name = bundle.tacotron2_weights.name
        assert ("phonemes" in name) == bundle.phonemes
        assert ("wavernn" in name) == (bundle.wavernn_weights is not None)
    assert WaveRNNVocoder(tp.nn.Identity()).sample_rate == GriffinLimVocoder().sample_rate == 22050
