"""Drawings as inline SVG: their colours are the page's, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import count

from progfix.diagnosis.model import Position, Rung
from progfix.diagnosis.text import number
from progfix.plots.views import Array, Density, SegmentView
from progfix.report.markup import Markup, element

__all__ = ["draw_curves", "draw_density", "draw_ladder", "draw_positions"]

_ids = count(1)


def _canvas(width: float, height: float, title: str, what: str, parts: Iterable[Markup]) -> Markup:
    own = f"drawing-{next(_ids)}"
    return element(
        "svg",
        element("title", title, id=f"{own}-title"),
        element("desc", what, id=f"{own}-desc"),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{own}-title {own}-desc",
        xmlns="http://www.w3.org/2000/svg",
    )


def _words(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> Markup:
    return element(
        "text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind or None
    )


def _box(x: float, y: float, width: float, height: float, kind: str, opacity: float = 1) -> Markup:
    return element(
        "rect",
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        width=f"{max(width, 0):.1f}",
        height=f"{height:.1f}",
        class_=kind,
        fill_opacity=f"{opacity:.2f}" if opacity < 1 else None,
    )


def _line(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polyline", points=path, class_=kind)


def draw_ladder(rungs: Sequence[Rung]) -> Markup:
    """Draw the ladder from knowing nothing to being right, a bar of MAE per rung."""
    longest = max(rung.mae for rung in rungs) or 1.0
    parts: list[Markup] = []
    for place, rung in enumerate(rungs):
        y = 30 * place
        kind = {"head": "mine", "repaired": "repaired"}.get(rung.name, "other")
        parts += [
            _words(0, y + 19, rung.label, kind="strong" if rung.name == "head" else ""),
            _box(300, y + 6, 330 * rung.mae / longest, 18, kind),
            _words(306 + 330 * rung.mae / longest, y + 20, number(rung.mae)),
        ]
    said = ", ".join(f"{rung.label} {number(rung.mae)}" for rung in rungs)
    return _canvas(700, 30 * len(rungs), "Ladder of mean absolute errors", said, parts)


def draw_positions(positions: Sequence[Position]) -> Markup:
    """Draw the error by position in the action, that of answering 0.5 behind it."""
    known = [p for p in positions if p.count]
    top = max([0.5, *(p.mae for p in known)])
    width, height, left = 640.0, 220.0, 40.0
    each = width / len(positions)
    parts = [_words(left - 6, 12, number(top, 1), anchor="end")]
    parts += [_words(left - 6, height, "0", anchor="end")]
    for place, part in enumerate(positions):
        x = left + place * each
        middle = (part.low + part.high) / 2
        constant = abs(middle - 0.5) * height / top
        parts.append(_box(x + 1, height - constant, each - 2, constant, "other"))
        if part.count:
            mae = part.mae * height / top
            parts.append(_box(x + each * 0.2, height - mae, each * 0.6, mae, "mine"))
        if len(positions) <= 20:
            label = f"{part.high * 100:.0f} %"
            parts.append(_words(x + each / 2, height + 18, label, anchor="middle"))
    said = "; ".join(f"up to {p.high:.0%}: {number(p.mae)}" for p in known)
    return _canvas(700, height + 26, "Error by position in the action", said, parts)


def draw_density(density: Density) -> Markup:
    """Draw how often a target meets a prediction; the diagonal is right."""
    size, left = 320.0, 40.0
    counts = _coarse(density.counts.astype(float), 32)
    most = counts.max() or 1.0
    cell = size / len(counts)
    parts = [
        # Square roots, so that rare cells are still seen.
        _box(left + i * cell, size - (j + 1) * cell, cell, cell, "mine", math.sqrt(n / most))
        for i, column in enumerate(counts)
        for j, n in enumerate(column)
        if n
    ]
    parts += [
        _line([(left, size), (left + size, 0)], "target"),
        _words(left, size + 18, "0"),
        _words(left + size, size + 18, "1", anchor="end"),
        _words(left + size / 2, size + 18, "target", anchor="middle"),
        _words(left - 6, size, "0", anchor="end"),
        _words(left - 6, 12, "1", anchor="end"),
        element(
            "text", "answer", transform=f"translate({left - 12:.0f},{size / 2:.0f}) rotate(-90)"
        ),
    ]
    medians = density.median[[0, len(density.median) // 2, -1]]
    said = "Median prediction at the first, middle and last targets: " + ", ".join(
        number(float(value), 2) for value in medians
    )
    return _canvas(left + size, size + 26, "Predictions against targets", said, parts)


def _coarse(counts: Array, cells: int) -> Array:
    step = max(1, len(counts) // cells)
    kept = counts[: len(counts) // step * step, : counts.shape[1] // step * step]
    shape = (len(kept) // step, step, kept.shape[1] // step, step)
    summed: Array = kept.reshape(shape).sum(axis=(1, 3))
    return summed


def draw_curves(segment: SegmentView) -> Markup:
    """Draw what each source answers in one segment, the truth and frame counting beside it."""
    width, height, left = 280.0, 150.0, 26.0
    longest = max(segment.duration, 2)

    def place(elapsed: Sequence[int], values: Sequence[float]) -> list[tuple[float, float]]:
        return [
            (left + (t - 1) / (longest - 1) * width, height * (1 - min(max(v, 0.0), 1.0)))
            for t, v in zip(elapsed, values, strict=True)
            if math.isfinite(v)
        ]

    first = segment.curves[0]
    frames = first.elapsed.tolist()
    parts = [_line(place(frames, first.target.tolist()), "target")]
    if segment.counting is not None:
        parts.append(_line(place(frames, segment.counting.tolist()), "counting"))
    for kind, curve in zip(("mine", "repaired"), segment.curves, strict=False):
        parts.append(
            _line(place(curve.elapsed.tolist(), curve.prediction.tolist()), f"curve {kind}")
        )
    parts += [
        _words(left - 5, 11, "1", anchor="end"),
        _words(left - 5, height, "0", anchor="end"),
        _words(left, height + 16, "frame 1"),
        _words(left + width, height + 16, f"{segment.duration}", anchor="end"),
    ]
    name = segment.action or f"{segment.video} #{segment.segment}"
    said = "; ".join(
        f"{curve.label} begins at {number(float(curve.prediction[0]), 2)}, ends at "
        f"{number(float(curve.prediction[-1]), 2)}, MAE {number(curve.mae)}"
        for curve in segment.curves
    )
    return _canvas(left + width, height + 22, f"{name}, {segment.duration} frames", said, parts)
