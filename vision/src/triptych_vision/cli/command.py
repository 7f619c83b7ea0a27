"""The command line: what there is to say, and which module does it."""

from __future__ import annotations

import argparse

from triptych_datasets.command_line import Program, Subcommand, count, share

__all__ = ["PROGRAM"]

EXAMPLES = """\
  triptych-vision predict cat.jpg
  triptych-vision predict street.jpg --model fasterrcnn_resnet50_fpn --output boxes.png
  triptych-vision predict *.jpg --model resnet18 --weights mine.pth --num-classes 7
  triptych-vision models 'resnet*'
  triptych-vision transform-preview cat.jpg --pipeline trivialaugment
  triptych-vision transform-preview cat.jpg --pipeline 'RandomCrop(200), ColorJitter(0.5, 0.5)'"""


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
        "--num-classes", metavar="N", type=count, help="that a checkpoint of yours is for"
    )
    command.add_argument(
        "--top", metavar="N", type=count, default=5, help="lines per picture; default %(default)s"
    )
    command.add_argument(
        "--threshold",
        metavar="SCORE",
        type=share,
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
        "--draws", metavar="N", type=count, default=12, help="how many; default %(default)s"
    )
    command.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of the first draw; default %(default)s"
    )
    command.add_argument(
        "--output", metavar="FILE", default="preview.png", help="default %(default)s"
    )


def _errors() -> tuple[type[Exception], ...]:
    from triptych.errors import TriptychError

    return (TriptychError,)


PROGRAM = Program(
    "triptych-vision",
    "Pretrained vision models and image transforms on pictures of yours.",
    EXAMPLES,
    {
        "predict": Subcommand("say what is in pictures", _predict, "triptych_vision.cli.predict"),
        "models": Subcommand(
            "list the models, their sizes and how good they are",
            _models,
            "triptych_vision.cli.models",
        ),
        "transform-preview": Subcommand(
            "draw what random transforms make of a picture", _preview, "triptych_vision.cli.preview"
        ),
    },
    _errors,
)
