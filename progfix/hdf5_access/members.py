"""Taking data from an HDF5 file: from the file itself, and no more than it holds."""

from __future__ import annotations

import math
import zlib
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5p, h5s, h5z
from numpy.typing import NDArray

from progfix.hdf5_access.inspection import require_harmless
from progfix.hdf5_access.program import ALWAYS_CLAIMED, BEST_COMPRESSION

__all__ = [
    "HDF5_ERRORS",
    "first_line",
    "member",
    "open_file",
    "require_bounded_chunks",
    "require_readable",
    "values",
    "whole",
]

HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
"""What h5py raises on a damaged or foreign file."""

LARGEST_CHUNK = 1 << 28
"""Bytes of a chunk, which is in memory as a whole whatever is read of it."""

LARGEST_STORED = {h5z.FILTER_DEFLATE: 1 << 18, h5z.FILTER_LZF: 1 << 22}
"""Bytes of a compressed chunk that cannot become more than some 400 MB."""

_LOW_LEVEL = {h5py.Group: h5g.GroupID, h5py.Dataset: h5d.DatasetID}

_FILTERS = {h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, *LARGEST_STORED}


def open_file(path: Path, **options: Any) -> h5py.File:
    """Open a file for reading, after a child process has survived it.

    Args:
        path: The file.
        options: Of `h5py.File`.

    Raises:
        InputError: If the child has not.
        OSError: If it is no HDF5 file.
    """
    require_harmless(path)
    return h5py.File(path, "r", **options)


def member(parent: h5py.Group, name: str, kind: type[Any]) -> Any:
    """Return a member of a group that is a hard link to data in the file itself.

    Raises:
        KeyError: If there is none of that name.
        ValueError: If it is a link, of another kind, stored in another file, or not readable
            (see `require_readable`).
    """
    found = _open(parent, name, kind)
    if isinstance(found, h5d.DatasetID):
        require_readable(found, name)
    return kind(found)


def values(parent: h5py.Group, name: str) -> NDArray[Any]:
    """Return all of a member that is a data set, as `whole` of `member` in half the time.

    Raises:
        KeyError: See `member`.
        ValueError: See `member` and `require_bounded_chunks`.
    """
    found: h5d.DatasetID = _open(parent, name, h5py.Dataset)
    if not LARGEST_STORED.keys().isdisjoint(require_readable(found, name)):
        return whole(h5py.Dataset(found))
    stored = np.empty(found.shape, found.dtype)
    if stored.size:
        found.read(h5s.ALL, h5s.ALL, stored)
    if h5py.check_string_dtype(stored.dtype) is None:
        return stored
    text = [value.decode() for value in stored.ravel().tolist()]
    return np.array(text, dtype=np.object_).reshape(stored.shape)


def require_readable(dataset: h5d.DatasetID, name: str) -> list[int]:
    """Refuse data that is elsewhere, only claimed, or stored in a way that is not safe to read.

    Returns:
        The filters that the data goes through, as HDF5 numbers them.

    Raises:
        ValueError: If it lies in another file, claims more bytes than any compression makes
            of what is stored, has chunks of over `LARGEST_CHUNK` bytes, or filters other than
            deflate, LZF, shuffle and checksums, each once.
    """
    properties, itemsize = dataset.get_create_plist(), dataset.dtype.itemsize
    layout = properties.get_layout()
    if layout == h5d.VIRTUAL or properties.get_external_count():
        raise ValueError(f"{name!r} is stored in another file")
    claimed, stored = math.prod(dataset.shape) * itemsize, dataset.get_storage_size()
    if claimed > stored * BEST_COMPRESSION + ALWAYS_CLAIMED:
        raise ValueError(f"{name!r} that claims {claimed:,} bytes, with {stored:,} in the file")
    if (
        layout == h5d.CHUNKED
        and (size := math.prod(properties.get_chunk()) * itemsize) > LARGEST_CHUNK
    ):
        raise ValueError(f"{name!r} in chunks of {size:,} bytes")
    filters = _filters(properties)
    if not _FILTERS.issuperset(filters) or len(set(filters)) < len(filters):
        raise ValueError(f"{name!r} with the filters {filters}, not gzip, LZF, shuffle, checksum")
    return filters


def require_bounded_chunks(dataset: h5py.Dataset, rows: slice, known: set[tuple[int, ...]]) -> None:
    """Refuse compressed chunks that become more than a chunk is.

    HDF5 makes of a compressed chunk what is in it, were it a thousand times the chunk's size,
    and then takes the part that it needs. Chunks that are too small for this to matter are not
    looked at.

    Args:
        dataset: Readable, see `require_readable`.
        rows: What is to be read.
        known: Places of chunks that were looked at; more are added.

    Raises:
        ValueError: If there is such a chunk, or one that is damaged.
    """
    kinds = _filters(dataset.id.get_create_plist())
    compression = next((kind for kind in kinds if kind in LARGEST_STORED), None)
    if compression is None or dataset.id.get_storage_size() <= LARGEST_STORED[compression]:
        return
    starts = (rows.start, *[0] * (dataset.ndim - 1))
    stops = (rows.stop, *dataset.shape[1:])
    for place in product(
        *(
            range(start // size * size, stop, size)
            for start, stop, size in zip(starts, stops, dataset.chunks, strict=True)
        )
    ):
        if place in known:
            continue
        size = dataset.id.get_chunk_info_by_coord(place).size or 0
        if size > LARGEST_STORED[compression]:
            skipped, raw = dataset.id.read_direct_chunk(place)
            if not skipped >> kinds.index(compression) & 1:
                _require_bounded(dataset, compression, raw)
        known.add(place)


def whole(dataset: h5py.Dataset) -> NDArray[Any]:
    """Return all of a data set, text as `str`.

    Raises:
        ValueError: See `require_bounded_chunks`.
    """
    if dataset.ndim:
        require_bounded_chunks(dataset, slice(0, len(dataset)), set())
    text = h5py.check_string_dtype(dataset.dtype) is not None
    values: NDArray[Any] = dataset.asstr("utf-8")[()] if text else dataset[()]
    return values


def _open(parent: h5py.Group, name: str, kind: type[Any]) -> Any:
    """Return the low-level object of a hard link's, in a third of the time of `parent[name]`."""
    links, key = parent.id.links, name.encode("utf-8", "surrogateescape")
    if not links.exists(key):
        raise KeyError(f"no {name!r}")
    if links.get_info(key).type != h5l.TYPE_HARD:
        raise ValueError(f"{name!r} is a link to somewhere else")
    found = h5o.open(parent.id, key)
    if not isinstance(found, _LOW_LEVEL[kind]):
        raise ValueError(f"{name!r} is no {kind.__name__.lower()}")  # noqa: TRY004
    return found


def first_line(error: Exception) -> str:
    """Return what h5py says, without its stack of HDF5 calls."""
    # A KeyError puts its message into quotes.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text.split("\n")[0] or type(error).__name__


def _require_bounded(dataset: h5py.Dataset, compression: int, raw: bytes) -> None:
    whole_chunk = _chunk_bytes(dataset)
    fits = compression == h5z.FILTER_DEFLATE
    if fits:
        try:
            # A checksum behind the stream is left over.
            fits = len(zlib.decompressobj().decompress(raw, whole_chunk + 1)) <= whole_chunk
        except zlib.error as error:
            raise ValueError(f"damaged compression ({error})") from error
    if not fits:
        raise ValueError(f"a chunk of {len(raw):,} bytes that become more than {whole_chunk:,}")


def _filters(properties: h5p.PropDCID) -> list[int]:
    return [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]


def _chunk_bytes(dataset: h5py.Dataset) -> int:
    return int(math.prod(dataset.chunks) * dataset.dtype.itemsize)
