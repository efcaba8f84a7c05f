"""How well embeddings align videos of a task: pure functions on arrays.

`measure.alignment_scores` computes all of them for one task; each module holds one.
"""
