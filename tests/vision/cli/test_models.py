"""The table of models."""

import pytest

from triptych_vision.cli import main
from triptych_vision.models import list_models

Capture = pytest.CaptureFixture[str]


def test_one_line_for_each_file_of_weights(capsys: Capture) -> None:
    assert main(["models", "mobilenet_v2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "MODEL         WEIGHTS         PARAMETERS  METRICS",
        "mobilenet_v2  IMAGENET1K_V1        3.5 M  ImageNet-1K: acc@1 71.878, acc@5 90.286",
        "mobilenet_v2  IMAGENET1K_V2*       3.5 M  ImageNet-1K: acc@1 72.154, acc@5 90.822",
    ]


def test_all_models_are_listed(capsys: Capture) -> None:
    assert main(["models"]) == 0
    first = {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    assert first == set(list_models())


def test_no_such_model(capsys: Capture) -> None:
    assert main(["models", "nothing", "no*ne"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "no model is called nothing, no*ne" in told.err
