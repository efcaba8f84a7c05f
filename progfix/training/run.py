"""One training run from its options to its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from progfix import runs
from progfix.errors import InputError, LostProcessError, Problem
from progfix.files import remove_leftovers
from progfix.training.execution import DEFAULT, Execution
from progfix.training.history import EpochRow
from progfix.training.interrupts import StoppedError, listen
from progfix.training.loop import Event, run_epochs
from progfix.training.loop_state import LoopState
from progfix.training.prepare import Prepared, prepare
from progfix.training.processes import ALONE, Processes
from progfix.training.run_options import RunOptions
from progfix.training.saving import saver, write_test_predictions

__all__ = ["RunResult", "resume_run", "start_run"]

Observer = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class RunResult:
    """How a run ended.

    Attributes:
        folder: Where everything is.
        finished: Whether everything was done, test predictions included.
        stopped_by: Number of the signal that stopped it, `interrupts.TIME_OVER`, or None.
        history: A row per completed epoch.
        done_before: How many of them an earlier process completed.
        advanced: Whether a step was taken or an epoch closed.
    """

    folder: Path
    finished: bool
    stopped_by: int | None
    history: tuple[EpochRow, ...]
    done_before: int = 0
    advanced: bool = True


def start_run(
    options: RunOptions,
    observe: Observer,
    processes: Processes = ALONE,
    *,
    deadline: float | None = None,
) -> RunResult:
    """Train from the beginning, in a new folder.

    Everything that can be wrong with the input is found before the folder is created.

    Args:
        options: What to do.
        observe: Called after every step and epoch.
        processes: Who works on it; the first writes.
        deadline: On the clock of `time.monotonic`; the run stops in time before it.

    Raises:
        InputError: If the data, the checkpoint, the device or the folder does not do.
        TrainingError: If the loss is no longer finite, or a process has gone.
    """
    prepared = processes.everywhere(lambda: prepare(options, processes))
    folder = processes.on_first(lambda: runs.new_run(options.folder, options.recipe.name))
    with _kept_alone(folder, processes):
        processes.on_first(lambda: _begin(folder, options))
        return _train(folder, prepared, LoopState(), observe, deadline)


def resume_run(
    folder: Path,
    observe: Observer,
    *,
    epochs: int | None = None,
    device: str = "auto",
    execution: Execution = DEFAULT,
    processes: Processes = ALONE,
    deadline: float | None = None,
) -> RunResult:
    """Go on with a run that was stopped.

    On the same machine, with as many processes, the result is that of a run that was not.

    Args:
        folder: The run.
        observe: Called after every step and epoch.
        epochs: A new number of epochs, or None for the run's own.
        device: "auto", or a torch device.
        execution: How to compute beyond that; not part of the run.
        processes: Who works on it; all of them read the folder, the first writes.
        deadline: As for `start_run`.

    Raises:
        InputError: If the folder is no run, its data is not there any more, or it has done
            as many epochs as `epochs` already.
        TrainingError: If the loss is no longer finite, or a process has gone.
    """
    processes.everywhere(lambda: runs.read_config(folder))
    with _kept_alone(folder, processes):
        processes.on_first(lambda: _clear(folder))
        prepared, state = processes.everywhere(
            lambda: _continued(folder, epochs, device, execution, processes)
        )
        return _train(folder, prepared, state, observe, deadline)


def _continued(
    folder: Path, epochs: int | None, device: str, execution: Execution, processes: Processes
) -> tuple[Prepared, LoopState]:
    """Return a run and where it stands."""
    config = runs.read_config(folder)
    options = RunOptions.from_config(config, str(folder / runs.CONFIG))
    if epochs is not None:
        optimisation = replace(options.recipe.optimisation, epochs=epochs)
        options = replace(options, recipe=replace(options.recipe, optimisation=optimisation))
    prepared = prepare(replace(options, device=device, execution=execution), processes)
    if (folder / runs.LAST).exists():
        state = _restored(prepared, folder)
    elif (folder / runs.BEST).exists():
        raise _no_state(folder, "no such file beside a checkpoint")
    else:
        state = LoopState()
    if epochs is not None and epochs <= state.epoch:
        raise InputError(
            Problem(
                f"--epochs {epochs}",
                f"more than the {state.epoch} that are done",
                str(epochs),
                "name the number of epochs in all, those that are done included",
            )
        )
    return prepared, state


def _restored(prepared: Prepared, folder: Path) -> LoopState:
    try:
        return prepared.restore(folder / runs.LAST)
    except InputError as error:
        raise _no_state(folder, error.problems[0].found) from error
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        # What torch and the state's own classes raise at entries that are missing or others.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        found = f"one that does not fit it ({reason})"
        raise _no_state(folder, found) from error


def _no_state(folder: Path, found: str) -> InputError:
    best = f"; {runs.BEST} there is the best model so far" if (folder / runs.BEST).exists() else ""
    return InputError(
        Problem(
            str(folder / runs.LAST),
            "the state that the run goes on from",
            found,
            f"restore it, or train anew with --config {folder} and another --out{best}",
        )
    )


def _train(
    folder: Path, prepared: Prepared, state: LoopState, observe: Observer, deadline: float | None
) -> RunResult:
    setup, done_before = prepared.setup, len(state.history)
    processes, begun_at = setup.processes, (state.epoch, state.step)
    try:
        with listen(several=processes.size > 1, deadline=deadline) as stop:
            processes.take_from_first([*setup.model.state_dict().values()])
            save = saver(folder, prepared, state)
            # Also when going on: the history may lack what last.pt has, and a folder that
            # cannot be written is found before the work.
            save(False)
            finished = run_epochs(setup, state, save=save, observe=observe, stop=stop)
            if finished and processes.first:
                try:
                    write_test_predictions(folder, prepared, stop.give_up)
                except StoppedError:
                    finished = False
    except LostProcessError as error:
        raise LostProcessError(error.reason, speaks=error.speaks, folder=folder) from error
    finally:
        setup.embeddings.close()
    advanced = (state.epoch, state.step) != begun_at
    stopped_by = None if finished else stop.signal
    return RunResult(folder, finished, stopped_by, tuple(state.history), done_before, advanced)


@contextmanager
def _kept_alone(folder: Path, processes: Processes) -> Iterator[None]:
    """Keep other runs from working on the folder; the first process holds the lock."""
    with ExitStack() as stack:
        processes.on_first(lambda: stack.enter_context(runs.locked(folder)))
        yield


def _begin(folder: Path, options: RunOptions) -> None:
    """Write the configuration; nobody else can have begun a run in a folder that is locked."""
    runs.require_new(folder)
    _clear(folder)
    runs.write_config(folder, options.to_config())


def _clear(folder: Path) -> None:
    """Remove what a process left that was killed while it wrote."""
    for name in (runs.CONFIG, runs.BEST, runs.LAST, runs.HISTORY, runs.PREDICTIONS):
        remove_leftovers(folder / name)
