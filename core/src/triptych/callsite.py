"""Where in the user's code a call was made, for errors about something that happened earlier."""

from __future__ import annotations

import sys

_OURS = {"triptych", "triptych_audio", "triptych_datasets", "triptych_text", "triptych_vision"}


def user_line() -> str:
    """``file:line`` of the innermost frame outside the five packages."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame.f_globals):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def is_ours(names: dict[str, object]) -> bool:
    """Whether the globals of a frame are those of a module of the five packages."""
    return str(names.get("__name__", "")).partition(".")[0] in _OURS
