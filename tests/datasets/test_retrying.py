import pytest

from triptych_datasets import retrying
from triptych_datasets.retrying import Interrupted, parse_retry_after, with_retries


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 1970 00:01:30 GMT", 30.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_parse_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now_s=60.0) == seconds


def test_pauses_double_and_vary(pauses: list[float]) -> None:
    def always_fail() -> None:
        raise Interrupted("busy")

    with pytest.raises(Interrupted, match=r"busy \(gave up after 5 attempts"):
        with_retries(always_fail, progress=lambda: 0)
    for number, pause in enumerate(pauses):
        assert 0.25 * 2**number <= pause <= 0.5 * 2**number
    assert len(pauses) == retrying.MAX_ATTEMPTS - 1


def test_new_bytes_start_the_count_again(pauses: list[float]) -> None:
    steps = iter(range(1, 20))
    arrived = 0

    def one_byte_each() -> None:
        nonlocal arrived
        arrived = next(steps)
        if arrived < 12:
            raise Interrupted("broke off")

    with_retries(one_byte_each, progress=lambda: arrived)
    assert len(pauses) == 11


def test_a_server_that_asks_for_too_long_a_pause_is_given_up(pauses: list[float]) -> None:
    def later() -> None:
        raise Interrupted("HTTP 429", retry_after_s=3600.0)

    with pytest.raises(Interrupted, match="HTTP 429 and asks to wait 3600 s"):
        with_retries(later, progress=lambda: 0)
    assert pauses == []
