"""Memory that nothing else holds changes hands; memory that anybody holds does not."""

import weakref

import numpy as np

import triptych as tp
import triptych.nn.functional as F
from triptych.autograd import engine

# Gradients


def test_gradients_that_nothing_else_holds_are_kept_without_a_copy(monkeypatch):
    monkeypatch.delattr(engine, "own")  # makes the copy
    a, b = (tp.randn(9, 9).requires_grad_() for _ in range(2))
    (a * b).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), b.detach().numpy())
    np.testing.assert_array_equal(b.grad.numpy(), a.detach().numpy())


def test_gradients_that_are_shared_are_copied():
    """Two leaves and a tensor of the user never get the same memory."""
    a, b = (tp.randn(64, 33).requires_grad_() for _ in range(2))
    given = tp.randn(64, 33)
    before = given.numpy().copy()
    (a + b).backward(given)
    arrays = [t.numpy() for t in (a.grad, b.grad, given)]
    for i, one in enumerate(arrays):
        np.testing.assert_array_equal(one, before)
        assert not any(np.shares_memory(one, other) for other in arrays[:i])


def test_added_gradients_leave_others_alone():
    """y gets three gradients, of which the tape adds the later ones in place."""
    x, given = tp.randn(40, 41).requires_grad_(), tp.randn(40, 41)
    before = given.numpy().copy()
    y = x * 1
    y.retain_grad()
    seen = []
    z = y + y * 2
    z.register_hook(seen.append)
    (z + y * y).backward(given)
    want = before * (3 + 2 * x.detach().numpy())
    np.testing.assert_allclose(y.grad.numpy(), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(seen[0].numpy(), before)
    np.testing.assert_array_equal(given.numpy(), before)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())


def test_retained_gradients_stay_when_the_leaf_goes_on():
    """A hook's gradient and the leaf's are not one memory, even if the rule passed it through."""
    x = tp.randn(50).requires_grad_()
    y = x + tp.zeros(50)
    y.retain_grad()
    y.sum().backward()
    kept = y.grad.numpy().copy()
    (x * 3).sum().backward()  # adds into x.grad
    np.testing.assert_array_equal(y.grad.numpy(), kept)
    np.testing.assert_array_equal(x.grad.numpy(), np.full(50, 4, np.float32))


# Results of writes


def test_a_result_that_nothing_else_holds_is_not_copied():
    x = tp.randn(8, 9, requires_grad=True)
    for write in (lambda y: F.relu(y, inplace=True), lambda y: y.add_(x)):
        y = x * 2
        before = weakref.ref(y._data)
        assert write(y) is y
        assert before() is None, "the memory of y is still there"
        y.sum().backward()


def test_whoever_holds_the_memory_sees_the_write():
    x = tp.randn(8, 9, requires_grad=True)
    for look in (lambda y: y[2:], lambda y: y.detach(), lambda y: y.detach().numpy()):
        y = x * 2
        seen = look(y)
        F.relu(y, inplace=True)
        array = seen if isinstance(seen, np.ndarray) else seen.detach().numpy()
        assert np.shares_memory(array, y.detach().numpy())
        assert array.min() == 0


def test_writes_after_an_exchange_leave_what_was_saved():
    """The gradient of relu is read from its result, which later writes change."""
    start = np.linspace(-2, 3, 12, dtype=np.float32)
    for write in (lambda y: y.mul_(0), lambda y: y[3:].zero_(), lambda y: y.copy_(y * 0)):
        x = tp.tensor(start, requires_grad=True)
        y = F.relu(x * 1, inplace=True)
        kept = y * 1
        write(y)
        (kept.sum() + y.sum()).backward()
        assert ((x.grad.numpy() > 0) == (start > 0))[:3].all()
        np.testing.assert_array_equal(x.grad.numpy()[3:] > 0, start[3:] > 0)
        assert np.all(y.detach().numpy()[3:] == 0)


def test_a_value_of_the_user_is_never_taken():
    x, given = tp.randn(4, 5, requires_grad=True), tp.randn(4, 5, requires_grad=True) * 1
    y = x * 2
    y.copy_(given)
    assert not np.shares_memory(y.detach().numpy(), given.detach().numpy())
    y.add_(1)
    assert not np.array_equal(y.detach().numpy(), given.detach().numpy())


def test_writes_after_an_exchange_that_are_not_recorded_leave_it_too():
    x = tp.randn(6, requires_grad=True)
    y = F.relu(x * 1, inplace=True)
    with tp.no_grad():
        y.add_(1)  # what relu saved stays
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), (x.detach().numpy() > 0).astype(np.float32))
