"""Diagnose and repair action-progress heads on video-alignment embeddings."""

__version__ = "0.1.0"
