"""Every dim argument takes a name."""

import ast
from pathlib import Path

import pytest

import triptych as tp
from triptych import NamesError, nn
from triptych.nn import functional as F

X = tp.randn(2, 3, 4, names=("N", "C", "T"))
PLACES = tp.randint(3, (2, 3, 4))

# What is called with the dims C and T, as ints or names.
CALLS = {
    "sum": lambda x, c, t: x.sum(c),
    "sum of two": lambda x, c, t: x.sum((c, t)),
    "sum of a list": lambda x, c, t: x.sum([t, c], keepdim=True),
    "mean": lambda x, c, t: tp.mean(x, (c, t)),
    "prod": lambda x, c, t: x.prod(c),
    "var": lambda x, c, t: x.var(c),
    "std": lambda x, c, t: x.std((c, t), keepdim=True),
    "var_mean": lambda x, c, t: tp.var_mean(x, c)[1],
    "amax": lambda x, c, t: x.amax((c, t)),
    "amin": lambda x, c, t: x.amin(c),
    "max": lambda x, c, t: x.max(c).values,
    "min": lambda x, c, t: x.min(dim=t, keepdim=True).indices,
    "argmax": lambda x, c, t: x.argmax(c),
    "argmin": lambda x, c, t: x.argmin(dim=t),
    "any": lambda x, c, t: (x > 0).any(c),
    "all": lambda x, c, t: (x > 0).all(c),
    "count_nonzero": lambda x, c, t: x.count_nonzero(c),
    "norm": lambda x, c, t: x.norm(dim=c),
    "logsumexp": lambda x, c, t: x.logsumexp(c),
    "median": lambda x, c, t: x.median(c).values,
    "mode": lambda x, c, t: x.mode(c).values,
    "kthvalue": lambda x, c, t: x.kthvalue(2, c).values,
    "quantile": lambda x, c, t: x.quantile(0.3, c),
    "nansum": lambda x, c, t: x.nansum(c),
    "cumsum": lambda x, c, t: x.cumsum(c),
    "cumprod": lambda x, c, t: x.cumprod(t),
    "cummax": lambda x, c, t: x.cummax(c).values,
    "logcumsumexp": lambda x, c, t: x.logcumsumexp(c),
    "sort": lambda x, c, t: x.sort(c).values,
    "argsort": lambda x, c, t: x.argsort(c),
    "topk": lambda x, c, t: x.topk(2, c).values,
    "unique": lambda x, c, t: tp.unique(x, dim=c),
    "diff": lambda x, c, t: x.diff(dim=c),
    "trapezoid": lambda x, c, t: tp.trapezoid(x, x.rename(None), dim=c),
    "softmax": lambda x, c, t: x.softmax(c),
    "log_softmax": lambda x, c, t: F.log_softmax(x, c),
    "Softmax": lambda x, c, t: nn.Softmax(c)(x),
    "glu": lambda x, c, t: F.glu(x, t),
    "normalize": lambda x, c, t: F.normalize(x, dim=c),
    "cosine_similarity": lambda x, c, t: F.cosine_similarity(x, x.rename(None) + 1, dim=c),
    "transpose": lambda x, c, t: x.transpose(c, t),
    "swapaxes": lambda x, c, t: x.swapaxes(t, c),
    "permute": lambda x, c, t: x.permute(t, 0, c),
    "permute, a tuple": lambda x, c, t: x.permute((t, c, 0)),
    "movedim": lambda x, c, t: x.movedim(c, 0),
    "flip": lambda x, c, t: x.flip(c),
    "flip two": lambda x, c, t: x.flip((c, t)),
    "roll": lambda x, c, t: x.roll(1, c),
    "roll two": lambda x, c, t: x.roll((1, 2), (c, t)),
    "rot90": lambda x, c, t: x.rot90(1, (c, t)),
    "squeeze": lambda x, c, t: x[:, :1].squeeze(c),
    "select": lambda x, c, t: x.select(c, 1),
    "narrow": lambda x, c, t: x.narrow(c, 1, 2),
    "split": lambda x, c, t: x.split(2, c)[0],
    "tensor_split": lambda x, c, t: x.tensor_split(2, c)[0],
    "chunk": lambda x, c, t: x.chunk(2, c)[1],
    "unbind": lambda x, c, t: x.unbind(c)[2],
    "cat": lambda x, c, t: tp.cat([x, x], c),
    "cat, unnamed first": lambda x, c, t: tp.cat([x.rename(None), x], c),
    "diagonal": lambda x, c, t: x.diagonal(0, c, t),
    "unfold": lambda x, c, t: x.unfold(c, 2, 1),
    "flatten": lambda x, c, t: x.flatten(c, t),
    "unflatten": lambda x, c, t: x.unflatten(t, (2, 2)),
    "gather": lambda x, c, t: x.gather(c, PLACES),
    "scatter": lambda x, c, t: x.scatter(c, PLACES[:, :1], 1.0),
    "index_select": lambda x, c, t: x.index_select(c, tp.tensor([2, 0])),
    "index_add": lambda x, c, t: x.index_add(c, tp.tensor([1]), tp.ones(2, 1, 4)),
    "index_fill": lambda x, c, t: x.index_fill(c, tp.tensor([1]), 0.0),
    "take_along_dim": lambda x, c, t: tp.take_along_dim(x, PLACES, c),
    "repeat_interleave": lambda x, c, t: x.repeat_interleave(2, c),
    "select_scatter": lambda x, c, t: x.select_scatter(tp.ones(2, 4), c, 1),
    "fft": lambda x, c, t: tp.fft.fft(x, dim=c).abs(),
    "fftn": lambda x, c, t: tp.fft.fftn(x, dim=(c, t)).abs(),
    "fftshift": lambda x, c, t: tp.fft.fftshift(x, c),
    "vector_norm": lambda x, c, t: tp.linalg.vector_norm(x, dim=(c, t)),
    "matrix_norm": lambda x, c, t: tp.linalg.matrix_norm(x, dim=(c, t)),
    "x[{dim: part}]": lambda x, c, t: x.select(c, 0) if c == 1 else x[{c: 0}],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_name_is_as_good_as_an_int(call):
    named, plain = call(X, "C", "T"), call(X.rename(None), 1, 2)
    assert tuple(named.shape) == tuple(plain.shape)
    assert tp.equal(named.rename(None), plain)


def test_in_place_forms_take_names():
    x = X.clone()
    x.index_fill_("C", tp.tensor([0]), 5.0)
    assert (x[:, 0].rename(None) == 5).all()
    assert x.names == X.names


def test_size_and_stride():
    assert X.size("C") == 3
    assert X.stride("C") == 4
    with pytest.raises(NamesError, match="size: no dim is named 'H'"):
        X.size("H")


def test_indexing_by_name():
    x = tp.zeros(2, 3, 4, names=X.names)
    x[{"C": 0, "T": slice(2)}] = 1.0
    assert x.sum() == 4
    assert x[{"T": [0, 3]}].names == X.names
    assert tuple(x[{"T": [0, 3]}].shape) == (2, 3, 2)
    with pytest.raises(NamesError, match="indexing: no dim is named 'H'"):
        x[{"H": 0}]


def test_unknown_names():
    with pytest.raises(NamesError, match=r"sum: no dim is named 'H'; the tensor has names \('N'"):
        X.sum("H")
    with pytest.raises(NamesError, match="sum: dim 'C' is called by name, but the dims have no"):
        tp.ones(2).sum("C")
    with pytest.raises(NamesError, match="unsqueeze: dim 'C' is a name, and this call wants an"):
        X.unsqueeze("C")
    with pytest.raises(tp.ShapeError, match="name one axis twice"):
        X.sum(("C", 1))


def test_ints_still_work_on_named_tensors():
    assert X.sum(-1).names == ("N", "C")
    assert X.softmax(1).names == X.names


def _calls(source: Path):
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        name = getattr(node.func, "id", None) if isinstance(node, ast.Call) else None
        if name in ("normalize_axis", "normalize_axes"):
            yield node


def test_every_function_that_resolves_dims_passes_the_tensor():
    """The place of a dim that is yet to come is the only one that has no name."""
    package = Path(tp.__file__).parent
    without = [
        f"{source.relative_to(package)}:{call.lineno}"
        for source in package.rglob("*.py")
        for call in _calls(source)
        if len(call.args) < 4
        and source.name != "avals.py"
        and not isinstance(call.args[2], ast.BinOp)  # ndim + 1
    ]
    assert without == [], "pass the tensor as the fourth argument, for dims by name"
