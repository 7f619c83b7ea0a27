"""Generated from the table: one row per primitive yields its whole battery."""

import pytest

import triptych
from triptych.prims import NA, TABLE
from triptych.testing import CHECKS, missing_cells, samples_for, support_matrix

PRIMS = TABLE.values()


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
    if check == "composite equals decomposition":
        assert (looked_at > 0) == (prim.kind == "composite")


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


def test_the_support_matrix_has_a_row_per_primitive():
    assert support_matrix().count("\n") == len(PRIMS) + 2
