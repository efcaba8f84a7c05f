"""Progress heads: embeddings of a prefix in, progress out."""
