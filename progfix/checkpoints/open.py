"""From a path to a checkpoint: a file, a run of ours, or a run folder of the users'."""

from __future__ import annotations

import re
from pathlib import Path

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.checkpoints.gtcc import read_gtcc
from progfix.checkpoints.native import FORMAT, read_native
from progfix.checkpoints.reading import safe_load
from progfix.errors import InputError, Problem, listed
from progfix.heads.spec import HeadSpec

__all__ = ["find_checkpoint", "open_checkpoint"]

_FAMILY = FORMAT.partition("/")[0]
_OTHER_BEST = tuple(f"best_model_{kind}.pt" for kind in ("combined", "alignment", "progress"))


def open_checkpoint(
    path: str | Path,
    *,
    head_spec: HeadSpec | str | None = None,
    new_head: HeadSpec | None = None,
) -> Checkpoint:
    """Open a checkpoint of ours or of the GTCC code base, without executing a pickle.

    Args:
        path: A checkpoint file, a run folder of ours (`checkpoint.pt`), or one of theirs
            (`ckpt/best_model.pt`, else the last `ckpt/epoch-N.pt`).
        head_spec: What a users' head is, where the file leaves a doubt: a specification or
            its text (`parse_head_spec`). Our own files know it.
        new_head: Put a fresh head of this kind on an encoder without one; None refuses it.

    Raises:
        InputError: If there is no checkpoint, or it cannot be used; the message says why.
    """
    file = find_checkpoint(Path(path))
    payload = safe_load(file)
    kind = str(payload.get("format", ""))
    if kind.startswith(f"{_FAMILY}/"):
        return read_native(payload, file)
    if "model_state_dict" in payload:
        return read_gtcc(payload, file, head_spec=head_spec, new_head=new_head)
    training = kind.startswith("progfix-")
    raise InputError(
        Problem(
            str(file),
            "a checkpoint of progfix or of the GTCC code base",
            f"a file of format {kind}" if training else f"entries {listed(payload)}",
            "name the run folder or its checkpoint.pt"
            if training
            else "pass a file with model_state_dict, as the training writes it",
        )
    )


def find_checkpoint(path: Path) -> Path:
    """Return the file to read for a path.

    Raises:
        InputError: If it is a folder without a checkpoint.
    """
    if not path.is_dir():
        return path
    candidates = [path / "checkpoint.pt", path / "ckpt" / "best_model.pt"]
    candidates += _epochs(path / "ckpt")
    candidates += [path / "ckpt" / name for name in _OTHER_BEST]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    unfinished = (path / "last.pt").exists()
    raise InputError(
        Problem(
            str(path),
            "checkpoint.pt, ckpt/best_model.pt or ckpt/epoch-N.pt in the folder",
            "a run that has not completed an epoch" if unfinished else "none of them",
            f"go on with progfix train --resume --out {path}"
            if unfinished
            else "name a run folder or a checkpoint file; a data set goes after --data",
        )
    )


def _epochs(folder: Path) -> list[Path]:
    """Return the files of single epochs, the numerically newest first."""
    numbered = [
        (int(match[1]), file)
        for file in folder.glob("epoch-*.pt")
        if (match := re.fullmatch(r"epoch-(\d{1,9})\.pt", file.name))
    ]
    return [file for _, file in sorted(numbered, reverse=True)]
