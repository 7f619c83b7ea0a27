"""Write the torch-made files that tests/core/serialization reads; needs torch, once.

    python tools/make_torch_fixtures.py

All values are counted up, none are drawn, so a run writes the same tensors again.
"""

from __future__ import annotations

import pathlib
import sys

FOLDER = pathlib.Path(__file__).parents[1] / "tests" / "core" / "serialization" / "fixtures"
DTYPES = """
bool uint8 int8 int16 int32 int64 float16 float32 float64 bfloat16 complex64 complex128
uint16 float8_e4m3fn float8_e5m2
"""


def checkpoint() -> dict[str, object]:
    """A small checkpoint with every dtype, views of one storage, an optimizer, plain values."""
    import torch

    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    parameter = torch.nn.Parameter(torch.arange(2.0))
    optimizer = torch.optim.Adam([parameter], lr=0.5)
    (parameter * 0).sum().backward()
    optimizer.step()
    return {
        "dtypes": {
            name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in DTYPES.split()
        },
        "views": {
            "base": base,
            "transposed": base.T,
            "strided": base[1::2, ::3],
            "empty": torch.zeros(0, 3),
            "scalar": torch.tensor(3.5),
        },
        "parameter": parameter,
        "optimizer": optimizer.state_dict(),
        "plain": {
            "dtype": torch.float32,
            "device": torch.device("cpu"),
            "size": torch.Size([2, 3]),
            "none": None,
        },
    }


def main() -> int:
    """Write zip.pt and legacy.pt."""
    import torch

    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint(), FOLDER / "zip.pt")
    torch.save(checkpoint(), FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
