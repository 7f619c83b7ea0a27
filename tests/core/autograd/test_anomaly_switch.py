"""set_detect_anomaly: the switch around `detect_anomaly`."""

import pytest

import triptych as tp
from triptych.autograd import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from triptych.state import state


def nan_gradient():
    x = tp.zeros(1, requires_grad=True)
    (x.sqrt() * 0).sum().backward()


@pytest.fixture(autouse=True)
def off_afterwards():
    yield
    set_detect_anomaly(False)
    assert state.trace is None


def test_it_works_at_once_and_until_switched_off():
    set_detect_anomaly(True)
    assert is_anomaly_enabled()
    with pytest.raises(tp.GradError, match=r"sqrt, called at .*test_anomaly_switch\.py:\d+"):
        nan_gradient()
    set_detect_anomaly(False)
    assert not is_anomaly_enabled()
    nan_gradient()


def test_as_a_context_it_restores_what_was():
    with set_detect_anomaly(True):
        assert is_anomaly_check_nan_enabled()
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
            nan_gradient()
        with set_detect_anomaly(True, check_nan=False):
            assert is_anomaly_enabled()
            assert not is_anomaly_check_nan_enabled()
            nan_gradient()
        assert is_anomaly_check_nan_enabled()
    assert not is_anomaly_enabled()


def test_switching_inside_another_region_outlives_it():
    with tp.autocast("cpu"):
        set_detect_anomaly(True)
        assert tp.is_autocast_enabled("cpu")
    assert is_anomaly_enabled()
    with tp.autocast("cpu"):
        set_detect_anomaly(False)
        assert tp.is_autocast_enabled("cpu")
    assert not is_anomaly_enabled()


def test_an_enclosing_detect_anomaly_can_be_switched_off():
    with detect_anomaly():
        with set_detect_anomaly(False):
            nan_gradient()
        with pytest.raises(tp.GradError, match="gives a NaN gradient"):
            nan_gradient()
