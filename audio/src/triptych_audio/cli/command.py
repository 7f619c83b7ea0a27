"""The command line: what there is to say, and which module does it."""

from __future__ import annotations

import argparse

from triptych_datasets.command_line import Program, Subcommand, count, seconds, share

__all__ = ["PROGRAM"]

EXAMPLES = """\
  triptych-audio info *.wav
  triptych-audio convert talk.wav talk.flac
  triptych-audio convert song.mp3 song.wav --sample-rate 16000 --mono --encoding s16
  triptych-audio convert film.mp4 sound.opus --start 60 --duration 30
  triptych-audio spectrogram bird.ogg -o bird.png --top-db 60
  triptych-audio vad meeting.flac --json
  triptych-audio transcribe talk.mp3 --model small --output-format srt"""
ENCODINGS = {
    "alaw": "pcm_alaw",
    "f32": "pcm_f32le",
    "f64": "pcm_f64le",
    "mulaw": "pcm_mulaw",
    "mp3": "mp3",
    "opus": "opus",
    "s16": "pcm_s16le",
    "s24": "pcm_s24le",
    "s32": "pcm_s32le",
    "u8": "pcm_u8",
    "vorbis": "vorbis",
}


FILE = "a sound file, a film, or an address such as s3://bucket/a.flac"


def _info(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", metavar="FILE", nargs="+", help=FILE)
    command.add_argument("--json", action="store_true", help="print JSON, one object per file")


def _convert(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="IN", help=FILE)
    command.add_argument(
        "target", metavar="OUT", help="the file to write; its extension says the format"
    )
    command.add_argument(
        "--sample-rate", metavar="HZ", type=count, help="resample; default as it is"
    )
    command.add_argument("--mono", action="store_true", help="take the mean of the channels")
    command.add_argument(
        "--encoding",
        choices=sorted(ENCODINGS),
        metavar="NAME",
        help=f"what the file holds: {', '.join(sorted(ENCODINGS))}; default the format's usual one,"
        " 16-bit integers for wav",
    )
    command.add_argument(
        "--start", metavar="SECONDS", type=seconds, default=0.0, help="leave out what is before"
    )
    command.add_argument(
        "--duration", metavar="SECONDS", type=seconds, help="stop after so long; default the end"
    )


def _spectrogram(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE)
    command.add_argument(
        "-o", "--output", metavar="PNG", help="default FILE with .png in place of its extension"
    )
    command.add_argument(
        "--mels", metavar="N", type=count, default=128, help="bands; default %(default)s"
    )
    command.add_argument(
        "--top-db",
        metavar="DB",
        type=_decibels,
        default=80.0,
        help="decibels shown below the loudest; default %(default)s",
    )


def _vad(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE)
    command.add_argument(
        "--threshold",
        metavar="P",
        type=share,
        default=0.5,
        help="probability from which it is speech, from 0 to 1; default %(default)s",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _transcribe(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE)
    command.add_argument(
        "--model",
        metavar="NAME|FILE|FOLDER",
        default="tiny",
        help="a Whisper: a published name, OpenAI's file, or a folder of Hugging Face's layout; "
        "default %(default)s",
    )
    command.add_argument("--language", metavar="NAME", help="code or name; default find out")
    command.add_argument(
        "--task",
        choices=("transcribe", "translate"),
        default="transcribe",
        help="translate is into English; default %(default)s",
    )
    command.add_argument(
        "--output-format",
        choices=("json", "srt", "tsv", "txt", "vtt"),
        default="txt",
        help="default %(default)s",
    )
    command.add_argument("-o", "--output", metavar="PATH", help="default print it")
    command.add_argument(
        "--word-timestamps", action="store_true", help="say when each word is said"
    )
    command.add_argument("--beam-size", metavar="N", type=count, help="default no beams")


def _decibels(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _errors() -> tuple[type[Exception], ...]:
    from triptych.errors import TriptychError

    return (TriptychError,)


PROGRAM = Program(
    "triptych-audio",
    "Look at sound files, convert them, find and write down speech.",
    EXAMPLES,
    {
        "info": Subcommand("say what sound files hold", _info, "triptych_audio.cli.info"),
        "convert": Subcommand(
            "convert a sound file, however long, to another format",
            _convert,
            "triptych_audio.cli.convert",
        ),
        "spectrogram": Subcommand(
            "draw the mel spectrogram of a sound file",
            _spectrogram,
            "triptych_audio.cli.spectrogram",
        ),
        "vad": Subcommand(
            "say when somebody speaks in a recording", _vad, "triptych_audio.cli.vad"
        ),
        "transcribe": Subcommand(
            "write down what is said in a recording", _transcribe, "triptych_audio.cli.transcribe"
        ),
    },
    _errors,
)
