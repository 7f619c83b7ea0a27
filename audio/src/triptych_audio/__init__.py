"""Audio reading, transforms and pretrained models on Triptych."""
