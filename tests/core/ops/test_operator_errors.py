"""A wrong dim, shape or dtype is named, with the call and what came."""

import pytest

import triptych as tp

A, I = tp.ones(2, 3), tp.tensor([0, 1])
OUT_OF_RANGE = {
    "all": lambda d: A.all(d),
    "amax": lambda d: A.amax(d),
    "argmin": lambda d: A.argmin(d),
    "argsort": lambda d: A.argsort(d),
    "cat": lambda d: tp.cat([A, A], d),
    "chunk": lambda d: A.chunk(2, d),
    "count_nonzero": lambda d: A.count_nonzero(d),
    "cummax": lambda d: A.cummax(d),
    "cumprod": lambda d: A.cumprod(d),
    "diff": lambda d: A.diff(dim=d),
    "flip": lambda d: A.flip(d),
    "gather": lambda d: A.gather(d, I[None]),
    "gradient": lambda d: tp.gradient(A, dim=d),
    "index_add": lambda d: A.index_add(d, I, A),
    "index_copy": lambda d: A.index_copy(d, I, A),
    "index_fill": lambda d: A.index_fill(d, I, 1),
    "index_reduce": lambda d: A.index_reduce(d, I, A, "amax"),
    "index_select": lambda d: A.index_select(d, I),
    "kthvalue": lambda d: A.kthvalue(1, d),
    "logcumsumexp": lambda d: A.logcumsumexp(d),
    "logsumexp": lambda d: A.logsumexp(d),
    "median": lambda d: A.median(d),
    "mode": lambda d: A.mode(d),
    "movedim": lambda d: A.movedim(d, 0),
    "narrow": lambda d: A.narrow(d, 0, 1),
    "prod": lambda d: A.prod(d),
    "quantile": lambda d: A.quantile(0.5, d),
    "renorm": lambda d: A.renorm(2, d, 1.0),
    "roll": lambda d: A.roll(1, d),
    "scatter": lambda d: A.scatter(d, I[None], 1.0),
    "scatter_add": lambda d: A.scatter_add(d, I[None], A),
    "scatter_reduce": lambda d: A.scatter_reduce(d, I[None], A, "sum"),
    "select": lambda d: A.select(d, 0),
    "softmax": lambda d: A.softmax(d),
    "sort": lambda d: A.sort(d),
    "split": lambda d: A.split(1, d),
    "sum": lambda d: A.sum(d),
    "take_along_dim": lambda d: A.take_along_dim(I[None], d),
    "tensor_split": lambda d: A.tensor_split(2, d),
    "topk": lambda d: A.topk(1, d),
    "transpose": lambda d: A.transpose(0, d),
    "unbind": lambda d: A.unbind(d),
    "unflatten": lambda d: A.unflatten(d, (1, -1)),
    "var": lambda d: A.var(d),
}


@pytest.mark.parametrize("dim", [2, -3])
@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_dim_out_of_range(name, dim):
    text = rf"\w+: dim {dim} is out of range for 2 dims; wanted -2 to 1"
    with pytest.raises(tp.ShapeError, match=text):
        OUT_OF_RANGE[name](dim)


@pytest.mark.parametrize("name", ["sum", "cumprod", "sort", "index_select", "scatter_reduce"])
def test_a_dim_that_is_no_integer(name):
    with pytest.raises(tp.DTypeError, match=r"wanted integers, got 0\.5"):
        OUT_OF_RANGE[name](0.5)


DOES_NOT_FIT = {
    "add": (lambda: A + tp.ones(2), r"add: shapes \(2, 3\) and \(2,\) do not broadcast"),
    "cat": (lambda: tp.cat([A, tp.ones(2, 2)]), r"cat: input 1 has shape \(2, 2\), input 0"),
    "expand": (lambda: A.expand(4, 3), "expand: "),
    "gather": (lambda: A.gather(0, I), r"gather: index of shape \(2,\) does not fit"),
    "index_add": (lambda: A.index_add(0, I, tp.ones(2, 2)), r"source of shape \(2, 3\)"),
    "masked_select": (lambda: A.masked_select(tp.ones(2, dtype=tp.bool)), "do not broadcast"),
    "matmul": (lambda: A @ A, r"matmul: .*\(2, 3\)"),
    "reshape": (lambda: A.reshape(4), r"reshape: \(2, 3\)"),
    "stack": (lambda: tp.stack([A, A[0]]), r"stack: tensor 1 has shape \(3,\)"),
    "where": (lambda: tp.where(A > 0, A, tp.ones(2)), "where: shapes"),
}


@pytest.mark.parametrize("name", DOES_NOT_FIT)
def test_shapes_that_do_not_fit(name):
    call, text = DOES_NOT_FIT[name]
    with pytest.raises(tp.ShapeError, match=text):
        call()


WRONG_KIND = {
    "bitwise_and": (lambda: A.bitwise_and(1), "bitwise_and: not defined for float32"),
    "floor_divide": (lambda: (A * 1j) // 2, "floor_divide: not defined for complex64"),
    "gather": (lambda: A.gather(0, A), "gather: wanted an integer index"),
    "index": (lambda: A[A], "wanted integer or boolean tensors"),
    "index_put": (lambda: A.index_put((I,), tp.ones(3).double()), "values are float64"),
    "lcm": (lambda: A.lcm(2), "lcm: not defined for float32"),
    "lt": (lambda: A * 1j < 1, "lt: not defined for complex64"),
    "masked_fill": (lambda: A.masked_fill(I, 1), "masked_fill: the mask must be bool"),
    "mean": (lambda: I.mean(), "mean: wanted floating or complex elements"),
    "where": (lambda: tp.where(I, I, I), "where: the condition must be bool"),
}


@pytest.mark.parametrize("name", WRONG_KIND)
def test_elements_of_the_wrong_kind(name):
    call, text = WRONG_KIND[name]
    with pytest.raises(tp.TriptychError, match=text):
        call()
