"""Evaluate sources side by side: the worker behind `progfix eval`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from progfix.errors import InputError, Problem
from progfix.evaluation.comparison import Comparison, common_videos, compare
from progfix.evaluation.estimates import Breakdown, Evaluation
from progfix.evaluation.evaluator import Evaluator
from progfix.evaluation.notices import notices
from progfix.evaluation.suspicion import suspicions
from progfix.predictions import Predictions
from progfix.predictions_io import PredictionsWriter

if TYPE_CHECKING:
    from progfix.evaluation.alignment import Alignment
    from progfix.sources import Source

__all__ = ["EvalOptions", "EvalReport", "Group", "Result", "evaluate"]


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
class Group:
    """Sources that have videos in common with the first of them.

    Attributes:
        results: In their order.
        comparisons: Of every further one to the first.
    """

    results: Sequence[Result]
    comparisons: Sequence[Comparison]


@dataclass(frozen=True, eq=False)
class EvalReport:
    """What `progfix eval` found.

    Attributes:
        results: In the order of the sources.
        groups: The same, those apart that have no video in common and cannot be compared.
        options: How it was computed.
        split: Which videos were evaluated.
        notices: What the reader should know about the input.
        suspicions: What makes the results themselves doubtful.
    """

    results: Sequence[Result]
    groups: Sequence[Group]
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
    """Evaluate sources and compare each with the first that it has videos in common with.

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
    groups = [_compared(group, options) for group in _grouped(results)]
    return EvalReport(
        results,
        groups,
        options,
        split,
        tuple(notices(groups, results, options.bootstrap)),
        tuple(suspicions({r.label: r.evaluation for r in results}, _judged(results))),
    )


def _grouped(results: Sequence[Result]) -> list[list[Result]]:
    groups: list[list[Result]] = []
    for result in results:
        for group in groups:
            if common_videos(group[0].evaluation.sums, result.evaluation.sums):
                group.append(result)
                break
        else:
            groups.append([result])
    return groups


def _compared(results: Sequence[Result], options: EvalOptions) -> Group:
    first, *others = (result.evaluation for result in results)
    comparisons = [
        compare(first, other, bootstrap=options.bootstrap, seed=options.seed) for other in others
    ]
    return Group(results, comparisons)


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
