"""What names come out of operations, and which contradictions they refuse."""

import numpy as np
import pytest

import triptych as tp
from triptych import NamesError
from triptych.nn import functional as F
from triptych.prims import NA, TABLE, naming
from triptych.testing import CHECKS
from triptych.testing.naming import check_names

X = tp.randn(2, 3, 4, names=("N", "C", "T"))
ROWS = tp.randn(2, 3, names=("N", "C"))
SQUARE = tp.randn(3, 3, dtype=tp.float64).rename("R", "Q") + 4 * tp.eye(3)
IMAGE = tp.randn(2, 4, 8, 6, names=("N", "C", "H", "W"))
WORDS = tp.zeros(2, 3, dtype=tp.int64, names=("N", "T"))

GIVES = {
    # elementwise
    "exp": (lambda: X.exp(), "N C T"),
    "named + unnamed": (lambda: X + tp.ones(4), "N C T"),
    "unnamed + named": (lambda: tp.ones(3, 4) * X, "N C T"),
    "number - named": (lambda: 1 - X, "N C T"),
    "None matches": (lambda: X.rename("N", None, None) + X.rename(None, "C", None), "N C -"),
    "dims in front": (lambda: X + tp.ones(5, 2, 3, 4, names=("B", None, None, None)), "B N C T"),
    "compare": (lambda: X > 0, "N C T"),
    "where": (lambda: tp.where(X > 0, X, 0.0), "N C T"),
    "cast": (lambda: X.double() + X, "N C T"),
    "clamp": (lambda: X.clamp(0, 1), "N C T"),
    # reductions and scans
    "sum": (lambda: X.sum(1), "N T"),
    "sum keepdim": (lambda: X.sum(1, keepdim=True), "N C T"),
    "sum of all": (lambda: X.sum(), ""),
    "max": (lambda: X.max(2).values, "N C"),
    "max indices": (lambda: X.max(0, keepdim=True).indices, "N C T"),
    "argmax keepdim": (lambda: X.argmax(keepdim=True), "N C T"),
    "std": (lambda: X.std((0, 2)), "C"),
    "logsumexp": (lambda: X.logsumexp(1), "N T"),
    "median": (lambda: X.median(1).values, "N T"),
    "mode": (lambda: X.mode(1).values, "N T"),
    "quantile": (lambda: X.quantile(tp.tensor([0.5, 0.9]), 1), "- N T"),
    "quantile keepdim": (lambda: X.quantile(0.5, 1, keepdim=True), "N C T"),
    "cumsum": (lambda: X.cumsum(1), "N C T"),
    "sort": (lambda: X.sort(1).indices, "N C T"),
    "topk": (lambda: X.topk(2, 1).values, "N C T"),
    "softmax": (lambda: X.softmax(1), "N C T"),
    # movements
    "transpose": (lambda: X.transpose(0, 2), "T C N"),
    "permute": (lambda: X.permute(1, 2, 0), "C T N"),
    "T": (lambda: ROWS.T, "C N"),
    "mT": (lambda: X.mT, "N T C"),
    "movedim": (lambda: X.movedim(0, -1), "C T N"),
    "unsqueeze": (lambda: X.unsqueeze(1), "N - C T"),
    "squeeze": (lambda: tp.zeros(1, 2, 1, names=("A", "B", "C")).squeeze(0), "B C"),
    "squeeze all": (lambda: tp.zeros(1, 2, 1, names=("A", "B", "C")).squeeze(), "B"),
    "expand": (lambda: X.expand(5, 2, 3, 4), "- N C T"),
    "reshape, split": (lambda: X.reshape(2, 3, 2, 2), "N C - -"),
    "reshape, join": (lambda: X.reshape(2, -1), "N -"),
    "reshape, in the middle": (lambda: IMAGE.reshape(2, 32, 6), "N - W"),
    "reshape, a one in doubt": (lambda: tp.zeros(2, 1, names=("A", "B")).reshape(2, 1, 1), "A - -"),
    "view, same": (lambda: X.view(2, 3, 4), "N C T"),
    "repeat": (lambda: X.repeat(2, 1, 1, 1), "- N C T"),
    "flip": (lambda: X.flip(0), "N C T"),
    "roll": (lambda: X.roll(1, 1), "N C T"),
    "roll flat": (lambda: X.roll(1), "N C T"),
    "pad": (lambda: F.pad(X, (1, 1)), "N C T"),
    "diagonal": (lambda: X.diagonal(0, 0, 1), "T -"),
    "diagonal, named": (lambda: X.diagonal(dim1="N", dim2="C", outdim="D"), "T D"),
    "diag_embed": (lambda: ROWS.diag_embed(), "N - -"),
    "tril": (lambda: X.tril(), "N C T"),
    "unfold": (lambda: X.unfold(2, 2, 1), "N C T -"),
    "cat": (lambda: tp.cat([X, tp.ones(2, 1, 4)], 1), "N C T"),
    "stack": (lambda: tp.stack([X, X], 1), "N - C T"),
    "split": (lambda: X.split(2, 1)[0], "N C T"),
    "unbind": (lambda: X.unbind(1)[0], "N T"),
    "meshgrid": (lambda: tp.meshgrid(tp.arange(1, names=("A",)), tp.arange(2))[0], "A -"),
    # indexing
    "x[0]": (lambda: X[0], "C T"),
    "x[..., 0]": (lambda: X[..., 0], "N C"),
    "x[:, None]": (lambda: X[:, None], "N - C T"),
    "x[:, 1:, 0]": (lambda: X[:, 1:, 0], "N C"),
    "x[{...}]": (lambda: X[{"C": 0, "T": slice(2)}], "N T"),
    "x[:, list]": (lambda: X[:, [0, 2]], "N C T"),
    "x[:, named]": (lambda: X[:, tp.arange(2, names=("K",))], "N K T"),
    "x[:, matrix]": (lambda: X[:, tp.zeros(2, 2, dtype=tp.int64)], "N - - T"),
    "x[i, j]": (lambda: X[tp.arange(2), tp.arange(2)], "- T"),
    "x[i, :, j]": (lambda: X[tp.arange(2), :, tp.arange(2)], "- C"),
    "x[mask]": (lambda: X[tp.tensor([True, False])], "N C T"),
    "x[x > 0]": (lambda: X[X > 0], "-"),
    "x[mask of two dims]": (lambda: X[tp.ones(2, 3, dtype=tp.bool)], "- T"),
    "index_select": (lambda: X.index_select(1, tp.tensor([0, 2])), "N C T"),
    "gather": (lambda: X.gather(1, tp.zeros(2, 5, 4, dtype=tp.int64)), "N C T"),
    "scatter": (lambda: X.scatter(1, tp.zeros(2, 1, 4, dtype=tp.int64), 1.0), "N C T"),
    "masked_fill": (lambda: X.masked_fill(X > 0, 0.0), "N C T"),
    "embedding": (lambda: F.embedding(WORDS, tp.ones(4, 5)), "N T -"),
    "nonzero": (lambda: X.nonzero(), "- -"),
    # products and matrices
    "matmul": (lambda: ROWS @ tp.ones(3, 5, names=("A", "B")), "N B"),
    "matmul of stacks": (lambda: X @ tp.ones(4, 5), "N C -"),
    "matmul broadcast": (lambda: X @ tp.ones(4, 5, names=(None, "K")), "N C K"),
    "matrix @ vector": (lambda: X @ tp.ones(4), "N C"),
    "vector @ matrix": (lambda: tp.ones(3) @ X, "N T"),
    "einsum": (lambda: tp.einsum("nct,dc->ndt", X, tp.ones(5, 3)), "N - T"),
    "outer": (lambda: tp.outer(tp.ones(2, names=("A",)), tp.ones(3, names=("B",))), "A B"),
    "linear": (lambda: F.linear(ROWS, tp.ones(5, 3), tp.ones(5)), "N -"),
    "linear, named weight": (lambda: F.linear(ROWS, tp.ones(5, 3, names=("D", "C"))), "N D"),
    "inverse": (lambda: tp.linalg.inv(SQUARE), "Q R"),
    "solve": (lambda: tp.linalg.solve(SQUARE, tp.ones(3, 2, dtype=tp.float64)), "Q -"),
    "det": (lambda: tp.linalg.det(tp.randn(2, 3, 3).rename("N", None, None)), "N"),
    "svd": (lambda: tp.linalg.svd(SQUARE, full_matrices=False)[0], "R -"),
    "svd, right": (lambda: tp.linalg.svd(SQUARE, full_matrices=False)[2], "- Q"),
    "fft": (lambda: tp.fft.rfft(X, dim=1), "N C T"),
    # layers
    "conv2d": (lambda: F.conv2d(IMAGE, tp.ones(5, 4, 3, 3), tp.ones(5)), "N C H W"),
    "conv2d, one sample": (lambda: F.conv2d(IMAGE[0], tp.ones(5, 4, 3, 3)), "C H W"),
    "conv_transpose2d": (lambda: F.conv_transpose2d(IMAGE, tp.ones(4, 5, 3, 3)), "N C H W"),
    "max_pool2d": (lambda: F.max_pool2d(IMAGE, 2), "N C H W"),
    "avg_pool2d": (lambda: F.avg_pool2d(IMAGE, 2), "N C H W"),
    "adaptive_avg_pool2d": (lambda: F.adaptive_avg_pool2d(IMAGE, 1), "N C H W"),
    "batch_norm": (lambda: F.batch_norm(IMAGE, None, None, training=True), "N C H W"),
    "layer_norm": (lambda: F.layer_norm(IMAGE, (6,), tp.ones(6)), "N C H W"),
    "group_norm": (lambda: F.group_norm(IMAGE, 2), "N C H W"),
    "interpolate": (lambda: F.interpolate(IMAGE, scale_factor=2, mode="bilinear"), "N C H W"),
    "pixel_shuffle": (lambda: F.pixel_shuffle(IMAGE, 2), "N C H W"),
    "unfold to columns": (lambda: F.unfold(IMAGE, 2), "N - -"),
    "attention": (lambda: F.scaled_dot_product_attention(X, X, X), "N C T"),
    "dropout": (lambda: F.dropout(X, 0.5), "N C T"),
    # statistics that mix dims
    "cov": (lambda: ROWS.cov(), "- -"),
    "cdist": (lambda: tp.cdist(ROWS, tp.ones(5, 3, names=("M", None))), "N M"),
}


@pytest.mark.parametrize(("call", "names"), GIVES.values(), ids=GIVES)
def test_names_of_the_result(call, names):
    expected = tuple(None if n == "-" else n for n in names.split())
    out = call()
    assert out.names == expected
    assert len(out.names) == out.ndim


def test_layers_with_named_inputs_compute_the_same():
    for call in (
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda x: F.group_norm(x, 2),
        lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
        lambda x: F.pixel_shuffle(x, 2),
    ):
        assert tp.equal(call(IMAGE).rename(None), call(IMAGE.rename(None)))


REFUSES = {
    "another name": (
        lambda: X + tp.ones(4, names=("W",)),
        r"add: names do not match: dim -1 is 'T' in one and 'W' in another input: "
        r"\(N: 2, C: 3, T: 4\) and \(W: 4\); line the dims up with align_to\(\)",
    ),
    "another place": (lambda: X.mul(tp.ones(3, 1, names=("T", None))), "mul: names do not match"),
    "misaligned": (
        lambda: tp.ones(2, 2, names=("A", None)) + tp.ones(2, 2, names=(None, "A")),
        "'A' would be dims -2 and -1 of the result",
    ),
    "where": (lambda: tp.where(X > 0, X, tp.ones(4, names=("H",))), "where: names do not match"),
    "cat": (lambda: tp.cat([ROWS, ROWS.rename("N", "D")], 0), "cat: names do not match"),
    "stack": (lambda: tp.stack([ROWS, ROWS.rename("M", "C")]), "stack: names do not match"),
    "matmul twice": (lambda: ROWS @ ROWS.T, r"matmul: .* \('N', 'N'\), one name twice; rename"),
    "matmul stacks": (
        lambda: X @ tp.ones(3, 4, 5, names=("C", None, None)).expand(2, 3, 4, 5),
        "one name twice|names do not match",
    ),
    "einsum": (lambda: tp.einsum("ab,bc->ac", ROWS, ROWS.T.rename("D", "M")), "einsum: b: one dim"),
    "solve": (
        lambda: tp.linalg.solve(SQUARE, tp.ones(3, 1, dtype=tp.float64, names=("P", None))),
        "solve: one dim is 'R' in one input and 'P' in another",
    ),
    "add_": (lambda: tp.ones(2, names=("A",)).add_(tp.ones(2, names=("B",))), "names do not match"),
    "copy_": (lambda: ROWS.clone().copy_(ROWS.rename("N", "D")), "copy_: names do not match"),
    "x[0] = v": (
        lambda: ROWS.clone().__setitem__(0, tp.ones(3, names=("D",))),
        "indexed assignment: names do not match",
    ),
    "x[list] = v": (
        lambda: ROWS.clone().__setitem__([0, 1], tp.ones(2, 3, names=("N", "D"))),
        "indexed assignment: names do not match",
    ),
}


@pytest.mark.parametrize(("call", "text"), REFUSES.values(), ids=REFUSES)
def test_contradictions_are_refused(call, text):
    with pytest.raises(NamesError, match=text) as caught:
        call()
    assert isinstance(caught.value, tp.ShapeError)
    assert isinstance(caught.value, RuntimeError)


SHAPES = {
    "add": (lambda: X + tp.ones(64, 4, names=("C", "T")), "C: 3 against 64"),
    "named once": (lambda: X + tp.ones(5), r"T: 4 against 5; dims by name: \(N: 2, C: 3, T: 4\)"),
    "matmul": (
        lambda: ROWS @ tp.ones(4, 5),
        r"matmul: .*dims by name: \(N: 2, C: 3\) and \(4, 5\)",
    ),
    "conv2d": (lambda: F.conv2d(IMAGE, tp.ones(5, 3, 1, 1)), r"channels.*N: 2, C: 4, H: 8, W: 6"),
    "linear": (lambda: F.linear(ROWS, tp.ones(5, 4)), r"takes 4 features.*\(N: 2, C: 3\)"),
    "cat": (lambda: tp.cat([ROWS, tp.ones(2, 4)], 0), r"\(N: 2, C: 3\) and \(2, 4\)"),
}


@pytest.mark.parametrize(("call", "text"), SHAPES.values(), ids=SHAPES)
def test_shape_errors_name_the_dims(call, text):
    with pytest.raises(tp.ShapeError, match=text) as caught:
        call()
    assert not isinstance(caught.value, NamesError)


def test_a_contradiction_of_names_is_told_before_that_of_shapes():
    with pytest.raises(NamesError, match="'T' in one and 'C' in another"):
        X + tp.ones(4, 3, names=("T", "C"))


def test_writing_gives_names_to_an_unnamed_tensor():
    x = tp.zeros(2, 3)
    x += ROWS
    assert x.names == ("N", "C")
    y = tp.zeros(2, 3)
    with tp.no_grad():
        y.mul_(ROWS)
        assert y.names == ("N", "C")
        y.add_(1)
    assert y.names == ("N", "C")
    z = ROWS.clone()
    z.fill_(2.0)
    z[0] = tp.ones(3)
    assert z.names == ("N", "C")


def test_views_refresh_under_their_names():
    base = tp.zeros(2, 3, names=("N", "C"), requires_grad=True) * 1
    column = base.select("C", 0)
    base.mul_(2)
    assert (column + 1).names == ("N",)
    column.sum().backward()


# The column itself


@pytest.mark.parametrize("name", ["reshape", "index", "matmul", "conv", "max_pool", "svd", "lstm"])
def test_the_battery_looks_at_names(name):
    assert CHECKS["names"] is check_names
    assert check_names(TABLE[name]) > 0


def test_a_rule_with_too_few_names_is_caught():
    prim = TABLE["permute"]
    kept, prim.names = prim.names, lambda x, *, axes: x.names[:1]
    try:
        with pytest.raises(AssertionError, match="permute: names"):
            check_names(prim)
    finally:
        prim.names = kept


def test_a_name_out_of_nowhere_is_caught():
    prim = TABLE["exp"]
    kept, prim.names = prim.names, lambda x: tuple(f"z{i}" for i in range(len(x.names)))
    try:
        with pytest.raises(AssertionError, match="exp: names"):
            check_names(prim)
    finally:
        prim.names = kept


def test_every_record_has_a_rule_or_a_reason():
    for prim in TABLE.values():
        assert callable(prim.names) or isinstance(prim.names, NA), prim.name
        if isinstance(prim.names, NA):
            assert len(prim.names.reason) > 10


def test_named_lengths_stay_with_their_names():
    """Movements and reductions leave a dim's length alone, so a name must sit on that length."""
    from triptych.testing import samples_for

    changing = {"pad", "concat", "slice", "unslice", "expand", "overlap_add", "windows"}
    for prim in TABLE.values():
        if prim.kind not in ("movement", "reduction", "scan") or prim.name in changing:
            continue
        for sample in samples_for(prim):
            x = sample.inputs[0].detach().clone()
            x.names = [f"d{i}" for i in range(x.ndim)]
            lengths = dict(zip(x.names, x.shape, strict=True))
            found = prim.call(x, *sample.inputs[1:], **sample.params)
            for out in found if isinstance(found, tuple) else (found,):
                for name, n in zip(out.names, out.shape, strict=True):
                    kept = sample.params.get("keepdim") and n == 1
                    assert name is None or n == lengths[name] or kept, (prim.name, out.names)


def test_axes_in_letters():
    rule = naming.axes("op", "rc,rk->ck,_")
    a = naming.Dims(("N", "R", "C"), (2, 3, 4))
    b = naming.Dims((None, None, "K"), (2, 3, 5))
    assert rule(a, b) == (("N", "C", "K"), ("N", None))
    with pytest.raises(NamesError, match="op: one dim is 'R' in one input and 'Z' in another"):
        rule(a, naming.Dims((None, "Z", "K"), (2, 3, 5)))


def test_numbers_of_a_chain_are_those_without_names():
    rng = np.random.default_rng(1)
    raw = rng.standard_normal((4, 5, 6))

    def chain(x):
        y = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
        return tp.einsum("abc,abd->acd", y, y.cumsum(1)).softmax(-1).sum(0)

    named = tp.tensor(raw, names=("A", "B", None))
    np.testing.assert_array_equal(chain(named).numpy(), chain(tp.tensor(raw)).numpy())
