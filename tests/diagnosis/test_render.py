import dataclasses
import math

import pytest

from progfix.diagnosis import Diagnosis, NotChecked, Position, diagnose, render_text
from progfix.diagnosis.text import compared, number, percent, span
from tests.diagnosis.planted import KINDS, planted


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_a_command_is_wider_than_the_screen(kind: str) -> None:
    lines = render_text(diagnose(planted(kind, "wide", seed=0))).splitlines()
    lengths = [len(line) for line in lines if not line.startswith("  progfix train")]
    assert 72 < max(lengths) <= 79


def test_the_verdict_comes_first_and_the_numbers_beside_their_baselines() -> None:
    diagnosis = diagnose(planted("constant", "medium", seed=0))
    lines = render_text(diagnosis).splitlines()
    assert lines[0].startswith("Looks fine by its loss (MAE .251), but answers .48 to .49")
    start = next(i for i, line in enumerate(lines) if line.startswith("  MAE"))
    assert number(diagnosis.summary.mae) in lines[start]
    assert number(diagnosis.summary.mae_constant) in lines[start + 1]
    assert number(diagnosis.summary.mae_frame_counting) in lines[start + 2]
    parts = ("1. error", "What goes with", "To repair", "Not checked")
    places = [next(i for i, x in enumerate(lines) if x.startswith(part)) for part in parts]
    assert places == sorted(places)


def bars(diagnosis: Diagnosis, *, ascii_only: bool = True) -> list[int]:
    text = render_text(diagnosis, ascii_only=ascii_only)
    return [line.count("#") for line in text.splitlines() if " %  " in line and "-" in line[:8]]


def test_bars_show_the_deceptive_middle() -> None:
    # Errors .4 .3 .2 .1 0 .1 .2 .3 .4 .5 of a constant, .5 filling all 44 columns.
    positions = tuple(
        Position(i / 10, (i + 1) / 10, abs(0.5 - (i + 1) / 10), 0.5 - (i + 1) / 10, 10)
        for i in range(10)
    )
    diagnosis = dataclasses.replace(
        diagnose(planted("constant", "medium", seed=0)), positions=positions
    )
    assert bars(diagnosis) == [35, 26, 18, 9, 0, 9, 18, 26, 35, 44]


def test_an_empty_position_has_no_bar_and_larger_errors_fit() -> None:
    positions = (
        Position(0.0, 0.5, math.nan, math.nan, 0),
        Position(0.5, 1.0, 0.9, -0.9, 10),
    )
    diagnosis = dataclasses.replace(
        diagnose(planted("constant", "medium", seed=0)), positions=positions
    )
    assert bars(diagnosis) == [0, 44]
    small = dataclasses.replace(diagnosis, positions=(Position(0.0, 1.0, 0.05, 0.0, 10),))
    assert bars(small) == [4]
    assert "nan" not in render_text(diagnosis)


def test_ascii_only_has_nothing_else() -> None:
    render_text(diagnose(planted("constant", "medium", seed=0)), ascii_only=True).encode("ascii")


def test_control_characters_of_a_label_do_not_reach_the_terminal() -> None:
    diagnosis = diagnose(planted("noisy", "short", seed=0))
    shown = render_text(dataclasses.replace(diagnosis, source="a\x1b[31m\nb"))
    assert "\x1b" not in shown
    assert "a [31m b: 12 videos" in shown


def test_a_notebook_shows_the_screen() -> None:
    diagnosis = diagnose(planted("early", "medium", seed=0))
    assert repr(diagnosis) == render_text(diagnosis)


def test_worst_severity() -> None:
    assert diagnose(planted("constant", "medium", seed=0)).worst() == "error"
    both = diagnose(planted("early", "medium", seed=0))
    assert {finding.severity for finding in both.findings} == {"error", "warning"}
    assert both.worst() == "error"
    assert diagnose(planted("counter", "medium", seed=0)).worst() == "warning"
    assert diagnose(planted("oracle", "medium", seed=0)).worst() is None


def test_numbers_in_sentences() -> None:
    assert [number(x) for x in (0.2464, 1.2, -0.05, -0.0001, 1.0)] == [
        ".246",
        "1.200",
        "-.050",
        ".000",
        "1.000",
    ]
    assert number(math.nan) == percent(math.nan) == "unknown"
    assert [percent(x) for x in (0.12, 0.003, 0.0, 1.0)] == ["12 %", "under 1 %", "0 %", "100 %"]
    assert span(0.481, 0.559) == ".48 to .56"
    assert span(0.481, 0.484) == "about .48"


@pytest.mark.parametrize("width", [60, 71, 100])
def test_a_narrow_screen_shows_what_a_wide_one_does(width: int) -> None:
    diagnosis = diagnose(planted("constant", "medium", seed=0))
    text = render_text(diagnosis, width=width)
    lines = [line for line in text.splitlines() if not line.startswith("  progfix")]
    assert width - 8 < max(map(len, lines)) <= width
    bars = "█▏▎▍▌▋▊▉"
    words = text.translate(str.maketrans("", "", bars)).split()
    assert words == render_text(diagnosis).translate(str.maketrans("", "", bars)).split()


def test_widths_beyond_reading_are_not_used() -> None:
    diagnosis = diagnose(planted("constant", "medium", seed=0))
    assert render_text(diagnosis, width=20) == render_text(diagnosis, width=60)
    assert render_text(diagnosis, width=300) == render_text(diagnosis, width=100)


def test_many_findings_that_were_not_checked_are_counted_and_few_are_named() -> None:
    diagnosis = diagnose(planted("noisy", "medium", seed=0))
    seven = [NotChecked(f"finding-{i}", "no model") for i in range(7)]
    two = [NotChecked("a", "no data"), NotChecked("b", "no data")]
    text = render_text(dataclasses.replace(diagnosis, not_checked=(*seven, *two)))
    assert "Not checked: 7 findings (no model)" in text
    assert "Not checked: a, b (no data)" in text
    assert "finding-3" not in text


def test_a_little_better_is_said_to_be_that() -> None:
    said = [compared(skill, "X", 0.05) for skill in (0.04, 0.004, -0.04, -0.06)]
    assert said == [
        "only 4 % better than X",
        "no better than X",
        "no better than X",
        "worse than X",
    ]
