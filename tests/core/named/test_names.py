"""Giving, changing and aligning names."""

import copy
import pickle

import numpy as np
import pytest

import triptych as tp
from triptych import NamesError, nn

NC = ("N", "C")

FACTORIES = {
    "tensor": lambda **k: tp.tensor([[1.0, 2], [3, 4]], **k),
    "zeros": lambda **k: tp.zeros(2, 2, **k),
    "ones": lambda **k: tp.ones((2, 2), **k),
    "empty": lambda **k: tp.empty(2, 2, **k),
    "full": lambda **k: tp.full((2, 2), 3.0, **k),
    "eye": lambda **k: tp.eye(2, **k),
    "rand": lambda **k: tp.rand(2, 2, **k),
    "randn": lambda **k: tp.randn(2, 2, **k),
    "randint": lambda **k: tp.randint(5, (2, 2), **k),
    "new_zeros": lambda **k: tp.ones(1).new_zeros(2, 2, **k),
    "new_full": lambda **k: tp.ones(1).new_full((2, 2), 1.0, **k),
}
LINES = {
    "arange": lambda **k: tp.arange(3, **k),
    "linspace": lambda **k: tp.linspace(0, 1, 3, **k),
    "logspace": lambda **k: tp.logspace(0, 1, 3, **k),
    "randperm": lambda **k: tp.randperm(3, **k),
}


@pytest.mark.parametrize("make", FACTORIES.values(), ids=FACTORIES)
def test_creation_functions_take_names(make):
    x = make(names=["N", None])
    assert x.names == ("N", None)
    assert x.has_names()
    plain = make()
    assert plain.names == (None, None)
    assert not plain.has_names()


@pytest.mark.parametrize("make", LINES.values(), ids=LINES)
def test_creation_of_vectors_takes_names(make):
    assert make(names=("T",)).names == ("T",)


def test_a_leaf_with_names_has_unnamed_gradients():
    x = tp.ones(2, 3, names=NC, requires_grad=True)
    assert x.is_leaf
    (x.rename(C="D") * 2).sum("D").sum().backward()
    assert x.grad.names == (None, None)
    assert x.grad.tolist() == [[2.0] * 3] * 2


def test_likes_keep_names():
    x = tp.zeros(2, 3, names=NC)
    made = (
        tp.zeros_like(x),
        tp.ones_like(x, dtype=tp.int64),
        tp.full_like(x, 2.0),
        tp.empty_like(x),
        tp.rand_like(x),
        tp.randn_like(x),
    )
    assert all(t.names == NC for t in made)


def test_setting_names():
    x = tp.zeros(2, 3)
    x.names = ["N", "C"]
    assert x.names == NC
    x.names = None
    assert x.names == (None, None)
    x.names = (None, None)
    assert not x.has_names()
    assert tp.zeros(()).names == ()


BAD_NAMES = {
    "count": (("N",), "1 names .* for 2 dims"),
    "twice": (("N", "N"), "one name twice"),
    "no identifier": (("N", "1x"), "Python identifier"),
    "no string": (("N", 3), "Python identifier"),
}


@pytest.mark.parametrize(("names", "text"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_bad_names_are_refused(names, text):
    x = tp.zeros(2, 3)
    calls = (
        lambda: tp.zeros(2, 3, names=names),
        lambda: x.rename(*names),
        lambda: x.refine_names(*names),
        lambda: setattr(x, "names", names),
    )
    for call in calls:
        with pytest.raises(NamesError, match=text):
            call()
    assert x.names == (None, None)


def test_rename():
    x = tp.arange(6).reshape(2, 3).rename("N", "C")
    assert x.rename("A", None).names == ("A", None)
    assert x.rename(["A", "B"]).names == ("A", "B")
    assert x.rename(C="channels", N=None).names == (None, "channels")
    assert x.rename(N="C", C="N").names == ("C", "N")
    assert x.rename("...", "D").names == ("N", "D")
    assert x.rename(None).names == (None, None)
    assert x.names == NC
    shared = x.rename(None)
    shared[0, 0] = 9
    assert x[0, 0] == 9, "a view"
    assert x.rename_(C="D") is x
    assert x.names == ("N", "D")
    assert x.rename_(None).names == (None, None)
    assert tp.tensor(3.0).rename().names == ()


def test_rename_refuses_what_is_not_there():
    x = tp.zeros(2, 3, names=NC)
    with pytest.raises(NamesError, match="rename: no dim is named 'H'; the tensor has names"):
        x.rename(H="W")
    with pytest.raises(NamesError, match="either names in order or old=new pairs"):
        x.rename("A", "B", C="D")
    with pytest.raises(NamesError, match="one name twice"):
        x.rename(C="N")
    with pytest.raises(NamesError, match=r"at most one '\.\.\.'"):
        x.rename("...", "...")


def test_refine_names():
    x = tp.zeros(2, 3, 5, 7)
    assert x.refine_names("N", "C", "H", "W").names == ("N", "C", "H", "W")
    assert x.refine_names("N", ...).names == ("N", None, None, None)
    assert x.refine_names("N", "...", "W").names == ("N", None, None, "W")
    named = x.refine_names(..., "W")
    assert named.refine_names("N", None, None, "W").names == ("N", None, None, "W")
    with pytest.raises(NamesError, match="dim 3 is named 'W' and cannot become 'H'"):
        named.refine_names(..., "H")
    with pytest.raises(NamesError, match="dim 3 is named 'W' and cannot become None"):
        named.refine_names("N", "C", "H", None)


def test_align_to():
    data = tp.arange(6.0).reshape(2, 3)
    x = data.rename("N", "C")
    assert tp.equal(x.align_to("C", "N").rename(None), data.T)
    y = x.align_to("C", "H", "N", "W")
    assert y.names == ("C", "H", "N", "W")
    assert tuple(y.shape) == (3, 1, 2, 1)
    z = tp.zeros(2, 3, 5, 7, names=("N", "C", "H", "W"))
    assert z.align_to("W", ..., "C").names == ("W", "N", "H", "C")
    assert z.align_to("...", "C").names == ("N", "H", "W", "C")
    assert tuple(z.align_to("D", ...).shape) == (1, 2, 3, 5, 7)
    assert x.align_as(z).names == z.names
    x.align_to("C", "N")[0, 1] = 9.0
    assert data[1, 0] == 9.0, "a view"


BAD_ALIGNMENTS = {
    "missing": (NC, ("N", "H"), "must name every dim"),
    "None": (NC, ("N", "C", None), "nothing by None"),
    "twice": (NC, ("N", "C", "C"), "one name twice"),
    "unnamed": (("N", None), ("N", "C"), "without a name cannot be aligned"),
    "dots twice": (NC, (..., "N", ...), "at most one"),
}


@pytest.mark.parametrize(("own", "wanted", "text"), BAD_ALIGNMENTS.values(), ids=BAD_ALIGNMENTS)
def test_align_to_refuses(own, wanted, text):
    with pytest.raises(NamesError, match=text):
        tp.zeros(2, 3, names=own).align_to(*wanted)


def test_align_tensors():
    bias, image = tp.ones(3, names=("C",)), tp.zeros(2, 3, 4, names=("N", "C", "H"))
    one, two = tp.align_tensors(bias, image)
    assert one.names == two.names == image.names
    assert tuple(one.shape) == (1, 3, 1)
    assert (one + two).names == image.names
    assert tp.align_tensors() == ()
    with pytest.raises(NamesError, match="must name every dim"):
        tp.align_tensors(tp.ones(3, names=("D",)), image)


def test_gradients_flow_through_names():
    x = tp.randn(2, 3, requires_grad=True)
    y = x.refine_names("N", "C").align_to("C", "H", "N").rename(H="W")
    (y * tp.arange(3.0).reshape(3, 1, 1)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0, 1, 2]] * 2)


def test_flatten_and_unflatten_by_name():
    x = tp.arange(24).reshape(2, 3, 4).rename("N", "C", "H")
    flat = x.flatten(["C", "H"], "F")
    assert flat.names == ("N", "F")
    assert x.flatten("C", "H", "F").names == ("N", "F")
    assert x.flatten(1, 2, out_dim="F").names == ("N", "F")
    assert x.flatten("C", "H").names == ("N", None)
    assert x.flatten(1, 1).names == x.names
    assert tp.zeros(2, 3).flatten(0, 1, "F").names == ("F",)
    assert flat.unflatten("F", (("C", 3), ("H", 4))).names == x.names
    assert flat.unflatten("F", {"C": 3, "H": -1}).names == x.names
    assert tp.equal(flat.unflatten("F", {"C": 3, "H": 4}), x)
    assert flat.unflatten("F", (3, 4)).names == ("N", None, None)
    assert flat.unflatten(1, (3, 4), names=("C", "H")).names == x.names
    with pytest.raises(tp.ShapeError, match="no neighbours in this order"):
        x.flatten(["H", "C"], "F")
    with pytest.raises(tp.ShapeError, match="wants a name for the result"):
        x.flatten(["C", "H"])
    with pytest.raises(NamesError, match="one name twice"):
        x.flatten(["C", "H"], "N")
    with pytest.raises(NamesError, match="one name twice"):
        flat.unflatten("F", {"N": 3, "H": 4})


def test_contract():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((5, 4, 3))
    x, y = tp.tensor(a, names=("N", "C", "T")), tp.tensor(b, names=("D", "T", "C"))
    out = tp.contract(x, y)
    assert out.names == ("N", "D")
    np.testing.assert_allclose(out.numpy(), np.einsum("nct,dtc->nd", a, b))
    batched = tp.contract(x, y, dims="C")
    assert batched.names == ("N", "T", "D")
    np.testing.assert_allclose(batched.numpy(), np.einsum("nct,dtc->ntd", a, b))
    outer = tp.contract(x, y, dims=())
    assert outer.names == ("N", "C", "T", "D")
    np.testing.assert_allclose(outer.numpy(), np.einsum("nct,dtc->nctd", a, b))
    np.testing.assert_allclose(tp.contract(x, dims=("N", "T")).numpy(), a.sum((0, 2)))
    three = tp.contract(x, y, tp.tensor([1.0, 2.0], dtype=tp.float64, names=("N",)))
    np.testing.assert_allclose(three.numpy(), np.einsum("nct,dtc,n->d", a, b, [1, 2]))


def test_contract_refuses():
    x = tp.ones(2, 3, names=NC)
    with pytest.raises(NamesError, match="every dim needs a name"):
        tp.contract(x, tp.ones(3))
    with pytest.raises(NamesError, match="no tensor has a dim named 'H'"):
        tp.contract(x, dims="H")
    with pytest.raises(NamesError, match="at least one tensor"):
        tp.contract()
    with pytest.raises(tp.ShapeError):
        tp.contract(x, tp.ones(4, names=("C",)))


def test_names_survive_copies_and_conversions():
    x = tp.randn(2, 3, names=NC)
    others = {
        "clone": x.clone(),
        "detach": x.detach(),
        "data": x.data,
        "double": x.double(),
        "to": x.to("cpu", dtype=tp.float16),
        "view(dtype)": x.view(tp.int32),
        "contiguous": x.contiguous(),
        "deepcopy": copy.deepcopy(x),
        "copy": copy.copy(x),
        "pickle": pickle.loads(pickle.dumps(x)),
        "tensor": tp.tensor(x),
        "Parameter": nn.Parameter(x),
        "Parameter, deepcopy": copy.deepcopy(nn.Parameter(x)),
        "Parameter, pickle": pickle.loads(pickle.dumps(nn.Parameter(x))),
    }
    assert {k: t.names for k, t in others.items()} == dict.fromkeys(others, NC)


def test_data_can_be_replaced_by_another_rank():
    x = tp.zeros(2, 3, names=NC)
    x.data = tp.zeros(4)
    assert x.names == (None,)


def test_memory_and_shape_can_be_replaced():
    x = tp.zeros(2, 3, names=NC)
    assert x.clone().resize_(3, 2).names == (None, None)
    assert tp.zeros(4).set_(x).names == NC
    assert x.clone().unsqueeze_(0).names == (None, "N", "C")
    assert x.clone().t_().names == ("C", "N")
    out = tp.zeros(2)
    tp.sum(x, "C", out=out)
    assert out.names == ("N",)


def test_equal_looks_at_names():
    x = tp.zeros(2, 3, names=NC)
    assert tp.equal(x, x.clone())
    assert not tp.equal(x, x.rename(None))
    assert not tp.equal(x, x.rename("C", "N"))
    assert tp.allclose(x, x.rename(None))


def test_printing():
    assert repr(tp.zeros(2, names=("N",))) == "tensor([0., 0.], names=('N',))"
    leaf = tp.zeros(1, names=("N",), requires_grad=True)
    assert repr(leaf) == "tensor([0.], names=('N',), requires_grad=True)"
    assert "names" not in repr(tp.zeros(2))


def test_compiled_functions_see_and_give_names():
    seen = []

    def double(x):
        seen.append(x.names)
        return {"sum": x.sum("C") * 2, "plain": x.rename(None)}

    f = tp.compile(double)
    x = tp.arange(6.0).reshape(2, 3)
    for _ in range(3):
        out = f(x.rename("N", "C"))
        assert out["sum"].names == ("N",)
        assert out["plain"].names == (None, None)
        assert out["sum"].tolist() == [6.0, 24.0]
    assert seen == [NC, NC], "eager, captured, replayed"
    assert f(x.T.contiguous().rename("C", "N"))["sum"].tolist() == [6.0, 24.0], (
        "another kind of call"
    )


def test_functions_of_named_tensors_differentiate_twice():
    x = tp.tensor([[1.0, 2.0]], names=NC, requires_grad=True)
    y = (x**3).sum(("N", "C"))
    (g,) = tp.autograd.grad(y, [x], create_graph=True)
    (h,) = tp.autograd.grad(g.sum(), [x])
    assert g.names == h.names == (None, None)
    assert h.tolist() == [[6.0, 12.0]]
