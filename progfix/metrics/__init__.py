"""Progress metrics: pure functions on arrays."""
