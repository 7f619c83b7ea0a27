"""From sound to text through a transducer nearby."""

import functools
import json
import math
import sys

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, MissingDependencyError
from triptych.serialization import save_file
from triptych_audio.models import emformer_rnnt_model
from triptych_audio.pipelines import EMFORMER_RNNT_BASE_LIBRISPEECH, RNNTBundle
from triptych_audio.pipelines.rnnt_features import TokenProcessor, piecewise_linear_log
from triptych_audio.transforms import MelSpectrogram
from triptych_audio.weights import ARTIFACTS
from triptych_datasets import Artifact

pytestmark = pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")

MODEL = {
    "input_dim": 8,
    "encoding_dim": 8,
    "num_symbols": 6,
    "segment_length": 8,
    "right_context_length": 4,
    "time_reduction_input_dim": 4,
    "time_reduction_stride": 2,
    "transformer_num_heads": 2,
    "transformer_ffn_dim": 10,
    "transformer_num_layers": 1,
    "transformer_dropout": 0.1,
    "transformer_activation": "gelu",
    "transformer_left_context_length": 4,
    "transformer_max_memory_size": 0,
    "transformer_weight_init_scale_strategy": "depthwise",
    "transformer_tanh_on_mem": True,
    "symbol_embedding_dim": 7,
    "num_lstm_layers": 1,
    "lstm_layer_norm": True,
    "lstm_layer_norm_epsilon": 1e-3,
    "lstm_dropout": 0.3,
}


@pytest.fixture
def stats(rng):
    return {"mean": rng.normal(10, 2, 8).tolist(), "invstddev": rng.uniform(0.2, 0.4, 8).tolist()}


@pytest.fixture
def bundle(tmp_path, monkeypatch, stats):
    """A bundle of random weights in files nearby."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    tp.manual_seed(0)
    factory = functools.partial(emformer_rnnt_model, **MODEL)
    save_file(factory().state_dict(), tmp_path / "m.pt")
    (tmp_path / "s.json").write_text(json.dumps(stats))

    def file(name):
        return Artifact(name, sources=((tmp_path / name).as_uri(),), unverified=True)

    sizes = {"sample_rate": 8000, "n_fft": 200, "n_mels": 8, "hop_length": 80}
    return RNNTBundle(
        weights=file("m.pt"),
        factory=factory,
        stats=file("s.json"),
        sp_model=file("p.model"),
        right_padding=4,
        blank=5,
        segment_length=8,
        right_context_length=4,
        **sizes,
    )


@pytest.fixture
def waveform(rng):
    return (0.1 * rng.standard_normal(2400)).astype(np.float32)


def test_features(bundle, waveform, stats):
    mel = MelSpectrogram(sample_rate=8000, n_fft=200, n_mels=8, hop_length=80)
    power = mel(waveform).T.astype(np.float64) * 32767.0**2
    logs = np.where(power > math.e, np.log(np.maximum(power, 1)), power / math.e)
    want = (logs - np.array(stats["mean"])) * np.array(stats["invstddev"])
    streaming, count = bundle.get_streaming_feature_extractor()(waveform)
    assert isinstance(streaming, np.ndarray) and count.tolist() == [31]
    np.testing.assert_allclose(streaming, want, rtol=1e-4, atol=1e-4)
    whole, count = bundle.get_feature_extractor()(tp.tensor(waveform))
    assert count.tolist() == [35]
    np.testing.assert_allclose(whole[:31].numpy(), streaming, rtol=1e-6)
    assert not whole[31:].any()


def test_logarithm_is_a_line_below_e():
    x = tp.tensor([0.0, 1.0, math.e, 10.0], requires_grad=True)
    out = piecewise_linear_log(x)
    np.testing.assert_allclose(out.detach().numpy(), [0, 1 / math.e, 1, math.log(10)], rtol=1e-6)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1 / math.e] * 3 + [0.1], rtol=1e-5)


def test_whole_and_streaming_decoding(bundle, waveform):
    decoder = bundle.get_decoder()
    assert not decoder.model.training
    x = tp.tensor(waveform)
    with tp.inference_mode():
        features, length = bundle.get_feature_extractor()(x)
        best = decoder(features, length, 3)[0]
        assert best[0][0] == bundle.blank
        extractor = bundle.get_streaming_feature_extractor()
        step = bundle.segment_length * bundle.hop_length
        size = step + bundle.right_context_length * bundle.hop_length
        state = hypotheses = None
        for start in range(0, len(x), step):
            segment = x[start : start + size]
            segment = tp.nn.functional.pad(segment, (0, size - len(segment)))
            features, length = extractor(segment)
            hypotheses, state = decoder.infer(features, length, 3, state, hypotheses)
    assert hypotheses[0][0][0] == bundle.blank
    assert all(0 <= token < 6 for token in hypotheses[0][0])


def test_token_processor_with_sentencepiece(bundle, tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the cat sat on the mat\nthe dog sat on the log\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(tmp_path / "p"), vocab_size=18, minloglevel=2
    )
    processor = bundle.get_token_processor()
    assert isinstance(processor, bundle.TokenProcessor)
    ids = processor.sp_model.encode("the cat sat")
    assert processor([5, *ids, processor.sp_model.eos_id()]) == "the cat sat"
    assert processor([5, *ids], lstrip=False) == " the cat sat"
    assert processor([5]) == ""


def test_pieces_that_are_no_text_are_left_out():
    class Pieces:
        unk_id, eos_id, pad_id = (lambda self: 0), (lambda self: 2), (lambda self: -1)

        def id_to_piece(self, ids):
            return [{3: "\u2581he", 4: "llo"}[i] for i in ids]

    assert TokenProcessor(Pieces())([9, 0, 3, 4, 2, -1, 3]) == "hello he"


def test_sentencepiece_is_needed_for_text_only(bundle, tmp_path, monkeypatch):
    (tmp_path / "p.model").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(MissingDependencyError, match=r"triptych-audio\[sentencepiece\]"):
        bundle.get_token_processor()


@pytest.mark.parametrize("text", ["{", "[]", '{"mean": [1]}'])
def test_damaged_statistics(text, bundle, tmp_path):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(FileFormatError, match="invstddev"):
        bundle.get_feature_extractor()


def test_records():
    bundle = EMFORMER_RNNT_BASE_LIBRISPEECH
    assert (bundle.sample_rate, bundle.n_fft, bundle.n_mels, bundle.hop_length) == (
        16000,
        400,
        80,
        160,
    )
    assert (bundle.segment_length, bundle.right_context_length, bundle.blank) == (16, 4, 4096)
    assert bundle.factory.keywords == {"num_symbols": 4097}
    for artifact in (bundle.weights, bundle.stats, bundle.sp_model):
        assert artifact in ARTIFACTS and artifact.unverified
        assert artifact.sources[0].startswith("https://download.pytorch.org/torchaudio/")
