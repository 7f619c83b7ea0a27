"""The loss of connectionist temporal classification, which `triptych.nn.functional` has too."""

from __future__ import annotations

import triptych.nn.functional as nnF
from triptych_audio.interop import same_kind

__all__ = ["ctc_loss"]

ctc_loss = same_kind(nnF.ctc_loss)
