"""The command line: what there is to say, and which function does it."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

__all__ = ["main"]

DONE, FAILED = 0, 1  # argparse itself ends with 2 when the command line is wrong
INTERRUPTED = 130  # what a shell gives for Ctrl-C: 128 + SIGINT
EXAMPLES = """examples:
  triptych-vision predict cat.jpg
  triptych-vision predict street.jpg --model fasterrcnn_resnet50_fpn --output boxes.png
  triptych-vision predict *.jpg --model resnet18 --weights mine.pth --num-classes 7
  triptych-vision models 'resnet*'
  triptych-vision transform-preview cat.jpg --pipeline trivialaugment
  triptych-vision transform-preview cat.jpg --pipeline 'RandomCrop(200), ColorJitter(0.5, 0.5)'

Exit codes: 0 done, 1 failed, 2 wrong command line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: words after the command's name; default those it was started with.

    Returns:
        0 when done, 1 when something failed, 130 on Ctrl-C. A wrong command line ends the process
        with 2.
    """
    arguments = _parser().parse_args(argv)
    from triptych.errors import TriptychError
    from triptych_datasets import DatasetsError

    try:
        # A command's module comes with models or transforms; --help does not wait for them.
        run = importlib.import_module(f".{arguments.module}", __package__).run
        return int(run(arguments))
    except (TriptychError, DatasetsError, OSError, ValueError) as error:
        print(f"triptych-vision: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("triptych-vision: stopped", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triptych-vision",
        description="Pretrained vision models and image transforms on pictures of yours.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module, about, fill) in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about.capitalize() + ".")
        fill(command)
        command.set_defaults(module=module)
    return parser


def _predict(command: argparse.ArgumentParser) -> None:
    command.add_argument("images", metavar="IMAGE", nargs="+", help="a picture of any usual format")
    command.add_argument(
        "--model", metavar="NAME", default="mobilenet_v2", help="see `models`; default %(default)s"
    )
    command.add_argument(
        "--weights",
        metavar="NAME|FILE",
        default="DEFAULT",
        help="published weights by name, or a checkpoint of yours; default the best published",
    )
    command.add_argument(
        "--num-classes", metavar="N", type=_count, help="that a checkpoint of yours is for"
    )
    command.add_argument(
        "--top", metavar="N", type=_count, default=5, help="lines per picture; default %(default)s"
    )
    command.add_argument(
        "--threshold",
        metavar="SCORE",
        type=_share,
        default=0.5,
        help="leave out boxes less sure than this, from 0 to 1; default %(default)s",
    )
    command.add_argument(
        "--output",
        metavar="FILE|FOLDER",
        help="save the picture with the result drawn on it; a folder for several pictures",
    )


def _models(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "patterns", metavar="PATTERN", nargs="*", help="such as 'resnet*'; default all"
    )


def _preview(command: argparse.ArgumentParser) -> None:
    command.add_argument("image", metavar="IMAGE", help="a picture of any usual format")
    command.add_argument(
        "--pipeline",
        metavar="NAME|SPEC",
        default="train",
        help="a name, or transforms as in Python: 'RandomCrop(200), ColorJitter(0.5)'; a wrong "
        "name lists the right ones; default %(default)s",
    )
    command.add_argument(
        "--draws", metavar="N", type=_count, default=12, help="how many; default %(default)s"
    )
    command.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of the first draw; default %(default)s"
    )
    command.add_argument(
        "--output", metavar="FILE", default="preview.png", help="default %(default)s"
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number


COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "predict": ("predict", "say what is in pictures", _predict),
    "models": ("models", "list the models, their sizes and how good they are", _models),
    "transform-preview": ("preview", "draw what random transforms make of a picture", _preview),
}


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"triptych-vision {version('triptych-vision')}")
        parser.exit()
