"""Rung 5: NVIDIA's PTX, translated to C++ and run by the emulator's block scheduler."""
