"""A task that is not predicted is found behind others that are."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from progfix.diagnosis import Diagnosis, diagnose
from progfix.predictions import Predictions
from tests.diagnosis.planted import in_task, in_tasks, planted

Change = Callable[[Predictions], NDArray[np.float64]]


def told(ill: str, change: Change, *, kind: str = "noisy", segments: int = 100) -> Predictions:
    """Predictions of five tasks; the answers in one of them are changed."""
    table = in_tasks(planted(kind, "medium", seed=3, segments=segments))
    return table.with_prediction(np.where(in_task(table, ill), change(table), table.prediction))


def by_id(diagnosis: Diagnosis) -> dict[str, str]:
    return {finding.id: finding.role for finding in diagnosis.findings}


def test_a_task_with_one_answer_is_named_with_its_error() -> None:
    table = told("fry", lambda t: np.full(len(t), 0.4))
    diagnosis = diagnose(table)
    found = next(f for f in diagnosis.findings if f.id == "lost-task")
    fry, error = in_task(table, "fry"), np.abs(table.prediction - table.target)
    constant = np.abs(0.5 - table.target[fry]).mean()
    assert found.title == (
        f"1 of 5 tasks is not predicted: fry (MAE {error[fry].mean():.3f}, answering 0.5: "
        f"{constant:.3f})"
    ).replace("0.", ".").replace(".5:", "0.5:")
    assert found.evidence["mae"] == pytest.approx(error[fry].mean())
    assert found.evidence["mae_constant"] == pytest.approx(constant)
    assert found.evidence["mae_elsewhere"] == pytest.approx(error[~fry].mean())
    assert found.severity == "error"
    assert diagnosis.findings[0] is found
    assert "No fault found" not in diagnosis.verdict
    assert found.title in diagnosis.verdict


def test_a_task_in_reverse_is_no_early_bias() -> None:
    diagnosis = diagnose(told("cut", lambda t: 1 - t.prediction))
    found = next(f for f in diagnosis.findings if f.id == "lost-task")
    assert "cut (MAE" in found.title
    assert "its answers fall" in found.title
    assert {role for name, role in by_id(diagnosis).items() if name != "lost-task"} <= {"symptom"}
    assert diagnosis.fix_command is None
    assert diagnosis.fault.place == "undecided"
    assert "the data of the task" in diagnosis.fault.words


def test_two_lost_tasks_are_both_named() -> None:
    table = told("cut", lambda t: np.full(len(t), 0.5))
    table = table.with_prediction(np.where(in_task(table, "stir"), 0.5, table.prediction))
    found = next(f for f in diagnose(table).findings if f.id == "lost-task")
    assert found.title.startswith("2 of 5 tasks are not predicted: cut (")
    assert ", stir (" in found.title


@pytest.mark.parametrize("kind", ["noisy", "shy", "halfway", "oracle"])
def test_a_head_that_is_sound_has_none(kind: str) -> None:
    assert "lost-task" not in by_id(diagnose(told("cut", lambda t: t.prediction, kind=kind)))


@pytest.mark.parametrize("kind", ["constant", "random", "counter"])
def test_a_head_that_fails_everywhere_has_none(kind: str) -> None:
    assert "lost-task" not in by_id(diagnose(told("cut", lambda t: t.prediction, kind=kind)))


def test_a_few_segments_are_too_few() -> None:
    few = told("cut", lambda t: np.full(len(t), 0.5), segments=25)
    assert "lost-task" not in by_id(diagnose(few))
