"""Window functions of M samples, in the spelling of torch.signal.windows.

``sym=True`` (the default) gives a symmetric window, for designing filters; ``sym=False`` one period
of a periodic window, for spectra: the symmetric one that is a sample longer, without its last.
The formulas are those of Harris 1978, "On the use of windows", and of scipy.signal.windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..ops.creation import DeviceLike, DTypeLike, _dtype, _finish, as_tensor
from ..tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]

Options = dict[str, Any]


def _window(
    name: str, formula: Callable[[np.ndarray, int], np.ndarray], m: int, o: Options
) -> Tensor:
    """The window of a formula over sample numbers 0 to length - 1, computed in float64.

    Args:
        formula: weights from the sample numbers and the length of the symmetric window.
        m: number of samples.
        o: sym, dtype, layout, device and requires_grad, as the public functions take them.
    """
    if not isinstance(m, int) or isinstance(m, bool) or m < 0:
        raise ShapeError(f"{name}: M must be a whole number that is not negative, got {m!r}")
    wanted = _dtype(o["dtype"])
    if wanted.kind in "biuc":
        raise DTypeError(f"{name}: wanted a real floating dtype, got {wanted}; use float32")
    if str(o["layout"] or "strided").rsplit(".", 1)[-1] != "strided":
        raise DTypeError(f"{name}: wanted the strided layout, got {o['layout']}")
    length = m if o["sym"] else m + 1
    values = np.ones(m) if m <= 1 else formula(np.arange(m, dtype=np.float64), length)
    return _finish(as_tensor(values.astype(wanted), device=o["device"]), o["requires_grad"])


def _options(
    sym: bool, dtype: DTypeLike, layout: Any, device: DeviceLike, requires_grad: bool
) -> Options:
    return {
        "sym": sym,
        "dtype": dtype,
        "layout": layout,
        "device": device,
        "requires_grad": requires_grad,
    }


def _cosine_sum(name: str, weights: list[float], m: int, o: Options) -> Tensor:
    """The sum of (-1) ** i weights[i] cos(2 pi i n / (length - 1))."""

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        turn = 2 * np.pi * n / (length - 1)
        total = np.zeros_like(n)
        for i, weight in enumerate(weights):
            total += (-1) ** i * weight * np.cos(i * turn)
        return total

    return _window(name, formula, m, o)


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Bartlett window, a triangle that is zero at its ends.

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        return 1 - np.abs(2 * n / (length - 1) - 1)

    return _window("bartlett", formula, M, _options(sym, dtype, layout, device, requires_grad))


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Blackman window, 0.42 - 0.5 cos(x) + 0.08 cos(2 x) over one turn x.

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    return _cosine_sum(
        "blackman", [0.42, 0.5, 0.08], M, _options(sym, dtype, layout, device, requires_grad)
    )


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The cosine window, half a wave sin(pi (n + 1/2) / M).

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        return np.sin(np.pi * (n + 0.5) / length)

    return _window("cosine", formula, M, _options(sym, dtype, layout, device, requires_grad))


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The exponential window, exp(-|n - center| / tau).

    Args:
        M: number of samples.
        center: sample number of the peak; only with sym=False, default the middle.
        tau: decay in samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    if sym and center is not None:
        raise ShapeError("exponential: a symmetric window has its center in the middle; leave out")
    if not tau > 0:
        raise ShapeError(f"exponential: wanted tau > 0, got {tau}")

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        middle = (length - 1) / 2 if center is None else center
        return np.exp(-np.abs(n - middle) / tau)

    return _window("exponential", formula, M, _options(sym, dtype, layout, device, requires_grad))


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Gaussian window, exp(-((n - (M - 1) / 2) / std) ** 2 / 2).

    Args:
        M: number of samples.
        std: standard deviation in samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    if not std > 0:
        raise ShapeError(f"gaussian: wanted std > 0, got {std}")

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        return np.exp(-0.5 * ((n - (length - 1) / 2) / std) ** 2)

    return _window("gaussian", formula, M, _options(sym, dtype, layout, device, requires_grad))


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """A sum of cosines over one turn x: a[0] - a[1] cos(x) + a[2] cos(2 x) - ...

    Args:
        M: number of samples.
        a: the weights, at least one.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    weights = [float(v) for v in a]
    if not weights:
        raise ShapeError("general_cosine: wanted at least one weight, got none")
    return _cosine_sum(
        "general_cosine", weights, M, _options(sym, dtype, layout, device, requires_grad)
    )


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The general Hamming window, alpha - (1 - alpha) cos(x) over one turn x.

    Args:
        M: number of samples.
        alpha: the mean level.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    return _cosine_sum(
        "general_hamming",
        [alpha, 1 - alpha],
        M,
        _options(sym, dtype, layout, device, requires_grad),
    )


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Hamming window, 0.54 - 0.46 cos(x) over one turn x.

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    return _cosine_sum(
        "hamming", [0.54, 0.46], M, _options(sym, dtype, layout, device, requires_grad)
    )


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Hann window, one arch of a squared sine.

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    return _cosine_sum("hann", [0.5, 0.5], M, _options(sym, dtype, layout, device, requires_grad))


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Kaiser window, whose beta trades the main lobe's width for lower side lobes.

    Args:
        M: number of samples.
        beta: shape, not negative; 0 is a rectangle.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    if beta < 0:
        raise ShapeError(f"kaiser: wanted beta >= 0, got {beta}")

    def formula(n: np.ndarray, length: int) -> np.ndarray:
        offset = 2 * n / (length - 1) - 1
        inside = np.sqrt(np.maximum(1 - offset * offset, 0))
        return np.asarray(np.i0(beta * inside) / np.i0(beta))

    return _window("kaiser", formula, M, _options(sym, dtype, layout, device, requires_grad))


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Nuttall's window with four terms and the lowest side lobes.

    Args:
        M: number of samples.
        sym: symmetric; False gives one period of a periodic window.
        dtype: a real floating dtype; default the default one.

    Returns:
        (M,) weights.
    """
    # A. Nuttall 1981, "Some windows with very good sidelobe behavior", fig. 11.
    return _cosine_sum(
        "nuttall",
        [0.3635819, 0.4891775, 0.1365995, 0.0106411],
        M,
        _options(sym, dtype, layout, device, requires_grad),
    )
