"""Pictures of defects in data, as planted in the small world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.plots.style import STYLES, look_of, style_context
from tests.diagnosis.drawing import panels, quiet, styled
from tests.diagnosis.planting import DISEASES, HEALTHY
from tests.diagnosis.world import World

__all__ = ["DATA_PICTURES", "DEFECTS"]

Videos = tuple[Video, ...]
WORLD = World(1)


def _planted(disease: str) -> Callable[[], Videos]:
    def damage() -> Videos:
        case = DISEASES[disease].plant(HEALTHY["sees"](WORLD.seed))
        assert case.damage is not None
        return case.damage(WORLD.videos())

    return damage


def overlapping() -> Videos:
    """The second segment of the first video begins before the first one ends."""
    first, *others = WORLD.videos()
    one, two, *rest = first.segments
    early = replace(two, start=one.end - one.duration // 2)
    return (replace(first, segments=(one, early, *rest)), *others)


def beyond() -> Videos:
    """The first video's last segment begins after its features end."""
    first, *others = WORLD.videos()
    end = first.num_frames
    late = Segment(end + 10, end + 40, "action 0")
    return (replace(first, segments=(*first.segments, late)), *others)


def non_finite() -> Videos:
    """Some features of the first video are not numbers."""
    first, *others = WORLD.videos()
    features = first.read().copy()
    features[40:60, 3:6] = np.nan
    return (replace(first, features=ArrayFeatures(features)), *others)


def duplicated() -> Videos:
    """The first training video is there twice, under two names."""
    first, *others = WORLD.videos()
    return (first, replace(first, name=f"{first.name} again"), *others)


DEFECTS: Mapping[str, Callable[[], Videos]] = {
    "split-leak": _planted("copies in two splits"),
    "background-as-action": _planted("background as action"),
    "constant-features": _planted("still video"),
    "one-frame-actions": _planted("one-frame actions"),
    "fps-mismatch": _planted("mixed frame rates"),
    "overlapping-segments": overlapping,
    "beyond-features": beyond,
    "non-finite": non_finite,
    "duplicate-videos": duplicated,
}
"""Videos with each defect."""


def strip(axes: Axes, videos: Sequence[Video], segments: int) -> None:
    """The first segments of videos as boxes, in two heights so that overlaps show."""
    for row, video in enumerate(videos):
        chosen = video.segments[:segments] if segments > 0 else video.segments[segments:]
        for place, segment in enumerate(chosen):
            look = look_of(place % 2)
            axes.broken_barh(
                [(segment.start, segment.duration)],
                (row + 0.12 * (place % 2), 0.55),
                color=look.color,
                alpha=0.75,
            )
    axes.set_yticks([row + 0.33 for row in range(len(videos))], [v.name for v in videos])
    axes.invert_yaxis()
    axes.set_xlabel("frame of the video")


@styled
def overlap() -> Figure:
    figure, (axes,) = panels(1, 1.1)
    strip(axes, DEFECTS["overlapping-segments"]()[:2], 4)
    return quiet(figure)


@styled
def past_the_end() -> Figure:
    figure, (axes,) = panels(1, 1.1)
    videos = DEFECTS["beyond-features"]()[:1]
    strip(axes, videos, -3)
    axes.axvline(videos[0].num_frames, color="black", linewidth=1)
    axes.annotate(" the features end", (videos[0].num_frames, -0.05), va="bottom")
    axes.set_ylim(0.8, -0.4)
    return quiet(figure)


@styled
def frames_by_action() -> Figure:
    figure, (axes,) = panels(1)
    frames: dict[str, int] = {}
    count: dict[str, int] = {}
    for video in DEFECTS["background-as-action"]():
        for segment in video.segments:
            frames[segment.action] = frames.get(segment.action, 0) + segment.duration
            count[segment.action] = count.get(segment.action, 0) + 1
    names = sorted(count, key=lambda name: -count[name])
    colours = [look_of(1 if name == "idle" else 0).color for name in names]
    axes.barh(range(len(names)), [count[name] / 20 for name in names], color=colours)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("segments of a video")
    return quiet(figure)


@styled
def durations() -> Figure:
    figure, (axes,) = panels(1, 1.3)
    lengths = [s.duration for v in DEFECTS["one-frame-actions"]() for s in v.segments]
    heights, edges = np.histogram(lengths, bins=[1, 2, *range(5, 125, 5)])
    colours = [look_of(1).color, *[look_of(0).color] * (len(heights) - 1)]
    axes.bar(edges[:-1], heights, np.diff(edges) * 0.9, align="edge", color=colours)
    axes.annotate("one frame", (2, heights[0]), (4, -8), textcoords="offset points")
    axes.set_xlabel("frames of an action")
    axes.set_ylabel("actions")
    return quiet(figure)


@styled
def seconds() -> Figure:
    figure, (axes,) = panels(1, 1.3)
    for video in DEFECTS["fps-mismatch"]():
        rate = video.fps or 1.0
        look = look_of(0 if rate == 4 else 1)
        times = [s.duration / rate for s in video.segments]
        axes.plot(times, [rate] * len(times), look.marker, color=look.color, alpha=0.5)
    axes.set_yticks([4, 25], ["4 fps", "25 fps"])
    axes.set_ylim(-5, 34)
    axes.set_xlabel("seconds that actions take, as the labels' rate has it")
    return quiet(figure)


def pair_of(name: str, *places: int) -> Callable[[], Figure]:
    """Features of two videos beside each other; what is no number is marked."""

    def draw() -> Figure:
        with style_context(STYLES["paper"]):
            figure, axes = panels(2, 1.3)
            videos = DEFECTS[name]()
            for panel, place in zip(axes, places, strict=True):
                video = videos[place]
                shown = np.ma.masked_invalid(video.read()[:120].T)
                panel.imshow(shown, aspect="auto", cmap="Greys", interpolation="nearest")
                panel.set_facecolor(look_of(1).color)
                panel.set_title(f"{video.name} ({video.split})")
                panel.set_xlabel("frame")
                panel.set_yticks([])
            axes[0].set_ylabel("feature")
            return figure

    return draw


@styled
def lists_and_videos() -> Figure:
    """Five videos with six lists: paired by position, all after the surplus one are wrong."""
    figure, (axes,) = panels(1, 1.3)
    for place in range(6):
        axes.text(place, 1, f"list {place + 1}", ha="center", bbox={"fc": "white", "pad": 2})
        if place < 5:
            axes.text(place, 0, f"video {place + 1}", ha="center", bbox={"fc": "white", "pad": 2})
            look = look_of(0 if place < 2 else 1)
            axes.plot([place, place], [0.2, 0.95], color=look.color, linestyle=look.linestyle)
            if place >= 2:
                axes.plot([place + 1, place], [0.95, 0.2], color=look_of(0).color, alpha=0.5)
    axes.annotate("surplus", (2, 1.25), ha="center", color=look_of(1).color)
    axes.set_xlim(-0.5, 5.5)
    axes.set_ylim(-0.2, 1.5)
    axes.set_axis_off()
    return figure


DATA_PICTURES: Mapping[str, Callable[[], Figure]] = {
    "overlapping-segments": overlap,
    "mismatched-lists": lists_and_videos,
    "beyond-features": past_the_end,
    "split-leak": pair_of("split-leak", 10, 20),
    "background-as-action": frames_by_action,
    "non-finite": pair_of("non-finite", 0, 1),
    "constant-features": pair_of("constant-features", 0, 1),
    "one-frame-actions": durations,
    "duplicate-videos": pair_of("duplicate-videos", 0, 1),
    "fps-mismatch": seconds,
}
