"""The frame that all commands of the suite share."""

import argparse
import subprocess
import sys

import pytest

from triptych_datasets import NotCached
from triptych_datasets.command_line import Program, Subcommand, count, seconds, share


class Fault(Exception):
    """A package's own error."""


ERRORS = {
    "file": OSError("no disk"),
    "own": Fault("own fault"),
    "cache": NotCached("not there"),
    "bug": TypeError("bug"),
}


def run(arguments):
    if arguments.what in ERRORS:
        raise ERRORS[arguments.what]
    return 0


def fill(command):
    command.add_argument("what", type=str)


PROGRAM = Program(
    "triptych-datasets",
    "Tests the frame.",
    "  triptych-datasets do none\n  triptych-datasets do own --now",
    {"do": Subcommand("do as asked", fill, run), "rest": Subcommand("rest", lambda _: None, run)},
    lambda: (Fault,),
)


def test_done():
    assert PROGRAM.main(["do", "none"]) == 0


@pytest.mark.parametrize(
    ("what", "text"), [("file", "no disk"), ("own", "own fault"), ("cache", "not there")]
)
def test_faults_are_told_in_a_sentence(what, text, capsys):
    assert PROGRAM.main(["do", what]) == 1
    assert capsys.readouterr().err == f"triptych-datasets: {text}\n"


def test_other_errors_are_bugs_and_keep_their_traceback():
    with pytest.raises(TypeError, match="bug"):
        PROGRAM.main(["do", "bug"])


def test_ctrl_c(monkeypatch, capsys):
    def stop(arguments):
        raise KeyboardInterrupt

    program = Program("x", "y", "", {"do": Subcommand("do", lambda _: None, stop)})
    assert program.main(["do"]) == 130
    assert capsys.readouterr().err == "x: stopped\n"


def test_a_reader_that_has_seen_enough_is_no_fault():
    program = (
        "import sys\nfrom triptych_datasets.command_line import Program, Subcommand\n"
        "def run(arguments):\n    for _ in range(100000): print('line')\n    return 0\n"
        "program = Program('x', 'y', '', {'do': Subcommand('do', lambda _: None, run)})\n"
        "sys.exit(program.main(['do']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_help_shows_all_examples_and_a_subcommand_its_own(capsys):
    for words, examples in (["--help"], 2), (["do", "--help"], 2), (["rest", "--help"], 0):
        with pytest.raises(SystemExit) as end:
            PROGRAM.main(words)
        assert end.value.code == 0
        assert capsys.readouterr().out.count("  triptych-datasets do ") == examples


def test_a_wrong_line_ends_with_2(capsys):
    with pytest.raises(SystemExit) as end:
        PROGRAM.main(["do"])
    assert end.value.code == 2
    assert "usage: triptych-datasets do" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit):
        PROGRAM.main(["--version"])
    assert capsys.readouterr().out.startswith("triptych-datasets 0.")


def test_module_of_a_subcommand_loads_late(tmp_path, monkeypatch):
    (tmp_path / "late_module.py").write_text("def run(arguments):\n    return 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert Subcommand("do", lambda _: None, "late_module")(argparse.Namespace()) == 7


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (count, {"1": 1, "20": 20}, ["0", "-1"]),
        (seconds, {"0": 0, "1.5": 1.5}, ["-1", "inf"]),
        (share, {"0": 0, "1": 1, "0.3": 0.3}, ["-0.1", "1.1", "nan"]),
    ],
)
def test_kinds_of_arguments(kind, right, wrong):
    assert {text: kind(text) for text in right} == right
    for text in wrong:
        with pytest.raises(argparse.ArgumentTypeError, match=text):
            kind(text)
