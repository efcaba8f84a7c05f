"""What a path is: decided by looking at it, unless the user says so."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from progfix.data.gtcc_json import is_gtcc_json
from progfix.data.ms_tcn import is_ms_tcn
from progfix.data.options import BUILT_IN, DataOptions, Reader, is_built_in
from progfix.data.splits import load_json
from progfix.errors import InputError, Problem, listed

__all__ = ["Kind", "recognise"]

Kind = Literal["built-in", "hdf5", "gtcc", "ms-tcn"]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5")


def recognise(options: DataOptions) -> tuple[Kind, Path]:
    """Tell what a path is by its signature, its JSON, or its folders.

    Args:
        options: The path, and the user's `reader`, which overrules the looks.

    Returns:
        The kind, and the file or folder to read, which may lie in the folder given.

    Raises:
        InputError: If nothing is there, or nothing that is known.
    """
    text = str(options.path)
    if is_built_in(text):
        if options.reader != "auto":
            fix = "leave --reader out"
            raise InputError(Problem("--reader", f"none with {text}", options.reader, fix))
        return "built-in", Path()
    path = Path(text).expanduser()
    if not path.exists():
        hint = f"check the path, or use the built-in {BUILT_IN}"
        if text.startswith("procedures"):
            hint = f"the built-in data is {BUILT_IN}"
        raise InputError(Problem(text, "a file or folder with data", "no such file", hint))
    if path.is_dir():
        return _of_folder(path, options.reader)
    if not path.is_file():  # a pipe gives its bytes once, and they are looked at twice
        raise _unknown(path, "a device or a pipe")
    return _of_file(path, options.reader)


def _of_file(path: Path, reader: Reader) -> tuple[Kind, Path]:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(Problem(str(path), "a readable file", found, "check it")) from error
    is_hdf5 = head.startswith(_HDF5_SIGNATURE) or path.suffix in _HDF5_SUFFIXES
    if reader in ("hdf5", "gtcc"):
        return reader, path
    if reader == "auto" and is_hdf5:
        return "hdf5", path
    if reader == "auto" and (head.lstrip().startswith(b"{") or path.suffix == ".json"):
        return "gtcc", path
    found = "an empty file" if not head else f"a {path.suffix or 'nameless'} file of another kind"
    if reader != "auto":
        found = "a file, where this reader takes a folder"
    raise _unknown(path, found)


def _of_folder(path: Path, reader: Reader) -> tuple[Kind, Path]:
    if reader in ("ms-tcn", "protas") or (reader == "auto" and is_ms_tcn(path)):
        if not is_ms_tcn(path):
            raise _unknown(path, "a folder without features/ and groundTruth/")
        return "ms-tcn", path
    candidates: list[tuple[Kind, Path]] = []
    if reader in ("auto", "gtcc"):
        candidates += [("gtcc", p) for p in sorted(path.glob("*.json")) if _has_tasks(p)]
    if reader in ("auto", "hdf5"):
        candidates += [("hdf5", p) for s in _HDF5_SUFFIXES for p in sorted(path.glob(f"*{s}"))]
    if len(candidates) == 1:
        return candidates[0]
    names = listed((p.name for _, p in candidates), none="")
    raise _unknown(path, f"a folder with {names}; which one?" if names else "none of them")


def _has_tasks(path: Path) -> bool:
    try:
        return is_gtcc_json(load_json(path))
    except InputError:
        return False


def _unknown(path: Path, found: str) -> InputError:
    return InputError(
        Problem(
            str(path),
            "a progfix HDF5 file, GTCC JSON annotations, or an MS-TCN folder with features/ "
            "and groundTruth/",
            found,
            "see docs/formats.md for the layouts",
        )
    )
