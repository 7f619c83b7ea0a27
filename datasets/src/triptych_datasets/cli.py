"""The command `triptych-datasets`: list, fetch, check and remove cached files."""

import argparse
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
from triptych_datasets.command_line import DONE, FAILED, Program, Subcommand
from triptych_datasets.errors import HashMismatch, NotCached
from triptych_datasets.fetching import fetch_all
from triptych_datasets.tables import print_table

__all__ = ["main"]

UNITS = ("B", "kB", "MB", "GB", "TB")
EXAMPLES = """\
  triptych-datasets list                       every file that the installed packages offer
  triptych-datasets get chelsea.png            fetch a file and print where it lies
  triptych-datasets get 'all-MiniLM-L6-v2/*'   fetch all files whose name matches
  triptych-datasets verify                     read every cached file again, compare hashes
  triptych-datasets where                      print the cache folder

The cache is the folder in the variable TRIPTYCH_HOME, else the platform's cache folder."""


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


def _names(how_many: str, otherwise: str = "") -> Callable[[argparse.ArgumentParser], None]:
    """Adds the argument that all subcommands take: "+" for at least one name."""

    def fill(command: argparse.ArgumentParser) -> None:
        command.add_argument("names", metavar="NAME", nargs=how_many, help=NAMES + otherwise)

    return fill


PROGRAM = Program(
    "triptych-datasets",
    "Fetch, check and remove weights and data. Files are known by their hash.",
    EXAMPLES,
    {
        "list": Subcommand(
            "show what can be had, and what is cached", _names("*", "; default all"), _list
        ),
        "info": Subcommand("show everything known about files", _names("+"), _info),
        "get": Subcommand("fetch files and print their paths", _names("+"), _get),
        "verify": Subcommand(
            "compare hashes again", _names("*", "; default all that is cached"), _verify
        ),
        "where": Subcommand(
            "print paths in the cache", _names("*", "; default the cache folder"), _where
        ),
        "remove": Subcommand("delete files from the cache", _names("+"), _remove),
    },
    stopped="stopped; the next get goes on with what came over HTTP so far",
)
main = PROGRAM.main
"""Runs the command, `main(argv)`, and gives its exit code."""


def _fail(text: str) -> int:
    PROGRAM.tell(text)
    return FAILED
