"""The layouts that data comes in: how each is recognised and read, one entry a layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from progfix.data.gtcc import read_gtcc
from progfix.data.gtcc_json import is_gtcc_json
from progfix.data.hdf5 import read_hdf5
from progfix.data.ms_tcn import is_ms_tcn, read_ms_tcn
from progfix.data.options import DataOptions
from progfix.data.reading import Reading
from progfix.data.splits import load_json
from progfix.errors import InputError, Problem, listed
from progfix.runs import CHECKPOINT_SUFFIXES

__all__ = ["READERS", "DataReader", "find_reader"]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True)
class DataReader:
    """A layout.

    Attributes:
        layout: What it is, for messages.
        read: Reads what `is_file` or `within` recognised; the last argument asks to visit
            every video even where an index would do.
        options: Fields of `DataOptions` that change how it is read; any other one is
            refused, not ignored. `resplit` changes all data.
        is_file: Whether a file, of which it is given the path and the first 512 bytes, looks
            like it; None for a layout of folders.
        within: What of this layout a folder holds: files, or the folder itself, which then
            is nothing else.
        skips_tasks: Whether `read` leaves out `skip_tasks` by itself.
    """

    layout: str
    read: Callable[[Path, DataOptions, bool], Reading]
    options: tuple[str, ...]
    is_file: Callable[[Path, bytes], bool] | None
    within: Callable[[Path], list[Path]]
    skips_tasks: bool = False


def _is_hdf5(path: Path, head: bytes) -> bool:
    return head.startswith(_HDF5_SIGNATURE) or path.suffix in _HDF5_SUFFIXES


def _is_json(path: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"{") or path.suffix == ".json"


def _has_tasks(path: Path) -> bool:
    try:
        return is_gtcc_json(load_json(path))
    except InputError:
        return False


_MS_TCN = DataReader(
    layout="an MS-TCN folder with features/ and groundTruth/",
    read=lambda path, options, _: read_ms_tcn(path, options),
    options=("background", "feature_dir", "fps", "splits"),
    is_file=None,
    within=lambda folder: [folder] if is_ms_tcn(folder) else [],
)

READERS: Mapping[str, DataReader] = {
    "ms-tcn": _MS_TCN,
    "protas": _MS_TCN,
    "hdf5": DataReader(
        layout="a progfix HDF5 file",
        read=lambda path, options, thorough: read_hdf5(path, options, trust_index=not thorough),
        options=("background", "skip_tasks"),
        is_file=_is_hdf5,
        within=lambda folder: [p for s in _HDF5_SUFFIXES for p in sorted(folder.glob(f"*{s}"))],
    ),
    "gtcc": DataReader(
        layout="GTCC JSON annotations",
        read=lambda path, options, _: read_gtcc(path, options),
        options=(
            "background",
            "ends",
            "feature_dir",
            "fps",
            "frame_rate",
            "pairing",
            "skip_tasks",
            "splits",
        ),
        is_file=_is_json,
        within=lambda folder: [p for p in sorted(folder.glob("*.json")) if _has_tasks(p)],
        skips_tasks=True,
    ),
}
"""By the name that `--reader` knows it by, in the order in which they are tried."""


def find_reader(path: Path, options: DataOptions) -> tuple[str, DataReader, Path]:
    """Tell what is at a path by its signature, its JSON, or its folders.

    Args:
        path: Of the user's data.
        options: Whose `reader`, unless it is "auto", overrules the looks.

    Returns:
        The reader and its name, and the file or folder to read, which may lie in the folder
        given.

    Raises:
        InputError: If nothing is there, or nothing that is known.
    """
    chosen = options.reader
    tried = {n: r for n, r in READERS.items() if chosen in ("auto", n)}
    if path.is_dir():
        return _in_folder(path, tried)
    if not path.is_file():  # a pipe gives its bytes once, and they are looked at twice
        raise _unknown(path, "a device or a pipe", tried)
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(Problem(str(path), "a readable file", found, "check it")) from error
    for name, reader in tried.items():
        if reader.is_file is not None and (chosen != "auto" or reader.is_file(path, head)):
            return name, reader, path
    found = "an empty file" if not head else f"a {path.suffix or 'nameless'} file of another kind"
    if chosen != "auto":
        found = "a file, where this reader takes a folder"
    elif path.suffix.lower() in CHECKPOINT_SUFFIXES:
        fix = "name a checkpoint as what is judged, or after --init where it is trained"
        raise _unknown(path, found, tried, fix)
    raise _unknown(path, found, tried)


def _in_folder(path: Path, tried: Mapping[str, DataReader]) -> tuple[str, DataReader, Path]:
    candidates: dict[Path, tuple[str, DataReader, Path]] = {}
    for name, reader in tried.items():
        for file in reader.within(path):
            if file == path:
                return name, reader, path
            candidates.setdefault(file, (name, reader, file))
    if len(candidates) == 1:
        return next(iter(candidates.values()))
    names = listed((file.name for file in candidates), none="")
    if not names and (path / "meta" / "info.json").is_file():
        fix = "make a table or an HDF5 file of its episodes as docs/rewards.md does"
        raise _unknown(path, "a LeRobot data set", tried, fix)
    found = f"a folder with {names}; which one?" if names else "a folder with nothing of the kind"
    raise _unknown(path, found, tried)


def _unknown(
    path: Path,
    found: str,
    tried: Mapping[str, DataReader],
    fix: str = "see docs/formats.md for the layouts",
) -> InputError:
    layouts = list(dict.fromkeys(reader.layout for reader in tried.values()))
    expected = ", ".join(layouts[:-1]) + (" or " if layouts[1:] else "") + layouts[-1]
    return InputError(Problem(str(path), expected, found, fix))
