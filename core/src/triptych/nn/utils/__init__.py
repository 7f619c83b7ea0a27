"""Gradient clipping, padded sequences, and parameters as one vector."""

from __future__ import annotations
