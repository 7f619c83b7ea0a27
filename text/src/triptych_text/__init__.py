"""Tokenizers, encoders and pretrained language models on Triptych."""
