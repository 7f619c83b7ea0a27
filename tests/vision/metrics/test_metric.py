"""Running means, and what a metric of one's own needs."""

import pytest

from triptych_vision.metrics import AverageMeter, Metric


def test_weighted_mean() -> None:
    meter = AverageMeter()
    assert meter.avg == 0.0
    meter(2.0, n=3)
    meter(6.0)
    assert (meter.val, meter.sum, meter.count, meter.compute()) == (6.0, 12.0, 4.0, 3.0)
    meter.reset()
    assert meter.count == 0


@pytest.mark.parametrize("name", ["update", "compute", "reset"])
def test_what_is_to_be_written(name: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"Metric\.{name} is not written"):
        getattr(Metric(), name)()
