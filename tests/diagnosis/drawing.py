"""Pictures that the product's own plots do not have: what single findings rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from progfix.data.dataset import ArrayFeatures, Video
from progfix.diagnosis import Diagnosis
from progfix.diagnosis.measured import StepAudit
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.plots.style import (
    STYLES,
    TARGET,
    bar_fill,
    look_of,
    quiet_axes,
    style_context,
)
from tests.diagnosis.world import Case

P = ParamSpec("P")
WIDTH = 3.3
LAST = 8


@dataclass(frozen=True)
class Training:
    """A few steps of a recipe.

    Attributes:
        label: Its letters.
        head: Root mean square of the gradients that each tensor of the head was given.
        encoder: Those of the encoder's.
        step: The first of them, audited.
    """

    label: str
    head: Sequence[float]
    encoder: Sequence[float]
    step: StepAudit


def styled(build: Callable[P, Figure]) -> Callable[P, Figure]:
    @wraps(build)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with style_context(STYLES["paper"]):
            return build(*args, **kwargs)

    return styled


def panels(number: int, height: float = 1.5, *, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(1, number, squeeze=False, sharey=sharey)[0])


@styled
def gradients(starved: Training, free: Training) -> Figure:
    """The gradients that Adam saw, beside the 1e-8 that it adds to them."""
    figure, (axes,) = panels(1)
    for row, (label, values) in enumerate(
        (
            (f"encoder, {starved.label}", starved.encoder),
            (f"head, {starved.label}", starved.head),
            (f"head, with {free.label}", free.head),
        )
    ):
        look = look_of(1 if "head" in label and row == 1 else 0)
        axes.plot(values, [row] * len(values), look.marker, color=look.color, alpha=0.7)
    axes.axvline(1e-8, **line(), label="what Adam adds")
    axes.axvline(T.moment_rms, color=look_of(1).color, linewidth=0.8, label="threshold")
    axes.set_xscale("log")
    axes.set_yticks(
        range(3),
        [f"encoder,\n{starved.label}", f"head,\n{starved.label}", f"head,\nwith {free.label}"],
    )
    axes.set_ylim(2.6, -0.6)
    axes.set_xlabel("gradient that a tensor was given (root mean square)")
    figure.legend(loc="outside upper right", ncols=2, fontsize="small")
    return quiet(figure)


@styled
def what_is_left(starved: Training, free: Training) -> Figure:
    """One step: the head's gradient, what clipping leaves, and how far that moves it."""
    figure, axes = panels(2)
    names = ["leaves\nthe loss", "is\napplied"]
    for place, run in enumerate((free, starved)):
        values = [run.step.head.gradient, run.step.head.applied]
        fill = bar_fill(look_of(place))
        axes[0].bar(np.arange(2) + (place - 0.5) * 0.38, values, 0.36, label=run.label, **fill)
        axes[1].bar(place, run.step.head.share, 0.5, **fill)
    axes[0].set_yscale("log")
    axes[0].set_xticks([0, 1], names)
    axes[0].set_title("the head's gradient")
    axes[1].set_yscale("log")
    axes[1].axhline(T.starved, **line())
    axes[1].set_xticks([0, 1], [free.label, starved.label])
    axes[1].set_title("its step, of a free one")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2, fontsize="small")
    return quiet(figure)


@styled
def two_futures(leaky: Case, causal: Case) -> Figure:
    """Answers up to a frame, with the recorded future after it and with another."""
    figure, axes = panels(2, sharey=True)
    for place, (case, title) in enumerate(((causal, "causal encoder"), (leaky, "sees the future"))):
        probing = case.opened().probing
        assert probing is not None
        video, donor = probing.videos.videos[:2]
        segment = max(video.segments, key=lambda s: s.duration)
        last = segment.start + segment.duration // 2
        features = video.read().copy()
        other = donor.read()
        features[last + 1 :] = other[np.arange(len(features) - last - 1) % len(other)]
        changed: Video = replace(video, features=ArrayFeatures(features))
        for look, label, shown in ((0, "recorded", video), (1, "another", changed)):
            cut = probing.embed(shown)[segment.start : last + 1]
            (answer,) = probing.answer([cut])
            frames = np.arange(1 - LAST, 1)
            curve(axes[place], frames, answer.progress[-LAST:], look, f"{label} future")
        axes[place].set_title(title)
        axes[place].set_xlabel("frames before the cut")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2, fontsize="small")
    axes[0].set_ylabel("progress")
    return quiet(figure)


@styled
def by_share(diagnoses: Mapping[str, Diagnosis]) -> Figure:
    """How much of the error about log duration embeddings take from a clock."""
    figure, (axes,) = panels(1, 1.2)
    for row, (place, diagnosis) in enumerate(enumerate(diagnoses.values())):
        probe = diagnosis.probes.embeddings
        assert probe is not None
        known = probe.duration
        axes.barh(row, known.value, 0.5, **bar_fill(look_of(place)))
        axes.plot([known.low, known.high], [row, row], color="black", linewidth=1)
    axes.axvline(T.duration_blind, **line())
    axes.set_yticks(range(len(diagnoses)), list(diagnoses))
    axes.invert_yaxis()
    axes.set_xlabel("share of the error about log duration that embeddings take away")
    return quiet(figure)


@styled
def positions_told(durations: Sequence[int]) -> Figure:
    """What solution a tells a head at the last frame of a prefix, and what it should answer."""
    figure, (axes,) = panels(1)
    elapsed = np.arange(1, max(durations) + 1)
    for duration in durations:
        frames = elapsed[:duration]
        axes.plot(frames, frames / duration, color=TARGET.color, linestyle=TARGET.linestyle)
        axes.annotate(f"{duration} frames", (duration, 1.0), ha="center", va="bottom")
    look = look_of(1)
    axes.plot(elapsed, (elapsed - 1) / elapsed, color=look.color, label="position that a tells")
    axes.plot([], [], color=TARGET.color, linestyle=TARGET.linestyle, label="truth, by duration")
    axes.set_ylim(0, 1.18)
    axes.set_xlabel("frames elapsed")
    axes.set_ylabel("progress")
    axes.legend(loc="lower right", fontsize="small")
    return quiet(figure)


@styled
def by_probe(diagnoses: Mapping[str, Diagnosis]) -> Figure:
    """How far the answers move when the input is exchanged."""
    figure, (axes,) = panels(1, 2.3)
    names = [probe.what for probe in next(iter(diagnoses.values())).probes.inputs]
    for place, (label, diagnosis) in enumerate(diagnoses.items()):
        rows = np.arange(len(names)) + (place - 0.5) * 0.38
        moved = [probe.change.value for probe in diagnosis.probes.inputs]
        axes.barh(rows, moved, 0.36, label=label, **bar_fill(look_of(place)))
    axes.axvline(T.unmoved, **line())
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("mean change of the answers")
    axes.legend(loc="lower right", fontsize="small")
    return quiet(figure)


def curve(axes: Axes, x: np.ndarray, y: np.ndarray, place: int, label: str) -> None:
    look = look_of(place)
    every = max(1, math.ceil(len(x) / 6))
    axes.plot(
        x,
        y,
        color=look.color,
        linestyle=look.linestyle,
        marker=look.marker,
        markevery=every,
        label=label,
    )


def line() -> dict[str, Any]:
    return {"color": "black", "linestyle": (0.0, (1.0, 1.5)), "linewidth": 0.9}


def quiet(figure: Figure) -> Figure:
    for axes in figure.axes:
        quiet_axes(axes)
    return figure
