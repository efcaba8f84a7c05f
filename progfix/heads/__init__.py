"""Progress heads: embeddings of a prefix in, progress out.

`spec` describes a head as data and does without torch; `build` makes the head.
"""
