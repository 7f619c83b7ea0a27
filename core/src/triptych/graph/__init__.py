"""Graph mode: capture a function as primitives, look at the graph, replay it."""

from .capture import capture
from .compiled import CompiledFunction, compile, is_capturing, replay
from .ir import Equation, Graph

__all__ = ["CompiledFunction", "Equation", "Graph", "capture", "compile", "is_capturing", "replay"]
