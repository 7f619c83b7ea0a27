"""The command `triptych-datasets`."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import triptych_datasets
from triptych_datasets import Artifact, blob_path, default_catalog, fetch, is_cached
from triptych_datasets.cli import EXAMPLES, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def toys(
    tmp_path: Path, artifact_of: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch
) -> list[Artifact]:
    """The only two files of the catalogue."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1500)
    pair = [
        artifact_of(b"x" * 1500, source.as_uri(), name=name, licence="MIT", description="toy")
        for name in ("toy/a.bin", "toy/b.bin")
    ]
    named = {artifact.name: artifact for artifact in pair}
    monkeypatch.setattr(default_catalog(), "_artifacts", named)
    return pair


def test_list_marks_what_is_cached(toys: list[Artifact], capsys: Capture) -> None:
    fetch(toys[1])
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAME       KIND  SIZE    CACHED  LICENCE  DESCRIPTION",
        "toy/a.bin  data  1.5 kB  -       MIT      toy",
        "toy/b.bin  data  1.5 kB  yes     MIT      toy",
    ]
    assert main(["list", "*a.bin"]) == 0
    assert "b.bin" not in capsys.readouterr().out


def test_info(toys: list[Artifact], capsys: Capture) -> None:
    assert main(["info", "toy/a.bin"]) == 0
    shown = capsys.readouterr().out
    assert toys[0].sha256 is not None
    assert all(text in shown for text in (toys[0].sha256, toys[0].sources[0], "1,500 bytes"))
    assert "cached       no" in shown


def test_get_prints_paths(toys: list[Artifact], capsys: Capture) -> None:
    assert main(["get", "toy/*", "toy/a.bin"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(blob_path(toy)) for toy in toys]
    assert all(map(is_cached, toys))


def test_where(toys: list[Artifact], capsys: Capture, cache_home: Path) -> None:
    assert main(["where"]) == 0
    assert capsys.readouterr().out.strip() == str(cache_home)
    assert main(["where", "toy/a.bin"]) == 1
    shown = capsys.readouterr()
    assert shown.out.strip() == str(blob_path(toys[0]))
    assert "not in the cache yet: toy/a.bin" in shown.err
    fetch(toys[0])
    assert main(["where", "toy/a.bin"]) == 0


def test_verify(toys: list[Artifact], capsys: Capture) -> None:
    assert main(["verify"]) == 0
    main(["get", "toy/*"])
    assert main(["verify"]) == 0
    assert main(["verify", "toy/a.bin"]) == 0
    blob_path(toys[0]).write_bytes(b"y" * 1500)
    capsys.readouterr()
    assert main(["verify"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["FAILED  toy/a.bin", "ok      toy/b.bin"]
    assert "wanted sha256" in shown.err
    assert main(["verify", "toy/b.bin"]) == 0


def test_remove(toys: list[Artifact], capsys: Capture) -> None:
    fetch(toys[0])
    assert main(["remove", "toy/*"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "toy/a.bin: 1.5 kB freed",
        "toy/b.bin: was not cached",
    ]
    assert not is_cached(toys[0])
    assert main(["verify", "toy/a.bin"]) == 1


@pytest.mark.parametrize("command", ["info", "get", "verify", "where", "remove"])
def test_unknown_name(toys: list[Artifact], capsys: Capture, command: str) -> None:
    assert main([command, "toy/c.bin"]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("triptych-datasets: no artifact is called 'toy/c.bin'; the closest")
    assert "triptych-datasets list" in shown.err
    assert shown.out == ""


def test_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"triptych-datasets {triptych_datasets.__version__}\n"


def test_verify_names_what_no_package_offers_by_its_file(
    toys: list[Artifact], capsys: Capture
) -> None:
    fetch(replace(toys[0], name="elsewhere/c.bin"))
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "ok      c.bin\n"


def test_the_patterns_of_the_help_match_something() -> None:
    patterns = re.findall(r"get '?([^' ]+)'? ", EXAMPLES)
    assert len(patterns) == 2
    assert all(default_catalog().names(pattern) for pattern in patterns)


def test_failure_is_told_without_traceback(toys: list[Artifact], capsys: Capture) -> None:
    gone = replace(toys[0], name="gone.bin", sources=("file:///no/such/file",))
    default_catalog().register(gone)
    assert main(["get", "gone.bin"]) == 1
    assert "no source gave the file" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["get"], ["fly"], ["list", "--what"]])
def test_wrong_command_line_ends_with_2(argv: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def test_as_a_program() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "triptych_datasets", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "examples:" in run.stdout
    assert "triptych-datasets get chelsea.png" in run.stdout
