"""A sweep from its cells to its result: the worker behind `progfix sweep`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from progfix import runs
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError, Problem
from progfix.files import remove_leftovers
from progfix.sweeps.cells import SOLUTIONS, parse_cells
from progfix.sweeps.contract import FILE, read_sweep, write_sweep
from progfix.sweeps.plan import Plan
from progfix.sweeps.pool import Observe, cores, train_all
from progfix.sweeps.report import FILES, write_report
from progfix.sweeps.result import SweepResult
from progfix.sweeps.states import RunState
from progfix.sweeps.statistics import evaluate_sweep, finished
from progfix.training.interrupts import listen
from progfix.training.settings import SETTINGS, Value

__all__ = ["SweepOutcome", "carry_on", "new_sweep", "newest_sweep", "sweep"]


@dataclass(frozen=True, eq=False)
class SweepOutcome:
    """How a sweep ended.

    Attributes:
        folder: Where everything is.
        plan: What was to be trained.
        result: What was found; None where no run finished, or the sweep was stopped.
        failed: Why runs failed, by name of the run.
        stopped_by: Number of the signal that stopped it, `interrupts.TIME_OVER`, or None.
    """

    folder: Path
    plan: Plan
    result: SweepResult | None
    failed: Mapping[str, str]
    stopped_by: int | None = None


def _ignore(_: object) -> None:
    """Watch nothing."""


def sweep(
    solutions: Sequence[str] = SOLUTIONS,
    *,
    seeds: int | Sequence[int] = 3,
    data: str | Path | DataOptions | None = None,
    heads: Sequence[str] = (),
    vary: Sequence[str] = (),
    settings: Mapping[str, Value] | None = None,
    fresh_splits: bool = False,
    init: Path | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    device: str = "auto",
    observe: Observe = _ignore,
) -> SweepOutcome:
    """Train cells with several seeds and compare them on the test videos.

    Args:
        solutions: Cells, such as "baseline" or "fghs+feature-noise=1"
            (`progfix.sweeps.cells`).
        seeds: How many, from 0, or which.
        data: A path, a built-in name or all data options; None is the built-in data, or what
            `init` was trained on.
        heads: Kinds of head to cross the cells with.
        vary: Settings to cross them with, such as "feature-noise=0,1".
        settings: Settings of all cells by name of `progfix train`'s option, such as
            {"epochs": 20}.
        fresh_splits: Draw the splits of each seed's runs afresh.
        init: A checkpoint whose encoder is kept, frozen, in all runs.
        out: Folder of the sweep; None takes the next free `runs/sweep-<n>`.
        jobs: Worker processes; None takes one per core, and one on other devices.
        device: "auto", or a torch device.
        observe: Called whenever a run's state changes.

    Returns:
        The result, and where the runs are; each is a run that every command opens.

    Raises:
        InputError: With everything that is wrong with the cells, before anything is trained;
            or if the data or a folder does not do.
        ValueError: If a setting is unknown.

    Example:
        >>> outcome = sweep(["baseline", "fgs"], data="mine.h5")  # doctest: +SKIP
        >>> outcome.result.trained[0].name  # doctest: +SKIP
        'fgs'
    """
    from progfix.sweeps.planning import make_plan

    unknown = set(settings or {}) - set(SETTINGS)
    if unknown:
        raise ValueError(f"expected settings out of {list(SETTINGS)}, found {sorted(unknown)}")
    common = {SETTINGS[name].field: value for name, value in (settings or {}).items()}
    options = data
    if not isinstance(options, DataOptions):
        options = DataOptions(path=None if options is None else str(options))
    plan = make_plan(
        parse_cells(solutions, heads=heads, vary=vary, common=common),
        range(seeds) if isinstance(seeds, int) else seeds,
        data=options,
        fresh_splits=fresh_splits,
        init=init,
    )
    return carry_on(new_sweep(plan, out), jobs=jobs, device=device, observe=observe)


def new_sweep(plan: Plan, folder: Path | None) -> Path:
    """Check the data, and write the plan into a new folder.

    Args:
        plan: The plan.
        folder: Where the user wants it; None takes the first free `runs/sweep-<n>`.

    Raises:
        InputError: If the data has no test videos, or the folder is not empty.
    """
    data = open_dataset(plan.runs[0].data)
    if not data.split("test").durations():
        raise InputError(
            Problem(
                data.origin,
                "videos with action segments in the test split, to compare cells on",
                f"none; its splits are {', '.join(data.splits) or 'unknown'}",
                "give the splits with --splits, or write them with `progfix data convert`",
            )
        )
    if folder is not None and (folder / FILE).exists():
        fix = "name another with --out, or go on with this one with --resume"
        raise InputError(Problem(str(folder), "a new folder", "a sweep that is there already", fix))
    made = runs.new_run(folder, "sweep")
    with runs.locked(made, "sweep"):
        runs.require_new(made)
        write_sweep(made, plan)
    return made


def newest_sweep(folder: Path | None) -> Path:
    """Return the folder of a sweep: the one named, or the newest under `runs/`.

    Raises:
        InputError: If none is named and there is none.
    """
    found = [] if folder is not None else list(runs.RUNS.glob(f"*/{FILE}"))
    if folder is None and not found:
        raise InputError(
            Problem(
                "--resume",
                "a sweep to go on with",
                f"none under {runs.RUNS}/",
                "name its folder with --out, or start one without --resume",
            )
        )
    return folder or max(found, key=lambda file: file.stat().st_mtime).parent


def carry_on(
    folder: Path,
    *,
    jobs: int | None = None,
    device: str = "auto",
    observe: Observe = _ignore,
    say: Callable[[str], None] = _ignore,
    deadline: float | None = None,
) -> SweepOutcome:
    """Train what is left of a sweep and return its result, at once if it has one.

    Finished runs are kept, others go on where they stopped, failed ones are tried again.

    Args:
        folder: The sweep's.
        jobs: As in `sweep`.
        device: As in `sweep`.
        observe: As in `sweep`.
        say: Told, in words, what is done after training.
        deadline: On the clock of `time.monotonic`; the sweep stops in time before it.

    Raises:
        InputError: If the folder holds no sweep, another process works on it, or the data
            does not do.
    """
    plan, result = read_sweep(folder)
    if result is not None and not result.failed:
        return SweepOutcome(folder, plan, result, {})
    with runs.locked(folder, "sweep"), listen(deadline=deadline) as stop:
        for name in FILES:
            remove_leftovers(folder / name)
        left = [run for run in plan.runs if not finished(folder, run)]
        for run in plan.runs:
            observe(RunState(run, "waiting" if run in left else "kept"))
        try:
            states = train_all(
                left,
                folder,
                jobs=jobs or _default_jobs(device),
                device=device,
                observe=observe,
                stop=stop,
                deadline=deadline,
            )
        except InputError:
            _forget(folder)
            raise
        failed = {name: s.reason for name, s in states.items() if s.state == "failed"}
        unfinished = any(s.state in ("waiting", "stopped") for s in states.values())
        result = None
        if not unfinished and not stop.asked() and len(failed) < len(plan.runs):
            result = evaluate_sweep(plan, folder, failed=failed, observe=say)
            write_report(folder, plan, result)
    return SweepOutcome(folder, plan, result, failed, stop.signal if result is None else None)


def _default_jobs(device: str) -> int:
    from progfix.training.devices import resolve_device

    return cores() if resolve_device(device).type == "cpu" else 1


def _forget(folder: Path) -> None:
    """Remove a sweep of which no run could be started."""
    if not any(path.is_dir() for path in folder.iterdir()):
        for name in (FILE, runs.LOCK):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something of their own there
            folder.rmdir()
