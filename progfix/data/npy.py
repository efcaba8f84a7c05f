"""Frame features in .npy files, read lazily through memory maps."""

from __future__ import annotations

import tokenize
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from progfix.errors import InputError, Problem
from progfix.files import require_no_stream

__all__ = ["HEADER_ERRORS", "NpyFeatures", "npy_shape"]

HEADER_ERRORS = (
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
"""What NumPy raises at the header of a damaged .npy file, which is a Python expression."""

OPEN_MAPS = 64
"""Memory maps that a process keeps, so that reading segments does not map a file each time."""


@dataclass(frozen=True)
class NpyFeatures:
    """Features of one video in a .npy file.

    Attributes:
        path: The file.
        shape: `(T, D)` or `(T, C, H, W)`, frames first whatever the file's order; T may be
            fewer than the file has.
        transposed: The file stores `(D, T)`, as MS-TCN does.
    """

    path: Path
    shape: tuple[int, ...]
    transposed: bool = False

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return frames `start` to `stop`, half-open, float32 `(n, ...)`.

        Raises:
            InputError: If the file has gone, or changed since the data was opened.
        """
        array = _map(self.path)
        if self.transposed:
            array = array.T
        if array.shape[1:] != self.shape[1:] or len(array) < self.shape[0]:
            raise InputError(
                Problem(
                    str(self.path),
                    f"the shape it had when the data was opened, {self.shape}",
                    f"{array.shape}",
                    "do not change features while they are used",
                )
            )
        first, last, _ = slice(start, stop).indices(self.shape[0])
        return np.array(array[first:last], dtype=np.float32)


def npy_shape(path: Path) -> tuple[int, ...]:
    """Return the shape of a .npy file's array from its header.

    Raises:
        InputError: If it is missing, truncated, no .npy file, or not of real numbers.
    """
    array = _map(path)
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise InputError(
            Problem(
                str(path),
                "an array of real numbers",
                f"data type {array.dtype}",
                "save the features as float32",
            )
        )
    return tuple(array.shape)


def _map(path: Path) -> NDArray[np.generic]:
    try:
        require_no_stream(path)
        state = path.stat()
        # Size and time are part of the key, so that a file written anew is mapped anew.
        array = _open_map(path, state.st_size, state.st_mtime_ns)
    except (OSError, EOFError, zipfile.BadZipFile, *HEADER_ERRORS) as error:
        raise InputError(
            Problem(
                str(path),
                "a .npy file of numbers",
                _reason(path, error),
                "save the features again with numpy.save",
            )
        ) from error
    if array is None:
        raise InputError(
            Problem(
                str(path),
                "a .npy file with one array",
                "an archive of several",
                "save the features of each video with numpy.save",
            )
        )
    return array


@lru_cache(maxsize=OPEN_MAPS)
def _open_map(path: Path, _size: int, _modified: int) -> NDArray[np.generic] | None:
    """Map a file that was not mapped in this state before; None for a .npz archive."""
    with np.errstate(over="ignore"):  # a header may claim more than there are bytes to count
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    loaded.close()
    return None


def _reason(path: Path, error: Exception) -> str:
    if not path.exists():
        return "no such file"
    if path.is_file() and path.stat().st_size == 0:
        return "an empty file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "another or a truncated file"
