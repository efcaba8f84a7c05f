"""What the reader of an evaluation should know about its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from progfix.data.dataset import Dataset

if TYPE_CHECKING:
    from progfix.evaluation.report import Group, Result

__all__ = ["FEW_VIDEOS", "fitted_on", "notices", "place"]

FEW_VIDEOS = 10
"""Below so many videos, percentile intervals hold clearly less than they promise."""


def place(result: Result, split: str) -> str:
    """Return the data and split that a source's videos are of, as far as it is known.

    Predictions are of the data beside them only if it has their videos.

    Args:
        result: One source.
        split: Which videos the source was opened on.
    """
    data = result.source.data
    if data is None:
        return ""
    whole = f"{data.origin}, {'all splits' if split == 'all' else f'{split} split'}"
    if result.source.kind != "predictions" or not _strangers(result, data.split(split)):
        return whole
    return "" if _strangers(result, data) == len(result.evaluation.sums.videos) else data.origin


def fitted_on(result: Result, split: str) -> str:
    """Return what frame counting was fitted on, with the data's name if `place` has none."""
    source = result.source
    known = source.data is None or source.counting is None or place(result, split)
    return result.evaluation.fitted_on + ("" if known or not source.data else _of(source.data))


def _of(data: Dataset) -> str:
    return f" of {data.origin}"


def _strangers(result: Result, data: Dataset) -> int:
    """Return how many of a source's videos the data does not have."""
    sums = result.evaluation.sums
    by_name = "task" in sums.missing or not any(data.tasks)
    known = {("" if by_name else video.task, video.name) for video in data}
    return sum(("" if by_name else task, name) not in known for task, name in sums.videos)


def notices(groups: Sequence[Group], results: Sequence[Result], resamples: int) -> Iterator[str]:
    """Yield one sentence for each thing that was derived, left out, or differs.

    Args:
        groups: The sources that share videos, with their comparisons.
        results: All sources, in their order.
        resamples: Of the bootstrap.
    """
    said: set[str] = set()
    for result in results:
        data = result.source.data
        yield from result.source.notices
        yield from (n for n in (data.notices if data is not None else ()) if n not in said)
        said |= set(data.notices if data is not None else ())
        yield from _derived(result)
        yield from _foreign(result)
    yield from _different(results)
    for group in groups:
        yield from _compared(group, resamples)
    for group in groups[1:]:
        labels = ", ".join(result.label for result in group.results)
        yield (
            f"{labels}: no video in common with {groups[0].results[0].label}, so not compared "
            "with it; their numbers are about other videos"
        )
    if resamples:
        yield from _few(results)


def _derived(result: Result) -> Iterator[str]:
    missing = result.evaluation.sums.missing
    derived = sorted(missing & {"segment", "elapsed", "duration", "target"})
    if derived:
        yield f"{result.label}: no column for {', '.join(derived)}; derived from the others"
    if "task" in missing:
        yield f"{result.label}: no tasks, so that OGPE is the mean of videos"
    if "action" in missing:
        yield f"{result.label}: no actions, so that counting per action is frame counting"


def _foreign(result: Result) -> Iterator[str]:
    source = result.source
    if source.kind != "predictions" or source.data is None:
        return
    strangers, videos = _strangers(result, source.data), len(result.evaluation.sums.videos)
    if strangers:
        which = "none" if strangers == videos else f"{videos - strangers} only"
        counted = "frame counting was fitted on other data than is predicted"
        yield (
            f"{result.label}: of its {videos} videos, {which} in {source.data.origin}"
            + (f"; {counted} ({result.evaluation.fitted_on})" if source.counting else "")
        )


def _different(results: Sequence[Result]) -> Iterator[str]:
    origins = {r.source.data.origin: None for r in results if r.source.data is not None}
    if len(origins) > 1:
        yield f"the sources were evaluated on different data: {', '.join(origins)}"
    fitted: dict[str, list[str]] = {}
    for result in results:
        fitted.setdefault(result.evaluation.fitted_on, []).append(result.label)
    if len(fitted) > 1:
        each = "; ".join(f"{', '.join(labels)}: {on}" for on, labels in fitted.items())
        yield f"frame counting was not fitted on the same durations for all sources ({each})"


def _compared(group: Group, resamples: int) -> Iterator[str]:
    first = group.results[0]
    for result, comparison in zip(group.results[1:], group.comparisons, strict=True):
        if comparison.left_out:
            yield (
                f"{result.label} and {first.label} have {comparison.videos} videos in common; "
                f"{comparison.left_out} are left out of the differences"
            )
        if comparison.unequal_frames:
            yield (
                f"{result.label} and {first.label} have different frames in "
                f"{comparison.unequal_frames} videos, which are left out of the differences"
            )
        if comparison.videos < FEW_VIDEOS <= len(result.evaluation.sums.videos) and resamples:
            yield (
                f"{result.label} and {first.label} are compared on {comparison.videos} videos: "
                "intervals and stars from so few are too sure; trust them from ten on"
            )


def _few(results: Sequence[Result]) -> Iterator[str]:
    sizes: dict[int, list[str]] = {}
    for result in results:
        sizes.setdefault(len(result.evaluation.sums.videos), []).append(result.label)
    for size, labels in sizes.items():
        who = "" if len(sizes) == 1 else f"{', '.join(labels)}: "
        if size == 1:
            yield f"{who}one video, so no intervals: they come from resampling videos"
        elif size < FEW_VIDEOS:
            yield f"{who}intervals from {size} videos are too narrow; trust them from ten on"
