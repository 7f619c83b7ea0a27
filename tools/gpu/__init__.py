"""What checks the GPU backend on a machine without a GPU; see docs/gpu.md."""
