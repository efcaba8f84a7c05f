"""Answers that are percentages, logits or frames are said to be that, and nothing else."""

import numpy as np
import pytest

from progfix.diagnosis import Diagnosis, diagnose, render_text, to_json
from progfix.diagnosis.scale import OTHER_SCALE
from progfix.predictions import Predictions
from tests.diagnosis.planted import frames, planted


def answered(kind: str, convert: object) -> tuple[Diagnosis, Predictions]:
    table = planted(kind, "medium", seed=0)
    assert callable(convert)
    return diagnose(table.with_prediction(convert(table.prediction))), table


def logits(p: np.ndarray) -> np.ndarray:
    inside = np.clip(p, 1e-3, 1 - 1e-3)
    result: np.ndarray = np.log(inside / (1 - inside))
    return result


@pytest.mark.parametrize(
    ("kind", "convert", "noun", "remedy"),
    [
        ("noisy", lambda p: 100 * p, "percentages", "divide them by 100"),
        # An untrained head's percentages: no range to speak of.
        ("constant", lambda p: 100 * p, "percentages", "divide them by 100"),
        ("noisy", lambda p: 100 * p - 2, "percentages", "divide them by 100"),
        ("noisy", lambda p: 10 * p, "points out of ten", "divide them by 10"),
        ("noisy", logits, "logits", "take their sigmoid"),
        ("random", logits, "logits", "take their sigmoid"),
        ("noisy", lambda p: 2 * p - 1, "answers from -1 to 1", "add 1 and halve them"),
    ],
)
def test_the_scale_is_the_verdict_and_nothing_stands_beside_it(
    kind: str, convert: object, noun: str, remedy: str
) -> None:
    diagnosis, table = answered(kind, convert)
    assert diagnosis.verdict.startswith(f"These look like {noun}, not like progress from 0 to 1")
    assert f"{remedy} and ask again" in diagnosis.verdict
    assert (diagnosis.fault.place, diagnosis.fault.decided_by) == ("metric", "wrong-scale")
    (finding,) = diagnosis.findings
    assert (finding.id, finding.fix, diagnosis.fix_command) == ("wrong-scale", (), None)
    assert {entry.reason for entry in diagnosis.not_checked} == {OTHER_SCALE}
    as_progress = np.abs(table.prediction - table.target).mean()
    assert finding.evidence["mae_converted"] == pytest.approx(as_progress, abs=0.021)
    # No error is shown in a unit that is none of progress.
    screen = render_text(diagnosis)
    assert "  MAE " not in screen
    assert to_json(diagnosis)["positions"] == []
    assert diagnosis.ladder == ()


def test_a_value_that_stands_for_none_is_no_logit() -> None:
    table = planted("oracle", "long", seed=0)
    diagnosis = diagnose(table.with_prediction(np.full(len(table), -1.0)))
    assert diagnosis.verdict.startswith(
        "These are no answers from 0 to 1: nine of ten answers are -1, which looks like a value"
    )
    (finding,) = diagnosis.findings
    assert finding.title == "Answers are -1, where progress goes from 0 to 1"
    assert finding.evidence["looks_like"] is None


@pytest.mark.parametrize("durations", ["short", "medium", "long"])
@pytest.mark.parametrize("first", [0, 1])
def test_frames_that_are_counted_are_no_percentages(durations: str, first: int) -> None:
    table = planted("oracle", durations, seed=0)
    diagnosis = diagnose(table.with_prediction(table.elapsed.astype(float) + first))
    assert diagnosis.verdict.startswith("These look like counts of frames, not like progress")
    assert [finding.id for finding in diagnosis.findings] == ["wrong-scale"]


def test_seconds_are_no_progress_on_any_scale() -> None:
    table = planted("oracle", "long", seed=0)
    diagnosis = diagnose(table.with_prediction(100 * table.elapsed.astype(float)))
    assert diagnosis.verdict.startswith("These are no answers from 0 to 1")
    assert [finding.id for finding in diagnosis.findings] == ["wrong-scale"]


def test_a_clock_that_overshoots_is_judged_as_a_clock() -> None:
    # Durations from 10 to 80, and 1 said after 20 frames: up to 4 at the end of the longest.
    table = frames(np.tile([10, 20, 40, 80], 6))
    diagnosis = diagnose(table.with_prediction(table.elapsed / 20))
    assert diagnosis.summary.prediction_high > 2.5
    assert "wrong-scale" not in {finding.id for finding in diagnosis.findings}
    assert any("predictions leave the range" in notice for notice in diagnosis.notices)
