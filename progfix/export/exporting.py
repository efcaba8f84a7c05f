"""From a checkpoint to files that answer the same without progfix, proved on the way."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from progfix.checkpoints.checkpoint import Checkpoint
from progfix.errors import InputError, Problem
from progfix.export import programs, verify
from progfix.export.alone import load_alone
from progfix.export.standalone import standalone_source, standalone_weights
from progfix.export.target import Format, require_new, target_files
from progfix.export.text import about, answer_names, takes, usage
from progfix.export.verify import Checked
from progfix.files import atomic_path, temporary_folder
from progfix.model import ProgressModel

__all__ = ["Exported", "export"]


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        files: The files, the one to open first.
        checked: How near its answers are to those of the checkpoint.
        takes: What it reads, and where the encoder is.
        usage: Lines of Python that use it, complete.
    """

    files: tuple[Path, ...]
    checked: Checked
    takes: str
    usage: Sequence[str]


def export(
    checkpoint: Checkpoint, out: Path, *, kind: Format = "module", replace: bool = False
) -> Exported:
    """Write a checkpoint's model in a form that needs no progfix.

    What is written is loaded again and compared with the model on usual and provoking
    inputs (`verify.cases`): a module in another Python process, a program in its runtime.

    Args:
        checkpoint: From `progfix.checkpoints.open_checkpoint`.
        out: A folder, or a file with the format's ending.
        kind: "module" is one Python file that needs torch alone, with its weights beside
            it, and holds the encoder too; "torch-export" and "onnx" are the head's
            streaming step as a program.
        replace: Whether files that are there may be replaced.

    Raises:
        InputError: If the head has no step and the format needs it, a file is there, a
            package is missing, the place cannot be written, or the answers differ by more
            than `verify.TOLERANCE`; then nothing is written.
    """
    model = checkpoint.model
    files = target_files(out, kind)
    if not replace:
        require_new(files)
    if kind == "onnx":
        programs.require_onnx()
    if kind != "module" and model.head.spec.why_no_step is not None:
        raise InputError(
            Problem(
                f"--format {kind}",
                "a head that goes frame by frame",
                f"one that does not: {model.head.spec.why_no_step}",
                "use --format module, which answers every prefix at once",
            )
        )
    with temporary_folder() as folder:
        made = [folder / file.name for file in files]
        zeros: programs.State = ()
        if kind == "module":
            checked = _write_module(checkpoint, made[0], made[1], str(files[0]))
        else:
            checked, zeros = _write_program(model, kind, made[0], str(files[0]))
        for source, target in zip(reversed(made), reversed(files), strict=True):
            with atomic_path(target) as temporary:
                shutil.copyfile(source, temporary)
    return Exported(files, checked, takes(model, kind), usage(model, kind, files[0].stem, zeros))


def _write_module(checkpoint: Checkpoint, module: Path, weights: Path, what: str) -> Checked:
    model = checkpoint.model
    _save_module(model, about(checkpoint, module.stem), module, weights)
    inputs = verify.cases(model)
    wanted = [verify.expected(model, values) for values in inputs]
    return verify.check(wanted, verify.in_another_process(module, inputs), what)


def _write_program(
    model: ProgressModel, kind: Format, file: Path, what: str
) -> tuple[Checked, programs.State]:
    """Write the step of the head's own stand-alone module; return its initial state too."""
    alone = ProgressModel(None, model.head)
    module = file.with_name("progress_head.py")
    _save_module(alone, (), module, module.with_suffix(".pt"))
    head, width = load_alone(module), alone.head.width
    if kind == "onnx":
        step = programs.write_onnx(head, width, file, answer_names(alone.head.spec))
    else:
        step = programs.write_program(head, width, file)
    inputs = verify.cases(alone)
    zeros = programs.initial_zeros(head)
    found = [{"step": programs.answers_of(step, values, zeros)} for values in inputs]
    wanted = [verify.expected(alone, values) for values in inputs]
    return verify.check(wanted, found, what), zeros


def _save_module(model: ProgressModel, text: Sequence[str], module: Path, weights: Path) -> None:
    module.write_text(standalone_source(model, text), encoding="utf-8")
    torch.save(standalone_weights(model), weights)
