"""One figure of each kind, with its curves as text, from what sources gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from matplotlib.figure import Figure

from progfix.plots import figures
from progfix.plots.material import Material
from progfix.plots.sparkline import Sparkline
from progfix.plots.style import StyleName
from progfix.plots.text import count, readable
from progfix.plots.views import Array, SegmentView, TrainingView, mean_absolute_error
from progfix.runs import HISTORY
from progfix.sources import Source
from progfix.training.history import read_history

__all__ = ["DRAW", "KINDS", "Drawing", "Kind", "draw_training"]

Kind = Literal["curves", "positions", "density", "timeline", "calibration", "ladder", "training"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, eq=False)
class Drawing:
    """One figure.

    Attributes:
        kind: What it shows; also the name of its file.
        figure: Not shown, and in no window.
        sparklines: Its curves as text.
    """

    kind: Kind
    figure: Figure
    sparklines: tuple[Sparkline, ...]


def _curves(material: Material, style: StyleName) -> Drawing | str:
    if not material.segments:
        return "the sources have no segment in common"
    lines = [
        Sparkline(
            _segment_name(segment), curve.label, tuple(curve.prediction.tolist()), value=curve.mae
        )
        for segment in material.segments
        for curve in segment.curves
    ]
    return Drawing("curves", figures.curves_figure(style, material.segments), tuple(lines))


def _timeline(material: Material, style: StyleName) -> Drawing | str:
    if not material.videos:
        return "the sources have no segment in common"
    lines = []
    for video in material.videos:
        for place, label in enumerate(material.survey.labels):
            curves = [segment.curves[place] for segment in video.segments]
            values = np.concatenate([curve.prediction for curve in curves])
            name, error = video.segments[0].video, mean_absolute_error(curves)
            lines.append(Sparkline(name, label, tuple(values.tolist()), value=error))
    return Drawing("timeline", figures.timeline_figure(style, material.videos), tuple(lines))


def _segment_name(segment: SegmentView) -> str:
    action = readable(segment.action)
    name = f"{action} of {segment.video}" if action else f"{segment.video} #{segment.segment}"
    return f"{name}, {count(segment.duration, 'frame')}"


def _positions(material: Material, style: StyleName) -> Drawing | str:
    known = material.survey
    baselines = list(known.baselines.items())[:2]
    errors = [s.position_errors(label) for label, s in zip(known.labels, known.sums, strict=True)]
    bars = [sums.position_errors(name) for name, sums in baselines]
    top = float(np.nanmax([view.mae for view in (*errors, *bars)]))
    means = [sums.mae for sums in (*known.sums, *(sums for _, sums in baselines))]
    lines = [
        Sparkline("MAE by tenth", view.label, tuple(view.mae.tolist()), 0.0, top, mean)
        for view, mean in zip((*errors, *bars), means, strict=True)
    ]
    return Drawing("positions", figures.positions_figure(style, errors, bars), tuple(lines))


def _density(material: Material, style: StyleName) -> Drawing | str:
    named = list(zip(material.survey.labels, material.survey.sums, strict=True))
    lines = [
        Sparkline(
            "median by tenth",
            label,
            tuple(sums.position_errors(label).middle.tolist()),
            value=sums.mae,
        )
        for label, sums in named
    ]
    views = [sums.density(label) for label, sums in named]
    return Drawing("density", figures.density_figure(style, views), tuple(lines))


def _calibration(material: Material, style: StyleName) -> Drawing | str:
    known = material.survey
    views = [s.calibration(label) for label, s in zip(known.labels, known.sums, strict=True)]
    if not any(views):
        return "no source has intervals (lower, upper) or a probability integral transform (pit)"
    lines = [
        Sparkline(
            f"{view.nominal:.0%} coverage by tenth",
            view.label,
            tuple(view.coverage.tolist()),
            value=view.overall,
        )
        for view in views
        if view is not None and view.coverage is not None
    ]
    return Drawing("calibration", figures.calibration_figure(style, views), tuple(lines))


def _ladder(material: Material, style: StyleName) -> Drawing | str:
    known = material.survey
    rungs = [sums.rung(name, is_baseline=True) for name, sums in known.baselines.items()]
    rungs += [
        sums.rung(label, is_baseline=False)
        for label, sums in zip(known.labels, known.sums, strict=True)
    ]
    steps = (np.arange(20) + 0.5) / 20 * float(np.nanmax([rung.mae for rung in rungs]))
    lines = [
        Sparkline("MAE", r.label, tuple(np.where(steps <= r.mae, 1.0, np.nan)), value=r.mae)
        for r in rungs
    ]
    return Drawing("ladder", figures.ladder_figure(style, rungs), tuple(lines))


def draw_training(sources: Sequence[Source], style: StyleName) -> Drawing | str:
    """Draw the histories of those sources that are runs, or say that none is.

    Raises:
        InputError: If a run's history cannot be read.
    """
    views = [_history(source) for source in sources]
    lines = []
    for view in views:
        if view is not None:
            lines += [
                _course("training loss", view.label, view.loss),
                _course("validation skill", view.label, view.skill),
            ]
    if not lines:
        return "no source is a run with an epoch in its history"
    return Drawing("training", figures.training_figure(style, views), tuple(lines))


def _history(source: Source) -> TrainingView | None:
    if source.kind != "run" or source.path is None:
        return None
    rows = read_history(source.path / HISTORY)
    if not rows:
        return None
    epoch, loss, skill = (
        np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name in ("epoch", "train_loss", "val_skill_frame_counting")
    )
    return TrainingView(source.label, epoch, loss, skill)


def _course(name: str, label: str, values: Array) -> Sparkline:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return Sparkline(name, label, tuple(values.tolist()), low, high, float(values[-1]))


DRAW: Mapping[Kind, Callable[[Material, StyleName], Drawing | str]] = {
    "curves": _curves,
    "positions": _positions,
    "density": _density,
    "timeline": _timeline,
    "calibration": _calibration,
    "ladder": _ladder,
}
