"""What a user does with sound: read a recording, find the speech in it, keep the results.

The recording is part of the repository; the weights come from a package index.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
import triptych_audio as audio
import triptych_datasets

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "examples" / "assets" / "speech.flac"
FACTS = json.loads(SPEECH.with_suffix(".json").read_text(encoding="utf-8"))
SPOKEN = [(s["start"], s["end"]) for s in FACTS["segments"]]


@pytest.fixture(scope="module")
def recording():
    return audio.load(SPEECH)


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).parent / "references" / "silero_vad.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def model():
    try:
        return audio.pipelines.SILERO_VAD.get_model()
    except triptych_datasets.Offline as error:
        pytest.skip(f"no source of the weights is in reach: {error}")


def segments(found):
    return [(s["start"], s["end"]) for s in found]


def test_every_sample_is_read(recording):
    waveform, rate = recording
    assert (waveform.shape, rate) == ((1, FACTS["num_samples"]), FACTS["sample_rate"])
    integers, _ = audio.load(SPEECH, normalize=False)
    digest = hashlib.sha256(integers.numpy().astype("<i2").tobytes()).hexdigest()
    assert digest == FACTS["samples_sha256"]
    np.testing.assert_array_equal(waveform.numpy(), integers.numpy() / np.float32(32768))


@pytest.mark.parametrize(
    ("extension", "options", "error"),
    [
        ("wav", {}, 0.0),
        ("wav", {"encoding": "PCM_S", "bits_per_sample": 16}, 0.0),
        ("flac", {}, 0.0),
        ("ogg", {}, 0.1),
    ],
)
def test_kept_in_another_format(tmp_path, recording, extension, options, error):
    waveform, rate = recording
    path = tmp_path / f"speech.{extension}"
    audio.save(path, waveform, rate, **options)
    again, same_rate = audio.load(path)
    assert (again.shape, same_rate) == (waveform.shape, rate)
    difference = np.linalg.norm((again - waveform).numpy()) / np.linalg.norm(waveform.numpy())
    assert difference <= error


def test_speech_is_louder_than_the_pauses_in_every_band(recording):
    waveform, rate = recording
    mel = audio.transforms.MelSpectrogram(rate, n_fft=512, hop_length=160, n_mels=40)
    decibels = audio.transforms.AmplitudeToDB(top_db=80)(mel(waveform))[0].numpy()
    seconds = np.arange(decibels.shape[1]) * 160 / rate
    spoken = np.zeros(len(seconds), bool)
    for start, end in SPOKEN:
        spoken |= (seconds >= start + 0.05) & (seconds <= end - 0.05)
    near = np.zeros(len(seconds), bool)
    for start, end in SPOKEN:
        near |= (seconds >= start - 0.1) & (seconds <= end + 0.1)
    assert (decibels[:, spoken].mean(1) > decibels[:, ~near].mean(1) + 5).all()


@pytest.mark.network
def test_probabilities_like_the_reference(recording, reference, model):
    waveform, _ = recording
    with tp.no_grad():
        got = model(waveform)[0].numpy()
    want = reference["safetensors_probabilities"]
    assert got.shape == want.shape
    relative = np.linalg.norm(got - want) / np.linalg.norm(want)
    assert relative <= 1e-5
    # float32 itself leaves 2e-5 of a single probability open; see references/README.md
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.network
def test_recurrent_state_like_the_reference(recording, reference, model):
    waveform, _ = recording
    padded = tp.nn.functional.pad(waveform, (0, -waveform.shape[-1] % 512))
    with tp.no_grad():
        _, state = model.advance(padded)
    for name, value in (("hidden", state.hidden), ("cell", state.cell)):
        want = reference[f"safetensors_{name}"]
        np.testing.assert_allclose(value[0].numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.network
def test_speech_is_found_where_it_is(recording, reference, model):
    waveform, _ = recording
    find = audio.pipelines.get_speech_timestamps
    np.testing.assert_array_equal(
        segments(find(waveform, model)), reference["safetensors_segments"]
    )
    found = segments(find(waveform, model, return_seconds=True))
    assert len(found) == len(SPOKEN)
    np.testing.assert_allclose(found, SPOKEN, atol=0.1)


@pytest.mark.network
@pytest.mark.parametrize(
    ("change", "rate"),
    [
        (lambda x: x * 0.25, 16000),
        (lambda x: audio.functional.resample(x, 16000, 44100), 44100),
        (lambda x: audio.functional.resample(x, 16000, 8000), 8000),
        (lambda x: x.numpy(), 16000),
    ],
    ids=["softer", "44.1 kHz", "8 kHz", "NumPy"],
)
def test_speech_is_found_in_other_recordings_of_it(recording, model, change, rate):
    waveform, _ = recording
    found = audio.pipelines.get_speech_timestamps(
        change(waveform), model, sample_rate=rate, return_seconds=True
    )
    np.testing.assert_allclose(segments(found), SPOKEN, atol=0.1)


@pytest.mark.network
def test_speech_is_found_while_it_comes_in(recording, reference, model):
    model.reset_states()
    pieces = [
        model.stream(block)[0].numpy() for block, _ in audio.stream(SPEECH, block_length=1000)
    ]
    got = np.concatenate(pieces)
    want = reference["safetensors_probabilities"][: len(got)]
    assert len(got) == FACTS["num_samples"] // 512
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.network
def test_the_bundle_does_it_all(recording, model):
    waveform, rate = recording
    found = audio.pipelines.SILERO_VAD.get_speech_timestamps(waveform, sample_rate=rate)
    assert found == audio.pipelines.get_speech_timestamps(waveform, model)
