"""From what a user asked for to the options of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from progfix import runs
from progfix.checkpoints import Checkpoint, open_checkpoint
from progfix.checkpoints.gtcc import expressible
from progfix.data.options import BUILT_IN, DataOptions
from progfix.errors import InputError, Problem
from progfix.heads.spec import HeadKind, HeadSpec
from progfix.ranges import range_of
from progfix.solutions import RECOMMENDED, RECOMMENDED_FOR_GTCC, apply, parse_letters
from progfix.training.execution import DEFAULT, Execution
from progfix.training.method_checks import check_method
from progfix.training.recipe import SEED_RECIPE, Recipe, changes, with_values
from progfix.training.run_options import RunOptions
from progfix.training.settings import SETTINGS, Settings

__all__ = ["Request", "assemble", "run_to_resume"]


@dataclass(frozen=True)
class Request:
    """What a user asked for; None is "not said".

    Attributes:
        solution: Letters or a name.
        head: Kind of head.
        settings: Fields of the recipe to set, by dotted name such as "optimisation.lr";
            None is "not said" here too.
        seed: Of everything drawn.
        data: Data options; without a path, what the configuration or checkpoint says.
        init: Checkpoint whose head is to be retrained.
        head_spec: What its head is.
        config: A run, or its config.json, to run again.
        folder: The new run's folder.
        device: "auto", or a torch device.
        execution: How to compute beyond that.
        processes: How many work on the run; a step takes a group for each, if nothing else is
            said.
    """

    solution: str | None = None
    head: HeadKind | None = None
    settings: Settings = field(default_factory=dict)
    seed: int | None = None
    data: DataOptions = field(default_factory=DataOptions)
    init: Path | None = None
    head_spec: str | None = None
    config: Path | None = None
    folder: Path | None = None
    device: str = "auto"
    execution: Execution = DEFAULT
    processes: int = 1


def assemble(request: Request) -> tuple[RunOptions, tuple[str, ...]]:
    """Return the options of the run, and what the user should know before it starts.

    A configuration comes first, then the checkpoint to repair, then the built-in defaults;
    what the user said overrides all.

    Raises:
        InputError: If letters conflict, a setting is out of range, a file cannot be read,
            or there is no data.
    """
    base = RunOptions(recipe=SEED_RECIPE, data=DataOptions())
    if request.config is not None:
        base = RunOptions.from_config(runs.read_config(request.config), str(request.config))
    init = request.init or base.init
    checkpoint = None
    if init is not None:
        init = init.resolve()
        checkpoint = open_checkpoint(
            init, head_spec=request.head_spec or base.head_spec, new_head=SEED_RECIPE.head
        )
    _check_init(request, checkpoint)
    notes: tuple[str, ...] = ()
    recipe = base.recipe
    if request.config is None or request.solution is not None or request.head is not None:
        letters = _letters(request, base, checkpoint)
        kind = request.head or recipe.head.kind
        start = replace(SEED_RECIPE, head=replace(SEED_RECIPE.head, kind=kind))
        recipe = _keep_own(apply(letters, start), recipe)
    if request.config is None:
        recipe = with_values(recipe, {"optimisation.groups_per_step": request.processes})
    recipe = _tuned(recipe, request.settings)
    if checkpoint is not None:
        notes = _notes(recipe, checkpoint, default=request.solution is None)
    elif request.config is None and request.data.path is None:
        notes = (f"no --data: this is the built-in data, {BUILT_IN}",)
    check_method(recipe, request.settings, init=init is not None)
    options = replace(
        base,
        recipe=recipe,
        data=_data(request, base, checkpoint),
        folder=request.folder,
        init=init,
        head_spec=request.head_spec or base.head_spec,
        device=request.device,
        execution=request.execution,
        seed=base.seed if request.seed is None else request.seed,
    )
    return options, notes


def run_to_resume(request: Request) -> Path:
    """Return the run to go on with: the one named as the folder, or the newest.

    Raises:
        InputError: If there is none, its config.json is damaged, or the request would
            change what the run is.
    """
    allowed = replace(
        Request(),
        folder=request.folder,
        device=request.device,
        execution=request.execution,
        processes=request.processes,
        settings={
            name: value if name == "optimisation.epochs" else None
            for name, value in request.settings.items()
        },
    )
    if request != allowed:
        raise InputError(
            Problem(
                option,
                "--out, --epochs, --device and --time-limit alone beside --resume",
                "an option that would change the run",
                "leave it out, or start a new run with --config instead of --resume",
            )
            for option in _changing(request)
        )
    chosen = request.folder or runs.newest_run()
    if chosen is None or not (chosen / runs.CONFIG).exists():
        raise InputError(
            Problem(
                str(chosen or runs.RUNS),
                "a run to resume",
                "no run" if chosen is None else "no config.json of a run",
                "name the run's folder with --out, or start one without --resume",
            )
        )
    runs.read_config(chosen)
    return chosen


def _changing(request: Request) -> list[str]:
    """Return the options by which a request differs from any run there is."""
    names = ("solution", "head", "seed", "init", "head_spec", "config")
    said = [f"--{name.replace('_', '-')}" for name in names if getattr(request, name) is not None]
    said += [
        f"--{name}"
        for name, setting in SETTINGS.items()
        if name != "epochs" and request.settings.get(setting.field) is not None
    ]
    return said + (["--data"] if request.data != DataOptions() else [])


def _check_init(request: Request, checkpoint: Checkpoint | None) -> None:
    """Refuse a checkpoint that has nothing to keep, and a description of no head."""
    problems = []
    if checkpoint is not None and checkpoint.kind != "gtcc" and checkpoint.model.encoder is None:
        problems.append(
            Problem(
                f"--init {request.init or checkpoint.path}",
                "a checkpoint with an encoder to keep",
                "a head that reads the features themselves",
                "leave --init out: the features that it reads are those of --data",
            )
        )
    if request.head_spec is not None and (checkpoint is None or checkpoint.kind != "gtcc"):
        problems.append(
            Problem(
                "--head-spec",
                "--init with a checkpoint of the GTCC code base, whose head it describes",
                "no --init" if checkpoint is None else "a checkpoint that knows its head",
                "leave it out",
            )
        )
    if problems:
        raise InputError(problems)


def _letters(request: Request, base: RunOptions, checkpoint: Checkpoint | None) -> str:
    if request.solution is not None:
        return parse_letters(request.solution)
    if request.config is not None:
        return base.recipe.solution
    gtcc = checkpoint is not None and checkpoint.kind == "gtcc"
    return RECOMMENDED_FOR_GTCC if gtcc else RECOMMENDED


def _notes(recipe: Recipe, checkpoint: Checkpoint, *, default: bool) -> tuple[str, ...]:
    if checkpoint.kind != "gtcc":
        return ()
    reason = expressible(recipe.head)
    if recipe.method.features == "raw":
        reason = "its loaders give it embeddings, not raw features"
    if reason is not None:
        return (
            f"the GTCC code base cannot load a head of solution {recipe.solution!r} ({reason}); "
            "the result will be a progfix checkpoint, of which `progfix export` makes a module "
            "that any PyTorch code can import",
        )
    if default:
        return (
            f"training solution {recipe.solution!r}, the best whose head the GTCC code base "
            f"can load; {RECOMMENDED!r} is better where you can use progfix's own checkpoints",
        )
    return ()


def _keep_own(chosen: Recipe, given: Recipe) -> Recipe:
    """Return the recipe of the chosen letters with what `given` has beyond its own letters."""
    lettered = apply(given.solution, replace(SEED_RECIPE, head=HeadSpec(kind=given.head.kind)))
    return with_values(chosen, changes(lettered, given))


def _tuned(recipe: Recipe, settings: Settings) -> Recipe:
    said = {name: value for name, value in settings.items() if value is not None}
    problems = []
    names = {setting.field: name for name, setting in SETTINGS.items()}
    for name, value in said.items():
        limits = range_of(Recipe, name)
        if limits is not None and not isinstance(value, str) and value not in limits:
            flag = f"--{names.get(name, name)}"
            problems.append(Problem(flag, limits.of(type(value)), str(value), "change it"))
    if problems:
        raise InputError(problems)
    return with_values(recipe, said)


def _data(request: Request, base: RunOptions, checkpoint: Checkpoint | None) -> DataOptions:
    if request.data.path is not None:
        return request.data.resolved()
    if base.data.path is not None:
        return base.data
    if checkpoint is None:
        return replace(request.data, path=BUILT_IN)
    if checkpoint.data is not None:
        return DataOptions.from_json(checkpoint.data, where=f"{checkpoint.path}: data")
    raise InputError(
        Problem(
            "--data",
            f"the data that {checkpoint.path.name} was trained on",
            "no --data, and the checkpoint does not say",
            "name the annotations or the HDF5 file with --data (and --feature-dir, --splits)",
        )
    )
