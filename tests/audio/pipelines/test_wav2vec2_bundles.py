"""From a checkpoint nearby to letters, features and spans."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, UnknownNameError
from triptych.serialization import save_file
from triptych_audio.models import wav2vec2_model, wavlm_model
from triptych_audio.pipelines import Wav2Vec2ASRBundle, Wav2Vec2Bundle, Wav2Vec2FABundle
from triptych_datasets import Artifact, UnverifiedWarning

PARAMS = {
    "extractor_mode": "layer_norm",
    "extractor_conv_layer_config": [(8, 10, 5), (12, 3, 2)],
    "extractor_conv_bias": False,
    "encoder_embed_dim": 16,
    "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 4,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 2,
    "encoder_num_heads": 2,
    "encoder_attention_dropout": 0.1,
    "encoder_ff_interm_features": 20,
    "encoder_ff_interm_dropout": 0.1,
    "encoder_dropout": 0.1,
    "encoder_layer_norm_first": True,
    "encoder_layer_drop": 0.1,
}
LABELS = ("|", "a", "b")
SPARE = 3


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    return tmp_path


def published(model, path):
    """The weights of a model as the published files have them: old names, and spare labels."""
    weights = {}
    for name, value in model.state_dict().items():
        name = name.replace("conv.parametrizations.weight.original0", "conv.weight_g")
        name = name.replace("conv.parametrizations.weight.original1", "conv.weight_v")
        if name.startswith("aux."):
            spare = tp.full((SPARE, *value.shape[1:]), 1e6)
            value = tp.cat([value[:1], spare, value[1:]])
        weights[name] = value
    save_file(weights, path)
    return Artifact(path.name, sources=(path.as_uri(),), unverified=True)


@pytest.fixture
def letters(home):
    """A model, and a bundle whose file has its weights."""
    tp.manual_seed(0)
    params = {**PARAMS, "aux_num_out": 1 + len(LABELS)}
    model = wav2vec2_model(**params).eval()
    artifact = published(model, home / "letters.pth")
    return model, Wav2Vec2ASRBundle(artifact, params, labels=LABELS)


@pytest.fixture
def waveform():
    tp.manual_seed(1)
    return 0.3 * tp.randn(1, 800) + 0.1


def greedy(bundle, scores):
    """Letters of (frames, labels) scores."""
    labels = bundle.get_labels()
    best = [key for key, _ in itertools.groupby(scores.argmax(-1).tolist())]
    return "".join(labels[i] for i in best if i != 0).replace("|", " ")


def test_file_to_letters(letters, waveform):
    model, bundle = letters
    with pytest.warns(UnverifiedWarning, match="not checked"):
        loaded = bundle.get_model()
    assert not loaded.training
    with tp.inference_mode():
        scores, _ = loaded(waveform)
        want, _ = model(waveform)
    assert scores.shape == (1, 79, 4)
    np.testing.assert_array_equal(scores.numpy(), want.numpy())
    text = greedy(bundle, scores[0])
    assert text and set(text) <= {" ", "a", "b"}


def test_file_of_ones_own_folder(letters, waveform, home):
    model, bundle = letters
    loaded = bundle.get_model(dl_kwargs={"model_dir": str(home)})  # nothing fetched: no warning
    np.testing.assert_array_equal(
        loaded(waveform)[0].detach().numpy(), model(waveform)[0].detach().numpy()
    )
    with pytest.warns(UnverifiedWarning):
        bundle.get_model(dl_kwargs={"model_dir": str(home / "empty"), "progress": False})
    with pytest.raises(DomainError, match="file_name unknown"):
        bundle.get_model(dl_kwargs={"file_name": "x"})


def test_a_bundle_can_be_fine_tuned(letters, waveform, home):
    _, bundle = letters
    model = bundle.get_model(dl_kwargs={"model_dir": str(home)})
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(4):
        scores, frames = model(waveform, tp.tensor([800]))
        logs = scores.log_softmax(-1).transpose(0, 1)
        loss = tp.nn.functional.ctc_loss(logs, tp.tensor([[2, 3]]), frames, tp.tensor([2]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("model_type", ["Wav2Vec2", "WavLM"])
def test_features(model_type, home, waveform):
    tp.manual_seed(0)
    params = {**PARAMS, "aux_num_out": None}
    if model_type == "WavLM":
        params = {**params, "encoder_num_buckets": 8, "encoder_max_distance": 9}
    build = wavlm_model if model_type == "WavLM" else wav2vec2_model
    model = build(**params).eval()
    bundle = Wav2Vec2Bundle(published(model, home / "f.pth"), params, True, model_type)
    loaded = bundle.get_model(dl_kwargs={"model_dir": str(home)})
    x = waveform.numpy()
    normal = tp.tensor((x - x.mean()) / np.sqrt(x.var() + 1e-5))
    features, lengths = loaded.extract_features(waveform, tp.tensor([500]), 1)
    want, _ = model.extract_features(normal, tp.tensor([500]), 1)
    assert len(features) == 1 and lengths.tolist() == [49]
    np.testing.assert_allclose(
        features[0].detach().numpy(), want[0].detach().numpy(), rtol=1e-4, atol=1e-5
    )
    out, none = loaded(x)
    assert isinstance(out, np.ndarray) and none is None
    np.testing.assert_allclose(out, model(normal)[0].detach().numpy(), rtol=1e-4, atol=1e-5)
    assert isinstance(loaded.extract_features(x)[0][1], np.ndarray)


def test_alignment(letters, waveform, home):
    model, asr = letters
    bundle = Wav2Vec2FABundle(asr.weights, asr.params, labels=LABELS)
    folder = {"model_dir": str(home)}
    batch = tp.cat([waveform, -waveform])
    with tp.inference_mode():
        logs, _ = bundle.get_model(dl_kwargs=folder)(batch)
        plain, _ = bundle.get_model(with_star=False, dl_kwargs=folder)(batch)
        want = model(batch)[0].log_softmax(-1)
    assert logs.shape == (2, 79, 5)
    np.testing.assert_array_equal(logs[..., :4].numpy(), want.numpy())
    np.testing.assert_array_equal(plain.numpy(), want.numpy())
    assert not logs[..., 4].any()
    words = ["ab", "*", "b"]
    spans = bundle.get_aligner()(logs[0], bundle.get_tokenizer()(words))
    assert [len(word) for word in spans] == [2, 1, 1]
    flat = [span for word in spans for span in word]
    assert all(one.end <= two.start for one, two in itertools.pairwise(flat))
    assert [span.token for span in flat] == [2, 3, 4, 3]


def test_unknown_type(letters):
    _, bundle = letters
    with pytest.raises(UnknownNameError, match="Wav2Vec2, WavLM"):
        Wav2Vec2Bundle(bundle.weights, bundle.params, model_type="HuBERT").get_model()
