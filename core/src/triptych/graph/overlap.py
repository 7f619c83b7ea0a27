"""Memory that two tensors share: where a graph would compute something else than eager mode."""

from __future__ import annotations

from typing import Any

from ..backends import backend_of
from ..errors import CaptureError
from ..tensor import Tensor
from .ir import Graph


def check_overlap(graph: Graph, arguments: list[Tensor]) -> None:
    """Refuse a graph that writes to memory which another of its tensors looks into.

    Views of one tensor are followed by the capture; what is left are tensors that share memory
    without being known as views: detached twins, views made by NumPy, an argument that is also
    used from outside.

    Raises:
        CaptureError: a written array overlaps another one.
    """
    written = {(id(slot.owner(arguments)), slot.what) for slot, _ in graph.writes}
    if not written:
        return
    held = [(t, "data", t._data) for t in arguments]
    for slot, _ in graph.state:
        owner = slot.owner(arguments)
        held.append((owner, slot.what, slot.read(arguments)))
    spans = []
    for owner, what, array in held:
        if array.size:
            backend = backend_of(array)
            first, end = backend.span(array)
            changed = (id(owner), what) in written
            spans.append((str(backend.device_of(array)), first, end, changed, array))
    _refuse_overlaps(sorted(spans, key=lambda span: span[:3]))


def _refuse_overlaps(spans: list[tuple[str, int, int, bool, Any]]) -> None:
    """Neighbours in order of address, comparing each with the furthest reaching one before it."""
    furthest: tuple[str, int, int, bool, Any] | None = None
    for span in spans:
        here = furthest if furthest is not None and furthest[0] == span[0] else None
        if here is not None and span[1] < here[2] and (span[3] or here[3]):
            raise CaptureError(
                "capture: two tensors share memory and one of them is written to "
                f"({_described(here)} and {_described(span)}); a graph cannot follow that: "
                "use one of them only, or make the other as a view inside the function"
            )
        if here is None or span[2] > here[2]:
            furthest = span


def _described(span: tuple[str, int, int, bool, Any]) -> str:
    array = span[4]
    return f"{array.dtype}{list(array.shape)}{', written' if span[3] else ''}"
