"""Videos with action segments: types, readers, built-in data, checks."""
