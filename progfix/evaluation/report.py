"""Evaluate sources side by side: the worker behind `progfix eval`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from progfix.errors import InputError, Problem
from progfix.evaluation.comparison import Comparison, compare
from progfix.evaluation.estimates import Breakdown, Evaluation
from progfix.evaluation.evaluator import Evaluator
from progfix.evaluation.suspicion import suspicions
from progfix.predictions import Predictions
from progfix.predictions_io import PredictionsWriter

if TYPE_CHECKING:
    from progfix.evaluation.alignment import Alignment
    from progfix.sources import Source

__all__ = ["EvalOptions", "EvalReport", "Result", "evaluate"]


@dataclass(frozen=True)
class EvalOptions:
    """How sources are evaluated.

    Attributes:
        bootstrap: Resamples of the videos; 0 for no intervals.
        seed: Of the resamples.
        bins: Position bins.
        by: Breakdowns to compute.
        save_predictions: Where to write the predictions of the one source, or None.
    """

    bootstrap: int = 1000
    seed: int = 0
    bins: int = 10
    by: tuple[Breakdown, ...] = ()
    save_predictions: Path | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """One source and its evaluation.

    Attributes:
        source: What was evaluated.
        evaluation: Its metrics.
        alignment: How well its embeddings align videos, where that was asked for.
    """

    source: Source
    evaluation: Evaluation
    alignment: Alignment | None = None

    @property
    def label(self) -> str:
        """The source's short name."""
        return self.source.label


@dataclass(frozen=True, eq=False)
class EvalReport:
    """What `progfix eval` found.

    Attributes:
        results: In the order of the sources.
        comparisons: Of every further source to the first.
        options: How it was computed.
        split: Which videos were evaluated.
        notices: What the reader should know about the input.
        suspicions: What makes the results themselves doubtful.
    """

    results: Sequence[Result]
    comparisons: Sequence[Comparison]
    options: EvalOptions
    split: str
    notices: Sequence[str]
    suspicions: Sequence[str]


def evaluate(
    sources: Sequence[Source],
    options: EvalOptions | None = None,
    *,
    split: str = "test",
    observe: Callable[[str, int], None] | None = None,
    alignments: Sequence[Alignment | None] = (),
) -> EvalReport:
    """Evaluate sources and compare each with the first.

    Args:
        sources: What to evaluate, at least one.
        options: How.
        split: Which videos the sources were opened on, for the report.
        observe: Called with a source's label and the number of rows after each chunk.
        alignments: Of each source (`progfix.evaluation.alignment`), to report beside.

    Raises:
        InputError: If a source has no predictions, or they cannot be saved as asked.
        ValueError: If there is no source.
    """
    options = options or EvalOptions()
    _require_predictions(sources, options)
    results: list[Result] = []
    for source in sources:
        evaluator = Evaluator(counting=source.counting, bins=options.bins)
        out = (
            nullcontext(None)
            if options.save_predictions is None
            else PredictionsWriter(options.save_predictions)
        )
        with out as writer:
            for chunk in _chunks(source):
                evaluator.update(chunk)
                if writer is not None:
                    writer.write(chunk)
                if observe is not None:
                    observe(source.label, len(chunk))
            evaluation = evaluator.compute(
                bootstrap=options.bootstrap, seed=options.seed, by=options.by
            )
        alignment = alignments[len(results)] if alignments else None
        results.append(Result(source, evaluation, alignment))
    comparisons = [
        compare(
            results[0].evaluation, other.evaluation, bootstrap=options.bootstrap, seed=options.seed
        )
        for other in results[1:]
    ]
    return EvalReport(
        results,
        comparisons,
        options,
        split,
        tuple(_notices(results, comparisons)),
        tuple(suspicions({r.label: r.evaluation for r in results}, _judged(results))),
    )


def _chunks(source: Source) -> Iterator[Predictions]:
    empty = True
    for chunk in source.chunks() if source.chunks is not None else ():
        empty = empty and len(chunk) == 0
        yield chunk
    if empty:
        raise InputError(
            Problem(source.label, "frames of action segments", "none", "check data and split")
        )


def _judged(results: Sequence[Result]) -> set[str]:
    return {result.label for result in results if result.source.kind != "baseline"}


def _require_predictions(sources: Sequence[Source], options: EvalOptions) -> None:
    if not sources:
        raise ValueError("expected at least one source, found none")
    problems = [
        Problem(
            source.label,
            "predictions to evaluate",
            source.why_not or "none",
            "give data that fits, or a predictions file",
        )
        for source in sources
        if source.chunks is None
    ]
    if options.save_predictions is not None and len(sources) > 1:
        problems.append(
            Problem("--save-predictions", "one source", f"{len(sources)}", "save them one by one")
        )
    saved = options.save_predictions
    if saved is not None and saved.exists():
        fix = "choose another name, or remove it first"
        problems.append(Problem(f"--save-predictions {saved}", "a new file", "one is there", fix))
    if problems:
        raise InputError(problems)


def _notices(results: Sequence[Result], comparisons: Sequence[Comparison]) -> Iterator[str]:
    said: set[str] = set()
    for result in results:
        data = result.source.data
        yield from (n for n in (data.notices if data is not None else ()) if n not in said)
        said |= set(data.notices if data is not None else ())
        missing = result.evaluation.sums.missing
        derived = sorted(missing & {"segment", "elapsed", "duration", "target"})
        if derived:
            yield f"{result.label}: no column for {', '.join(derived)}; derived from the others"
        if "task" in missing:
            yield f"{result.label}: no tasks, so that OGPE is the mean of videos"
        if "action" in missing:
            yield f"{result.label}: no actions, so that counting per action is frame counting"
    origins = {r.source.data.origin: None for r in results if r.source.data is not None}
    if len(origins) > 1:
        yield f"the sources were evaluated on different data: {', '.join(origins)}"
    if len({result.evaluation.fitted_on for result in results}) > 1:
        yield "frame counting was not fitted on the same durations for all sources"
    for result, comparison in zip(results[1:], comparisons, strict=True):
        if comparison.left_out:
            yield (
                f"{result.label} and {results[0].label} have {comparison.videos} videos in common; "
                f"{comparison.left_out} are left out of the differences"
            )
        if comparison.unequal_frames:
            yield (
                f"{result.label} and {results[0].label} have different numbers of frames in "
                f"{comparison.unequal_frames} videos"
            )
