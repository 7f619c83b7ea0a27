"""Without own kernels: TRIPTYCH_CUDA_KERNELS=0, which a process reads when it first needs a GPU."""

import os
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[3] / "tools"
PROGRAM = """
import sys
from gpu.fixtures import _module
sys.modules["cupy"] = _module()

import triptych as tp
from triptych.backends import cuda

p = tp.tensor([[0.5, -1.0], [2.0, 0.0]], device="cuda", requires_grad=True)
tp.softmax(p, -1).square().sum().backward()
tp.optim.SGD([p], lr=0.5).step()
compiled = tp.compile(lambda a: (a * 2 + 1).tanh())
for _ in range(3):
    found = compiled(p.detach())
assert tp.allclose(found.cpu(), (p.detach().cpu() * 2 + 1).tanh(), atol=1e-6)
print("taken:", sum(cuda.calls().values()))
"""


def taken(**extra):
    """How many kernels a process of its own takes."""
    path = os.pathsep.join([str(TOOLS), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, **extra}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_kernel_is_taken(cupy):
    assert taken(TRIPTYCH_CUDA_KERNELS="0") == "taken: 0"
