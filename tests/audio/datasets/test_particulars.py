"""What single data sets have that others have not."""

import io
import tarfile

import pytest

import triptych_audio.datasets as datasets
from triptych.errors import FileFormatError
from triptych_audio.datasets.gtzan import GENRES, SPLITS, split_names
from triptych_datasets import MissingDataError

pytestmark = pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")


def lines(*texts):
    return "".join(f"{text}\n" for text in texts).encode()


# GTZAN


def test_gtzan_split_is_one():
    parts = {subset: split_names(subset) for subset in SPLITS}
    assert {k: len(v) for k, v in parts.items()} == {
        "training": 443,
        "validation": 197,
        "testing": 290,
    }
    names = [name for part in parts.values() for name in part]
    assert len(set(names)) == len(names) == 930
    assert {name.partition(".")[0] for name in names} == set(GENRES)
    assert all(0 <= int(name[-5:]) < 100 for name in names)
    assert all(part == sorted(part) for part in parts.values())
    assert {"blues.00029", "rock.00099", "jazz.00041"} <= set(parts["training"])


def test_gtzan_part(tmp_path, files):
    files.write(tmp_path, {"genres/blues/blues.00012.wav": files.sound(4, 22050)})
    data = datasets.GTZAN(tmp_path, subset="testing")
    assert len(data) == 290
    assert data[0][1:] == (22050, "blues")
    with pytest.raises(FileNotFoundError):
        data[1]


# CMUdict

DICTIONARY = """;;; # comment
!EXCLAMATION-POINT  EH2 K S
'BOUT  B AW1 T
'END-QUOTE  EH1 N D
--DASH  D AE1 SH
...ELLIPSIS  IH2 L
;SEMI-COLON(1)  S EH1
{BRACE  B R EY1 S
DATAPOINTS  D EY1 T AH0
DATAPOINTS(1)  D AE1 T AH0
D\xe9J\xc0  D EY0
"""


@pytest.fixture
def dictionary(tmp_path, files):
    tree = {
        "cmudict-0.7b": DICTIONARY.encode("latin-1"),
        "cmudict-0.7b.symbols": b"AA\nAA0\n",
    }
    files.write(tmp_path, tree)
    return tmp_path


def test_cmudict(dictionary):
    data = datasets.CMUDict(dictionary)
    assert [word for word, _ in data] == ["'BOUT", "DATAPOINTS", "DATAPOINTS", "D\xe9J\xc0"]
    assert data[0] == ("'BOUT", ["B", "AW1", "T"])
    assert data.symbols == ["AA", "AA0"]
    everything = datasets.CMUDict(dictionary, exclude_punctuations=False)
    assert [word for word, _ in everything][:7] == ["!", "'BOUT", "'", "--", "...", ";", "{"]
    assert len(everything) == 10


def test_cmudict_download(dictionary, tmp_path, publisher):
    tree = {path.name: path.read_bytes() for path in dictionary.glob("cmudict*")}
    publisher.publish(tmp_path / "data", tree)
    data = datasets.CMUDict(tmp_path / "data", download=True)
    assert len(data) == 4
    assert [url.rpartition("/")[2] for url, _ in publisher.asked] == sorted(tree)
    with pytest.raises(MissingDataError, match="download=True"):
        datasets.CMUDict(tmp_path / "none")


def test_cmudict_damaged(dictionary):
    (dictionary / "cmudict-0.7b").write_text("WORD W ER1 D\n")
    with pytest.raises(FileFormatError, match="two spaces"):
        datasets.CMUDict(dictionary)


def test_nsynth_note_without_a_label(tmp_path, files):
    files.write(tmp_path, {"nsynth-test/examples.json": b'{"x": {"pitch": 1}}'})
    with pytest.raises(FileFormatError, match="a note lacks one of pitch"):
        datasets.NSynth(tmp_path, "test")


# TED-LIUM, VoxCeleb, MUSDB, LibriMix, AudioSet, AudioFolder


def test_tedlium_reads_the_sentence_and_no_more(tmp_path, files):
    base = "TEDLIUM_release1"
    tree = {
        f"{base}/train/stm/a.stm": lines("a 1 s 0.001 0.002 id words"),
        f"{base}/train/sph/a.sph": files.sound(1, frames=100, format="NIST"),
        f"{base}/TEDLIUM.150K.dic": lines("A AH", "B B IY", "SIL"),
    }
    data = datasets.TEDLIUM(files.write(tmp_path, tree))
    assert data[0][0].shape == (1, 16)
    assert data.phoneme_dict == {"A": ("AH",), "B": ("B", "IY"), "SIL": ()}
    (tmp_path / base / "train/stm/a.stm").write_text("a 1 s now 0.002 id words\n")
    with pytest.raises(FileFormatError, match="could not convert"):
        datasets.TEDLIUM(tmp_path)


def test_voxceleb_joins_the_parts(tmp_path, files, publisher):
    dev = files.packed("dev.zip", {"wav/id1/a/1.wav": files.sound(1)})
    quarter = len(dev) // 4 + 1
    publisher.archives = {
        f"vox1_dev_wav_parta{letter}": dev[i * quarter : (i + 1) * quarter]
        for i, letter in enumerate("abcd")
    }
    publisher.archives["vox1_test_wav.zip"] = files.packed(
        "test.zip", {"wav/id2/b/2.wav": files.sound(2)}
    )
    publisher.archives["veri_test.txt"] = lines("1 id1/a/1.wav id2/b/2.wav")
    data = datasets.VoxCeleb1Verification(tmp_path / "data", download=True)
    assert data[0][2:] == (16000, 1, "id1-a-1", "id2-b-2")
    assert [digest is None for _, digest in publisher.asked] == [False] * 5 + [True]


def test_musdb_stems_of_different_lengths(tmp_path, files):
    base = "musdb18hq/test/x"
    tree = {
        f"{base}/{s}.wav": files.sound(1, 44100, frames=i) for i, s in ((5, "bass"), (6, "drums"))
    }
    data = datasets.MUSDB_HQ(files.write(tmp_path, tree), "test", sources=["bass", "drums"])
    with pytest.raises(FileFormatError, match="stems of different shapes"):
        data[0]
    kept = datasets.MUSDB_HQ(tmp_path, "test", split="validation")
    assert len(kept) == 14


def test_librimix_particulars(tmp_path, files):
    base = "Libri2Mix/wav8k/min/dev"
    tree = {f"{base}/{n}/a.wav": files.sound(1, 8000, frames=f)
            for n, f in (("mix_clean", 5), ("s1", 5), ("s2", 6))}  # fmt: skip
    data = datasets.LibriMix(files.write(tmp_path, tree), "dev")
    with pytest.raises(FileFormatError, match="sources of other shapes"):
        data[0]
    with pytest.raises(ValueError, match="8000 or 16000"):
        datasets.LibriMix(tmp_path, "dev", sample_rate=44100)


def test_audioset_counts_what_is_gone(tmp_path, files):
    tree = {"eval.csv": lines('a, 0.0, 10.0, "/m/1"', 'b, 0.0, 10.0, "/m/1"'), "b.wav": b""}
    data = datasets.AudioSet(files.write(tmp_path, tree), "eval.csv")
    assert (len(data), data.num_missing) == (1, 1)


def test_audio_folder_particulars(tmp_path, files):
    files.write(tmp_path, {"b/x.wav": files.sound(1), "a/y.txt": b""})
    with pytest.raises(MissingDataError, match=r"for the classes a in"):
        datasets.AudioFolder(tmp_path)
    files.write(tmp_path, {"a/y.wav": files.sound(2)})
    data = datasets.AudioFolder(tmp_path)
    assert (data.classes, data.class_to_idx, data.targets) == (["a", "b"], {"a": 0, "b": 1}, [0, 1])


def test_names_and_rows_that_do_not_fit(tmp_path, files):
    wrong = {
        "LIBRISPEECH": ("LibriSpeech/dev-clean/1/2/1-2.flac", {"url": "dev-clean"}, "NUMBER"),
        "LIBRITTS": ("LibriTTS/dev-clean/1/2/1_2.wav", {"url": "dev-clean"}, "UTTERANCE"),
        "YESNO": ("waves_yesno/0_2.wav", {}, "0_1_1"),
        "SPEECHCOMMANDS": (
            "SpeechCommands/speech_commands_v0.02/yes/a_nohash_b.wav", {}, "_nohash_NUMBER"
        ),
    }  # fmt: skip
    for name, (path, kwargs, text) in wrong.items():
        root = files.write(tmp_path / name, {path: files.sound()})
        with pytest.raises(FileFormatError, match=text):
            getattr(datasets, name)(root, **kwargs)[0]


def test_transcripts_that_are_missing(tmp_path, files):
    tree = {
        "LibriSpeech/dev-clean/1/2/1-2-0000.flac": files.sound(format="FLAC"),
        "LibriSpeech/dev-clean/1/2/1-2.trans.txt": lines("1-2-0001 X"),
        "LibriTTS/dev-clean/1/2/1_2_3_4.wav": files.sound(rate=24000),
        "SNIPS/train/Amy-1.wav": files.sound(),
        "SNIPS/all.iob.snips.txt": b"",
        "noisy_testset_wav/p_1.wav": files.sound(),
        "clean_testset_wav/p_2.wav": files.sound(),
    }
    files.write(tmp_path, tree)
    with pytest.raises(MissingDataError, match="no transcript of 1-2-0000"):
        datasets.LIBRISPEECH(tmp_path, "dev-clean")[0]
    with pytest.raises(MissingDataError, match=r"1_2_3_4\.original\.txt not found"):
        datasets.LIBRITTS(tmp_path, "dev-clean")[0]
    with pytest.raises(MissingDataError, match="says nothing of Amy-1"):
        datasets.Snips(tmp_path, "train", audio_format="wav")[0]
    with pytest.raises(MissingDataError, match=r"lacks p_1\.wav"):
        datasets.VoiceBankDEMAND(tmp_path, "test")


def test_tables(tmp_path):
    from triptych_audio.datasets.base import read_table

    path = tmp_path / "t.csv"
    path.write_bytes(b'a,b\r\n1,"x,y"\r\n')
    assert read_table(path, ("a",)) == [{"a": "1", "b": "x,y"}]
    with pytest.raises(FileFormatError, match="column c is missing"):
        read_table(path, ("c",))
    path.write_bytes(b"a,b\n1\n")
    with pytest.raises(FileFormatError, match="row 2 has more or fewer cells"):
        read_table(path, ("a",))
    with pytest.raises(MissingDataError, match="a list that belongs"):
        read_table(tmp_path / "none.csv", ())


def test_base_class_says_what_is_missing(tmp_path):
    data = datasets.AudioDataset(tmp_path)
    with pytest.raises(NotImplementedError, match="entry"):
        data[0]
    with pytest.raises(NotImplementedError, match="__len__"):
        len(data)


# Shards


def test_web_dataset(tmp_path, files):
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in {"1.flac": files.sound(3, format="FLAC"), "1.txt": b"yes"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    ((sound, text),) = datasets.WebDataset(path, keys=("wav;flac", "txt"))
    assert (sound[0].shape, sound[1], text) == ((1, 8), 16000, "yes")
    (raw,) = datasets.WebDataset(path, decode=False)
    assert raw["flac"].startswith(b"fLaC")
    (own,) = datasets.WebDataset(path, decode={"flac": len}, transform=lambda s: s["flac"])
    assert own == len(raw["flac"])
