"""What the suite's commands have in common: subcommands, exit codes, errors as plain sentences."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triptych_datasets.errors import DatasetsError

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "Program",
    "Subcommand",
    "count",
    "seconds",
    "share",
]

DONE, FAILED = 0, 1  # argparse itself ends with 2 when the command line is wrong
INTERRUPTED = 130  # what a shell gives for Ctrl-C: 128 + SIGINT
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong command line."

Run = Callable[[argparse.Namespace], int]


@dataclass(frozen=True)
class Subcommand:
    """One thing a program does.

    Args:
        about: what, in a few words that begin with a verb.
        fill: adds the arguments to a parser.
        run: does it and gives the exit code; or the name of a module whose function `run` does.
            The module loads when it is needed, so that --help does not wait for models.
    """

    about: str
    fill: Callable[[argparse.ArgumentParser], None]
    run: Run | str

    def __call__(self, arguments: argparse.Namespace) -> int:
        run = importlib.import_module(self.run).run if isinstance(self.run, str) else self.run
        return int(run(arguments))


@dataclass(frozen=True)
class Program:
    """A command with subcommands.

    Args:
        name: of the command, and of the distribution it comes with.
        description: a sentence.
        examples: lines for the end of the help text; a subcommand's help shows those with its name.
        subcommands: by name.
        errors: gives the classes of errors that are told to the user without a traceback, besides
            DatasetsError, OSError and ValueError; called once something was raised.
        stopped: what Ctrl-C says.
    """

    name: str
    description: str
    examples: str
    subcommands: Mapping[str, Subcommand]
    errors: Callable[[], tuple[type[Exception], ...]] = tuple
    stopped: str = "stopped"

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the command.

        Args:
            argv: words after the command's name; default those it was started with.

        Returns:
            0 when done, 1 when something failed, 130 on Ctrl-C. A wrong command line ends the
            process with 2.
        """
        arguments = self.parser().parse_args(argv)
        try:
            return self.subcommands[arguments.subcommand](arguments)
        except KeyboardInterrupt:
            self.tell(self.stopped)
            return INTERRUPTED
        except BrokenPipeError:  # whoever reads the output, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except Exception as error:
            if not isinstance(error, (DatasetsError, OSError, ValueError, *self.errors())):
                raise
            self.tell(str(error))
            return FAILED

    def tell(self, text: str) -> None:
        """Print a sentence where errors go, after the command's name."""
        print(f"{self.name}: {text}", file=sys.stderr)

    def parser(self) -> argparse.ArgumentParser:
        """What reads the command line."""
        parser = argparse.ArgumentParser(
            prog=self.name,
            description=self.description,
            epilog=f"examples:\n{self.examples}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--version", action=Version, nargs=0, help="print the version and end")
        commands = parser.add_subparsers(
            title="commands", metavar="COMMAND", dest="subcommand", required=True
        )
        for name, subcommand in self.subcommands.items():
            lines = [x for x in self.examples.splitlines() if f"{self.name} {name}" in x]
            subcommand.fill(
                commands.add_parser(
                    name,
                    help=subcommand.about,
                    description=subcommand.about[0].upper() + subcommand.about[1:] + ".",
                    epilog="\n".join(["examples:", *lines]) if lines else None,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                )
            )
        return parser


class Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        name = parser.prog
        print(f"{name} {version(name)}")
        parser.exit()


def count(text: str) -> int:
    """An argument that is a whole number from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def seconds(text: str) -> float:
    """An argument that is a finite number from 0 on."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def share(text: str) -> float:
    """An argument that is a number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number
