"""Filters with feedback: each output sample depends on those before it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DeviceError, DTypeError, ShapeError
from triptych.library import accelerated, by_device, custom_op
from triptych.nn.functional import pad
from triptych_audio.interop import floating_samples, same_kind

__all__ = [
    "filter_rows",
    "filter_sections",
    "filtered",
    "filtfilt",
    "lfilter",
    "rows_of",
    "solve_feedback",
]


@accelerated("iir")
def _recursed(x: np.ndarray, zeros: np.ndarray, poles: np.ndarray) -> np.ndarray:
    """x (n, filters, t), or (n, any, t) for one filter; coefficients (filters, order) float64."""
    from scipy.signal import lfilter as recurse

    samples = x.astype(np.float64, copy=False)
    if len(poles) == 1:
        y = recurse(zeros[0], poles[0], samples)
    else:
        y = np.empty(samples.shape)
        for i in range(len(poles)):
            y[:, i] = recurse(zeros[i], poles[i], samples[:, i])
    found: np.ndarray = y.astype(x.dtype, copy=False)
    return found


def _iir_kernel(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """x (n, filters, t), a and b (filters, order), a beginning with ones; in float64 within."""
    if x.device.type != "cpu":
        found = by_device("iir", x.contiguous(), b.to(tp.float64), a.to(tp.float64))
        # What no kernel there takes goes to the host and back: one by one, samples would cost more.
        return _iir_kernel(x.cpu(), a.cpu(), b.cpu()).to(x.device) if found is None else found
    poles, zeros = (c.numpy().astype(np.float64, copy=False) for c in (a, b))
    return tp.from_numpy(_recursed(x.numpy(), zeros, poles))


_iir = custom_op("triptych_audio::iir", _iir_kernel, mutates_args=())
_iir.register_fake(lambda x, a, b: tp.empty_like(x))


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs, output)


def _iir_gradients(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
    """The recursion backward in time, once, then correlations with it; differentiable again."""
    x, a, b, y = ctx.saved_tensors
    impulse = pad(tp.ones_like(b[:, :1]), (0, b.shape[-1] - 1))
    v = _iir(g.flip(-1), a, impulse).flip(-1)
    wants_x, wants_a, wants_b = ctx.needs_input_grad
    return (
        _fir_transposed(v, b).to(x.dtype) if wants_x else None,
        -_correlations(v, y, a) if wants_a else None,
        _correlations(v, x, b) if wants_b else None,
    )


_iir.register_autograd(_iir_gradients, setup_context=_keep)


def _fir_transposed(v: Tensor, b: Tensor) -> Tensor:
    t = v.shape[-1]
    total = b[:, :1] * v
    for k in range(1, min(b.shape[-1], t)):
        total = total + pad(b[:, k : k + 1] * v[..., k:], (0, k))
    return total


def _correlations(v: Tensor, x: Tensor, like: Tensor) -> Tensor:
    """(filters, order): sum over time and batch of v[n] x[n - k]."""
    t = v.shape[-1]
    lags = [
        (v[..., k:] * x[..., : max(0, t - k)]).sum((0, -1)) for k in range(min(like.shape[-1], t))
    ]
    missing = like.shape[-1] - len(lags)
    return pad(tp.stack(lags, -1), (0, missing)).to(like.dtype) if lags else tp.zeros_like(like)


def filter_rows(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`lfilter` on three axes without checks and limits.

    Args:
        x: (n, filters, t) samples, floating; or (n, any, t) for one filter.
        a: (filters, order) feedback coefficients, floating.
        b: (filters, order) feedforward coefficients, floating.

    Returns:
        The same shape and dtype as x.
    """
    poles, zeros = a / a[:, :1], b / a[:, :1]
    y: Tensor = _iir(x, poles, zeros)
    return y


def rows_of(waveform: Tensor) -> Tensor:
    """All axes but the last as one, (n, t); also without any samples."""
    return waveform.reshape(math.prod(waveform.shape[:-1]), waveform.shape[-1])


def filtered(waveform: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`lfilter` of one filter without checks and limits.

    Args:
        waveform: (..., t) samples, floating.
        a: (1, order) feedback coefficients, floating.
        b: (1, order) feedforward coefficients, floating.

    Returns:
        The same shape and dtype.
    """
    return filter_rows(rows_of(waveform)[:, None], a, b).reshape(waveform.shape)


def _checked(waveform: Tensor, a: Tensor, b: Tensor, batching: bool) -> None:
    if not waveform.is_floating_point():
        raise DTypeError(
            f"lfilter: wanted floating samples, got {waveform.dtype}; divide by their full scale"
        )
    if a.shape != b.shape or a.ndim not in (1, 2) or not a.shape[-1]:
        raise ShapeError(
            "lfilter: wanted a_coeffs and b_coeffs of one shape, (order,) or (num_filters, order),"
            f" got {tuple(a.shape)} and {tuple(b.shape)}; fill the shorter up with zeros"
        )
    if not waveform.device == a.device == b.device:
        raise DeviceError(
            f"lfilter: waveform is on {waveform.device}, a_coeffs on {a.device}, b_coeffs on "
            f"{b.device}"
        )
    if a.ndim == 2 and batching and (waveform.ndim < 2 or waveform.shape[-2] != a.shape[0]):
        raise ShapeError(
            f"lfilter: {a.shape[0]} filters want waveforms (..., {a.shape[0]}, t), got "
            f"{tuple(waveform.shape)}; batching=False applies all filters to each waveform"
        )


@same_kind
def lfilter(
    waveform: Tensor,
    a_coeffs: Tensor,
    b_coeffs: Tensor,
    clamp: bool = True,
    batching: bool = True,
) -> Tensor:
    """A filter with feedback: a0 y[t] = b0 x[t] + b1 x[t - 1] + ... - a1 y[t - 1] - ...

    The sums are made in float64 whatever the dtype. Gradients of all orders, with respect to the
    waveform and both sets of coefficients, cost about as much as the filter itself.

    Args:
        waveform: (..., t) samples, floating.
        a_coeffs: (order,) or (num_filters, order) feedback coefficients, those of y.
        b_coeffs: feedforward coefficients, those of x, in the same shape; fill up with zeros.
        clamp: limit the result to [-1, 1].
        batching: with several filters, filter i gets waveform[..., i, :]; if not, each filter gets
            every waveform.

    Returns:
        The same shape; (..., num_filters, t) for several filters without batching.

    Raises:
        ShapeError: the coefficients differ in shape, or filters and waveforms in number.
        DTypeError: samples are integers.
        DeviceError: waveform and coefficients are on several devices.

    Example:
        >>> x = tp.tensor([0.5, 0.0, 0.0])
        >>> lfilter(x, tp.tensor([1.0, -0.5]), tp.tensor([1.0, 0.0])).tolist()
        [0.5, 0.25, 0.125]

    Source: gradients of Yu and Fazekas 2023, "Singing voice synthesis using differentiable LPC".
    """
    _checked(waveform, a_coeffs, b_coeffs, batching)
    if a_coeffs.ndim == 2 and not batching:
        shape = (*waveform.shape[:-1], a_coeffs.shape[0], waveform.shape[-1])
        waveform = waveform.unsqueeze(-2).expand(shape)
    a, b = (c if c.ndim == 2 else c.unsqueeze(0) for c in (a_coeffs, b_coeffs))
    n, t = math.prod(waveform.shape[:-1]) // a.shape[0], waveform.shape[-1]
    result = filter_rows(waveform.reshape(n, a.shape[0], t), a, b).reshape(waveform.shape)
    return result.clamp(-1.0, 1.0) if clamp else result


@same_kind
def filtfilt(waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, clamp: bool = True) -> Tensor:
    """A filter run forward, then backward: no delay, and twice the effect in dB.

    Args:
        waveform: (..., t) samples, floating.
        a_coeffs: (order,) or (num_filters, order) feedback coefficients.
        b_coeffs: feedforward coefficients in the same shape.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Raises:
        DTypeError: samples are integers.
        ShapeError: the coefficients differ in shape, or filters and waveforms in number.

    Example:
        >>> impulse = tp.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
        >>> filtfilt(impulse, tp.tensor([1.0, 0.0]), tp.tensor([0.5, 0.5])).tolist()
        [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    floating_samples("filtfilt", waveform)
    forward = lfilter(waveform, a_coeffs, b_coeffs, False, True)
    return lfilter(forward.flip(-1), a_coeffs, b_coeffs, clamp, True).flip(-1)


def _feedback_kernel(x: Tensor, delays: Tensor, weights: Tensor, backward: bool) -> Tensor:
    """A triangular system with few entries per row; transposed, it gives the gradient."""
    from scipy.sparse.linalg import spsolve_triangular

    t = x.shape[-1]
    system = _system(delays.numpy(), weights.numpy().astype(np.float64), t)
    system = system.T.tocsc() if backward else system
    rows = np.ascontiguousarray(x.numpy().astype(np.float64).T)
    y = spsolve_triangular(system, rows, lower=not backward, unit_diagonal=True)
    return tp.from_numpy(np.ascontiguousarray(y.T).astype(x.numpy().dtype))


def _system(delays: np.ndarray, weights: np.ndarray, t: int) -> Any:
    from scipy.sparse import csc_matrix

    now = np.broadcast_to(np.arange(t), delays.shape)
    before = now - delays
    real = before >= 0
    rows = np.concatenate([np.arange(t), now[real]])
    columns = np.concatenate([np.arange(t), before[real]])
    values = np.concatenate([np.ones(t), -weights[real]])
    return csc_matrix((values, (rows, columns)), shape=(t, t))


_delayed_feedback = custom_op("triptych_audio::delayed_feedback", _feedback_kernel, mutates_args=())
_delayed_feedback.register_fake(lambda x, delays, weights, backward: tp.empty_like(x))


def _keep_echoes(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, ctx.delays, ctx.weights, ctx.backward = inputs


_delayed_feedback.register_autograd(
    lambda ctx, g: (
        _delayed_feedback(g, ctx.delays, ctx.weights, not ctx.backward),
        None,
        None,
        None,
    ),
    setup_context=_keep_echoes,
)


def solve_feedback(x: Tensor, delays: np.ndarray, weights: np.ndarray) -> Tensor:
    """Echoes that come back: y[t] = x[t] + sum over k of weights[k, t] y[t - delays[k, t]].

    Args:
        x: (n, t) samples, floating.
        delays: (taps, t) int64, at least 1 sample.
        weights: (taps, t) floating.

    Returns:
        The same shape as x; has gradients with respect to x.

    Example:
        >>> impulse = tp.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]])
        >>> solve_feedback(impulse, np.full((1, 5), 2), np.ones((1, 5))).tolist()
        [[1.0, 0.0, 1.0, 0.0, 1.0]]
    """
    if x.numel() == 0:
        return x
    on_host = x.cpu()
    taps = tp.from_numpy(np.ascontiguousarray(delays, np.int64))
    gains = tp.from_numpy(np.ascontiguousarray(weights, np.float64))
    return _delayed_feedback(on_host, taps, gains, False).to(x.device)


def filter_sections(waveform: Tensor, sections: np.ndarray, zero_phase: bool = False) -> Tensor:
    """Second-order filters one after the other, settled on the first sample before they start.

    Args:
        waveform: (..., t) samples, floating.
        sections: (n, 6) b0, b1, b2, a0, a1, a2 of each, as SciPy's "sos".
        zero_phase: forward, then backward: no delay, and twice the effect in dB.

    Returns:
        The same shape.
    """
    if waveform.numel() == 0:
        return waveform
    rows = rows_of(waveform)[:, None].to(tp.float64)
    coefficients = tp.tensor(sections, dtype=tp.float64, device=waveform.device)
    for _ in range(2 if zero_phase else 1):
        rest = rows[..., :1]
        for section in coefficients:
            b, a = section[None, :3], section[None, 3:]
            settled = rest * (b.sum() / a.sum())
            rows, rest = filter_rows(rows - rest, a, b) + settled, settled
        rows = rows.flip(-1) if zero_phase else rows
    return rows.reshape(waveform.shape).to(waveform.dtype)
