"""Tables of text."""

from __future__ import annotations

from triptych_datasets.tables import print_table

__all__ = ["print_table"]
