"""Generated from the table: one row per primitive yields its whole battery."""

import pytest

import triptych
from triptych.prims import NA, TABLE
from triptych.prims.batching import CONSTANT
from triptych.testing import CHECKS, missing_cells, own_primitives, samples_for, support_matrix

PRIMS = own_primitives()


def test_no_cell_of_the_table_is_empty():
    assert missing_cells() == []


def test_an_empty_cell_would_be_reported():
    prim = TABLE["add"]
    kept, prim.decomp = prim.decomp, None
    try:
        assert missing_cells() == ["add.decomp"]
    finally:
        prim.decomp = kept


@pytest.mark.parametrize("prim", PRIMS, ids=lambda p: p.name)
@pytest.mark.parametrize("check", CHECKS)
def test_primitive(prim, check):
    looked_at = CHECKS[check](prim)
    if check == "aval equals impl" and prim.name != "nonzero":
        assert looked_at > 0
    if check == "gradient" and prim.differentiable:
        assert looked_at > 0, "a differentiable primitive needs a sample that is differentiated"
    if check == "autocast equals conversion by hand":
        assert (looked_at > 0) == isinstance(prim.amp, str)
    if check == "composite equals decomposition":
        assert (looked_at > 0) == (prim.kind == "composite")
    if check == "forward agrees with backward":
        assert (looked_at > 0) == prim.differentiable
    if check == "batch equals loop" and prim.vmap is not CONSTANT:
        assert looked_at > 0


@pytest.mark.parametrize("prim", PRIMS, ids=lambda p: p.name)
def test_primitives_without_derivative_say_why(prim):
    assert prim.differentiable or isinstance(prim.vjp, NA)
    if isinstance(prim.vjp, NA):
        assert len(prim.vjp.reason) > 10


def test_samples_are_the_same_at_every_call():
    one, two = samples_for(TABLE["mul"])[0], samples_for(TABLE["mul"])[0]
    assert triptych.equal(one.inputs[0], two.inputs[0])


def test_a_wrong_derivative_is_caught():
    rule = TABLE["sin"].rules[0]
    kept, rule.fn = rule.fn, lambda g, a: g
    try:
        with pytest.raises(triptych.GradError, match="finite differences"):
            CHECKS["gradient"](TABLE["sin"])
    finally:
        rule.fn = kept


def test_a_wrong_rule_for_batches_is_caught():
    prim = TABLE["cumsum"]
    kept, prim.vmap = prim.vmap, lambda prim, size, xs, on, params: prim.call(*xs, **params)
    try:
        with pytest.raises(AssertionError, match="got"):
            CHECKS["batch equals loop"](prim)
    finally:
        prim.vmap = kept


def test_a_wrong_forward_derivative_is_caught():
    prim = TABLE["cumsum"]
    kept, prim.jvp = prim.jvp, lambda prim, xs, ts, params: (prim.call(*xs, **params), ts[0])
    try:
        with pytest.raises(AssertionError, match="forward gives"):
            CHECKS["forward agrees with backward"](prim)
    finally:
        prim.jvp = kept


def test_the_support_matrix_has_a_row_per_primitive():
    assert support_matrix().count("\n") == len(PRIMS) + 2
