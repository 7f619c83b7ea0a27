"""Trying again after a fault that may pass: how often, and after which pause."""

import random
import time
from collections.abc import Callable

from triptych_datasets.errors import SourceError

__all__ = ["Interrupted", "parse_retry_after", "with_retries"]

MAX_ATTEMPTS = 5  # in a row without a single new byte
FIRST_PAUSE_S = 0.5  # doubles with each attempt
LONGEST_PAUSE_S = 60.0  # a server that asks for more is given up


class Interrupted(SourceError):
    """A fault that may pass: a broken connection, a busy server.

    Args:
        reason: what happened, without the source's name.
        offline: true when the source could not be reached.
        retry_after_s: pause that the server asks for, in seconds.
    """

    def __init__(
        self, reason: str, *, offline: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason, offline=offline)
        self.retry_after_s = retry_after_s


def with_retries(step: Callable[[], None], progress: Callable[[], int]) -> None:
    """Call `step` until it returns; give up when several attempts in a row got nowhere.

    Args:
        step: raises `Interrupted` when another attempt may help.
        progress: bytes so far; an attempt that brings the count to a new height starts the
            count of attempts again.

    Raises:
        Interrupted: the last one, when it is time to give up.
    """
    attempt, furthest = 1, progress()
    while True:
        try:
            return step()
        except Interrupted as error:
            if progress() > furthest:
                attempt, furthest = 1, progress()
            pause_s = _pause(attempt, error.retry_after_s)
            if attempt >= MAX_ATTEMPTS or pause_s > LONGEST_PAUSE_S:
                raise Interrupted(_last_words(error, attempt), offline=error.offline) from error
            time.sleep(pause_s)
            attempt += 1


def parse_retry_after(value: str | None, now_s: float | None = None) -> float | None:
    """Seconds that a Retry-After header asks for.

    Args:
        value: the header: a number of seconds or a date; None when there was none.
        now_s: seconds since 1970 that a date is counted from; default the clock.

    Returns:
        Seconds, never negative; None when the header is missing or makes no sense.

    Example:
        >>> parse_retry_after("120")
        120.0
    """
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        moment_s = parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
    return max(0.0, moment_s - (time.time() if now_s is None else now_s))


def _pause(attempt: int, retry_after_s: float | None) -> float:
    if retry_after_s is not None:
        return retry_after_s
    # Half fixed, half drawn: clients that failed together do not come back together.
    return float(FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))


def _last_words(error: Interrupted, attempt: int) -> str:
    if error.retry_after_s is not None and error.retry_after_s > LONGEST_PAUSE_S:
        return f"{error} and asks to wait {error.retry_after_s:.0f} s; try again later"
    return f"{error} (gave up after {attempt} attempts that brought nothing new)"
