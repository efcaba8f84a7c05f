"""The real annotations: counts and baselines of a published analysis, known defects.

The expected numbers were measured by another program on the same files; here they are
reached through the reader and `progfix.baselines`, averaged by a loop of this file.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from progfix.baselines import baseline_predictions
from progfix.data.checks import check_dataset
from progfix.data.dataset import Dataset
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.data import data_findings
from progfix.errors import InputError
from progfix.frame_counting import FrameCounting
from tests.data.samples import EGOPROCEL, SHARED, needs_shared

pytestmark = needs_shared

CMU = ("Sandwich.cmu", "Salad.cmu", "Eggs.cmu", "Brownie.cmu", "Pizza.cmu")
SPLITS = str(SHARED / "data_splits.json")
COLLAPSED = DataOptions(
    path=str(EGOPROCEL), splits=SPLITS, pairing="views", skip_tasks=("Pizza.cmu",)
)
DROPPED = DataOptions(path=str(EGOPROCEL), splits=SPLITS, skip_tasks=CMU)
BY_POSITION = DataOptions(path=str(EGOPROCEL), splits=SPLITS, pairing="position")
HALF_OPEN = DataOptions(
    path=str(EGOPROCEL),
    splits=SPLITS,
    pairing="views",
    skip_tasks=("Pizza.cmu",),
    ends="half-open",
)


def ogpe(name: str, data: Dataset, fitted_on: tuple[str, ...]) -> float:
    """Mean over tasks of the mean over videos of the mean over action frames."""
    train = data.where(lambda video: video.split in fitted_on)
    counting = FrameCounting.fit(train.durations())
    by_task: dict[str, list[float]] = defaultdict(list)
    for video in data.split("test"):
        for table in baseline_predictions(name, [video], counting):  # type: ignore[arg-type]
            errors = np.abs(table.prediction - table.target)
            by_task[video.task].append(float(errors.mean()))
    return float(np.mean([np.mean(errors) for errors in by_task.values()]))


@pytest.mark.parametrize(
    ("options", "counts", "errors", "fitted_on"),
    [
        (COLLAPSED, (15, 43, 717), (0.2563, 0.2143, 0.1742), ("train",)),
        (DROPPED, (11, 23, 546), (0.2550, 0.2114, 0.1832), ("train",)),
        (BY_POSITION, (16, 48, 762), (0.2564, 0.2147, 0.1678), ("train", "val")),
        (HALF_OPEN, (15, 43, 682), (0.2639, 0.2406, 0.1954), ("train",)),
    ],
    ids=["collapsed", "dropped", "by-position", "half-open"],
)
def test_counts_and_baselines(
    options: DataOptions,
    counts: tuple[int, int, int],
    errors: tuple[float, float, float],
    fitted_on: tuple[str, ...],
) -> None:
    data = open_dataset(options)
    test = data.split("test")
    segments = sum(len(video.segments) for video in test)
    assert (len(test.tasks), len(test), segments) == counts
    assert not data.has_features
    names = ("constant", "frame-counting", "frame-counting-per-action")
    found = [ogpe(name, data, fitted_on) for name in names]
    assert found == pytest.approx(errors, abs=0.0001)


def test_cmu_tasks_are_refused_by_name() -> None:
    with pytest.raises(InputError) as caught:
        open_dataset(DataOptions(path=str(EGOPROCEL)))
    (problem,) = caught.value.problems
    assert problem.found == ", ".join(
        [
            "Sandwich.cmu: 174 lists for 31 handles (views collapse to 31)",
            "Salad.cmu: 187 lists for 34 handles (views collapse to 34)",
            "Eggs.cmu: 185 lists for 33 handles (views collapse to 33)",
            "Brownie.cmu: 188 lists for 34 handles (views collapse to 34)",
            "Pizza.cmu: 184 lists for 32 handles (views collapse to 33)",
        ]
    )
    assert problem.fix == "pass --pairing views --skip-tasks Pizza.cmu"


def test_pizza_is_refused_even_with_views() -> None:
    with pytest.raises(InputError) as caught:
        open_dataset(DataOptions(path=str(EGOPROCEL), pairing="views"))
    (problem,) = caught.value.problems
    assert "Pizza.cmu" in problem.where
    assert problem.fix == "pass --skip-tasks Pizza.cmu"


def test_check_needs_neither_features_nor_flags() -> None:
    check = check_dataset(DataOptions(path=str(EGOPROCEL)))
    findings = {(f.id, f.severity): f for f in check.findings}
    shared = findings["overlapping-segments", "info"].evidence
    assert shared == {"shared_boundaries": 21560, "pairs": 21560}
    mismatched = findings["mismatched-lists", "error"].evidence
    assert mismatched["count"] == 5
    assert findings["one-frame-actions", "info"].evidence["count"] == 236
    assert set(findings) == {
        ("mismatched-lists", "error"),
        ("overlapping-segments", "info"),
        ("one-frame-actions", "info"),
    }
    assert dict(check.not_checked)["non-finite"] == "there are no features"


def test_check_finds_the_annotation_that_is_in_train_and_in_test() -> None:
    check = check_dataset(COLLAPSED)
    (leak,) = [f for f in check.findings if f.id == "split-leak"]
    assert (leak.severity, leak.title) == (
        "info",
        "1 of 43 test videos has the annotation of a video in another split",
    )
    assert leak.examples == (
        "Brownie.cmu S48_Brownie_7151062-205 (test) = Brownie.cmu S49_Brownie_7151062-193 (train)",
    )


def test_what_an_option_has_mended_is_told_without_advice() -> None:
    collapsed = [f for f in check_dataset(COLLAPSED).findings if f.id == "mismatched-lists"]
    assert [(f.severity, f.remedies) for f in collapsed] == [("info", ())]
    of_a_model, _ = data_findings(open_dataset(COLLAPSED), CurveSums())
    assert "mismatched-lists" not in {f.id for f in of_a_model}


def test_background_taken_for_an_action_is_found_and_no_real_action_is() -> None:
    options = DataOptions(path=str(EGOPROCEL), background=("SIL",))
    found = {f.id: f for f in check_dataset(options).findings}
    assert found["background-as-action"].evidence["actions"] == ["0"]
