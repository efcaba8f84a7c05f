"""Encoders: frame features in, embeddings out."""
