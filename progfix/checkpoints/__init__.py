"""Checkpoint files, ours and the users', read without executing a pickle."""
