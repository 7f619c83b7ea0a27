"""The version of this installation, as ``__version__``, and of what it runs on.

Attributes:
    cuda: the CUDA generation of the installed CuPy, such as "12", or None without one.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["cuda"]

__version__ = version("triptych")


def _cuda() -> str | None:
    for generation in ("12", "13"):
        try:
            version(f"cupy-cuda{generation}x")
        except PackageNotFoundError:
            continue
        return generation
    return None


cuda = _cuda()
