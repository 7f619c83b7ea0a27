"""Functions on tensors, in torch's spelling; Tensor methods are these same functions."""
