"""Every loader on a tiny tree of its layout: whole, downloaded, missing, damaged, wrong split."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import triptych as tp
import triptych_audio.datasets as datasets
from triptych.errors import FileFormatError
from triptych_datasets import HashMismatch, MissingDataError

pytestmark = pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")


@dataclass
class Row:
    """A data set, its tree, and its samples: waveforms by the level of their files."""

    name: str
    tree: Callable[[Any], dict[str, bytes]]
    samples: list[Any]
    metadata: Any = None  # of the first sample
    kwargs: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    downloads: dict[str, str] | None = None  # archive: the folder of the tree that it holds
    lists: tuple[str, ...] = ()  # damaged one after the other
    by_hand: str = ""

    def make(self, root, **more):
        return getattr(datasets, self.name)(root, **{**self.kwargs, **more})


ROWS: list[Row] = []


def row(name, samples, **settings):
    def register(tree):
        ROWS.append(Row(name, tree, samples, **settings))
        return tree

    return register


def lines(*texts):
    return "".join(f"{text}\n" for text in texts).encode()


LIBRI = "LibriSpeech/dev-clean"


def book(f, base):
    return {
        f"{base}/84/121/84-121-0002.flac": f.sound(2, format="FLAC"),
        f"{base}/84/121/84-121-0001.flac": f.sound(1, format="FLAC"),
        f"{base}/84/121/84-121.trans.txt": lines(
            "84-121-0001 GO DO YOU HEAR GO", "84-121-0002 AND YOU"
        ),
        f"{base}/1/5/1-5-0000.flac": f.sound(3, format="FLAC"),
        f"{base}/1/5/1-5.trans.txt": lines("1-5-0000 YES"),
    }


@row(
    "LIBRISPEECH",
    [
        (3, 16000, "YES", 1, 5, 0),
        (1, 16000, "GO DO YOU HEAR GO", 84, 121, 1),
        (2, 16000, "AND YOU", 84, 121, 2),
    ],
    metadata=("dev-clean/1/5/1-5-0000.flac", 16000, "YES", 1, 5, 0),
    kwargs={"url": "dev-clean"},
    wrong={"url": "dev-dirty"},
    downloads={"dev-clean.tar.gz": ""},
    lists=("LibriSpeech/dev-clean/1/5/1-5.trans.txt",),
)
def librispeech(f):
    return book(f, LIBRI)


@row(
    "LibriSpeechBiasing",
    [
        (3, 16000, "YES", 1, 5, 0, []),
        (1, 16000, "GO DO YOU HEAR GO", 84, 121, 1, ["GO", "HEAR"]),
        (2, 16000, "AND YOU", 84, 121, 2, []),
    ],
    kwargs={"url": "dev-clean", "blist": ["HEAR", "GO", "NEVER"]},
    wrong={"url": "dev-dirty"},
    downloads={"dev-clean.tar.gz": ""},
)
def biasing(f):
    return book(f, LIBRI)


@row(
    "LibriLightLimited",
    [(3, 16000, "YES", 1, 5, 0), (1, 16000, "GO DO YOU HEAR GO", 84, 121, 1),
     (2, 16000, "AND YOU", 84, 121, 2)],
    metadata=("1h/0/clean/1/5/1-5-0000.flac", 16000, "YES", 1, 5, 0),
    wrong={"subset": "1min"},
    downloads={"librispeech_finetuning.tgz": ""},
)  # fmt: skip
def limited(f):
    return {
        **book(f, "librispeech_finetuning/1h/0/clean"),
        **{
            f"librispeech_finetuning/{part}/other/9/9/9-9-0000.flac": f.sound(9, format="FLAC")
            for part in ("1h/1", "9h")
        },
    }


@row("LIBRITTS", [(1, 24000, "Dr. No", "Doctor No", 84, 121, "84_121_0_1")],
     metadata=("84/121/84_121_0_1.wav", 24000, "Dr. No", "Doctor No", 84, 121, "84_121_0_1"),
     kwargs={"url": "test-other"}, wrong={"url": "test"},
     downloads={"test-other.tar.gz": ""})  # fmt: skip
def libritts(f):
    base = "LibriTTS/test-other/84/121/84_121_0_1"
    return {
        f"{base}.wav": f.sound(1, 24000),
        f"{base}.original.txt": lines("Dr. No"),
        f"{base}.normalized.txt": b"Doctor No",
    }


@row("LibriMix", [(16000, 1, [2, 3])],
     metadata=(16000, "wav16k/max/dev/mix_both/a_b.wav",
               ["wav16k/max/dev/s1/a_b.wav", "wav16k/max/dev/s2/a_b.wav"]),
     kwargs={"subset": "dev", "sample_rate": 16000, "task": "sep_noisy", "mode": "max"},
     wrong={"task": "sep"}, by_hand="LibriMix")  # fmt: skip
def librimix(f):
    base = "Libri2Mix/wav16k/max/dev"
    return {f"{base}/{n}/a_b.wav": f.sound(i) for i, n in enumerate(("mix_both", "s1", "s2"), 1)}


@row("LibriMix", [(8000, 1, [2])],
     kwargs={"subset": "test", "num_speakers": 3, "task": "enh_both"}, wrong={"mode": "mean"},
     by_hand="LibriMix")  # fmt: skip
def librimix_noisy(f):
    base = "Libri3Mix/wav8k/min/test"
    return {f"{base}/{n}/x.wav": f.sound(i, 8000) for i, n in ((1, "mix_both"), (2, "mix_clean"))}


@row("LJSPEECH", [(1, 22050, 'He said "1', "he"), (2, 22050, "Two", "two")],
     metadata=("LJ001-0001.wav", 22050, 'He said "1', "he"),
     downloads={"LJSpeech-1.1.tar.bz2": ""}, lists=("LJSpeech-1.1/metadata.csv",))  # fmt: skip
def ljspeech(f):
    return {
        "LJSpeech-1.1/metadata.csv": lines('LJ001-0001|He said "1|he', "LJ001-0002|Two|two"),
        "LJSpeech-1.1/wavs/LJ001-0001.wav": f.sound(1, 22050),
        "LJSpeech-1.1/wavs/LJ001-0002.wav": f.sound(2, 22050),
    }


@row("VCTK_092", [(1, 48000, "Please call.", "p225", "001"), (3, 48000, "Ask.", "p362", "002")],
     wrong={"mic_id": "mic3"}, downloads={"VCTK-Corpus-0.92.zip": "VCTK-Corpus-0.92/"})  # fmt: skip
def vctk(f):
    base = "VCTK-Corpus-0.92"
    speech = {("p225", 1, "mic2"): 1, ("p280", 1, "mic1"): 2, ("p362", 2, "mic2"): 3}
    return {
        f"{base}/txt/p225/p225_001.txt": lines("Please call."),
        f"{base}/txt/p280/p280_001.txt": lines("Only mic1."),
        f"{base}/txt/p362/p362_001.txt": lines("Lost."),
        f"{base}/txt/p362/p362_002.txt": lines("Ask."),
        **{
            f"{base}/wav48_silence_trimmed/{s}/{s}_{n:03d}_{mic}.flac": f.sound(
                level, 48000, format="FLAC"
            )
            for (s, n, mic), level in speech.items()
        },
    }


@row("DR_VCTK", [(1, 16000, 2, 16000, "p225", "001", "device", 3)],
     metadata=("clean_trainset_wav_16k/p225_001.wav", 16000,
               "device-recorded_trainset_wav_16k/p225_001.wav", 16000, "p225", "001", "device", 3),
     wrong={"subset": "dev"}, downloads={"DR-VCTK.zip": ""},
     lists=("DR-VCTK/DR-VCTK/configurations/train_ch_log.txt",))  # fmt: skip
def dr_vctk(f):
    base = "DR-VCTK/DR-VCTK"
    return {
        f"{base}/configurations/train_ch_log.txt": lines("#", "#", "p225_001.wav\tdevice\t3"),
        f"{base}/clean_trainset_wav_16k/p225_001.wav": f.sound(1),
        f"{base}/device-recorded_trainset_wav_16k/p225_001.wav": f.sound(2),
    }


def commands(f):
    base = "SpeechCommands/speech_commands_v0.02"
    words = {"yes/aa_nohash_0": 1, "yes/bb_nohash_1": 2, "no/aa_nohash_0": 3, "no/cc_nohash_2": 4}
    return {
        **{f"{base}/{name}.wav": f.sound(level) for name, level in words.items()},
        f"{base}/_background_noise_/pink.wav": f.sound(9),
        f"{base}/validation_list.txt": lines("yes/bb_nohash_1.wav"),
        f"{base}/testing_list.txt": lines("no/cc_nohash_2.wav"),
    }


SPEECH = "SpeechCommands/speech_commands_v0.02/"
for subset, samples in {
    None: [(3, "no", "aa", 0), (4, "no", "cc", 2), (1, "yes", "aa", 0), (2, "yes", "bb", 1)],
    "training": [(3, "no", "aa", 0), (1, "yes", "aa", 0)],
    "validation": [(2, "yes", "bb", 1)],
    "testing": [(4, "no", "cc", 2)],
}.items():
    row(
        "SPEECHCOMMANDS",
        [(level, 16000, *labels) for level, *labels in samples],
        kwargs={"subset": subset},
        wrong={"subset": "train"},
        downloads={"speech_commands_v0.02.tar.gz": SPEECH},
    )(commands)


@row("COMMONVOICE",
     [(1, 48000, {"client_id": "x", "path": "a.mp3", "sentence": 'A "quoted', "age": ""}),
      (2, 48000, {"client_id": "y", "path": "b", "sentence": "B", "age": "teens"})],
     lists=("train.tsv",), by_hand="commonvoice.mozilla.org")  # fmt: skip
def commonvoice(f):
    rows = ("client_id\tpath\tsentence\tage", 'x\ta.mp3\tA "quoted\t', "y\tb\tB\tteens")
    return {
        "train.tsv": lines(*rows),
        "clips/a.mp3": f.sound(1, 48000),
        "clips/b.mp3": f.sound(2, 48000),
    }


@row("YESNO", [(1, 8000, [0, 1, 1]), (2, 8000, [1, 0, 0])],
     metadata=("0_1_1.wav", 8000, [0, 1, 1]),
     downloads={"waves_yesno.tar.gz": ""})  # fmt: skip
def yesno(f):
    return {
        "waves_yesno/1_0_0.wav": f.sound(2, 8000),
        "waves_yesno/0_1_1.wav": f.sound(1, 8000),
        "waves_yesno/README": b"",
    }


@row("GTZAN", [(1, 22050, "blues"), (2, 22050, "rock")], wrong={"subset": "train"},
     downloads={"genres.tar.gz": ""})  # fmt: skip
def gtzan(f):
    return {
        "genres/rock/rock.00011.wav": f.sound(2, 22050),
        "genres/blues/blues.00012.wav": f.sound(1, 22050),
        "genres/blues/blues.1.wav": f.sound(9, 22050),
        "genres/talk/talk.00001.wav": f.sound(9, 22050),
    }


@row("CMUARCTIC", [(1, 16000, 'Author of "it", etc.', "a0001")], kwargs={"url": "slt"},
     metadata=("wav/arctic_a0001.wav", 16000, 'Author of "it", etc.', "a0001"),
     downloads={"cmu_us_slt_arctic.tar.bz2": "ARCTIC/"},
     lists=("ARCTIC/cmu_us_slt_arctic/etc/txt.done.data",))  # fmt: skip
def arctic(f):
    base = "ARCTIC/cmu_us_slt_arctic"
    return {
        f"{base}/etc/txt.done.data": lines('( arctic_a0001 "Author of "it", etc." )'),
        f"{base}/wav/arctic_a0001.wav": f.sound(1),
    }


TALK = lines(
    "Al_2010 1 Al_2010 0.0 0.0005 <NA> first words", "Al_2010 1 Al_2010 0.0005 0.001 <NA> more"
)


def talks(base):
    def tree(f):
        return {
            f"{base}/stm/Al_2010.stm": TALK,
            f"{base}/sph/Al_2010.sph": f.sound(1, frames=16, format="NIST"),
            f"{base.split('/')[0]}/TEDLIUM.150K.dic": lines("A AH", "B B IY", "SIL"),
            f"{base.split('/')[0]}/TEDLIUM.152k.dic": lines("A AH", "B B IY", "SIL"),
        }

    return tree


for kwargs, base, archive in [
    ({}, "TEDLIUM_release1/train", "TEDLIUM_release1.tar.gz"),
    ({"release": "release2", "subset": "dev"}, "TEDLIUM_release2/dev", "TEDLIUM_release2.tar.gz"),
    ({"release": "release3"}, "TEDLIUM_release-3/data", "TEDLIUM_release-3.tgz"),
    ({"release": "release3", "subset": "test"}, "TEDLIUM_release-3/legacy/test",
     "TEDLIUM_release-3.tgz"),
]:  # fmt: skip
    row(
        "TEDLIUM",
        [(1, 16000, text, "Al_2010", "Al_2010", "<NA>") for text in ("first words", "more")],
        metadata=("sph/Al_2010.sph", 16000, "first words", "Al_2010", "Al_2010", "<NA>"),
        kwargs=kwargs,
        wrong={"release": "release4"},
        downloads={archive: ""},
        lists=(f"{base}/stm/Al_2010.stm",),
    )(talks(base))


def songs(f):
    stems = ("bass", "drums", "other", "vocals", "mixture")
    names = ("ANiMAL - Rockshow", "A Song")
    return {
        f"musdb18hq/train/{song}/{stem}.wav": f.sound(10 * s + i, 44100, channels=2)
        for s, song in enumerate(names, 1)
        for i, stem in enumerate(stems)
    }


for kwargs, samples in [
    (
        {},
        [
            ([20, 21, 22, 23], 44100, 8, "A Song"),
            ([10, 11, 12, 13], 44100, 8, "ANiMAL - Rockshow"),
        ],
    ),
    ({"split": "train", "sources": ["mixture", "bass"]}, [([24, 20], 44100, 8, "A Song")]),
]:  # fmt: skip
    row(
        "MUSDB_HQ",
        samples,
        kwargs={"subset": "train", **kwargs},
        wrong={"split": "val"},
        downloads={"musdb18hq.zip": "musdb18hq/"},
    )(songs)


@row("FluentSpeechCommands",
     [(1, 16000, "x-1", "spk", "Lights, on", "activate", "lights", "none")],
     metadata=("wavs/speakers/spk/x-1.wav", 16000, "x-1", "spk", "Lights, on", "activate",
               "lights", "none"),
     kwargs={"subset": "valid"}, wrong={"subset": "val"}, by_hand="fluent.ai",
     lists=("fluent_speech_commands_dataset/data/valid_data.csv",))  # fmt: skip
def fluent(f):
    base = "fluent_speech_commands_dataset"
    return {
        f"{base}/data/valid_data.csv": lines(
            ",path,speakerId,transcription,action,object,location",
            '0,wavs/speakers/spk/x-1.wav,spk,"Lights, on",activate,lights,none',
        ),
        f"{base}/wavs/speakers/spk/x-1.wav": f.sound(1),
    }


def celebrities(f):
    return {
        "wav/id10001/abc/00001.wav": f.sound(1),
        "wav/id10002/def/00002.wav": f.sound(2),
        "iden_split.txt": lines("3 id10002/def/00002.wav", "1 id10001/abc/00001.wav"),
        "veri_test.txt": lines("0 id10001/abc/00001.wav id10002/def/00002.wav"),
    }


row("VoxCeleb1Identification", [(2, 16000, 2, "id10002-def-00002")],
    metadata=("id10002/def/00002.wav", 16000, 2, "id10002-def-00002"),
    kwargs={"subset": "test"}, wrong={"subset": "val"}, by_hand="download=True",
    lists=("iden_split.txt",))(celebrities)  # fmt: skip
row("VoxCeleb1Verification", [(1, 2, 16000, 0, "id10001-abc-00001", "id10002-def-00002")],
    metadata=("id10001/abc/00001.wav", "id10002/def/00002.wav", 16000, 0, "id10001-abc-00001",
              "id10002-def-00002"),
    by_hand="download=True", lists=("veri_test.txt",))(celebrities)  # fmt: skip


def emotions(f):
    base = "IEMOCAP/Session1"
    said = {"Ses01F_impro01/Ses01F_impro01_F000": 1, "Ses01F_script01/Ses01F_script01_M001": 2,
            "Ses01F_impro01/Ses01F_impro01_F002": 3}  # fmt: skip
    return {
        **{f"{base}/sentences/wav/{name}.wav": f.sound(level) for name, level in said.items()},
        f"{base}/dialog/EmoEvaluation/Ses01F_impro01.txt": lines(
            "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]",
            "[6.2 - 8.2]\tSes01F_impro01_F000\tneu\t[2.5, 2.5, 2.5]",
            "C-E2:\tNeutral;\t()",
            "[9.2 - 9.9]\tSes01F_impro01_F002\txxx\t[2.5, 2.5, 2.5]",
        ),
        f"{base}/dialog/EmoEvaluation/Ses01F_script01.txt": lines(
            "[6.2 - 8.2]\tSes01F_script01_M001\tang\t[2.5, 2.5, 2.5]"
        ),
    }


EMOTIONAL = [
    (1, 16000, "Ses01F_impro01_F000", "neu", "Ses01F"),
    (2, 16000, "Ses01F_script01_M001", "ang", "Ses01F"),
]
for kind, samples in (
    (None, EMOTIONAL),
    ("scripted", EMOTIONAL[1:]),
    ("improvised", EMOTIONAL[:1]),
):
    row("IEMOCAP", samples, kwargs={"sessions": (1,), "utterance_type": kind},
        wrong={"utterance_type": "sung"}, by_hand="sail.usc.edu")(emotions)  # fmt: skip


@row("Snips",
     [(1, 16000, "Aditi-snips-train-1", "add a tune", "O O B-music_item", "AddToPlaylist")],
     metadata=("train/Aditi-snips-train-1.wav", 16000, "Aditi-snips-train-1", "add a tune",
               "O O B-music_item", "AddToPlaylist"),
     kwargs={"subset": "train", "audio_format": "wav"}, wrong={"subset": "val"},
     lists=("SNIPS/all.iob.snips.txt",), by_hand="github.com")  # fmt: skip
def snips(f):
    labels = "Aditi-snips-train-1 BOS add a tune EOS\tO O O B-music_item AddToPlaylist"
    return {
        "SNIPS/train/Aditi-snips-train-1.wav": f.sound(1),
        "SNIPS/train/Nobody-snips-train-1.wav": f.sound(2),
        "SNIPS/all.iob.snips.txt": lines(labels),
    }


@row("QUESST14", [(2, 8000, "quesst14_dev_0002")],
     metadata=("dev_queries/quesst14_dev_0002.wav", 8000, "quesst14_dev_0002"),
     kwargs={"subset": "dev", "language": "czech"}, wrong={"language": "welsh"},
     downloads={"quesst14Database.tgz": ""},
     lists=("quesst14Database/scoring/language_key_dev.lst",))  # fmt: skip
def quesst(f):
    base = "quesst14Database"
    return {
        f"{base}/scoring/language_key_dev.lst": lines(
            "dev/dev_queries/quesst14_dev_0001.wav basque",
            "dev/dev_queries/quesst14_dev_0002.wav czech",
        ),
        **{f"{base}/dev_queries/quesst14_dev_000{i}.wav": f.sound(i, 8000) for i in (1, 2)},
    }


@row("Musan", [(1, 16000, "noise-0.wav"), (2, 16000, "noise-1.wav")],
     metadata=("noise/free/noise-0.wav", 16000, "noise-0.wav"), kwargs={"subset": "noise"},
     wrong={"subset": "song"}, by_hand="openslr")  # fmt: skip
def musan(f):
    return {f"noise/free/noise-{i}.wav": f.sound(i + 1) for i in (1, 0)} | {"noise/README": b""}


# What torchaudio lacks


@row("AudioFolder", [(1, 16000, 0), (2, 8000, 1), (3, 16000, 1)],
     metadata=("cat/deep/a.FLAC", 16000, 0))  # fmt: skip
def folder(f):
    return {
        "cat/deep/a.FLAC": f.sound(1, format="FLAC"),
        "dog/a.wav": f.sound(2, 8000),
        "dog/b.wav": f.sound(3),
        "dog/notes.txt": b"",
    }


def esc(f):
    table = lines(
        "filename,fold,target,category,esc10,src_file,take",
        "1-1-A-0.wav,1,0,dog,True,1,A",
        "2-1-A-1.wav,2,1,rooster,False,1,A",
        "2-2-A-0.wav,2,0,dog,True,1,A",
    )
    return {
        "ESC-50-master/meta/esc50.csv": table,
        **{
            f"ESC-50-master/audio/{n}.wav": f.sound(i, 44100)
            for i, n in enumerate(("1-1-A-0", "2-1-A-1", "2-2-A-0"), 1)
        },
    }


row("ESC50", [(2, 44100, 1, "rooster", 2), (3, 44100, 0, "dog", 2)], kwargs={"folds": [2]},
    wrong={"folds": [6]}, by_hand="github.com",
    lists=("ESC-50-master/meta/esc50.csv",))(esc)  # fmt: skip
row("ESC50", [(1, 44100, 0, "dog", 1), (3, 44100, 0, "dog", 2)], kwargs={"esc10": True},
    by_hand="github.com")(esc)  # fmt: skip


@row("UrbanSound8K", [(2, 48000, 3, "dog_bark", 10)], kwargs={"folds": [10]},
     wrong={"folds": [11]}, by_hand="weebly")  # fmt: skip
def urban(f):
    table = lines(
        "slice_file_name,fsID,start,end,salience,fold,classID,class",
        "1-0.wav,1,0,4,1,1,0,air_conditioner",
        "2-3.wav,1,0,4,1,10,3,dog_bark",
    )
    return {
        "UrbanSound8K/metadata/UrbanSound8K.csv": table,
        "UrbanSound8K/audio/fold1/1-0.wav": f.sound(1, 44100),
        "UrbanSound8K/audio/fold10/2-3.wav": f.sound(2, 48000),
    }


def freesound(f):
    truth = "FSD50K.ground_truth"
    return {
        f"{truth}/vocabulary.csv": lines("0,Bark,/m/1", "1,Dog,/m/2"),
        f"{truth}/dev.csv": lines(
            "fname,labels,mids,split", '7,"Bark,Dog","/m/1,/m/2",train', "8,Dog,/m/2,val"
        ),
        f"{truth}/eval.csv": lines("fname,labels,mids", "9,Bark,/m/1"),
        "FSD50K.dev_audio/7.wav": f.sound(7, 44100),
        "FSD50K.dev_audio/8.wav": f.sound(8, 44100),
        "FSD50K.eval_audio/9.wav": f.sound(9, 44100),
    }


CLIPS = [(7, 44100, ["Bark", "Dog"], "7"), (8, 44100, ["Dog"], "8"), (9, 44100, ["Bark"], "9")]
for split, samples in {
    "dev": CLIPS[:2],
    "train": CLIPS[:1],
    "val": CLIPS[1:2],
    "eval": CLIPS[2:],
}.items():
    row("FSD50K", samples, kwargs={"split": split}, wrong={"split": "test"}, by_hand="zenodo")(
        freesound
    )


@row("AudioSet", [(1, 16000, ["/m/1", "/t/2"], "-aE", 30.0), (2, 16000, ["/m/3"], "b_0", 1.5)],
     lists=("balanced_train_segments.csv",), by_hand="not found")  # fmt: skip
def audioset(f):
    table = lines(
        "# Segments csv created Sun Mar  5 10:54:31 2017",
        "# YTID, start_seconds, end_seconds, positive_labels",
        '-aE, 30.000, 40.000, "/m/1,/t/2"',
        'gone, 30.000, 40.000, "/m/1"',
        'b_0, 1.500, 11.500, "/m/3"',
    )
    return {
        "balanced_train_segments.csv": table,
        "-aE.wav": f.sound(1),
        "b_0_1.5_11.5.flac": f.sound(2, format="FLAC"),
    }


@row("NSynth", [(1, 16000, 60, 100, "bass", "synthetic", "bass_synthetic_0-060-100")],
     kwargs={"split": "valid"}, wrong={"split": "dev"}, lists=("nsynth-valid/examples.json",),
     by_hand="magenta")  # fmt: skip
def nsynth(f):
    note = {"pitch": 60, "velocity": 100, "instrument_family_str": "bass",
            "instrument_source_str": "synthetic"}  # fmt: skip
    return {
        "nsynth-valid/examples.json": json.dumps({"bass_synthetic_0-060-100": note}).encode(),
        "nsynth-valid/audio/bass_synthetic_0-060-100.wav": f.sound(1),
    }


@row("FLEURS", [(1, 16000, "hello", "Hello.", 12, "female")],
     kwargs={"language": "sw_ke", "split": "dev"}, wrong={"split": "val"},
     lists=("sw_ke/dev.tsv",), by_hand="huggingface.co")  # fmt: skip
def fleurs(f):
    return {
        "sw_ke/dev.tsv": lines("12\t77.wav\tHello.\thello\th e l l o |\t8\tFEMALE"),
        "sw_ke/audio/dev/77.wav": f.sound(1),
    }


def actors(f):
    return {
        "Actor_02/03-01-06-02-01-01-02.wav": f.sound(2, 48000),
        "Actor_01/03-01-01-01-02-02-01.wav": f.sound(1, 48000),
        "Actor_01/03-02-04-01-02-02-01.wav": f.sound(3, 48000),
        "Actor_01/other.wav": f.sound(9, 48000),
    }


row("RAVDESS", [(1, 48000, "neutral", 1, 2, 2, 1), (2, 48000, "fearful", 2, 1, 1, 2)],
    wrong={"channel": "whisper"}, by_hand="zenodo")(actors)  # fmt: skip
row("RAVDESS", [(3, 48000, "sad", 1, 2, 2, 1)], kwargs={"channel": "song"},
    by_hand="zenodo")(actors)  # fmt: skip


@row("VoiceBankDEMAND", [(1, 2, 48000, "p232", "001")], kwargs={"split": "test"},
     wrong={"split": "dev"}, by_hand="datashare")  # fmt: skip
def voicebank(f):
    return {
        "noisy_testset_wav/p232_001.wav": f.sound(1, 48000),
        "clean_testset_wav/p232_001.wav": f.sound(2, 48000),
    }


@row("MAESTRO", [(1, 44100, "a.midi", "J. S. Bach, arr.", "Fugue")], wrong={"split": "dev"},
     kwargs={"split": "test"}, by_hand="magenta")  # fmt: skip
def maestro(f):
    return {
        "maestro-v3.0.0/maestro-v3.0.0.csv": lines(
            "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration",
            '"J. S. Bach, arr.",Fugue,test,2018,2018/a.midi,2018/a.wav,9',
            "X,Y,train,2018,2018/b.midi,2018/b.wav,9",
        ),
        "maestro-v3.0.0/2018/a.wav": f.sound(1, 44100),
    }


IDS = [f"{r.name}-{i}" for i, r in enumerate(ROWS)]
rows = pytest.mark.parametrize("row", ROWS, ids=IDS)
ARCHIVED = [r for r in ROWS if r.downloads]
archived = pytest.mark.parametrize(
    "row", ARCHIVED, ids=[f"{r.name}-{i}" for i, r in enumerate(ARCHIVED)]
)


def level(value):
    """Waveforms as the level of their file, in lists and tuples."""
    if isinstance(value, tp.Tensor):
        if value.ndim == 3:
            return [level(v) for v in value]
        assert value.ndim == 2 and value.dtype is tp.float32
        return round(float(value.mean()) * 100)
    if isinstance(value, (tuple, list)):
        return type(value)(level(v) for v in value)
    return value


def short(sample):
    """Without the folder of the MIDI file, which differs from run to run."""
    return tuple(v.rpartition("/")[2] if isinstance(v, str) and v.endswith(".midi") else v
                 for v in sample)  # fmt: skip


def check(row, data):
    assert len(data) == len(row.samples)
    assert [short(level(data[n])) for n in range(len(data))] == row.samples
    assert short(level(data[-1])) == row.samples[-1]
    assert f"({len(data)} " in repr(data)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "data"


@rows
def test_whole(row, files, place, publisher):
    files.write(place, row.tree(files))
    data = row.make(place)
    check(row, data)
    if row.metadata is not None:
        assert data.get_metadata(0) == row.metadata
    copied = pickle.loads(pickle.dumps(data))  # as for workers that are spawned
    assert short(level(copied[0])) == row.samples[0]
    doubled = row.make(place, transform=lambda waveform: waveform * 2)
    assert float(first(doubled[0]).mean()) == pytest.approx(2 * float(first(data[0]).mean()))
    assert not publisher.asked


def first(sample):
    return next(value for value in sample if isinstance(value, tp.Tensor))


@rows
def test_metadata_needs_no_samples(row, files, place, publisher):
    """Metadata has the sample's form: paths for waveforms, the same labels."""
    files.write(place, row.tree(files))
    metadata, sample = row.make(place).get_metadata(0), row.samples[0]
    if row.name == "MUSDB_HQ":
        assert metadata[-1] == sample[-1]
        return
    assert len(metadata) == len(sample)
    for told, wanted in zip(metadata, sample, strict=True):
        if not isinstance(wanted, str) and isinstance(told, str):
            assert (place / told).suffix in (".wav", ".flac", ".FLAC", ".sph", ".mp3")
        elif not isinstance(told, (list, str)):
            assert told == wanted


@rows
def test_missing(row, files, place, publisher):
    place.mkdir()
    with pytest.raises(MissingDataError) as caught:
        row.make(place)
    text = str(caught.value)
    assert row.name.rstrip("IdentifcaoVr") in text or str(place) in text
    assert str(place) in text
    assert isinstance(caught.value, RuntimeError)
    assert row.by_hand in text
    if row.downloads:
        assert "download=True" in text


@pytest.mark.parametrize("row", [r for r in ROWS if r.wrong],
                         ids=[i for i, r in zip(IDS, ROWS, strict=True) if r.wrong])  # fmt: skip
def test_wrong_argument(row, files, place, publisher):
    files.write(place, row.tree(files))
    with pytest.raises(ValueError, match=r"valid values are|1 to|wanted") as caught:
        row.make(place, **row.wrong)
    assert str(next(iter(row.wrong.values()))).strip("[]") in str(caught.value)


@rows
def test_damaged_sound(row, files, place, publisher):
    tree = row.tree(files)
    for name in tree:
        if name.rpartition(".")[2].lower() in ("wav", "flac", "sph", "mp3"):
            tree[name] = b"no sound" * 9
    files.write(place, tree)
    data = row.make(place)
    with pytest.raises(FileFormatError, match="cannot decode"):
        data[0]


@rows
def test_another_rate(row, files, place, publisher):
    tree = row.tree(files)
    for name in tree:
        if name.rpartition(".")[2].lower() in ("wav", "flac", "sph"):
            format = {"wav": "WAV", "sph": "NIST"}.get(name[-3:], "FLAC")
            tree[name] = files.sound(1, 11025, frames=64, format=format)
    files.write(place, tree)
    data = row.make(place)
    if data.sample_rate is None:
        assert 11025 in [v for v in data[0] if isinstance(v, int)] or row.name == "COMMONVOICE"
        return
    with pytest.raises(FileFormatError, match=rf"wanted {data.sample_rate} Hz, found \[11025\]"):
        data[0]


LISTED = [(r, name) for r in ROWS for name in r.lists]


@pytest.mark.parametrize(("row", "name"), LISTED, ids=[f"{r.name}-{n}" for r, n in LISTED])
@pytest.mark.parametrize("damage", ["text", "binary"])
def test_damaged_list(row, name, damage, files, place, publisher):
    tree = row.tree(files)
    tree[name] = {"text": b"nonsense\nmore\n" * 2, "binary": b"\xff\xfe\xff\n"}[damage]
    files.write(place, tree)
    with pytest.raises((FileFormatError, MissingDataError), match=name.rpartition("/")[2]):
        row.make(place)[0]


@archived
def test_download(row, files, place, publisher):
    publisher.publish(place, row.tree(files))
    publisher.below = row.downloads
    check(row, row.make(place, download=True))
    assert [url.rpartition("/")[2] for url, _ in publisher.asked] == list(row.downloads)
    assert all(len(digest) == 64 for _, digest in publisher.asked)
    publisher.asked.clear()
    row.make(place, download=True)  # everything is there
    assert not publisher.asked


@archived
def test_damaged_archive(row, files, place, publisher):
    publisher.publish(place, row.tree(files))
    publisher.below, publisher.corrupt = row.downloads, True
    with pytest.raises(HashMismatch, match="Or fetch"):
        row.make(place, download=True)
    assert not [path for path in place.rglob("*") if path.is_file()]
