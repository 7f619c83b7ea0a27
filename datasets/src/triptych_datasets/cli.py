"""The command `triptych-datasets`: list, fetch, check and remove cached files."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from triptych_datasets.artifact import Artifact
from triptych_datasets.cache import (
    blob_path,
    blobs,
    check_digest,
    home,
    is_cached,
    remove,
    verify,
)
from triptych_datasets.catalog import Catalog, default_catalog
from triptych_datasets.errors import DatasetsError, HashMismatch, NotCached
from triptych_datasets.fetching import fetch_all
from triptych_datasets.tables import print_table

__all__ = ["main"]

UNITS = ("B", "kB", "MB", "GB", "TB")
DONE, FAILED = 0, 1  # argparse itself ends with 2 when the command line is wrong
INTERRUPTED = 130  # what a shell gives for Ctrl-C: 128 + SIGINT
EXAMPLES = """examples:
  triptych-datasets list                       every file that the installed packages offer
  triptych-datasets get chelsea.png            fetch a file and print where it lies
  triptych-datasets get 'all-MiniLM-L6-v2/*'   fetch all files whose name matches
  triptych-datasets verify                     read every cached file again, compare hashes
  triptych-datasets where                      print the cache folder

The cache is the folder in the variable TRIPTYCH_HOME, else the platform's cache folder.
Exit codes: 0 done, 1 failed, 2 wrong command line."""


def _list(arguments: argparse.Namespace) -> int:
    rows = [("NAME", "KIND", "SIZE", "CACHED", "LICENCE", "DESCRIPTION")]
    for item in _select(default_catalog(), arguments.names or ["*"]):
        cached = "yes" if is_cached(item) else "-"
        size = _human_size(item.size)
        rows.append((item.name, item.kind, size, cached, item.licence, item.description))
    print_table(rows)
    return DONE


def _info(arguments: argparse.Namespace) -> int:
    for artifact in _select(default_catalog(), arguments.names):
        cached = str(blob_path(artifact)) if is_cached(artifact) else "no"
        size = "not known" if artifact.size is None else f"{artifact.size:,} bytes"
        rows = [
            ("name", artifact.name),
            ("description", artifact.description),
            ("kind", artifact.kind),
            ("size", size),
            ("licence", artifact.licence),
            *artifact.digests.items(),
            *(("source", source) for source in artifact.sources),
            ("cached", cached),
        ]
        print_table(rows)
    return DONE


def _get(arguments: argparse.Namespace) -> int:
    for path in fetch_all(_select(default_catalog(), arguments.names)):
        print(path)
    return DONE


def _verify(arguments: argparse.Namespace) -> int:
    """Without names: whatever lies in the cache, whether a package offers it or not."""
    checks: list[tuple[str, Callable[[], object]]] = [
        (artifact.name, partial(verify, artifact))
        for artifact in _select(default_catalog(), arguments.names)
    ]
    if not arguments.names:
        offered = {blob_path(artifact): artifact.name for artifact in default_catalog()}
        checks = [
            (
                offered.get(path, path.name),
                partial(check_digest, path, path.parents[2].name, path.parent.name),
            )
            for path in blobs()
        ]
    return max([_report(name, check) for name, check in checks], default=DONE)


def _report(name: str, check: Callable[[], object]) -> int:
    try:
        check()
    except (HashMismatch, NotCached) as error:
        print(f"FAILED  {name}")
        return _fail(str(error))
    print(f"ok      {name}")
    return DONE


def _where(arguments: argparse.Namespace) -> int:
    if not arguments.names:
        print(home())
        return DONE
    artifacts = _select(default_catalog(), arguments.names)
    for artifact in artifacts:
        print(blob_path(artifact))
    missing = [artifact.name for artifact in artifacts if not is_cached(artifact)]
    return _fail(f"not in the cache yet: {', '.join(missing)}; use get") if missing else DONE


def _remove(arguments: argparse.Namespace) -> int:
    for artifact in _select(default_catalog(), arguments.names):
        freed = remove(artifact)
        outcome = f"{_human_size(freed)} freed" if freed else "was not cached"
        print(f"{artifact.name}: {outcome}")
    return DONE


def _select(catalog: Catalog, names: Sequence[str]) -> list[Artifact]:
    """Artifacts of names and patterns, each once, in the order they were asked for."""
    # A pattern without a match goes on as a name, so that the error shows the closest ones.
    found = [match for name in names for match in catalog.names(name) or [name]]
    return [catalog.get(name) for name in dict.fromkeys(found)]


def _human_size(size: int | None) -> str:
    if size is None:
        return "?"
    exponent = min((len(str(size)) - 1) // 3, len(UNITS) - 1)
    amount = size / 1000**exponent
    return f"{amount:.1f} {UNITS[exponent]}" if exponent else f"{size} B"


NAMES = "names from the list, or patterns with * and ?"
COMMANDS: tuple[tuple[str, Callable[[argparse.Namespace], int], str, str, str], ...] = (
    ("list", _list, "*", NAMES + "; default all", "show what can be had, and what is cached"),
    ("info", _info, "+", NAMES, "show everything known about files"),
    ("get", _get, "+", NAMES, "fetch files and print their paths"),
    ("verify", _verify, "*", NAMES + "; default all that is cached", "compare hashes again"),
    ("where", _where, "*", NAMES + "; default the cache folder", "print paths in the cache"),
    ("remove", _remove, "+", NAMES, "delete files from the cache"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: words after the command's name; default those it was started with.

    Returns:
        0 when done, 1 when something failed, 130 on Ctrl-C. A wrong command line ends the process
        with 2.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (DatasetsError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped; the next get goes on with what came over HTTP so far")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triptych-datasets",
        description="Fetch, check and remove weights and data. Files are known by their hash.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, count, about_names, about in COMMANDS:
        command = commands.add_parser(name, help=about, description=about.capitalize() + ".")
        command.add_argument("names", metavar="NAME", nargs=count, help=about_names)
        command.set_defaults(run=run)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"triptych-datasets {version('triptych-datasets')}")
        parser.exit()


def _fail(text: str) -> int:
    print(f"triptych-datasets: {text}", file=sys.stderr)
    return FAILED
