"""Where time and memory go: operations, ranges and modules, as a table or a Chrome trace.

Example:
    >>> net = triptych.nn.Linear(64, 8)
    >>> with profile() as prof:
    ...     with record_function("forward"):
    ...         y = net(triptych.ones(16, 64))
    >>> [e.name for e in prof.events() if e.category == "user_annotation"]
    ['forward']
    >>> table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=5)
    >>> "linear" in table
    True
"""

from .averages import EventList, FunctionEventAvg
from .events import Event
from .profile import (
    ProfilerActivity,
    profile,
    record_function,
    supported_activities,
    tensorboard_trace_handler,
)
from .schedule import ProfilerAction, schedule

__all__ = [
    "Event",
    "EventList",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
