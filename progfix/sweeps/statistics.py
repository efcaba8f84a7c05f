"""From the predictions of a sweep's runs to its result.

Nothing here needs PyTorch, unless encoders were trained.

The seeds of a cell are pooled: a video's sums over all seeds stay together, so that
resampling videos takes all seeds of a video along. Where each seed has its own splits a video
is tested by some seeds only; it is still one video, and two cells are paired by seed and
video, because both were tested on the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from progfix import runs
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.evaluation import METRICS, Evaluation, Evaluator, compare
from progfix.evaluation.estimates import estimate
from progfix.evaluation.sums import BASELINE_COLUMNS, Sums
from progfix.frame_counting import fit_counting
from progfix.predictions_io import read_predictions
from progfix.sweeps.plan import Plan, PlannedRun
from progfix.sweeps.result import CellResult, Difference, Score, SweepResult

__all__ = ["RESAMPLES", "evaluate_sweep", "finished", "pool"]

RESAMPLES = 1000
"""Of the bootstrap."""

Seeds = Mapping[int, Evaluation]


def finished(folder: Path, run: PlannedRun) -> bool:
    """Whether a run has come to its end: its predictions are written last."""
    return (folder / run.name / runs.PREDICTIONS).is_file()


def evaluate_sweep(
    plan: Plan,
    folder: Path,
    *,
    failed: Mapping[str, str],
    observe: Callable[[str], None] = lambda _text: None,
) -> SweepResult:
    """Evaluate the finished runs of a sweep on their test videos.

    Args:
        plan: The sweep.
        folder: Where its runs are.
        failed: Why runs failed, by their name.
        observe: Told, in words, how far the work is.

    Raises:
        InputError: If predictions or data cannot be read.
        ValueError: If no run has finished.
    """
    data: dict[int, Dataset] = {}
    cells: dict[str, dict[int, Evaluation]] = {cell: {} for cell in plan.cells}
    for run in plan.runs:
        if not finished(folder, run):
            continue
        observe(f"evaluating {run.name}")
        if run.seed not in data:
            shared = next(iter(data.values()), None) if not plan.fresh_splits else None
            data[run.seed] = shared or open_dataset(run.data)
        evaluator = Evaluator(counting=fit_counting(data[run.seed]))
        for chunk in read_predictions(folder / run.name / runs.PREDICTIONS):
            evaluator.update(chunk)
        cells[run.cell][run.seed] = evaluator.compute()
    done = {name: seeds for name, seeds in cells.items() if seeds}
    if not done:
        raise ValueError("expected at least one finished run, found none")
    observe("comparing")
    results = [_cell(name, seeds, plan, folder, failed) for name, seeds in cells.items()]
    results = [_with_alignment(cell, plan, data, observe) for cell in results]
    most = max(done.values(), key=len)
    results += [_baseline(name, most) for name in BASELINE_COLUMNS]
    results.sort(key=lambda cell: math.inf if math.isnan(cell.mae) else cell.mae)
    first = next(iter(most.values()))
    return SweepResult(
        data=_description(plan),
        fitted_on="each seed's own training split" if plan.fresh_splits else first.fitted_on,
        seeds=plan.seeds,
        fresh_splits=plan.fresh_splits,
        resamples=RESAMPLES,
        cells=results,
        differences=list(_differences(done)),
    )


def _description(plan: Plan) -> str:
    options = plan.runs[0].data
    return open_dataset(
        replace(options, resplit=None) if plan.fresh_splits else options
    ).description


def pool(seeds: Seeds) -> Sums:
    """Return the sums of several seeds as one, each video once with the segments of all."""
    parts = [evaluation.sums for _, evaluation in sorted(seeds.items())]
    step = 1 + max(int(sums.index("index").max(initial=0)) for sums in parts)
    apart = [
        replace(sums, segments={**sums.segments, "index": sums.index("index") + place * step})
        for place, sums in enumerate(parts)
    ]
    return Sums.concat(apart).canonical()


def _pooled(seeds: Seeds, resamples: int) -> Evaluation:
    fitted_on = next(iter(seeds.values())).fitted_on
    return estimate(pool(seeds), fitted_on=fitted_on, resamples=resamples, seed=0, by=())


def _cell(
    name: str, seeds: Seeds, plan: Plan, folder: Path, failed: Mapping[str, str]
) -> CellResult:
    own = [run for run in plan.runs if run.cell == name]
    scores: dict[str, Score] = {}
    if seeds:
        together = _pooled(seeds, RESAMPLES)
        scores = {
            metric: Score(together[metric], {s: e[metric].value for s, e in seeds.items()})
            for metric in METRICS
        }
    return CellResult(
        name=name,
        is_baseline=False,
        scores=scores,
        runs={run.seed: str(folder / run.name) for run in own if run.seed in seeds},
        failed={run.seed: failed[run.name] for run in own if run.name in failed},
    )


def _with_alignment(
    cell: CellResult, plan: Plan, data: Mapping[int, Dataset], observe: Callable[[str], None]
) -> CellResult:
    """Add how well the cell's encoders align videos, where it trained any."""
    if not any(run.trains_encoder for run in plan.runs if run.cell == cell.name and cell.runs):
        return cell
    from progfix.sweeps.alignment import alignment_of

    observe(f"alignment of {cell.name}")
    folders = {seed: Path(run) for seed, run in cell.runs.items()}
    return replace(cell, scores={**cell.scores, **alignment_of(folders, data)})


def _baseline(name: str, seeds: Seeds) -> CellResult:
    together = _pooled(seeds, RESAMPLES).baselines[name]
    scores = {
        metric: Score(value, {s: e.baselines[name][metric].value for s, e in seeds.items()})
        for metric, value in together.items()
    }
    return CellResult(name, is_baseline=True, scores=scores, runs={}, failed={})


def _differences(cells: Mapping[str, Seeds]) -> Iterator[Difference]:
    """Yield all pairs of cells, over the seeds that both have, and cells with baselines."""
    for reference, name in combinations(cells, 2):
        common = sorted(cells[name].keys() & cells[reference].keys())
        if common:
            one, other = (
                _pooled({seed: cells[cell][seed] for seed in common}, 0)
                for cell in (reference, name)
            )
            yield _difference(name, reference, one, other, len(common))
    for name, seeds in cells.items():
        together = _pooled(seeds, 0)
        for baseline in BASELINE_COLUMNS:
            answers = _answers(together, baseline)
            yield _difference(name, baseline, answers, together, len(seeds))


def _difference(
    name: str, reference: str, one: Evaluation, other: Evaluation, seeds: int
) -> Difference:
    found = compare(one, other, metrics=("mae",), bootstrap=RESAMPLES)
    return Difference(name, reference, found.differences["mae"], seeds, found.videos)


def _answers(evaluation: Evaluation, baseline: str) -> Evaluation:
    """Return the evaluation with a baseline's absolute errors in the place of the model's."""
    segments = evaluation.sums.segments
    swapped = {**segments, "absolute": segments[f"{baseline}_absolute"]}
    return replace(evaluation, sums=replace(evaluation.sums, segments=swapped))
