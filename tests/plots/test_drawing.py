"""What is drawn equals the data, Axes by Axes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from progfix.plots.calibration import draw_coverage, draw_pit
from progfix.plots.curves import draw_curve, draw_segment, ink, marker_step
from progfix.plots.density import draw_density
from progfix.plots.ladder import draw_ladder
from progfix.plots.positions import draw_bias, draw_mae, draw_spread
from progfix.plots.style import COUNTING, STYLES, TARGET, look_of, style_context
from progfix.plots.timeline import draw_timeline, placed_names
from progfix.plots.training import draw_loss, draw_skill
from progfix.plots.views import (
    Calibration,
    Curve,
    Density,
    PositionErrors,
    Rung,
    TrainingView,
    VideoView,
)
from tests.plots.made import Array, segment_view


@pytest.fixture
def axes() -> Iterator[Axes]:
    with style_context(STYLES["screen"]), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield Figure().subplots()


def lines(axes: Axes, color: str) -> list[tuple[Array, Array]]:
    return [
        (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.lines
        if line.get_color() == color
    ]


def bars(axes: Axes, place: int) -> list[Rectangle]:
    container = axes.containers[place]
    assert isinstance(container, BarContainer)
    return list(container.patches)


def heights(axes: Axes, place: int) -> list[float]:
    return [bar.get_height() for bar in bars(axes, place)]


def texts(axes: Axes) -> str:
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    found = axes.findobj(lambda artist: hasattr(artist, "get_text"))
    return " | ".join(text.get_text() for text in found)  # type: ignore[attr-defined]


def test_segment_shows_target_counting_and_every_source(axes: Axes) -> None:
    view = segment_view(23, ("before", "after"))
    assert draw_segment(axes, view) is axes
    frames = np.arange(1, 24)
    ((x, y),) = lines(axes, TARGET.color)
    assert np.array_equal(x, frames)
    assert np.array_equal(y, frames / 23)
    ((x, y),) = lines(axes, COUNTING.color)
    assert view.counting is not None
    assert np.array_equal(y, view.counting)
    for place, curve in enumerate(view.curves):
        ((x, y),) = lines(axes, look_of(place).color)
        assert np.array_equal(x, frames)
        assert np.array_equal(y, curve.prediction)
    shown = texts(axes)
    for expected in ("pour water", "v1, 23 frames", "● .050", "■ .100"):
        assert expected in shown


def test_one_frame_is_drawn_as_points(axes: Axes) -> None:
    draw_segment(axes, segment_view(1, ("a", "b")))
    assert [line.get_marker() for line in axes.lines] == [
        COUNTING.marker,
        TARGET.marker,
        look_of(0).marker,
        look_of(1).marker,
    ]
    low, high = axes.get_xlim()
    assert low < 1 < high
    assert "1 frame" in texts(axes)


def test_interval_is_a_band_between_its_ends(axes: Axes) -> None:
    (curve,) = segment_view(7).curves
    banded = replace(curve, lower=curve.prediction - 0.1, upper=curve.prediction + 0.2)
    draw_curve(axes, banded, 0, start=100)
    corners = axes.collections[0].get_paths()[0].vertices
    assert isinstance(corners, np.ndarray)
    for frame, low, high in zip(curve.elapsed + 100, banded.lower, banded.upper, strict=True):  # type: ignore[arg-type]
        y = corners[corners[:, 0] == frame][:, 1]
        assert y.min() == pytest.approx(low)
        assert y.max() == pytest.approx(high)
    assert np.array_equal(lines(axes, look_of(0).color)[0][0], curve.elapsed + 100)


def test_predictions_outside_the_range_are_seen_and_far_ones_are_cut(axes: Axes) -> None:
    (curve,) = segment_view(6).curves
    prediction = np.array([-0.2, 0.1, 99.0, 0.2, 0.3, np.nan])
    draw_segment(axes, replace(segment_view(6), curves=(replace(curve, prediction=prediction),)))
    low, high = axes.get_ylim()
    assert -0.3 < low < -0.2
    assert 1.5 < high < 1.6


@pytest.mark.parametrize(("factor", "offset"), [(100.0, 0.0), (9.0, -5.0)])
def test_predictions_in_other_units_are_seen(axes: Axes, factor: float, offset: float) -> None:
    (curve,) = segment_view(40).curves
    prediction = factor * curve.prediction + offset
    draw_segment(axes, replace(segment_view(40), curves=(replace(curve, prediction=prediction),)))
    low, high = axes.get_ylim()
    assert low <= prediction.min()
    assert high >= prediction.max()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= 6


def test_markers_are_few() -> None:
    for frames in range(1, 2000):
        assert 1 <= -(-frames // marker_step(frames)) <= 8
        assert -(-frames // marker_step(frames, 1)) == 1


def errors_by_position(label: str, by: float) -> PositionErrors:
    parts = np.arange(10) / 10
    return PositionErrors(
        label, parts + by, parts - by, parts, parts + 0.05, parts + 0.1, np.ones(10, np.int64)
    )


def test_positions_are_bars_of_sources_and_steps_of_baselines(axes: Axes) -> None:
    sources = [errors_by_position("a", 0.1), errors_by_position("b", 0.2)]
    baselines = [errors_by_position("constant", 0.3), errors_by_position("counting", 0.4)]
    assert draw_mae(axes, sources, baselines) is axes
    for place, source in enumerate(sources):
        assert heights(axes, place) == pytest.approx(source.mae)
    steps = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    assert len(steps) == 2
    for step, baseline in zip(steps, baselines, strict=True):
        assert np.array_equal(step.get_data().values, baseline.mae)
        assert step.get_data().edges.tolist() == np.linspace(0, 100, 11).tolist()


def test_bias_is_signed(axes: Axes) -> None:
    source = errors_by_position("a", 0.5)
    draw_bias(axes, [source])
    assert heights(axes, 0) == pytest.approx(source.bias)
    assert min(source.bias) < 0 < max(source.bias)


def test_bars_of_a_tenth_stand_within_it_and_beside_each_other(axes: Axes) -> None:
    draw_mae(axes, [errors_by_position(str(n), 0.1) for n in range(4)])
    spans = [
        (bar.get_x(), bar.get_x() + bar.get_width())
        for place in range(4)
        for bar in bars(axes, place)
    ]
    for k in range(10):
        within = sorted(span for span in spans if k * 10 <= span[0] and span[1] <= k * 10 + 10)
        assert len(within) == 4
        assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(within))


def test_spread_shows_range_and_median(axes: Axes) -> None:
    source = errors_by_position("a", 0.1)
    draw_spread(axes, [source])
    assert [bar.get_y() for bar in bars(axes, 0)] == pytest.approx(source.low)
    assert heights(axes, 0) == pytest.approx(source.high - source.low)
    assert np.array_equal(lines(axes, look_of(0).color)[0][1], source.middle)


def test_density_is_normalised_by_target(axes: Axes) -> None:
    counts = np.zeros((4, 5), np.int64)
    counts[0] = [1, 3, 0, 0, 0]
    counts[2, 4] = 7
    median = np.array([0.2, np.nan, 0.9, np.nan])
    draw_density(axes, Density("a", counts, median))
    image = np.asarray(axes.images[0].get_array())
    assert image[:, 0].tolist() == [0.25, 0.75, 0, 0, 0]
    assert image[4, 2] == 1.0
    x, y = lines(axes, look_of(0).color)[0]
    assert x.tolist() == [0.125, 0.375, 0.625, 0.875]
    assert np.array_equal(y, median, equal_nan=True)


def test_ladder_has_a_bar_and_its_numbers_for_each_rung(axes: Axes) -> None:
    rungs = [
        Rung("constant .5", 0.25, 0.5, 0.5, is_baseline=True),
        Rung("mine", 0.075, 0.02, 0.95, is_baseline=False),
        Rung("broken", float("nan"), float("nan"), float("nan"), is_baseline=False),
    ]
    draw_ladder(axes, rungs)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [box.get_width() for box in boxes] == [0.25, 0.075, 0.0]
    shown = texts(axes)
    for expected in ("constant .5", ".250", ".50 to .50", "mine", ".075", ".02 to .95", "n/a"):
        assert expected in shown


def test_timeline_puts_segments_where_they_are(axes: Axes) -> None:
    segments = tuple(
        replace(segment_view(length, ("a", "b"), action=name), segment=place)
        for place, (length, name) in enumerate(((20, "boil"), (1, "pour"), (30, "drink")))
    )
    draw_timeline(axes, VideoView(segments, (5, 30, 40), 80, gaps_known=True))
    for place in (0, 1):
        drawn = lines(axes, look_of(place).color)
        for (x, y), segment, start in zip(drawn, segments, (5, 30, 40), strict=True):
            # A segment that starts at frame 5, counted from 0, has its first at 6.
            assert np.array_equal(x, segment.curves[place].elapsed + start)
            assert np.array_equal(y, segment.curves[place].prediction)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(box.get_x(), box.get_width()) for box in boxes] == [(5.5, 20), (30.5, 1), (40.5, 30)]
    assert {"boil", "pour", "drink"} <= set(texts(axes).split(" | "))
    # Each source's error behind the video's name, in the colour of its curve.
    errors = {text.get_text().strip(): text.get_color() for text in axes.texts}
    for place, error in enumerate((".050", ".100")):
        assert errors[f"{look_of(place).glyph} {error}"] == ink(look_of(place))


def test_names_that_would_overlap_give_way_to_longer_actions() -> None:
    lengths = (100, 2, 3, 100)
    segments = tuple(segment_view(n, action=f"act_{k}") for k, n in enumerate(lengths))
    starts = tuple(np.cumsum((0, *lengths[:-1])).tolist())
    view = VideoView(segments, starts, sum(lengths), gaps_known=False)
    # 205 frames on 205 points: the middles are at 50.5, 101.5, 104 and 155.5 points.
    assert placed_names(view, 205.0, 10.0) == [
        (50.5, "act 0"),
        (104.0, "act 2"),
        (155.5, "act 3"),
    ]
    assert len(placed_names(view, 2050.0, 10.0)) == 4


def test_coverage_and_pit(axes: Axes) -> None:
    coverage = np.linspace(0.5, 0.9, 10)
    views = [None, Calibration("a", 0.8, coverage, 0.7, np.array([1, 3, 0, 0]))]
    draw_coverage(axes, views)
    # The second source keeps the second colour although the first has no intervals.
    ((x, y),) = lines(axes, look_of(1).color)
    assert x.tolist() == list(range(5, 100, 10))
    assert np.array_equal(y, coverage)
    assert lines(axes, TARGET.color)[0][1].tolist() == [0.8, 0.8]
    pit = Figure().subplots()
    draw_pit(pit, views)
    steps = [patch for patch in pit.patches if hasattr(patch, "get_data")]
    assert steps[0].get_data().values.tolist() == [1.0, 3.0, 0.0, 0.0]  # mean 1


def run(label: str, first: float, factor: float) -> TrainingView:
    epoch = np.arange(1.0, 6.0)
    return TrainingView(label, epoch, first * factor ** (epoch - 1), np.array([-1, 0, 0.3, 0.2, 0]))


def test_loss_of_one_run_as_it_is_and_of_several_relative_to_their_start(axes: Axes) -> None:
    only = run("a", 8.0, 0.5)
    draw_loss(axes, [None, only])
    assert np.array_equal(lines(axes, look_of(1).color)[0][1], only.loss)
    assert axes.get_yscale() == "log"
    both = draw_loss(Figure().subplots(), [only, run("b", 0.2, 0.9)])
    assert lines(both, look_of(0).color)[0][1][0] == 1.0
    assert lines(both, look_of(1).color)[0][1] == pytest.approx(0.9 ** np.arange(5))


def test_skill_rings_the_best_epoch(axes: Axes) -> None:
    draw_skill(axes, [run("a", 1.0, 0.5)])
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [(ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings] == [(3.0, 0.3)]  # type: ignore[index]


def test_a_curve_without_a_finite_prediction_is_empty_not_an_error(axes: Axes) -> None:
    elapsed = np.arange(1, 4)
    curve = Curve("a", elapsed, elapsed / 3, np.full(3, np.nan))
    draw_segment(axes, replace(segment_view(3), curves=(curve,)))
    assert "n/a" in texts(axes)


def test_error_of_a_curve_is_over_its_finite_frames() -> None:
    elapsed = np.arange(1, 4)
    curve = Curve("a", elapsed, elapsed / 3, np.array([0.0, np.nan, 0.5]))
    assert curve.mae == pytest.approx((1 / 3 + 1 / 2) / 2)
