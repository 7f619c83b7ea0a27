"""The command line: what there is to say, and which function does it."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

__all__ = ["main"]

DONE, FAILED = 0, 2  # argparse itself ends with 2 as well when the command line is wrong
INTERRUPTED = 130  # what a shell gives for Ctrl-C: 128 + SIGINT
EXAMPLES = """examples:
  triptych-audio info *.wav
  triptych-audio convert talk.wav talk.flac
  triptych-audio convert song.mp3 song.wav --sample-rate 16000 --mono --encoding s16
  triptych-audio convert film.mp4 sound.opus --start 60 --duration 30
  triptych-audio spectrogram bird.ogg -o bird.png --top-db 60
  triptych-audio vad meeting.flac --json
  triptych-audio transcribe talk.mp3 --model small --output-format srt

Exit codes: 0 done, 2 failed or wrong command line."""
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: words after the command's name; default those it was started with.

    Returns:
        0 when done, 2 when something failed, 130 on Ctrl-C. A wrong command line ends the process
        with 2.
    """
    arguments = _parser().parse_args(argv)
    from triptych.errors import TriptychError
    from triptych_datasets import DatasetsError

    try:
        # A command's module comes with decoders or models; --help does not wait for them.
        run = importlib.import_module(f".{arguments.module}", __package__).run
        return int(run(arguments))
    except (TriptychError, DatasetsError, OSError, ValueError) as error:
        print(f"triptych-audio: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("triptych-audio: stopped", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triptych-audio",
        description="Look at sound files, convert them, find speech in them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (about, fill) in COMMANDS.items():
        lines = [line for line in EXAMPLES.splitlines() if f"triptych-audio {name} " in line]
        command = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog="\n".join(["examples:", *lines]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        fill(command)
        command.set_defaults(module=name)
    return parser


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
        "--sample-rate", metavar="HZ", type=_count, help="resample; default as it is"
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
        "--start", metavar="SECONDS", type=_seconds, default=0.0, help="leave out what is before"
    )
    command.add_argument(
        "--duration", metavar="SECONDS", type=_seconds, help="stop after so long; default the end"
    )


def _spectrogram(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE)
    command.add_argument(
        "-o", "--output", metavar="PNG", help="default FILE with .png in place of its extension"
    )
    command.add_argument(
        "--mels", metavar="N", type=_count, default=128, help="bands; default %(default)s"
    )
    command.add_argument(
        "--top-db",
        metavar="DB",
        type=float,
        default=80.0,
        help="decibels shown below the loudest; default %(default)s",
    )


def _vad(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help=FILE)
    command.add_argument(
        "--threshold",
        metavar="P",
        type=_share,
        default=0.5,
        help="probability from which it is speech, from 0 to 1; default %(default)s",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number


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
    command.add_argument("--beam-size", metavar="N", type=_count, help="default no beams")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "info": ("say what sound files hold", _info),
    "convert": ("convert a sound file, however long, to another format", _convert),
    "spectrogram": ("draw the mel spectrogram of a sound file", _spectrogram),
    "vad": ("say when somebody speaks in a recording", _vad),
    "transcribe": ("write down what is said in a recording", _transcribe),
}


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"triptych-audio {version('triptych-audio')}")
        parser.exit()
