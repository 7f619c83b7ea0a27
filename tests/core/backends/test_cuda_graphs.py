"""CUDA graphs, over a stand-in for CuPy that tapes what a captured stream is to do."""

import pytest

import triptych as tp


def test_a_recording_runs_again_on_the_same_memory(gpu):
    x, total = tp.ones(3, device="cuda"), tp.zeros(3, device="cuda")
    recorded = tp.cuda.CUDAGraph()
    with tp.cuda.graph(recorded):
        assert tp.cuda.is_current_stream_capturing()
        y = (x * 2).exp()
        total.add_(y)
    assert not tp.cuda.is_current_stream_capturing()
    assert total.cpu().tolist() == [0, 0, 0]  # recording ran nothing
    x.copy_(tp.zeros(3))
    for times in (1, 2):
        recorded.replay()
        assert y.cpu().tolist() == [1, 1, 1] and total.cpu().tolist() == [times] * 3


def test_what_a_recording_refuses(gpu):
    recorded = tp.cuda.CUDAGraph()
    with pytest.raises(tp.CaptureError, match="nothing was recorded"):
        recorded.replay()
    with pytest.raises(tp.CaptureError, match="the default stream cannot be recorded"):
        recorded.capture_begin()
    with pytest.raises(tp.CaptureError, match=r"capture_begin\(\) was not called"):
        recorded.capture_end()
    with pytest.raises(tp.CaptureError, match="nothing was recorded"):
        recorded.pool()
    with tp.cuda.graph(recorded):
        tp.ones(1, device="cuda")
    assert tp.cuda.graph(tp.cuda.CUDAGraph(), pool=recorded.pool()).pool is recorded.pool()
    with pytest.raises(tp.CaptureError, match="call reset"), tp.cuda.graph(recorded):
        pass
    assert tp.cuda.current_stream() == tp.cuda.default_stream()
    recorded.reset()
    with pytest.raises(ZeroDivisionError), tp.cuda.graph(recorded):
        raise ZeroDivisionError
    with pytest.raises(tp.CaptureError, match="nothing was recorded"):
        recorded.replay()


def test_recorded_steps_count_on(gpu):
    def weights(steps, **options):
        p = tp.tensor([1.0, -2.0], device="cuda", requires_grad=True)
        p.grad = tp.tensor([0.5, 0.25], device="cuda")
        optimizer = tp.optim.Adam([p], lr=0.1, **options)
        optimizer.step()
        steps(p, optimizer)
        return p.detach().cpu()

    def eager(p, optimizer):
        for i in range(3):
            p.grad.copy_(tp.full((2,), float(i)))
            optimizer.step()

    def recorded(p, optimizer):
        steps = tp.cuda.CUDAGraph()
        with tp.cuda.graph(steps):
            optimizer.step()
        for i in range(3):
            p.grad.copy_(tp.full((2,), float(i)))
            steps.replay()

    assert tp.allclose(weights(recorded, capturable=True), weights(eager), atol=1e-6)
    with pytest.raises(tp.CaptureError, match=r"Adam\.step: .*capturable=True"):
        weights(recorded)


def network():
    tp.manual_seed(3)
    layers = tp.nn.Sequential(tp.nn.Linear(4, 8), tp.nn.GELU(), tp.nn.Linear(8, 2))
    return layers.to("cuda")


def test_a_compiled_function_becomes_a_cuda_graph_from_the_third_call_on(gpu):
    net = network()
    with tp.no_grad():
        fast = tp.compile(lambda x: net(x), mode="reduce-overhead")
        for i in range(5):
            x = tp.randn(3, 4, device="cuda")
            assert tp.allclose(fast(x).cpu(), net(x).cpu()), f"call {i}"
            wanted = "from the next call on" if i == 1 else "a CUDA graph"
            assert wanted in fast.explain() or i == 0
        first = fast(tp.zeros(3, 4, device="cuda"))
        kept = first.cpu().tolist()
        fast(tp.ones(3, 4, device="cuda"))
        assert first.cpu().tolist() == kept  # results are not overwritten by later calls


def test_a_training_step_becomes_a_cuda_graph(gpu):
    def trained(mode):
        net = network()
        optimizer = tp.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

        def step(x, y):
            loss = ((net(x) - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach()

        run = step if mode is None else tp.compile(step, mode=mode)
        source = tp.Generator().manual_seed(5)
        losses = []
        for _ in range(7):
            x = tp.randn(3, 4, generator=source).cuda()
            losses.append(run(x, x[:, :2]).item())
        return losses, [p.cpu() for p in net.parameters()], run

    plain, weights, _ = trained(None)
    losses, learned, run = trained("reduce-overhead")
    assert "a CUDA graph:" in run.explain(), run.explain()
    assert losses == pytest.approx(plain, rel=1e-5)
    for a, b in zip(weights, learned, strict=True):
        assert tp.allclose(a, b, atol=1e-6)


def test_a_recording_follows_state_that_moved(gpu):
    net = network()
    x = tp.ones(3, 4, device="cuda")
    with tp.no_grad():
        fast = tp.compile(lambda x: net(x), mode="reduce-overhead")
        for _ in range(4):
            fast(x)
        net[0].weight.data = tp.zeros(8, 4, device="cuda")
        assert tp.allclose(fast(x).cpu(), net(x).cpu())


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tp.nn.functional.dropout(x), "draws its seed on the processor"),
        (lambda x: x.cpu() + 1, "copies between devices"),
        (lambda x: x.add_(1), "it writes to its arguments"),
    ],
)
def test_why_a_function_is_no_cuda_graph(gpu, function, reason):
    run = tp.compile(function, mode="reduce-overhead")
    for _ in range(4):
        run(tp.ones(3, device="cuda"))
    assert f"no CUDA graph: {reason}" in run.explain() or reason in run.explain()


def test_on_the_cpu_the_mode_changes_nothing():
    run = tp.compile(lambda x: x * 2, mode="reduce-overhead")
    assert [run(tp.ones(2)).tolist() for _ in range(4)] == [[2, 2]] * 4
    assert "no CUDA graph: not all arguments are on one GPU" in run.explain()
    with pytest.raises(tp.DomainError, match="mode should be one of default, reduce-overhead"):
        tp.compile(lambda x: x, mode="max")


def test_a_recording_that_does_not_begin(gpu, monkeypatch):
    """Memory comes from where it came before, and the graph may record later."""
    recorded, stream = tp.cuda.CUDAGraph(), tp.cuda.Stream()

    def refuse():
        raise RuntimeError("no")

    monkeypatch.setattr(stream._queue, "begin_capture", refuse)
    with pytest.raises(RuntimeError), tp.cuda.graph(recorded, stream=stream):
        pass
    with tp.cuda.graph(recorded):
        tp.ones(1, device="cuda")
    recorded.replay()
