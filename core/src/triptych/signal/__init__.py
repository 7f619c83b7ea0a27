"""Signal processing: window functions in torch's spelling, and spectra."""

from ..ops.spectral import filter_bank as filter_bank
from ..ops.spectral import power_spectrum as power_spectrum
from . import windows as windows

__all__ = ["filter_bank", "power_spectrum", "windows"]
