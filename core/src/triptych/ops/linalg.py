"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import itertools
import math
from typing import Any

from ..avals import broadcast_shapes, normalize_axis
from ..errors import ShapeError
from ..prims import elementwise as ew
from ..prims.contract import matmul as _matmul
from ..prims.naming import infer, one_name
from ..prims.precision import computes_in, rounds_once
from ..prims.reduce import sum as _sum
from ..tensor import Tensor
from .creation import as_tensor, cast_to
from .named import unnamed, with_names
from .reduce import norm
from .shape import broadcast_tensors, permute, reshape, squeeze, transpose, unsqueeze

__all__ = [
    "addmm",
    "adjoint",
    "baddbmm",
    "bmm",
    "cosine_similarity",
    "dot",
    "einsum",
    "matmul",
    "mm",
    "mv",
    "outer",
    "tensordot",
]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: vectors, matrices, or stacks of matrices that broadcast.

    Raises:
        ShapeError: inner dims differ, or an input has no dims.
        DTypeError: dtypes differ.
    """
    if not isinstance(other, Tensor) or not isinstance(input, Tensor):
        input, other = as_tensor(input), as_tensor(other)
    dims = len(input._data.shape), len(other._data.shape)
    if dims == (2, 2):
        return _matmul(input, other)
    if 0 in dims:
        raise ShapeError(
            f"matmul: wanted at least 1 dim each, got {tuple(input.shape)} @ {tuple(other.shape)}; "
            "use *"
        )
    left = unsqueeze(input, 0) if dims[0] == 1 else input
    right = unsqueeze(other, 1) if dims[1] == 1 else other
    out = _stacked(left, right)
    if dims[0] == 1:
        out = squeeze(out, -2)
    return squeeze(out, -1) if dims[1] == 1 else out


def _stacked(left: Tensor, right: Tensor) -> Tensor:
    """A stack of matrices times one matrix is one big product, not a loop over the stack."""
    if right.ndim > 2 or left.ndim == 2 or not left._data.size or left.shape[-1] != right.shape[0]:
        return _matmul(left, right)
    rows = _matmul(reshape(left, (-1, left.shape[-1])), right)
    out = reshape(rows, (*left.shape[:-1], right.shape[-1]))
    if left._names is None and right._names is None:
        return out
    return with_names(out, infer(_matmul.prim, (left, right), {})[0])  # type: ignore[attr-defined]


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices.

    Raises:
        ShapeError: an input has other than 2 dims.
    """
    return _exact("mm", input, mat2, 2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (n, i, j) and (n, j, k)."""
    if input.ndim == mat2.ndim == 3 and input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm: batches of {input.shape[0]} and {mat2.shape[0]} matrices")
    return _exact("bmm", input, mat2, 3)


def _exact(name: str, a: Tensor, b: Tensor, ndim: int) -> Tensor:
    if a.ndim != ndim or b.ndim != ndim:
        raise ShapeError(
            f"{name}: wanted {ndim} dims each, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    return _matmul(a, b)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise ShapeError(
            f"mv: wanted a matrix and a vector, got {tuple(input.shape)} and {tuple(vec.shape)}"
        )
    return matmul(input, vec)


@computes_in("widest")
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of products of two vectors."""
    if input.ndim != 1 or input.shape != tensor.shape:
        raise ShapeError(
            f"dot: wanted two vectors of one length, got {tuple(input.shape)} and "
            f"{tuple(tensor.shape)}"
        )
    return matmul(input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors: (n,) and (m,) to (n, m).

    Raises:
        ShapeError: an input is no vector.
    """
    if input.ndim != 1 or vec2.ndim != 1:
        raise ShapeError(
            f"outer: wanted two vectors, got {tuple(input.shape)} and {tuple(vec2.shape)}"
        )
    return ew.mul(unsqueeze(input, 1), vec2)


@computes_in("low")
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2)."""
    return plus("addmm", input, mm(mat1, mat2), beta, alpha)


def plus(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """beta * input + alpha * product, where input broadcasts; with beta = 0 it is not read. For
    integers beta and alpha lose their fractions, as in torch.

    Raises:
        ShapeError: input does not broadcast to the product.
    """
    if product._data.dtype.kind in "iu" and input._data.dtype.kind in "iu":
        beta, alpha = (int(v) if isinstance(v, float) else v for v in (beta, alpha))
    shape = tuple(product.shape)
    if tuple(input.shape) != shape:
        wide = broadcast_shapes(name, tuple(input.shape), shape)
        if wide != shape:
            raise ShapeError(
                f"{name}: the product is {shape}, to which {tuple(input.shape)} does not broadcast"
            )
    product = product if alpha == 1 else ew.mul(product, alpha)
    if beta == 0:
        return product
    return ew.add(product, input if beta == 1 else ew.mul(input, beta))


@computes_in("low")
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2)."""
    return plus("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products by index letters, such as ``einsum("bij,bjk->bik", a, b)``.

    Letters that appear in no output are summed; ``...`` stands for broadcast dims. In place of
    letters each operand may be followed by a list of numbers from 0 to 51:
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Three operands and more are
    multiplied in a cheap order.

    The dims of the result have the names of the dims that their letters stand for.

    Raises:
        ShapeError: letters and dims do not match, or one letter has two lengths.
        NamesError: one letter stands for dims of two names.
    """
    if isinstance(equation, Tensor):
        equation, operands = _spelled_out((equation, *operands))
    tensors = (
        list(operands[0])
        if len(operands) == 1 and not isinstance(operands[0], Tensor)
        else list(operands)
    )
    terms, result = _parse(equation, tensors)
    names = _letter_names(tensors, terms) if _some_named(tensors) else None
    tensors = unnamed(tensors)
    parts = [_diagonals(t, term) for t, term in zip(tensors, terms, strict=True)]
    while len(parts) > 1:
        i, j = (0, 1) if len(parts) == 2 else _cheapest_pair(parts)
        one, two = parts[i], parts[j]
        parts = [part for k, part in enumerate(parts) if k not in (i, j)]
        later = {c for _, term in parts for c in term} | set(result)
        parts.append(_pair(*one, *two, later))
    acc, letters = parts[0]
    acc, letters = _sum_out(acc, letters, set(result))
    out = permute(acc, tuple(letters.index(c) for c in result)) if result else acc
    return out if names is None else with_names(out, tuple(names[c] for c in result))


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _spelled_out(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """(equation, operands) from operands that are each followed by a list of numbers."""
    count = len(arguments) // 2
    terms = [_letters(numbers) for numbers in arguments[1 : 2 * count : 2]]
    equation = ",".join(terms)
    if len(arguments) % 2:
        equation += "->" + _letters(arguments[-1])
    return equation, arguments[: 2 * count : 2]


def _letters(numbers: Any) -> str:
    found = []
    for n in numbers if isinstance(numbers, (list, tuple)) else (None,):
        if n is not Ellipsis and not (isinstance(n, int) and 0 <= n < len(LETTERS)):
            raise ShapeError(
                "einsum: after each operand wanted a list of numbers from 0 to 51 or ..., got "
                f"{numbers!r}"
            )
        found.append("..." if n is Ellipsis else LETTERS[n])
    return "".join(found)


def _cheapest_pair(parts: list[tuple[Tensor, str]]) -> tuple[int, int]:
    """The two operands whose product takes the fewest multiplications."""
    sizes: dict[str, int] = {}
    for t, term in parts:
        for c, n in zip(term, t.shape, strict=True):
            sizes[c] = max(sizes.get(c, 1), n)

    def work(pair: tuple[int, int]) -> int:
        return math.prod(sizes[c] for c in set(parts[pair[0]][1] + parts[pair[1]][1]))

    return min(itertools.combinations(range(len(parts)), 2), key=work)


def _some_named(tensors: list[Tensor]) -> bool:
    return any(t._names is not None for t in tensors)


def _letter_names(tensors: list[Tensor], terms: list[str]) -> dict[str, str | None]:
    """The name of the dims that each letter of an equation stands for.

    Raises:
        NamesError: a letter stands for dims of two names.
    """
    seen: dict[str, list[str | None]] = {}
    for t, term in zip(tensors, terms, strict=True):
        for letter, name in zip(term, t.names, strict=True):
            seen.setdefault(letter, []).append(name)
    return {letter: one_name(f"einsum: {letter}", *names) for letter, names in seen.items()}


def _parse(equation: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    equation = equation.replace(" ", "")
    inputs, arrow, result = equation.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(tensors):
        raise ShapeError(f"einsum: {equation!r} names {len(terms)} operands, got {len(tensors)}")
    spare = [c for c in LETTERS if c not in equation]
    widths = [t.ndim - len(term.replace("...", "")) for t, term in zip(tensors, terms, strict=True)]
    dots = "".join(spare[: max(widths, default=0)])
    full = []
    for t, term, width in zip(tensors, terms, widths, strict=True):
        if width < 0 or (width and "..." not in term):
            raise ShapeError(
                f"einsum: {term!r} does not name the {t.ndim} dims of {tuple(t.shape)}"
            )
        full.append(term.replace("...", dots[len(dots) - width :]))
    if not arrow:
        flat = "".join(full)
        result = dots + "".join(
            sorted(c for c in set(flat) if flat.count(c) == 1 and c not in dots)
        )
    else:
        result = result.replace("...", dots)
    unknown = set(result) - set("".join(full))
    if unknown or len(set(result)) != len(result):
        raise ShapeError(
            f"einsum: the output {result!r} must name letters of the inputs, each once"
        )
    return full, result


def _diagonals(t: Tensor, term: str) -> tuple[Tensor, str]:
    """A letter twice in one term means the diagonal."""
    from .shape import diagonal

    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i, j = term.index(c), term.rindex(c)
            if t.shape[i] != t.shape[j]:
                raise ShapeError(
                    f"einsum: {c!r} has lengths {t.shape[i]} and {t.shape[j]} in one operand"
                )
            t = diagonal(t, 0, i, j)
            term = term[:i] + term[i + 1 : j] + term[j + 1 :] + c
    return t, term


def _sum_out(t: Tensor, letters: str, keep: set[str]) -> tuple[Tensor, str]:
    axes = tuple(i for i, c in enumerate(letters) if c not in keep)
    return (_sum(t, axes=axes, keepdim=False) if axes else t), "".join(
        c for c in letters if c in keep
    )


def _reduced(t: Tensor, letters: str, keep: set[str]) -> tuple[Tensor, str]:
    """`_sum_out` in the dtype of the tensor: sums of small integers would be int64."""
    out, kept = _sum_out(t, letters, keep)
    return cast_to(out, t._data.dtype), kept


def _pair(a: Tensor, la: str, b: Tensor, lb: str, later: set[str]) -> tuple[Tensor, str]:
    """Contract two operands as one batched matrix product."""
    a, la = _reduced(a, la, later | set(lb))
    b, lb = _reduced(b, lb, later | set(la))
    sizes = _sizes(a, la, b, lb)
    both = [c for c in la if c in lb]
    batch = [c for c in both if c in later]
    inner = [c for c in both if c not in later]
    left = [c for c in la if c not in lb]
    right = [c for c in lb if c not in la]
    x = _arranged(a, la, (batch, left, inner), sizes)
    y = _arranged(b, lb, (batch, inner, right), sizes)
    out = _matmul(x, y)
    letters = "".join(batch + left + right)
    return reshape(out, tuple(sizes[c] for c in letters)), letters


def _sizes(a: Tensor, la: str, b: Tensor, lb: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for c, n in [*zip(la, a.shape, strict=True), *zip(lb, b.shape, strict=True)]:
        if sizes.get(c, 1) != 1 and n not in (1, sizes[c]):
            raise ShapeError(f"einsum: {c!r} has lengths {sizes[c]} and {n}")
        sizes[c] = max(sizes.get(c, 1), n) if n != 0 else 0
    return sizes


def _arranged(
    t: Tensor, letters: str, groups: tuple[list[str], ...], sizes: dict[str, int]
) -> Tensor:
    """(batch, rows, columns), each a product of letters."""
    from .shape import expand

    order = [c for group in groups for c in group]
    t = permute(t, tuple(letters.index(c) for c in order))
    t = expand(t, tuple(sizes[c] for c in order)) if order else t
    shape = []
    for group in groups:
        length = 1
        for c in group:
            length *= sizes[c]
        shape.append(length)
    return reshape(t, tuple(shape))


@computes_in("widest")
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sums of products over pairs of dims, or over the last and first `dims`."""
    if isinstance(dims, int):
        over_a, over_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        over_a, over_b = ([d % t.ndim for d in ds] for ds, t in zip(dims, (a, b), strict=True))
    names = [chr(97 + i) for i in range(a.ndim + b.ndim)]
    la, lb = names[: a.ndim], names[a.ndim :]
    for i, j in zip(over_a, over_b, strict=True):
        lb[j] = la[i]
    out = [c for c in la if c not in lb] + [c for c in lb if c not in la]
    return einsum(f"{''.join(la)},{''.join(lb)}->{''.join(out)}", a, b)


@computes_in("single")
@rounds_once
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along dim; lengths are at least eps."""
    x1, x2 = broadcast_tensors(x1, x2)
    product = ew.mul(x1, x2)
    dim = normalize_axis("cosine_similarity", dim, product.ndim, product)
    product = _total(product, dim)
    lengths = ew.mul(ew.maximum(norm(x1, 2, dim), eps), ew.maximum(norm(x2, 2, dim), eps))
    return ew.div(product, lengths)


def _total(t: Tensor, dim: int) -> Tensor:
    from .reduce import sum

    return sum(t, dim)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of each matrix."""
    return ew.conj_if_complex(transpose(input, -2, -1))
