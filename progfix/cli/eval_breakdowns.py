"""Where a source errs, as `progfix eval --by` shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from progfix.cli.render import Rows, interval, number
from progfix.evaluation import Bin, Estimate
from progfix.evaluation.notices import FEW_VIDEOS
from progfix.evaluation.report import EvalReport, Result

__all__ = ["breakdowns"]


def breakdowns(
    report: EvalReport, result: Result, *, positions: bool
) -> Iterator[tuple[str, Rows]]:
    """Yield a title and a table for each breakdown of a source's errors.

    Args:
        report: All sources, for what was asked for.
        result: One of them.
        positions: Whether errors by position were asked for.
    """
    evaluation = result.evaluation
    name = f"{result.label}: " if len(report.results) > 1 else ""
    if positions:
        yield f"{name}by position in the action", _bins(evaluation.positions)
    for kind, groups in evaluation.groups.items():
        title = "duration in frames" if kind == "duration" else kind
        yield f"{name}by {title}", _groups(title, groups)


def _bins(bins: Sequence[Bin]) -> Rows:
    rows = Rows("position", ("frames", "MAE", "95 % interval", "bias", "95 % interval"))
    for part in bins:
        rows.add(
            f"{part.low:.2f} to {part.high:.2f}",
            f"{part.count:,}",
            number(part.mae.value),
            interval(part.mae),
            number(part.bias.value, signed=True),
            interval(part.bias, signed=True),
        )
    return rows


def _groups(title: str, groups: Mapping[str, Mapping[str, Estimate]]) -> Rows:
    videos = [metrics["mae_video"].count for metrics in groups.values()]
    few = any(1 < n < FEW_VIDEOS for n in videos) and any(
        not math.isnan(metrics["mae"].low) for metrics in groups.values()
    )
    rows = Rows(
        title,
        ("videos", "frames", "MAE", "95 % interval", "bias", "vs 0.5", "vs count"),
        caption=f"intervals of fewer than {FEW_VIDEOS} videos are too narrow" if few else "",
    )
    blank = {"task": "(no task)", "action": "(no action)"}.get(title, "")
    for group, metrics in groups.items():
        rows.add(
            group or blank,
            f"{metrics['mae_video'].count:,}",
            f"{metrics['mae'].count:,}",
            number(metrics["mae"].value),
            interval(metrics["mae"]),
            number(metrics["bias"].value, signed=True),
            *(
                number(metrics[f"skill_{name}"].value, 2, signed=True)
                for name in ("constant", "frame_counting")
            ),
        )
    return rows
