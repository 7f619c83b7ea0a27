"""Write docs/support-matrix.md from the table of primitives.

Usage: python tools/write_support_matrix.py
"""

from pathlib import Path

from triptych.testing import support_matrix

HEADER = """# Support matrix

Generated from the table of primitives by `tools/write_support_matrix.py`; a test keeps it current.
`domain` is where an elementwise function is differentiated in the tests.

"""
TARGET = Path(__file__).parents[1] / "docs" / "support-matrix.md"


def text() -> str:
    """The page."""
    return HEADER + support_matrix()


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
