"""The command `triptych-audio`."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

import triptych_audio as audio
from triptych.serialization import save_file
from triptych_audio.cli import main, vad
from triptych_audio.cli.command import ENCODINGS, EXAMPLES, PROGRAM
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines import VADBundle, get_speech_timestamps
from triptych_datasets import Artifact


@pytest.fixture
def place(tmp_path, stereo, monkeypatch):
    audio.save(tmp_path / "a.wav", stereo, 16000, encoding="PCM_S", bits_per_sample=24)
    audio.save(tmp_path / "b.flac", stereo[:1], 8000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_is_quick_and_complete():
    heavy = "numpy", "soundfile", "triptych"
    program = (
        "import sys\nfrom triptych_audio.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0
    assert EXAMPLES in run.stdout
    assert all(name in run.stdout for name in PROGRAM.subcommands)
    assert run.stdout.endswith("[]\n")


def test_python_dash_m():
    run = subprocess.run(
        [sys.executable, "-m", "triptych_audio", "--version"], capture_output=True, text=True
    )
    assert run.stdout.startswith("triptych-audio ")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["play"],
        ["info"],
        ["convert", "a.wav"],
        ["convert", "a.wav", "b.wav", "--sample-rate", "0"],
        ["convert", "a.wav", "b.wav", "--encoding", "s12"],
        ["convert", "a.wav", "b.wav", "--start", "-1"],
        ["vad", "a.wav", "--threshold", "2"],
        ["spectrogram", "a.wav", "--top-db", "-5"],
        ["spectrogram", "a.wav", "--top-db", "nan"],
    ],
)
def test_a_wrong_command_line_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: triptych-audio" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROGRAM.subcommands)
def test_each_command_has_help_and_examples(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert PROGRAM.subcommands[name].about[1:] in out.replace("\n", " ")
    assert f"  triptych-audio {name} " in out


def test_ctrl_c(monkeypatch, capsys):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("triptych_audio.cli.info.run", stop)
    assert main(["info", "a.wav"]) == 130
    assert "stopped" in capsys.readouterr().err


# info


def test_info(place, capsys):
    assert main(["info", "a.wav", "b.flac"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "FILE    ENCODING  BITS   RATE  CHANNELS  FRAMES   LENGTH",
        "a.wav   PCM_S       24  16000         2    4000  0:00.25",
        "b.flac  FLAC        16   8000         1    4000  0:00.50",
    ]


def test_info_as_json(place, capsys):
    assert main(["info", "b.flac", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": "b.flac", "sample_rate": 8000, "num_frames": 4000, "num_channels": 1,
        "bits_per_sample": 16, "encoding": "FLAC", "duration_s": 0.5,
    }  # fmt: skip


def test_info_goes_on_after_a_bad_file(place, capsys):
    (place / "bad.wav").write_text("no sound")
    assert main(["info", "bad.wav", "none.wav", "a.wav"]) == 1
    out, err = capsys.readouterr()
    assert "a.wav" in out
    assert "triptych-audio: info: cannot decode 'bad.wav'" in err
    assert "no file 'none.wav'" in err


# convert


def test_convert(place, stereo, capsys):
    assert main(["convert", "a.wav", "c.flac"]) == 0
    assert audio.info("c.flac") == audio.AudioMetaData(16000, 4000, 2, 16, "FLAC")
    np.testing.assert_allclose(audio.load("c.flac")[0].numpy(), stereo, atol=2**-14)
    assert sorted(p.name for p in place.iterdir()) == ["a.wav", "b.flac", "c.flac"]
    assert capsys.readouterr().out == ""


def test_convert_with_everything(place):
    words = ["--sample-rate", "8000", "--mono", "--encoding", "f32", "--start", "0.05"]
    assert main(["convert", "a.wav", "c.wav", *words, "--duration", "0.1"]) == 0
    assert audio.info("c.wav") == audio.AudioMetaData(8000, 800, 1, 32, "PCM_F")
    want = audio.load("a.wav", 800, sr=8000, mono=True)[0].numpy()[:, :800]
    np.testing.assert_allclose(audio.load("c.wav")[0].numpy(), want, atol=1e-6)


WAV = {"alaw": "ALAW", "f32": "PCM_F", "f64": "PCM_F", "mulaw": "ULAW", "s16": "PCM_S",
       "s24": "PCM_S", "s32": "PCM_S", "u8": "PCM_U"}  # fmt: skip
OTHERS = {"mp3": ("mp3", "MP3"), "opus": ("ogg", "OPUS"), "vorbis": ("ogg", "VORBIS")}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings(place, name):
    extension, told = OTHERS.get(name, ("wav", WAV.get(name)))
    assert main(["convert", "b.flac", f"c.{extension}", "--encoding", name]) == 0
    assert audio.info(f"c.{extension}").encoding == told


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["none.wav", "c.wav"], "no file 'none.wav'"),
        (["a.wav", "./a.wav"], "would be replaced"),
        (["a.wav", "c"], "no extension"),
        (["a.wav", "c.docx"], "triptych-audio: convert: 'c.docx': there is no format 'DOCX'"),
        (["a.wav", "c.mp3", "--encoding", "vorbis"], "MP3 cannot hold VORBIS"),
        (["a.wav", "no/c.wav"], "does not exist"),
    ],
)
def test_refused_conversions(place, words, text, capsys):
    before = (place / "a.wav").read_bytes()
    assert main(["convert", *words]) == 1
    assert text in capsys.readouterr().err
    assert sorted(p.name for p in place.iterdir()) == ["a.wav", "b.flac"]
    assert (place / "a.wav").read_bytes() == before


def test_an_error_of_the_encoder_names_the_target(place, capsys):
    audio.save("five.wav", np.zeros((5, 100), np.float32), 16000)
    assert main(["convert", "five.wav", "c.mp3"]) == 1
    assert "triptych-audio: convert: 'c.mp3': MP3 does not take 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["convert", "bad.wav", "c.wav"], ["spectrogram", "bad.wav"], ["vad", "bad.wav"]]
)
def test_errors_begin_with_the_subcommand(place, bundle, words, capsys):
    for wrong in ("no file 'bad.wav'", "cannot decode 'bad.wav'"):
        assert main(words) == 1
        assert f"triptych-audio: {words[0]}: {wrong}" in capsys.readouterr().err
        (place / "bad.wav").write_text("no sound")


def test_a_failure_leaves_the_old_file(place, monkeypatch):
    (place / "c.wav").write_bytes(b"old")

    def full(self, i, chunk, pts=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("triptych_audio.io.StreamWriter.write_audio_chunk", full)
    assert main(["convert", "a.wav", "c.wav"]) == 1
    assert (place / "c.wav").read_bytes() == b"old"
    assert len(list(place.iterdir())) == 3


def test_to_and_from_addresses(place, stereo):
    pytest.importorskip("fsspec")
    assert main(["convert", "a.wav", "memory://cli/c.wav", "--encoding", "f32"]) == 0
    assert main(["convert", "memory://cli/c.wav", "d.wav", "--encoding", "f32"]) == 0
    np.testing.assert_allclose(audio.load("d.wav")[0].numpy(), stereo, atol=2**-23)


# spectrogram


def test_spectrogram(place, capsys):
    pytest.importorskip("matplotlib")
    assert main(["spectrogram", "a.wav"]) == 0
    assert main(["spectrogram", "b.flac", "-o", "x.png", "--mels", "40", "--top-db", "60"]) == 0
    assert capsys.readouterr().out.splitlines() == ["a.png", "x.png"]
    for name in ("a.png", "x.png"):
        assert (place / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("rate", "num_bands"), [(8000, 40), (16000, 128), (44100, 128)])
def test_frequencies_beside_the_picture_are_round_and_right(rate, num_bands):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    from triptych_audio.cli.spectrogram import _mark_bands

    axes = figure.subplots()
    _mark_bands(axes, num_bands, rate)
    labels = [t.get_text() for t in axes.get_yticklabels()]
    octaves = [hz for hz in (125, 250, 500, 1000, 2000, 4000, 8000, 16000) if hz <= rate / 2]
    assert labels == ["0", *map(str, octaves[-7:])]
    bank = audio.functional.melscale_fbanks(100001, 0, rate / 2, num_bands, rate).numpy()
    middles = bank.argmax(0) * rate / 200000  # Hz, in the middle of each row
    for place, label in zip(axes.get_yticks()[1:], labels[1:], strict=True):
        row = np.interp(float(label), middles, np.arange(num_bands) + 0.5)
        assert abs(place - row) < (0.6 if float(label) == rate / 2 else 0.05)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("no/a.png", "spectrogram: the folder 'no' does not exist"),
        ("a.docx", "'docx'; wanted one of"),
    ],
)
def test_a_place_for_the_picture_is_looked_for_first(place, output, text, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("triptych_audio.cli.spectrogram.mel_picture", None)
    assert main(["spectrogram", "a.wav", "-o", output]) == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("frames", [4000, 65536, 65536 + 700])
def test_the_picture_is_the_mel_spectrogram(tmp_path, rng, frames, monkeypatch):
    from triptych_audio.cli import spectrogram

    path = str(tmp_path / "a.wav")
    samples = rng.standard_normal((2, frames)).astype(np.float32)
    audio.save(path, samples, 16000)
    mel = audio.transforms.MelSpectrogram(
        16000, n_fft=640, hop_length=160, n_mels=32, norm="slaney"
    )
    want = mel(samples.mean(0))
    picture, rate, hop = spectrogram.mel_picture(path, 32)
    assert (rate, hop) == (16000, 160)
    np.testing.assert_allclose(picture, want, rtol=1e-3, atol=1e-5)
    monkeypatch.setattr(spectrogram, "MOST_COLUMNS", 10)
    picture, _, hop = spectrogram.mel_picture(path, 32)
    group = hop // 160
    assert 1 < picture.shape[1] <= 11
    np.testing.assert_allclose(picture[:, 1], want[:, group : 2 * group].mean(1), rtol=1e-3)


def test_spectrogram_needs_matplotlib_and_sound(place, monkeypatch, capsys):
    audio.save("short.wav", np.zeros((1, 10), np.float32), 16000)
    assert main(["spectrogram", "short.wav"]) == 1
    assert "has 10 samples" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["spectrogram", "a.wav"]) == 1
    assert 'pip install "triptych-audio[display]"' in capsys.readouterr().err


# vad


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle of random weights in a file nearby."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    path = tmp_path / "weights.safetensors"
    save_file(SileroVAD().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made = VADBundle(Artifact("w.safetensors", sources=(path.as_uri(),), sha256=digest))
    monkeypatch.setattr(vad, "SILERO_VAD", made)
    return made


class Loudness(SileroVAD):
    """Probabilities that rise with a frame's loudness, in place of a network's."""

    def advance(self, waveform, state=None):
        loudness = waveform.reshape(1, -1, self.frame_length).square().mean(-1).sqrt()
        return (loudness * 10).clamp(0, 1), self.initial_state()


@pytest.mark.parametrize("rate", [16000, 44100])
def test_vad_is_that_of_the_whole_file(place, rng, capsys, monkeypatch, rate):
    monkeypatch.setattr(VADBundle, "get_model", lambda self: Loudness())
    samples = rng.standard_normal((2, rate * 40 + 77)).astype(np.float32) / 8
    samples *= (np.arange(samples.shape[1]) // (rate * 3)) % 2
    audio.save("talk.wav", samples, rate)
    assert main(["vad", "talk.wav", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    waveform, _ = audio.load("talk.wav", sr=16000, mono=True)
    want = get_speech_timestamps(waveform, Loudness(), return_seconds=True)
    assert got == [{k: round(v, 3) for k, v in segment.items()} for segment in want]
    assert len(got) == 7


def test_vad_as_a_table(place, bundle, capsys):
    assert main(["vad", "b.flac", "--threshold", "0"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  START      END  SECONDS",
        "0:00.00  0:00.50     0.50",
        "1 stretches, 0:00.50 of 0:00.50",
    ]
    assert main(["vad", "none.wav"]) == 1


def test_convert_refuses_a_start_behind_the_end(place, capsys):
    assert main(["convert", "a.wav", "c.wav", "--start", "0.25"]) == 1
    assert "--start 0.25 leaves nothing of 'a.wav'" in capsys.readouterr().err
    assert not (place / "c.wav").exists()
    assert main(["convert", "a.wav", "c.wav", "--start", "0.2"]) == 0
    assert audio.info("c.wav").num_frames == 800


def test_convert_to_flac_keeps_the_bits_that_are_asked_for(place, capsys):
    assert main(["convert", "a.wav", "c.flac", "--encoding", "s24"]) == 0
    assert audio.info("c.flac").bits_per_sample == 24
    np.testing.assert_array_equal(audio.load("c.flac")[0], audio.load("a.wav")[0])
    for encoding in ("f32", "s32", "mulaw"):
        assert main(["convert", "a.wav", "d.flac", "--encoding", encoding]) == 1
        assert "FLAC takes bits_per_sample" in capsys.readouterr().err
    assert not (place / "d.flac").exists()
