"""Chunks of HDF5 data sets that are not what they should be."""

from __future__ import annotations

import h5py
import pytest

__all__ = ["write_chunk"]


def write_chunk(dataset: h5py.Dataset, raw: bytes) -> None:
    """Store bytes as they are as the first chunk; skip the test where HDF5 cannot."""
    try:
        dataset.id.write_direct_chunk((0,), raw)
    except OSError as error:
        if "chunk size can't be encoded" not in str(error):
            raise
        pytest.skip(f"HDF5 {h5py.version.hdf5_version} writes no chunk so much larger than it says")
