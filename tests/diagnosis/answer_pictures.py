"""Pictures of answers: by position, by frames elapsed, and on the ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from progfix.diagnosis import Diagnosis
from progfix.plots.legends import bar_handles
from progfix.plots.material import Wanted, gather
from progfix.plots.positions import draw_bias, draw_mae
from progfix.plots.style import COUNTING, TARGET, bar_fill, look_of
from progfix.predictions import Predictions
from progfix.sources import Source
from tests.diagnosis.drawing import curve, panels, quiet, styled
from tests.diagnosis.planted import TASKS, in_task, in_tasks, planted


@styled
def rungs(diagnosis: Diagnosis, label: str) -> Figure:
    """The ladder from knowing nothing to being right."""
    figure, (axes,) = panels(1, 1.7)
    names = [label if rung.name == "head" else rung.label for rung in diagnosis.ladder[:-1]]
    for row, rung in enumerate(diagnosis.ladder[:-1]):
        look = look_of(1) if rung.name == "head" else COUNTING
        axes.barh(row, rung.mae, 0.6, **bar_fill(look))
        axes.annotate(
            f"{rung.mae:.3f}", (rung.mae, row), (2, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, 1.15 * max(rung.mae for rung in diagnosis.ladder))
    axes.invert_yaxis()
    axes.set_xlabel("MAE")
    return quiet(figure)


@styled
def by_position(sources: Sequence[Source], *, bias: bool) -> Figure:
    """Error or bias by tenth of the action."""
    known = gather(sources, Wanted(segments=False)).survey
    errors = [s.position_errors(label) for label, s in zip(known.labels, known.sums, strict=True)]
    figure, (axes,) = panels(1)
    (draw_bias if bias else draw_mae)(axes, errors)
    axes.set_xlabel("position in the action (%)")
    figure.legend(
        handles=bar_handles(known.labels), loc="outside upper left", ncols=2, fontsize="small"
    )
    return quiet(figure)


@styled
def first_frames(sources: Sequence[Source], *, shown_from: int, until: int = 25) -> Figure:
    """Answers by frames elapsed, where training shows them and where it does not."""
    figure, (axes,) = panels(1)
    axes.axvspan(0.5, shown_from - 0.5, color="#f1dcd2")
    axes.annotate("never shown in training", (shown_from / 2, 0.93), ha="center", va="top")
    frames = np.arange(1, until + 1)
    for place, source in enumerate(sources):
        sums = np.zeros((3, until + 1))
        for elapsed, target, prediction in _rows(source):
            near = elapsed <= until
            for row, values in enumerate((np.ones_like(target), target, prediction)):
                sums[row] += np.bincount(elapsed[near], values[near], minlength=until + 1)
        count, target, answer = sums[:, 1:]
        curve(axes, frames, answer / count, place, source.label)
    axes.plot(frames, target / count, color=TARGET.color, linestyle=TARGET.linestyle, label="truth")
    axes.set_ylim(0, 1)
    axes.set_xlabel("frames elapsed")
    axes.set_ylabel("mean progress")
    axes.legend(loc="lower right", fontsize="small")
    return quiet(figure)


@styled
def same_elapsed(sources: Sequence[Source], number: int = 8) -> Figure:
    """Answers to several segments by frames elapsed: a clock's lie on one line."""
    figure, axes = panels(2, sharey=True)
    for place, source in enumerate(sources):
        segments = sorted(_segments(source), key=lambda s: len(s[0]))
        picked = [segments[i] for i in np.linspace(0, len(segments) - 1, number).astype(int)]
        for elapsed, target, prediction in picked:
            axes[place].plot(elapsed, target, color=COUNTING.color, linewidth=0.6)
            axes[place].plot(elapsed, prediction, color=look_of(place).color, linewidth=0.8)
        axes[place].set_title(source.label)
        axes[place].set_xlabel("frames elapsed")
    axes[0].set_ylabel("progress (truth in grey)")
    return quiet(figure)


def one_task_flat(seed: int) -> Predictions:
    """Predictions of five tasks, in one of which the answer is always the same."""
    table = in_tasks(planted("noisy", "medium", seed, segments=100))
    return table.with_prediction(np.where(in_task(table, "fry"), 0.45, table.prediction))


@styled
def errors_of_tasks(table: Predictions) -> Figure:
    """MAE of each task, with that of answering 0.5."""
    figure, (axes,) = panels(1, 1.7)
    error, constant = np.abs(table.prediction - table.target), np.abs(0.5 - table.target)
    for row, task in enumerate(TASKS):
        rows = in_task(table, task)
        axes.barh(row - 0.2, error[rows].mean(), 0.38, **bar_fill(look_of(0)))
        axes.barh(row + 0.2, constant[rows].mean(), 0.38, **bar_fill(COUNTING))
    axes.set_yticks(range(len(TASKS)), TASKS)
    axes.invert_yaxis()
    axes.set_xlabel("MAE (grey: answering 0.5)")
    return quiet(figure)


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def _rows(source: Source) -> Iterator[Rows]:
    assert source.chunks is not None
    for chunk in source.chunks():
        yield chunk.elapsed, chunk.target, chunk.prediction


def _segments(source: Source) -> Iterator[Rows]:
    assert source.chunks is not None
    for chunk in source.chunks():
        starts = [*chunk.segment_starts(), len(chunk)]
        for first, end in pairwise(starts):
            rows = slice(int(first), int(end))
            yield chunk.elapsed[rows], chunk.target[rows], chunk.prediction[rows]
