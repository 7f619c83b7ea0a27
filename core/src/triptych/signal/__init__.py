"""Signal processing: window functions in torch's spelling, and spectra."""

from ..ops.spectral import band_sums as band_sums
from ..ops.spectral import filter_bank as filter_bank
from ..ops.spectral import power_spectrum as power_spectrum
from . import windows as windows

__all__ = ["band_sums", "filter_bank", "power_spectrum", "windows"]
