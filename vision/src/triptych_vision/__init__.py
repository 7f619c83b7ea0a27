"""Image transforms and pretrained vision models on Triptych."""
