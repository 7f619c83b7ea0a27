"""A HIP runtime on the CPU, on which CuPy's ROCm wheel runs unmodified, and kernels with it."""
