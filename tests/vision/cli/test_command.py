"""The command as a whole: help, exit codes, errors on stderr."""

import subprocess
import sys

import pytest

import triptych_vision
from triptych_vision.cli import main
from triptych_vision.cli.command import EXAMPLES, PROGRAM

Capture = pytest.CaptureFixture[str]


def test_help_is_quick_and_complete() -> None:
    heavy = "numpy", "PIL", "triptych"
    program = (
        "import sys\nfrom triptych_vision.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0
    assert EXAMPLES in run.stdout
    assert all(name in run.stdout for name in PROGRAM.subcommands)
    assert run.stdout.endswith("[]\n")


def test_python_dash_m() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "triptych_vision", "--version"], capture_output=True, text=True
    )
    assert run.stdout.startswith("triptych-vision ")


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["predict"], ["predict", "a.png", "--top", "0"], ["transform-preview", "a", "b"]],
)
def test_a_wrong_command_line_ends_with_2(words: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: triptych-vision" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROGRAM.subcommands)
def test_each_command_has_help(name: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert PROGRAM.subcommands[name].about[1:] in capsys.readouterr().out


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def stop(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("triptych_vision.cli.models.run", stop)
    assert main(["models"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"triptych-vision {triptych_vision.__version__}\n"


@pytest.mark.parametrize("share", ["-0.1", "1.5", "half"])
def test_shares_are_from_0_to_1(share: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "a.png", "--score", share])
    assert "--score" in capsys.readouterr().err
