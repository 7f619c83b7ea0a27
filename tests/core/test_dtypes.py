"""Which dtype comes out: promotion, weak scalars, half types, conversions."""

import itertools
import pickle

import ml_dtypes
import numpy as np
import pytest

import triptych as tp
from triptych.dtypes import from_numpy_dtype
from triptych.prims import TABLE

ALL = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
NAMES = ALL.split()
WIDE = ["uint16", "uint32", "uint64"]

# torch 2.13, tensor with tensor: a row per dtype, columns in the order of NAMES.
TORCH = """
bool       bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128
uint8      uint8 uint8 int16 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128
int8       int8 int16 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128
int16      int16 int16 int16 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128
int32      int32 int32 int32 int32 int32 int64 float16 bfloat16 float32 float64 complex64 complex128
int64      int64 int64 int64 int64 int64 int64 float16 bfloat16 float32 float64 complex64 complex128
float16    float16 float16 float16 float16 float16 float16 float16 float32 float32 float64 complex64 complex128
bfloat16   bfloat16 bfloat16 bfloat16 bfloat16 bfloat16 bfloat16 float32 bfloat16 float32 float64 complex64 complex128
float32    float32 float32 float32 float32 float32 float32 float32 float32 float32 float64 complex64 complex128
float64    float64 float64 float64 float64 float64 float64 float64 float64 float64 float64 complex128 complex128
complex64  complex64 complex64 complex64 complex64 complex64 complex64 complex64 complex64 complex64 complex128 complex64 complex128
complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128 complex128
"""  # noqa: E501
TABLE_ROWS = [line.split() for line in TORCH.strip().splitlines()]
PAIRS = [
    (row[0], other, out) for row in TABLE_ROWS for other, out in zip(NAMES, row[1:], strict=True)
]


def named(name):
    return getattr(tp, name)


def ones(name, *shape):
    return tp.ones(*(shape or (2,)), dtype=named(name))


@pytest.mark.parametrize(("one", "two", "expected"), PAIRS)
def test_two_tensors(one, two, expected):
    assert (ones(one) + ones(two)).dtype is named(expected)
    assert tp.promote_types(named(one), named(two)) is named(expected)
    assert tp.where(tp.tensor([True, False]), ones(one), ones(two)).dtype is named(expected)
    assert tp.cat([ones(one), ones(two)]).dtype is named(expected)


@pytest.mark.parametrize(("one", "two"), list(itertools.product(NAMES, NAMES)))
def test_0d_tensors_promote_like_all_others(one, two):
    assert (ones(one, 1).reshape(()) + ones(two)).dtype is tp.promote_types(named(one), named(two))


def test_unsigned_types_meet_signed_ones_in_the_next_wider():
    assert (ones("uint16") + ones("int16")).dtype is tp.int32
    assert (ones("uint32") + ones("int8")).dtype is tp.int64
    assert (ones("uint64") + ones("uint8")).dtype is tp.uint64
    with pytest.raises(tp.DTypeError, match="no common integer type"):
        ones("uint64") + ones("int64")


KINDS = {"bool": 0, "int": 1, "float": 2, "complex": 3}


def kind_of(name):
    return next(rank for kind, rank in KINDS.items() if kind in name)


@pytest.mark.parametrize("name", NAMES + WIDE)
@pytest.mark.parametrize("scalar", [True, 2, 2.0, 2j])
def test_python_scalars_are_weak(name, scalar):
    if kind_of(type(scalar).__name__) <= kind_of(name):
        expected = name
    else:
        default = {1: "int64", 2: "float32", 3: "complex64"}[kind_of(type(scalar).__name__)]
        expected = "complex128" if default == "complex64" and name == "float64" else default
    for out in (ones(name) * scalar, scalar * ones(name), tp.mul(ones(name), scalar)):
        assert out.dtype is named(expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "scalar", [np.bool_(True), np.int8(2), np.int64(2), np.float16(2), np.float32(2), np.float64(2)]
)
def test_numpy_scalars_are_as_weak_as_python_ones(name, scalar):
    expected = (ones(name) * scalar.item()).dtype
    for out in (ones(name) * scalar, scalar * ones(name), tp.mul(ones(name), scalar)):
        assert isinstance(out, tp.Tensor) and out.dtype is expected


def test_numpy_arrays_count_as_tensors():
    assert (ones("float32") * np.ones(2)).dtype is tp.float64
    assert (ones("float32") * np.ones(())).dtype is tp.float64
    assert (np.ones(2, np.int64) * ones("float16")).dtype is tp.float16


@pytest.mark.parametrize("name", [n for n in NAMES if "int" in n or n == "bool"] + WIDE)
def test_division_of_integers_gives_the_default_float(name):
    assert (ones(name) / ones(name)).dtype is tp.float32
    assert (1 / ones(name)).dtype is (ones(name) / 2).dtype is tp.float32
    assert ones(name).exp().dtype is tp.float32 and ones(name).sqrt().dtype is tp.float32
    try:
        tp.set_default_dtype(tp.float64)
        assert (ones(name) / ones(name)).dtype is tp.float64
        assert (ones(name) * 1.5).dtype is tp.float64
    finally:
        tp.set_default_dtype(tp.float32)


@pytest.mark.parametrize("name", ["bool", "uint8", "int8", "int32", "uint32"])
def test_sums_of_integers_are_int64(name):
    x = ones(name, 2, 300)
    assert x.sum().dtype is x.prod(1).dtype is x.cumsum(0).dtype is tp.int64
    assert x.sum().item() == 600


def test_integer_functions_stay_exact():
    big = tp.tensor([2**53 + 1, -(2**53) - 1])
    assert big.round().tolist() == big.floor().tolist() == big.tolist()
    assert tp.div(big, 2, rounding_mode="floor").tolist() == [2**52, -(2**52) - 1]
    assert tp.div(big, 2, rounding_mode="trunc").tolist() == [2**52, -(2**52)]
    assert tp.div(big, tp.tensor(1), rounding_mode="trunc").tolist() == big.tolist()
    assert (big // 1).tolist() == big.tolist() and (big % 10).tolist() == [3, 7]
    assert big.abs().max().item() == 2**53 + 1
    assert (tp.tensor([3]) ** 39).item() == 3**39


@pytest.mark.parametrize("op", ["pow", "remainder", "fmod", "floor_divide", "sub"])
def test_booleans_have_no_arithmetic_beyond_add_and_mul(op):
    with pytest.raises(tp.DTypeError, match=f"{op}: not defined for bool elements"):
        getattr(tp, op)(ones("bool"), ones("bool"))
    assert (ones("bool") + ones("bool")).dtype is (ones("bool") * ones("bool")).dtype is tp.bool


def test_integers_that_do_not_fit_beside_small_types_are_refused():
    with pytest.raises(tp.DTypeError, match=r"add: .*300.*uint8; convert the tensor with .to\(\)"):
        ones("uint8") + 300
    with pytest.raises(tp.DTypeError, match="mul"):
        ones("uint8") * -1
    assert (ones("uint8") == 300).tolist() == [False, False]
    assert (ones("uint8") > -5).tolist() == [True, True]
    assert (255 - ones("uint8")).tolist() == [254, 254]


ELEMENTWISE = [prim for prim in TABLE.values() if prim.kind in ("unary", "binary")]


@pytest.mark.parametrize("prim", ELEMENTWISE, ids=lambda p: p.name)
@pytest.mark.parametrize("name", NAMES + WIDE)
def test_the_dtype_rule_is_what_the_kernel_gives(prim, name):
    x = ones(name, 2, 3)
    for rest in [()] if prim.kind == "unary" else [(x,), (1,), (1.5,), (True,)]:
        try:
            out = prim.call(x, *rest)
        except tp.DTypeError:
            continue  # which dtypes are refused is tested elsewhere
        raw = prim.promote(prim.name, tuple(getattr(v, "_data", v) for v in (x, *rest)))
        aval = prim.aval(*raw)
        assert (aval.shape, aval.dtype) == (out._data.shape, out._data.dtype)


@pytest.mark.parametrize("prim", ELEMENTWISE, ids=lambda p: p.name)
@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_types_are_as_exact_as_their_format(prim, kind):
    if "f" not in prim.promote.kinds:
        pytest.skip("not defined for floating elements")
    low, high = prim.domain if isinstance(prim.domain, tuple) else (-2.0, 2.0)
    rng = np.random.default_rng(len(prim.name))
    count = 1 if prim.kind == "unary" else 2
    halves = [tp.tensor(rng.uniform(low, high, 50)).to(named(kind)) for _ in range(count)]
    got = prim.call(*halves)
    wide = prim.call(*(h.float() for h in halves))
    if not got.is_floating_point():
        assert tp.equal(got, wide)
        return
    assert got.dtype is named(kind)
    eps = tp.finfo(named(kind)).eps
    if prim.name in ("floor_divide", "remainder", "fmod"):
        near = np.isclose(got.float().numpy(), wide.numpy(), 0, 4 * eps * 10)
        assert near.mean() > 0.9  # a rounded quotient may fall on the other side of an integer
        return
    np.testing.assert_allclose(got.float().numpy(), wide.numpy(), 8 * eps, 8 * eps)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.sum(1),
        lambda x: x.mean(1),
        lambda x: x.var(1),
        lambda x: x.std(),
        lambda x: x.norm(),
        lambda x: x.softmax(1),
        lambda x: x.log_softmax(1),
        lambda x: x.logsumexp(1),
        lambda x: x.cumsum(1),
        lambda x: x @ x.T,
        lambda x: x.sort(1).values,
        lambda x: x.max(1).values,
        lambda x: x[x > 0],
        lambda x: x.clamp(-1, 1),
        lambda x: tp.where(x > 0, x, 0.5),
        lambda x: tp.einsum("ij,kj->ik", x, x),
        lambda x: tp.cat([x, x]).reshape(-1)[::2],
    ],
)
def test_half_types_in_other_functions_and_backward(kind, fn):
    x = tp.tensor(np.random.default_rng(0).normal(size=(4, 30))).to(named(kind))
    half, wide = x.clone().requires_grad_(), x.float().requires_grad_()
    got, expected = fn(half), fn(wide)
    eps = tp.finfo(named(kind)).eps
    assert got.dtype is named(kind)
    np.testing.assert_allclose(
        got.detach().float().numpy(), expected.detach().numpy(), 8 * eps, 20 * eps
    )
    got.sum().backward()
    expected.sum().backward()
    assert half.grad.dtype is named(kind)
    np.testing.assert_allclose(half.grad.float().numpy(), wide.grad.numpy(), 20 * eps, 60 * eps)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_statistics_do_not_overflow(kind):
    x = tp.ones(100_000, dtype=named(kind)) * 300
    assert x.mean().item() == 300 and x.var().item() == 0
    assert (x[:1000] * 100).norm().dtype is named(kind)


# Names and conversions


def test_names_are_torchs():
    assert tp.float is tp.float32 and tp.double is tp.float64 and tp.half is tp.float16
    assert tp.long is tp.int64 and tp.int is tp.int32 and tp.short is tp.int16
    assert tp.cfloat is tp.complex64 and tp.cdouble is tp.complex128
    assert repr(tp.bfloat16) == "triptych.bfloat16"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (tp.float16, tp.float16),
        ("int8", tp.int8),
        (np.float64, tp.float64),
        (np.dtype(np.uint16), tp.uint16),
        (float, tp.float32),
        (int, tp.int64),
        (bool, tp.bool),
        (complex, tp.complex64),
        ("bfloat16", tp.bfloat16),
        (ml_dtypes.bfloat16, tp.bfloat16),
    ],
)
def test_what_counts_as_a_dtype(wanted, expected):
    assert tp.zeros(1, dtype=wanted).dtype is expected
    assert tp.zeros(1).to(wanted).dtype is expected


@pytest.mark.parametrize("wrong", ["float31", "U3", object, "datetime64[s]", 3.5, None.__class__])
def test_what_does_not(wrong):
    with pytest.raises(tp.DTypeError):
        tp.zeros(1, dtype=wrong)


def test_conversions_between_all_types():
    for one, two in itertools.product(NAMES + WIDE, repeat=2):
        out = tp.tensor([0, 1]).to(named(one)).to(named(two))
        assert out.dtype is named(two) and [complex(v) for v in out.tolist()] == [0, 1]


def test_conversion_methods():
    x = tp.tensor([0.0, 2.5])
    assert x.int().tolist() == [0, 2] and x.bool().tolist() == [False, True]
    assert x.half().dtype is tp.float16 and x.bfloat16().dtype is tp.bfloat16
    assert x.byte().dtype is tp.uint8 and x.char().dtype is tp.int8 and x.long().dtype is tp.int64
    assert x.to(x.double()).dtype is tp.float64 and x.type_as(x.half()).dtype is tp.float16
    assert x.float() is x and x.to(tp.float32) is x and x.to(tp.float32, copy=True) is not x
    assert x.type() == "triptych.float32" and x.type(tp.int64).tolist() == [0, 2]


def test_complex_to_real_keeps_the_real_part_without_a_warning():
    assert tp.tensor([1 + 2j]).to(tp.float64).tolist() == [1.0]
    assert tp.tensor([float("nan"), float("inf"), 1e30]).to(tp.int64).shape == (3,)


def test_finfo_and_iinfo():
    assert tp.finfo(tp.float16).max == 65504 and tp.finfo().eps == np.finfo(np.float32).eps
    assert tp.finfo(tp.bfloat16).bits == 16 and tp.finfo(tp.complex64).dtype == "float32"
    assert (tp.iinfo(tp.int8).min, tp.iinfo(tp.uint8).max) == (-128, 255)
    assert "bits=8" in repr(tp.iinfo(tp.int8)) and "eps=" in repr(tp.finfo(tp.float32))
    with pytest.raises(tp.DTypeError, match="use iinfo"):
        tp.finfo(tp.int8)
    with pytest.raises(tp.DTypeError, match="use finfo"):
        tp.iinfo(tp.float16)


def test_dtypes_are_numpy_dtypes_too_and_pickle_to_themselves():
    assert np.zeros(2, dtype=tp.float16).dtype == np.float16
    for name in NAMES + WIDE:
        assert pickle.loads(pickle.dumps(named(name))) is named(name)
        assert from_numpy_dtype(named(name).dtype) is named(name)
    with pytest.raises(tp.DTypeError, match="no tensor type for NumPy dtype object; wanted one of"):
        from_numpy_dtype(np.dtype(object))


def test_properties_of_dtypes():
    assert tp.bfloat16.is_floating_point and not tp.int8.is_floating_point
    assert tp.complex64.is_complex and tp.int8.is_signed and not tp.uint8.is_signed
    assert tp.bfloat16.itemsize == 2 and tp.complex128.itemsize == 16


def test_the_default_dtype():
    try:
        tp.set_default_dtype(tp.float64)
        assert tp.get_default_dtype() is tp.float64
        assert tp.tensor(1.0).dtype is tp.zeros(1).dtype is tp.rand(1).dtype is tp.float64
        assert tp.tensor(1j).dtype is tp.complex128 and tp.zeros(1).to(float).dtype is tp.float64
        assert tp.arange(1.0).dtype is tp.float64
        with pytest.raises(tp.DTypeError, match="wanted a floating type"):
            tp.set_default_dtype(tp.int64)
    finally:
        tp.set_default_dtype(tp.float32)
    assert tp.tensor(1.0).dtype is tp.float32
