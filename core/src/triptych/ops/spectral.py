"""The short-time Fourier transform and its inverse, with torch's arguments and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import framed, spectral
from ..prims import movement as mv
from ..prims.window import overlap_add, windows
from ..tensor import Symbol, Tensor
from .creation import as_tensor, cast_to
from .pointwise import imag, real
from .reduce import amin
from .shape import cat, expand, flip, narrow, stack, transpose

__all__ = ["band_sums", "filter_bank", "istft", "power_spectrum", "stft"]

SMALLEST_ENVELOPE = 1e-11  # torch.istft: below this the overlapping windows cannot be divided out


def _with_zeros(x: Tensor, before: int, after: int) -> Tensor:
    padded: Tensor = mv.pad(x, widths=(*[(0, 0)] * (x.ndim - 1), (before, after)))
    return padded


def _zeros_around(x: Tensor, n: int) -> Tensor:
    return _with_zeros(x, n, n)


def _mirrored(x: Tensor, n: int) -> Tensor:
    t = x.shape[-1]
    if n >= t:
        raise ShapeError(
            f"stft: reflecting {n} samples at each end needs more than {n}, got {t}; use a smaller "
            "n_fft, pad_mode='constant' or center=False"
        )
    return cat([flip(narrow(x, -1, 1, n), -1), x, flip(narrow(x, -1, t - 1 - n, n), -1)], -1)


def _ends_repeated(x: Tensor, n: int) -> Tensor:
    shape = (*x.shape[:-1], n)
    ends = (narrow(x, -1, 0, 1), narrow(x, -1, x.shape[-1] - 1, 1))
    first, last = (expand(end, shape) for end in ends)
    return cat([first, x, last], -1)


def _wrapped(x: Tensor, n: int) -> Tensor:
    t = x.shape[-1]
    if n > t:
        raise ShapeError(f"stft: pad_mode='circular' needs at least {n} samples, got {t}")
    return cat([narrow(x, -1, t - n, n), x, narrow(x, -1, 0, n)], -1)


PADDINGS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "circular": _wrapped,
    "constant": _zeros_around,
    "reflect": _mirrored,
    "replicate": _ends_repeated,
}


def _sizes(
    name: str, n_fft: int, hop_length: int | None, win_length: int | None
) -> tuple[int, int]:
    """Hop and window length, checked."""
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    if n_fft < 1 or hop < 1 or not 0 < win <= n_fft:
        raise ShapeError(
            f"{name}: wanted n_fft > 0, hop_length > 0 and 0 < win_length <= n_fft, got "
            f"n_fft={n_fft}, hop_length={hop}, win_length={win}"
        )
    return hop, win


def _frame_window(name: str, window: Tensor | None, win: int, n_fft: int, like: Tensor) -> Tensor:
    """The window with zeros on both sides up to n_fft, in the precision of the signal."""
    precision = dtypes.real_of(like._data.dtype)
    if window is None:
        window = as_tensor(np.ones(win, precision), device=like.device)
    if tuple(window.shape) != (win,):
        raise ShapeError(
            f"{name}: wanted a window of win_length, ({win},), got {tuple(window.shape)}"
        )
    complex_ = window._data.dtype.kind == "c"
    window = cast_to(window, dtypes.complex_of(precision) if complex_ else precision)
    left = (n_fft - win) // 2
    return window if win == n_fft else mv.pad(window, widths=((left, n_fft - win - left),))


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
) -> Tensor:
    """The short-time Fourier transform: spectra of overlapping frames.

    Args:
        input: (..., t) samples, floating or complex.
        n_fft: length of a frame in samples.
        hop_length: samples from one frame to the next; default n_fft // 4.
        win_length: length of the window, which stands in the middle of the frame; default n_fft.
        window: (win_length,) weights; default ones.
        center: frame k is centred at sample k * hop_length, the signal being extended by
            n_fft // 2 at both ends; otherwise it starts there.
        pad_mode: how the ends are extended: "reflect", "constant" (zeros), "replicate", "circular".
        normalized: divide by sqrt(n_fft).
        onesided: only the n_fft // 2 + 1 bins that are not mirror images; default for real input.
        return_complex: False gives real and imaginary parts in a last dim of two.

    Returns:
        (..., f, frames) complex, f = n_fft // 2 + 1, or n_fft if not onesided;
        frames = 1 + t // hop_length when centred.

    Raises:
        ShapeError: the signal is shorter than a frame, or sizes do not fit.
        DTypeError: onesided for complex values, or integer samples.

    Example:
        >>> import triptych as tp
        >>> tp.stft(tp.zeros(16000), 400, 160, window=tp.hann_window(400)).shape
        Size([201, 101])

    Source: Griffin and Lim 1984, eq. 1; centring and padding of torch.stft.
    """
    if not dtypes.is_inexact(input._data.dtype):
        raise DTypeError(f"stft: wanted floating samples, got {input.dtype}; convert with .float()")
    hop, win = _sizes("stft", n_fft, hop_length, win_length)
    weights = _frame_window("stft", window, win, n_fft, input)
    if normalized:
        weights = ew.mul(weights, n_fft**-0.5)
    complex_ = "c" in (input._data.dtype.kind, weights._data.dtype.kind)
    onesided = not complex_ if onesided is None else onesided
    if complex_ and onesided:
        raise DTypeError("stft: complex values have no mirrored bins; use onesided=False")
    extended = _extended(input, n_fft, center, pad_mode)
    if onesided:
        spectrum = framed.stft(extended, weights, step=hop)
    else:
        frames = ew.mul(windows(extended, size=(n_fft,), stride=(hop,), dilation=(1,)), weights)
        frames = cast_to(frames, dtypes.complex_of(dtypes.real_of(frames._data.dtype)))
        spectrum = transpose(spectral.fft(frames, axis=frames.ndim - 1, inverse=False), -1, -2)
    return spectrum if return_complex is not False else stack([real(spectrum), imag(spectrum)], -1)


def _extended(x: Tensor, n_fft: int, center: bool, pad_mode: str) -> Tensor:
    """(..., t) with half a frame more at each end where frames are centred."""
    if x.ndim == 0 or x._data.size == 0:
        raise ShapeError(f"stft: wanted samples in the last dim, got shape {tuple(x.shape)}")
    if pad_mode not in PADDINGS:
        raise ShapeError(f"stft: pad_mode is one of {sorted(PADDINGS)}, got {pad_mode!r}")
    if center and n_fft > 1:
        x = PADDINGS[pad_mode](x, n_fft // 2)
    if x.shape[-1] < n_fft:
        raise ShapeError(
            f"stft: a frame of n_fft={n_fft} does not fit {x.shape[-1]} samples; use center=True, "
            "a smaller n_fft, or pad the signal"
        )
    return x


def power_spectrum(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
) -> Tensor:
    """The squared magnitude of `triptych.stft` of a real signal, without the complex numbers.

    Args:
        input: (..., t) real samples.
        n_fft: frame length in samples.
        hop_length: step between frames in samples; default n_fft // 4.
        win_length: length of the window in samples; default n_fft.
        window: (win_length,) real weights of a frame; default ones.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".
        normalized: divide magnitudes by sqrt(n_fft).

    Returns:
        (..., n_fft // 2 + 1, frames), in squared units of input.

    Raises:
        ShapeError: the signal is shorter than a frame, or sizes do not fit each other.
        DTypeError: input or window is not real floating.

    Example:
        >>> import triptych as tp
        >>> x = tp.sin(tp.arange(64) * (2 * tp.pi / 8))
        >>> power_spectrum(x, 16, center=False).sum(-1).argmax()
        tensor(2)
    """
    if input._data.dtype.kind != "f":
        raise DTypeError(f"power_spectrum: wanted real floating samples, got {input.dtype}")
    hop, win = _sizes("power_spectrum", n_fft, hop_length, win_length)
    weights = _frame_window("power_spectrum", window, win, n_fft, input)
    if weights._data.dtype.kind == "c":
        raise DTypeError("power_spectrum: wanted a real window, got a complex one; use stft")
    if normalized:
        weights = ew.mul(weights, n_fft**-0.5)
    spectrum: Tensor = framed.stft_power(
        _extended(input, n_fft, center, pad_mode), weights, step=hop
    )
    return spectrum


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The inverse of `stft`: the signal whose spectra are closest to the given ones.

    Args:
        input: (..., f, frames) complex; of all n_fft bins only the first half is read for a real
            signal.
        length: samples wanted; default as far as the frames reach.
        return_complex: the signal is complex; needs onesided=False.

    The other arguments are those of `stft`.

    Returns:
        (..., t) samples; t = hop_length * (frames - 1) when centred and n_fft is even.

    Raises:
        ShapeError: f does not fit n_fft, or somewhere no window reaches the signal.
        DTypeError: input is not complex.

    Example:
        >>> import triptych as tp
        >>> x, w = tp.randn(1000), tp.hann_window(400)
        >>> tp.allclose(tp.istft(tp.stft(x, 400, window=w), 400, window=w), x, atol=1e-5)
        True

    Source: Griffin and Lim 1984, eq. 6.
    """
    hop, win = _sizes("istft", n_fft, hop_length, win_length)
    onesided = _checked_bins(input, n_fft, onesided, return_complex)
    weights = _frame_window("istft", window, win, n_fft, input)
    spectrum = transpose(input, -1, -2)
    if return_complex:
        frames = spectral.fft(spectrum, axis=spectrum.ndim - 1, inverse=True)
    else:
        half = spectrum if onesided else narrow(spectrum, -1, 0, n_fft // 2 + 1)
        frames = spectral.irfft(half, axis=spectrum.ndim - 1, n=n_fft)
    if normalized:
        frames = ew.mul(frames, n_fft**0.5)
    return _joined(ew.mul(frames, weights), weights, hop, n_fft // 2 if center else 0, length)


def _checked_bins(x: Tensor, n_fft: int, onesided: bool | None, return_complex: bool) -> bool:
    if x._data.dtype.kind != "c":
        raise DTypeError(
            f"istft: wanted complex spectra, got {x.dtype}; combine real + 1j * imag first"
        )
    bins = x.shape[-2] if x.ndim > 1 else 0
    onesided = bins != n_fft if onesided is None else onesided
    if return_complex and onesided:
        raise DTypeError("istft: return_complex=True needs onesided=False")
    wanted = n_fft // 2 + 1 if onesided else n_fft
    if bins != wanted or x._data.size == 0:
        raise ShapeError(
            f"istft: n_fft={n_fft} with onesided={onesided} wants (..., {wanted}, frames), got "
            f"{tuple(x.shape)}"
        )
    return onesided


def _joined(frames: Tensor, window: Tensor, hop: int, cut: int, length: int | None) -> Tensor:
    """Frames added up where they overlap, divided by what the windows add up to."""
    count, n_fft = frames.shape[-2:]
    reach = n_fft + hop * (count - 1)
    options: dict[str, Any] = {"size": (n_fft,), "stride": (hop,), "dilation": (1,)}
    signal = overlap_add(frames, shape=(*frames.shape[:-2], reach), **options)
    squares = expand(ew.mul(window, window), (count, n_fft))
    envelope = overlap_add(squares, shape=(reach,), **options)
    stop = reach - cut if length is None else min(cut + length, reach)
    envelope = narrow(envelope, 0, cut, stop - cut)
    known = not isinstance(envelope._data, Symbol)  # under capture there are no numbers to check
    if known and amin(ew.abs(envelope)).item() <= SMALLEST_ENVELOPE:
        raise ShapeError(
            f"istft: with hop_length={hop} no window reaches some of the samples; use a smaller "
            "hop_length, another window or center=True"
        )
    signal = ew.div(narrow(signal, -1, cut, stop - cut), envelope)
    missing = 0 if length is None else length - signal.shape[-1]
    return _with_zeros(signal, 0, missing) if missing else signal


def band_sums(input: Tensor, bands: Tensor) -> Tensor:
    """Weighted sums over the bins of a spectrum, as of mel filters: ``bands @ input``.

    On the CPU only the bins from the first to the last weight of a band that is not zero are looked
    at. So what is not finite in others may leave a band as it is, where a product gives NaN.

    Args:
        input: (..., f, t) bins and frames, floating.
        bands: (m, f) weights of the same dtype.

    Returns:
        (..., m, t).

    Raises:
        ShapeError: the numbers of bins differ, or bands is no matrix.
        DTypeError: dtypes differ.

    Example:
        >>> import triptych as tp
        >>> bands = tp.tensor([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
        >>> band_sums(tp.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]), bands)
        tensor([[ 2., 20.],
                [ 4., 40.]])
    """
    found: Tensor = framed.band_sums(input, bands)
    return found


def filter_bank(input: Tensor, filters: Tensor, step: int = 1) -> Tensor:
    """Products of filters with the samples from each multiple of a step on.

    With as many filters as samples wanted per step this changes the sample rate.

    Args:
        input: (..., t) samples, floating.
        filters: (f, k) of the same dtype; not reversed, the first weight meets the first sample.
        step: samples from one group of outputs to the next.

    Returns:
        (..., groups, f), groups = (t - k) // step + 1.

    Raises:
        ShapeError: the signal is shorter than the filters, or step is not positive.
        DTypeError: dtypes differ.

    Example:
        >>> import triptych as tp
        >>> filter_bank(tp.arange(6.0), tp.tensor([[1.0, 1.0], [1.0, -1.0]]), 2)
        tensor([[ 1., -1.],
                [ 5., -1.],
                [ 9., -1.]])
    """
    if step < 1:
        raise ShapeError(f"filter_bank: wanted a step of at least 1 sample, got {step}")
    found: Tensor = framed.filter_bank(input, filters, step=step)
    return found
