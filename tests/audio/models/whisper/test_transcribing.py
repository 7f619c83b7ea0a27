"""Where windows begin, what is tried again, words and their times: with a scripted model."""

import io
import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_audio import save
from triptych_audio.cli import main
from triptych_audio.functional.whisper import log_mel_spectrogram, pad_or_trim
from triptych_audio.models.whisper import DecodingResult, formatted, load_model, transcribe
from triptych_audio.models.whisper.decoding import compression_ratio
from triptych_audio.models.whisper.features import RecordingFeatures
from triptych_audio.models.whisper.hallucinations import is_anomalous, silent_hallucination
from triptych_audio.models.whisper.timing import WordTiming, find_alignment, merge_punctuations
from triptych_audio.models.whisper.writing import subtitles


class Script:
    """Gives one text after the other, and remembers what it was asked."""

    is_multilingual, num_languages = True, 99

    def __init__(self, model, tokenizer, *texts, **fields):
        self.dims, self.tokenizer = model.dims, tokenizer
        self.texts, self.fields = list(texts), fields
        self.asked = []

    def embed_audio(self, mel):
        return mel

    def detect_language(self, mel, tokenizer):
        return None, {"en": 0.2, "de": 0.8}

    def decode(self, encoded, options, tokenizer, generator):
        self.asked.append((options, encoded))
        tokens = self.texts.pop(0) if self.texts else []
        text = tokenizer.decode(tokens)
        fields = {"avg_logprob": -0.1, "no_speech_prob": 0.0, "compression_ratio": 1.0}
        fields |= {"temperature": options.temperature, "text": text, "tokens": tokens}
        change = {k: v.pop(0) for k, v in self.fields.items() if v}
        return DecodingResult(encoded, options.language, **(fields | change))


@pytest.fixture
def say(tokenizer):
    """Ids of texts and, for numbers, of times in seconds."""

    def ids(*parts):
        found = []
        for part in parts:
            time = not isinstance(part, str)
            found += [tokenizer.timestamp_begin + round(part / 0.02)] if time else (
                tokenizer.encode(part))  # fmt: skip
        return found

    return ids


@pytest.fixture
def told(model, tokenizer):
    def tell(*texts, seconds=65, fields=None, **options):
        script = Script(model, tokenizer, *texts, **(fields or {}))
        sound = np.zeros(16000 * seconds, np.float32)
        options = {"language": "en", "tokenizer": tokenizer} | options
        return transcribe(script, sound, **options), script

    return tell


def spans(result):
    return [(round(s["start"], 2), round(s["end"], 2), s["text"]) for s in result["segments"]]


def test_goes_on_at_the_last_pair_of_times(told, say):
    result, script = told(
        say(0, " a", 5, 5, " b", 20, 20, " ab"),  # cut off: heard again from 20 s
        say(0, " ab", 29),  # no pair: the whole window
        say(1, " a", 4, 4, " b", 10),  # ends with a single time: nothing after it
    )
    assert spans(result) == [
        (0, 5, " a"), (5, 20, " b"), (20, 49, " ab"), (51, 54, " a"), (54, 60, " b"),
    ]  # fmt: skip
    assert [s["seek"] for s in result["segments"]] == [0, 0, 2000, 5000, 5000]
    assert [s["id"] for s in result["segments"]] == list(range(5))
    assert result["text"] == " a b ab a b"
    assert len(script.asked) == 3


def test_context(told, say):
    texts = say(0, " a", 20), say(0, " b", 20), say(0, " ab", 2)
    _, script = told(*texts, initial_prompt="hello")
    prompts = [options.prompt for options, _ in script.asked]
    first = script.tokenizer.encode(" hello")
    assert prompts == [first, first + texts[0], first + texts[0] + texts[1]]
    _, script = told(*texts, condition_on_previous_text=False)
    assert [options.prompt for options, _ in script.asked] == [[], [], []]
    _, script = told(*texts, condition_on_previous_text=False, initial_prompt="hello",
                     carry_initial_prompt=True)  # fmt: skip
    assert [options.prompt for options, _ in script.asked] == [first] * 3


def test_failed_texts_are_tried_again(told, say):
    texts = [say(0, " a", 20)] * 4
    fields = {"compression_ratio": [9.0, 1.0, 1.0], "avg_logprob": [-0.1, -5.0, -0.1]}
    result, script = told(*texts, seconds=20, fields=fields, beam_size=2, best_of=3)
    assert [options.temperature for options, _ in script.asked] == [0.0, 0.2, 0.4]
    assert [options.beam_size for options, _ in script.asked] == [2, None, None]
    assert [options.best_of for options, _ in script.asked] == [None, 3, 3]
    assert result["segments"][0]["temperature"] == 0.4


def test_silence_is_left_out(told, say):
    fields = {"no_speech_prob": [0.9, 0.9], "avg_logprob": [-2.0, -0.1]}
    result, script = told(say(0, " a", 20), say(0, " b", 20), seconds=60, fields=fields)
    assert spans(result) == [(30, 50, " b")]
    assert [options.temperature for options, _ in script.asked] == [0.0, 0.0]


def test_wild_text_is_no_context(told, say):
    texts = say(0, " a", 20), say(0, " b", 20)
    _, script = told(*texts, seconds=60, temperature=0.8)
    assert script.asked[1][0].prompt == []


def test_parts(told, say):
    result, script = told(say(0, " a", 3), say(0, " b", 2), clip_timestamps="5,10,50")
    assert spans(result) == [(5, 8, " a"), (50, 52, " b")]
    assert (script.asked[0][1][:, 500:] == 0).all().item()
    assert told(clip_timestamps=[70.0, 90.0])[0]["segments"] == []
    assert len(told(clip_timestamps="")[1].asked) == 3


def test_empty_segments_keep_no_text(told, say, capsys):
    result, _ = told(say(3, " a", 3, 3, " b", 4, 4), seconds=5, verbose=True)
    assert [s["text"] for s in result["segments"]] == ["", " b", ""]
    assert "[00:03.000 --> 00:04.000]  b" in capsys.readouterr().out


def test_language_is_looked_for(told):
    assert told(language=None)[0]["language"] == "de"
    assert told(language="French")[0]["language"] == "fr"


def test_time_goes_on_whatever_a_text_says(told, say):
    _, script = told(*[say(0, 0, " a")] * 5, seconds=30, clip_timestamps="0,0.03")
    assert len(script.asked) == 3


def test_windows_are_those_of_the_whole_spectrogram(rng, tmp_path):
    sound = (rng.standard_normal(16000 * 71 + 77) * np.linspace(0, 0.2, 16000 * 71 + 77)).astype(
        np.float32
    )
    whole = log_mel_spectrogram(tp.tensor(sound), padding=480_000).numpy()
    features = RecordingFeatures(sound, 80)
    assert features.num_frames == len(sound) // 160
    for start, count in ((0, 3000), (1234, 3000), (7000, 100), (10, 30)):
        window = features.window(start, count, 3000).numpy()
        assert window.shape == (80, 3000)
        np.testing.assert_allclose(
            window[:, :count], whole[:, start : start + count], rtol=0, atol=1e-5
        )
        assert (window[:, count:] == 0).all()
    path = tmp_path / "a.wav"
    save(path, tp.tensor(sound)[None], 16000, encoding="PCM_F", bits_per_sample=32)
    with path.open("rb") as file:
        for source in (path, path.read_bytes(), file, io.BytesIO(path.read_bytes())):
            found = RecordingFeatures(source, 80).window(500, 3000, 3000).numpy()
            np.testing.assert_allclose(found, whole[:, 500:3500], rtol=0, atol=1e-4)


def test_short_and_bad_recordings(rng):
    tiny = rng.standard_normal(50).astype(np.float32)
    wanted = log_mel_spectrogram(tp.tensor(tiny), padding=480_000)[:, :3000]
    found = RecordingFeatures(tp.tensor(tiny)[None], 80)
    assert found.num_frames == 0
    np.testing.assert_allclose(found.window(0, 3000, 3000), wanted, atol=1e-5)
    with pytest.raises(DTypeError, match="floating"):
        RecordingFeatures(np.zeros(9, np.int16), 80)
    with pytest.raises(ShapeError, match="channels"):
        RecordingFeatures(np.zeros((1, 1, 9)), 80)


def test_no_temperature(told):
    with pytest.raises(DomainError, match="temperature"):
        told(temperature=())


def test_alignment_follows_attention(model, tokenizer, monkeypatch):
    """Heads that look at one place after the other: words are said where they look."""
    text = tokenizer.encode(" a b ab")
    ids = [*tokenizer.sot_sequence, tokenizer.no_timestamps, *text, tokenizer.eot]
    places = {3: 10, 4: 40, 5: 70, 6: 90}  # rows of the ids that are written next
    scores = np.full((2, len(ids), 100), 0.0, np.float32)
    for row, place in places.items():
        scores[:, row, place - 10 : place + 10] = 9.0
    likely = np.full((len(ids), tokenizer.eot), 0.25)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    monkeypatch.setattr(
        "triptych_audio.models.whisper.timing._looked_at", lambda *_: (weights, likely)
    )
    found = find_alignment(model, tokenizer, text, tp.zeros(1500, 16), 200)
    assert [word.word for word in found] == [" a", " b", " ab"]
    np.testing.assert_allclose([w.start for w in found], [0, 0.5, 1.1], atol=0.11)
    assert found[0].probability == 0.25
    assert find_alignment(model, tokenizer, [], tp.zeros(1500, 16), 200) == []


@pytest.mark.parametrize("threshold", [None, 0.5, 20.0])
def test_words_of_a_real_model(model, tokenizer, rng, say, monkeypatch, threshold):
    texts = iter([say(0.5, " a b, ab! hello", 6, 6, " b a. ab", 8, 8)])

    def written(self, encoded, options, tokenizer, generator):
        tokens = next(texts, [])
        return DecodingResult(encoded, "en", None, tokens, "a", -0.1, 0.0, 0.0, 1.0)

    monkeypatch.setattr(type(model), "decode", written)
    sound = (0.1 * rng.standard_normal(16000 * 8)).astype(np.float32)
    result = transcribe(model, sound, tokenizer=tokenizer, language="en", temperature=0.0,
                        word_timestamps=True, logprob_threshold=None, no_speech_threshold=None,
                        hallucination_silence_threshold=threshold, verbose=False)  # fmt: skip
    assert json.dumps(result)
    words = [word["word"] for segment in result["segments"] for word in segment["words"]]
    assert threshold is not None or words[:4] == [" a", " b,", " ab!", " hello"]
    for segment in result["segments"]:
        for word in segment["words"]:
            assert 0 <= word["start"] <= word["end"] <= 30
            assert 0 <= word["probability"] <= 1


def test_signs_go_to_words():
    words = [WordTiming(w, [i], i, i + 1, 1.0) for i, w in enumerate((' "', " a", ",", " b", "!"))]
    merge_punctuations(words, "\"'", ",!")
    assert [w.word for w in words] == ["", ' " a,', "", " b!", ""]
    assert words[1].tokens == [0, 1, 2]


def word(start, end, probability=0.9, text=" a"):
    return {"word": text, "start": start, "end": end, "probability": probability}


def segment(*words):
    return {"start": words[0]["start"], "end": words[-1]["end"], "words": list(words)}


def test_made_up_text():
    good = segment(word(10, 10.4), word(10.4, 10.9))
    odd = segment(word(20, 20.01, 0.05), word(20.01, 20.02, 0.05))
    assert not is_anomalous(None)
    assert not is_anomalous(good)
    assert is_anomalous(odd)
    assert is_anomalous(segment(word(0, 5.5)))
    assert silent_hallucination([good, odd], 8, 30, 38, 0, 2.0) == 1
    assert (
        silent_hallucination([odd, segment(word(20.1, 20.5), word(20.5, 21))], 8, 30, 38, 19, 2)
        is None
    )
    assert silent_hallucination([{"words": []}, good], 8, 30, 38, 0, 2.0) is None


RESULT = {
    "text": " a b",
    "segments": [
        {
            "start": 0.0,
            "end": 1.5,
            "text": " a --> b",
            "words": [word(0, 1), word(1, 1.5, 1, " b")],
        },
        {"start": 3700.25, "end": 3701.0, "text": " c\td", "words": [word(3700.25, 3701, 1, " c")]},
    ],
}


def test_formats():
    plain = {"segments": [{k: v for k, v in s.items() if k != "words"} for s in RESULT["segments"]]}
    assert formatted(plain, "txt") == "a --> b\nc\td\n"
    assert formatted(plain, "vtt") == (
        "WEBVTT\n\n00:00.000 --> 00:01.500\na -> b\n\n01:01:40.250 --> 01:01:41.000\nc\td\n\n"
    )
    assert formatted(plain, "srt").startswith("1\n00:00:00,000 --> 00:00:01,500\na -> b\n\n2\n")
    assert formatted(plain, "tsv") == "start\tend\ttext\n0\t1500\ta --> b\n3700250\t3701000\tc d\n"
    assert json.loads(formatted(RESULT, "json")) == RESULT
    with pytest.raises(UnknownNameError, match="docx"):
        formatted(plain, "docx")


def test_subtitles_of_words():
    assert list(subtitles(RESULT)) == [(0, 1.5, "a b"), (3700.25, 3701, "c")]
    assert [t for _, _, t in subtitles(RESULT, max_words_per_line=1)] == ["a", "b", "c"]
    assert [t for _, _, t in subtitles(RESULT, highlight_words=True)] == [
        "<u>a</u> b", "a <u>b</u>", "<u>c</u>",
    ]  # fmt: skip
    narrow = list(subtitles(RESULT, max_line_width=2, max_line_count=2))
    assert [t for _, _, t in narrow] == ["a\nb", "c"]
    assert next(subtitles({"segments": []}), None) is None


def test_compression_ratio():
    assert compression_ratio("a" * 100) > 5
    assert pad_or_trim(tp.ones(3), 2).shape == (2,)


def test_the_command_with_a_folder(model, write_folder, tmp_path, capsys):
    """The whole way: a folder and a sound file to text."""
    write_folder(tmp_path, model)
    sound = tmp_path / "a.wav"
    noise = np.random.default_rng(4).standard_normal((1, 24000)).astype(np.float32) * 0.1
    save(sound, noise, 16000)
    words = ["transcribe", str(sound), "--model", str(tmp_path), "--language", "german"]
    tp.manual_seed(3)  # later temperatures draw
    assert main([*words, "--output-format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    tp.manual_seed(3)
    wanted = load_model(tmp_path).transcribe(sound, language="de")
    assert told["language"] == "de"
    assert told["text"] == wanted["text"]
    assert [s["tokens"] for s in told["segments"]] == [s["tokens"] for s in wanted["segments"]]
    assert told["segments"]
