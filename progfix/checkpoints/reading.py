"""Reading checkpoint files without ever executing a pickle.

A file is looked at before torch opens it: what its pickle would import, whether its parts
are complete and undamaged, and whether it claims more memory than its size warrants. Then
torch's weights-only reader loads it.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from progfix.checkpoints.extent import contents, require_small, require_small_numbers
from progfix.checkpoints.pickles import ALLOWED, LEGACY_MAGIC, imports, pickles
from progfix.errors import InputError, Problem, listed

__all__ = ["safe_load"]

LARGEST_PICKLE = 4 << 20
"""Bytes of the pickle that describes a checkpoint; real ones have some 10 kB."""

_CHUNK = 1 << 20
_DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What readers raise at a damaged file, whose next byte may ask for anything."""

_BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x80", "a pickle that is damaged or not from torch.save"),
)


def safe_load(path: Path) -> dict[str, object]:
    """Load a file of `torch.save` without executing a pickle.

    `easydict.EasyDict`, the users' configuration, arrives as an `OrderedDict` whose
    attributes are its entries; everything else as it was stored, tensors on the CPU.

    Args:
        path: The file.

    Returns:
        The dictionary in the file.

    Raises:
        InputError: If the file is missing, unreadable, truncated, damaged or of another
            kind, would import anything but tensors, `OrderedDict` and `EasyDict`, claims
            more memory than its size warrants, or holds no dictionary.
    """
    where = str(path)
    if not path.exists():
        raise _bad(where, "a checkpoint file", "nothing of this name", "check the path")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file"
        raise _bad(where, "a checkpoint file", kind, "name the .pt file itself")
    try:
        with path.open("rb") as file:
            _inspect(file, where)
            file.seek(0)
            with torch.serialization.safe_globals([(OrderedDict, "easydict.EasyDict")]):
                payload = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        found = error.strerror or str(error)
        raise _bad(where, "a file that can be read", found, "check its permissions") from error
    except pickle.UnpicklingError as error:
        raise _damaged(where, "a pickle that weights-only loading refuses") from error
    except zipfile.BadZipFile as error:
        raise _damaged(where, f"a zip file that is cut off or damaged ({error})") from error
    except _DAMAGED as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise _damaged(where, f"{type(error).__name__}: {reason}") from error
    if not isinstance(payload, dict) or not all(isinstance(key, str) for key in payload):
        raise _bad(
            where,
            "a dictionary with model_state_dict, or a checkpoint of progfix",
            f"an object of type {type(payload).__name__}",
            "pass the checkpoint that the training wrote",
        )
    require_small(payload, where, LARGEST_PICKLE)
    _check_storage(payload, where)
    return payload


def _inspect(file: BinaryIO, where: str) -> None:
    start = file.read(8)
    if not start:
        raise _damaged(where, "an empty file")
    if start.startswith(b"PK\x03\x04"):
        _inspect_zip(file, where)
    else:
        file.seek(0)
        _inspect_legacy(file.read(LARGEST_PICKLE), where)


def _inspect_zip(file: BinaryIO, where: str) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        records = [entry for entry in entries if entry.filename.split("/")[1:] == ["data.pkl"]]
        # With constants.pkl it is a TorchScript program.
        programs = [e for e in entries if e.filename.split("/")[1:] == ["constants.pkl"]]
        doubled = len({entry.filename for entry in entries}) != len(entries)
        if len(records) != 1 or programs or doubled:
            raise _bad(
                where,
                "a checkpoint written by torch.save",
                "a zip file without data.pkl" if not records else "a zip file of another kind",
                "pass the .pt file that the training wrote",
            )
        size = file.seek(0, 2)
        claimed = sum(entry.file_size for entry in entries)
        # torch.save does not compress; the allowance is for files that were packed again.
        if claimed > 4 * size + _CHUNK or records[0].file_size > LARGEST_PICKLE:
            raise _bad(
                where,
                "contents of about the file's size",
                f"{claimed} bytes claimed by a file of {size}",
                "do not use this file, or load it where you trust it and save it again",
            )
        if any(e.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for e in entries):
            # The others are decompressed without regard to how much is asked for.
            raise _bad(
                where,
                "a zip file without compression, or with deflate",
                "one with another compression",
                "load the file where you trust it and write it with torch.save",
            )
        for entry in entries:
            if entry.CRC == 0:
                # Where torch was told to compute no checksums there is nothing to compare.
                del entry.CRC
        opcodes = next(pickles(archive.read(records[0])), None)
        if opcodes is None:
            raise _damaged(where, "an empty data.pkl")
        _check_imports(opcodes, where)
        _check_protocol(opcodes, where)
        require_small_numbers(opcodes, where)
        for entry in entries:
            with archive.open(entry) as record:
                while record.read(_CHUNK):
                    pass


def _inspect_legacy(data: bytes, where: str) -> None:
    """Look at the five pickles that open a file of torch.save before 1.6."""
    found: list[list[tuple[str, object]]] = []
    with suppress(ValueError):
        found.extend(islice(pickles(data), 5))
    if not found:
        raise _foreign(data, where)
    for opcodes in found:
        _check_imports(opcodes, where)
    if LEGACY_MAGIC not in (argument for _, argument in found[0]):
        raise _bad(
            where,
            "a checkpoint written by torch.save",
            "a plain pickle, which progfix does not execute",
            "load it where you trust it and write it with torch.save",
        )
    if len(found) < 5:
        raise _damaged(where, f"an end after {len(data)} bytes")
    for opcodes in found:
        _check_protocol(opcodes, where)
    for opcodes in found[1:]:  # the first is the magic number, of 77 bits
        require_small_numbers(opcodes, where)


def _check_imports(opcodes: list[tuple[str, object]], where: str) -> None:
    refused = sorted(imports(opcodes) - ALLOWED)
    if refused:
        raise _bad(
            where,
            "a pickle of tensors, plain containers and easydict.EasyDict only",
            f"one that imports {listed(refused)}",
            "progfix executes no pickle: load the file where you trust it, keep only such "
            "objects, and save it again",
        )


def _check_protocol(opcodes: list[tuple[str, object]], where: str) -> None:
    if opcodes[0] != ("PROTO", 2):
        raise _bad(
            where,
            "pickle protocol 2, the default of torch.save",
            " ".join(str(part) for part in opcodes[0]),
            "load the file where you trust it and save it with the default",
        )


def _check_storage(payload: object, where: str) -> None:
    """Refuse tensors that repeat their storage, which any use would blow up."""
    for tensor in _tensors(payload):
        held = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > held:
            raise _bad(
                where,
                "tensors that store what they claim",
                f"shape {tuple(tensor.shape)} in {held} bytes",
                "do not use this file, or load it where you trust it and save it again",
            )


def _tensors(payload: object) -> Iterator[Tensor]:
    """Yield every tensor in nested containers; shared and cyclic ones are visited once."""
    waiting = [payload]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            yield item
        waiting.extend(contents(item))


def _foreign(data: bytes, where: str) -> InputError:
    kind = next((kind for start, kind in _BEGINNINGS if data.startswith(start)), "")
    if not kind:
        kind = "text" if data[:1000].isascii() else f"bytes that begin {data[:4].hex(' ')}"
    return _bad(
        where, "a checkpoint written by torch.save", kind, "pass the .pt file of the training"
    )


def _damaged(where: str, found: str) -> InputError:
    return _bad(where, "a complete checkpoint", found, "copy it again from where it was written")


def _bad(where: str, expected: str, found: str, fix: str) -> InputError:
    return InputError(Problem(where, expected, found, fix))
