"""Weight norm, spectral norm and orthogonal weights against linear algebra in NumPy."""

import copy

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn import utils
from triptych.nn.utils import parametrizations as pz
from triptych.nn.utils.parametrize import ParametrizationError

F64 = tp.float64


def array(t):
    return t.detach().numpy()


@pytest.fixture(autouse=True)
def seed():
    tp.manual_seed(0)


def rows(w, axis):
    return np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1)


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm_splits_length_and_direction(dim):
    layer = nn.Conv1d(3, 4, 2).double()
    weight = array(layer.weight).copy()
    pz.weight_norm(layer, dim=dim)
    g, v = (array(getattr(layer.parametrizations.weight, f"original{i}")) for i in (0, 1))
    np.testing.assert_array_equal(v, weight)
    norms = (
        np.linalg.norm(weight) if dim in (None, -1) else np.linalg.norm(rows(weight, dim), axis=1)
    )
    np.testing.assert_allclose(g.ravel(), np.ravel(norms))
    np.testing.assert_allclose(array(layer.weight), weight)
    with tp.no_grad():
        layer.parametrizations.weight.original0.mul_(3)
        layer.parametrizations.weight.original1.mul_(5)  # the length of v plays no part
    np.testing.assert_allclose(array(layer.weight), 3 * weight)
    layer.weight = tp.tensor(2 * weight)
    np.testing.assert_allclose(array(layer.weight), 2 * weight)


def test_the_older_weight_norm_and_its_checkpoints():
    layer, x = nn.Linear(3, 4).double(), tp.randn(2, 3, dtype=F64)
    expected = array(layer(x))
    utils.weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    assert layer.weight_g.shape == (4, 1)
    np.testing.assert_allclose(array(layer(x)), expected)
    layer(x).sum().backward()
    assert layer.weight_g.grad is not None and layer.weight_v.grad is not None
    with tp.no_grad():
        layer.weight_g.mul_(2)
    newer = pz.weight_norm(nn.Linear(3, 4).double())
    assert newer.load_state_dict(layer.state_dict()) == ([], [])
    np.testing.assert_allclose(array(newer(x)), array(layer(x)))
    with pytest.raises(tp.ShapeError, match="has one already"):
        utils.weight_norm(layer)
    doubled = array(layer(x))
    utils.remove_weight_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(array(layer(x)), doubled)
    with pytest.raises(tp.ShapeError, match="not found"):
        utils.remove_weight_norm(layer)


LAYERS = [
    (nn.Linear(5, 3), 0, None),
    (nn.Conv2d(3, 4, 2), 0, None),
    (nn.ConvTranspose1d(3, 4, 2), 1, None),
    (nn.Linear(5, 3), 1, 1),
]


@pytest.mark.parametrize(("layer", "axis", "dim"), LAYERS)
@pytest.mark.parametrize("norm", [pz.spectral_norm, utils.spectral_norm])
def test_spectral_norm_divides_by_the_largest_singular_value(norm, layer, axis, dim):
    layer = copy.deepcopy(layer).double()
    weight = array(layer.weight).copy()
    norm(layer, n_power_iterations=50, dim=dim)
    spare = {3: (1, 3, 4), 4: (1, 3, 4, 4), 2: (1, 5)}[weight.ndim]
    layer(tp.randn(*spare, dtype=F64)).sum().backward()
    top = np.linalg.svd(rows(weight, axis))[1][0]
    np.testing.assert_allclose(array(layer.weight), weight / top, rtol=1e-4)
    before = {k: array(v).copy() for k, v in layer.state_dict().items()}
    layer.eval()(tp.randn(*spare, dtype=F64))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(array(value), before[name])  # evaluation keeps its vectors


def test_spectral_norm_has_the_gradient_of_its_formula():
    layer = pz.spectral_norm(nn.Linear(3, 2, bias=False).double()).eval()
    original = layer.parametrizations.weight.original
    u, v = (
        array(t) for t in (layer.parametrizations.weight[0]._u, layer.parametrizations.weight[0]._v)
    )
    x = np.array([[0.3, -1.0, 2.0]])
    layer(tp.tensor(x)).sum().backward()
    w, up = array(original), np.ones((2, 1)) @ x
    sigma = u @ w @ v
    expected = up / sigma - (up * w).sum() / sigma**2 * np.outer(u, v)
    np.testing.assert_allclose(array(original.grad), expected)


def test_spectral_norm_of_a_vector_normalises_it():
    layer = nn.BatchNorm1d(4).double()
    pz.spectral_norm(layer)
    np.testing.assert_allclose(array(layer.weight), 0.5)


def test_names_of_the_two_spectral_norms():
    assert list(pz.spectral_norm(nn.Linear(3, 2)).state_dict()) == [
        "bias",
        "parametrizations.weight.original",
        "parametrizations.weight.0._u",
        "parametrizations.weight.0._v",
    ]
    layer = utils.spectral_norm(nn.Linear(3, 2))
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    layer.eval()
    x = tp.ones(1, 3)
    expected = array(layer(x))
    utils.remove_spectral_norm(layer)
    np.testing.assert_allclose(array(layer(x)), expected, rtol=1e-6)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


def nearest(w):
    """The orthogonal factor of w or of its transpose, with a positive diagonal of R."""
    tall = w if w.shape[0] >= w.shape[1] else w.T
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if w.shape[0] >= w.shape[1] else q.T


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (1, 3)])
@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder", None])
def test_orthogonal_starts_near_and_stays_orthogonal(shape, name):
    layer = nn.Linear(*shape[::-1]).double()
    weight = array(layer.weight).copy()
    pz.orthogonal(layer, orthogonal_map=name)
    np.testing.assert_allclose(array(layer.weight), nearest(weight), atol=1e-10)
    optimizer = tp.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        layer(tp.randn(4, shape[1], dtype=F64)).square().sum().backward()
        optimizer.step()
    w = array(layer.weight)
    gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-10)
    assert not np.allclose(w, nearest(weight)) or min(shape) == 1
    wanted = nn.init.orthogonal_(tp.empty(*shape, dtype=F64))
    layer.weight = wanted
    np.testing.assert_allclose(array(layer.weight), array(wanted), atol=1e-10)


def test_householder_without_trivialization():
    layer = nn.Linear(3, 5).double()
    weight = array(layer.weight).copy()
    pz.orthogonal(layer, orthogonal_map="householder", use_trivialization=False)
    np.testing.assert_allclose(array(layer.weight), nearest(weight), atol=1e-10)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    layer.weight = tp.eye(5, dtype=F64)[:, :3] * -1  # columns that need no reflection
    np.testing.assert_allclose(array(layer.weight), -np.eye(5)[:, :3], atol=1e-12)
    for name in ("matrix_exp", "cayley"):
        with pytest.raises(NotImplementedError, match="cannot be assigned"):
            pz.orthogonal(nn.Linear(3, 3), orthogonal_map=name, use_trivialization=False)


def test_unitary():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(tp.randn(4, 3, dtype=tp.complex128))

    w = array(pz.orthogonal(Holder(), orthogonal_map="cayley").weight)
    np.testing.assert_allclose(w.conj().T @ w, np.eye(3), atol=1e-10)
    with pytest.raises(tp.DTypeError, match="real"):
        pz.orthogonal(Holder(), orthogonal_map="householder")


def test_errors():
    with pytest.raises(ParametrizationError, match="no parameter"):
        pz.orthogonal(nn.Linear(2, 2), "kernel")
    with pytest.raises(ParametrizationError, match="no parameter"):
        pz.spectral_norm(nn.Linear(2, 2), "kernel")
    with pytest.raises(tp.ShapeError, match="2 dims"):
        pz.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(tp.UnknownNameError, match="orthogonal_map"):
        pz.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    for norm in (pz.spectral_norm, utils.spectral_norm):
        with pytest.raises(tp.ShapeError, match="n_power_iterations"):
            norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(tp.ShapeError, match="no parameter"):
        utils.weight_norm(nn.Linear(2, 2), "kernel")
