"""Lists of one JSON object per line."""

import gzip
import json

import numpy as np
import pytest

import triptych_audio as audio
from triptych.errors import FileFormatError
from triptych_audio.datasets import Manifest
from triptych_datasets import MissingDataError


@pytest.fixture
def place(tmp_path):
    samples = np.arange(1000, dtype=np.float32)[None] / 1000
    audio.save(tmp_path / "a.wav", samples, 1000)
    return tmp_path


def write(place, *rows, name="list.jsonl"):
    text = "".join(json.dumps(row) + "\n\n" for row in rows)
    path = place / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


NEMO = {"audio_filepath": "a.wav", "duration": 0.1, "offset": 0.25, "text": "part"}
CUT = {
    "id": "x",
    "start": 0.5,
    "duration": 0.2,
    "recording": {"sources": [{"type": "file", "source": "a.wav"}], "sampling_rate": 1000},
    "supervisions": [{"text": "cut"}],
}


@pytest.mark.parametrize("name", ["list.jsonl", "cuts.jsonl.gz"])
def test_parts_and_wholes(place, name):
    path = write(place, NEMO, CUT, {"path": "a.wav"}, {"audio": "a.wav", "offset": 0.9}, name=name)
    data = Manifest(path)
    assert len(data) == 4
    for n, (start, end) in enumerate([(250, 350), (500, 700), (0, 1000), (900, 1000)]):
        waveform, rate, row = data[n]
        assert rate == 1000
        np.testing.assert_allclose(waveform.numpy()[0], np.arange(start, end) / 1000, atol=1e-6)
        assert data.get_metadata(n) == ("a.wav", 1000, row)
    assert data[0][2] == NEMO
    assert "4 recordings" in repr(data)


def test_durations_and_transform(place):
    rows = [{"path": "a.wav", "duration": d} for d in (0.1, 0.5, 1.0)] + [{"path": "a.wav"}]
    data = Manifest(write(place, *rows), min_duration=0.2, max_duration=0.6, transform=lambda w: 7)
    assert [row.get("duration") for row in data.rows] == [0.5, None]
    assert data[0][0] == data[1][0] == 7


def test_another_root(place, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("lists"), {"path": "a.wav"})
    assert Manifest(path, place)[0][0].shape == (1, 1000)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"file": "a.wav"}, "line 1: wanted an object with one of audio_filepath"),
        ([1], "line 1: wanted an object"),
        ({"path": "a.wav", "offset": "x"}, "could not convert"),
        ({"recording": {"sources": []}}, "line 1: .*IndexError"),
        ({"recording": {"sources": [{"type": "command", "source": "rm"}]}}, "of type 'command'"),
    ],
)
def test_refused_rows(place, row, text):
    with pytest.raises(FileFormatError, match=text):
        Manifest(write(place, row))


def test_refused_files(place):
    with pytest.raises(MissingDataError, match=r"none\.jsonl not found"):
        Manifest(place / "none.jsonl")
    (place / "bad.jsonl").write_text('{"path": 1}\n{"path"\n')
    with pytest.raises(FileFormatError, match="line 2"):
        Manifest(place / "bad.jsonl")
