"""What is said about a sweep, and how it is kept."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from progfix.errors import InputError
from progfix.evaluation import Estimate
from progfix.sweeps import tables
from progfix.sweeps.contract import FORMAT, read_sweep, to_json, write_sweep
from progfix.sweeps.plan import Plan
from progfix.sweeps.result import Difference, SweepResult
from progfix.sweeps.statistics import evaluate_sweep
from progfix.sweeps.words import sentence, sentences
from tests.sweeps.made import made_plan, predict


def difference(value: float, low: float, high: float, reference: str = "ab") -> Difference:
    return Difference("fghs", reference, Estimate(value, low, high), 3, 16)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, SweepResult]:
    folder = tmp_path_factory.mktemp("sweep")
    plan = made_plan("baseline", "best", "second", "broken")
    errors = {"baseline": 0.3, "best": 0.02, "second": 0.021}
    for run in plan.runs:
        if run.cell in errors and run.name != "second-seed2":
            predict(run, folder, error=errors[run.cell], spread=0.02)
    failed = {run.name: "the loss exploded" for run in plan.runs if run.cell == "broken"}
    return plan, evaluate_sweep(plan, folder, failed=failed)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            difference(-0.031, -0.039, -0.024),
            "fghs is better than ab by .031 (95 % .024 to .039)",
        ),
        (difference(0.2, 0.1, 0.31), "fghs is worse than ab by .200 (95 % .100 to .310)"),
        (
            difference(-0.0104, -0.03, 0.0102),
            "fghs is not distinguishable from ab (95 % -.030 to +.010)",
        ),
        (
            difference(-0.0011, -0.0021, -0.0003, "frame_counting"),
            "fghs is better than counting frames by .0011 (95 % .0003 to .0021)",
        ),
        (
            Difference("fghs", "ab", Estimate(-0.1), 3, 1),
            "fghs cannot be told from ab on 1 test video",
        ),
    ],
)
def test_a_difference_is_a_sentence(given: Difference, said: str) -> None:
    assert sentence(given) == said


def test_without_intervals_nobody_is_called_an_equal(found: tuple[Plan, SweepResult]) -> None:
    single = tuple(replace(d, mae=Estimate(d.mae.value)) for d in found[1].differences)
    said = list(sentences(replace(found[1], differences=single)))
    assert said[0] == "smallest error: best"
    assert any(text.startswith("best cannot be told from second") for text in said)


def test_sentences_name_the_best_its_equals_and_what_beats_what(
    found: tuple[Plan, SweepResult],
) -> None:
    said = list(sentences(found[1]))
    assert said[0] == "smallest error: best; not distinguishable from it: second"
    assert any(text.startswith("best is better than baseline by .") for text in said)
    assert any(text.startswith("second is better than counting frames by .") for text in said)
    assert any(text.startswith("baseline is worse than counting frames by .") for text in said)
    assert not any("no cell errs less" in text for text in said)
    assert not any("broken" in text for text in said)


def test_a_sweep_that_loses_to_counting_says_so(tmp_path: Path) -> None:
    plan = made_plan("baseline", seeds=(0,))
    predict(plan.runs[0], tmp_path, error=0.5)
    said = list(sentences(evaluate_sweep(plan, tmp_path, failed={})))
    assert said[-2] == "no cell errs less than counting frames, which sees nothing"
    assert said[-1] == (
        "intervals from 4 test videos are too narrow: trust them from ten on; --fresh-splits draws "
        "others for each seed"
    )
    drawn = replace(evaluate_sweep(plan, tmp_path, failed={}), fresh_splits=True)
    assert list(sentences(drawn))[-1].endswith("from ten on")
    assert "too narrow" not in " ".join(sentences(replace(drawn, resamples=0)))
    many = [replace(d, videos=10) for d in drawn.differences]
    assert "too narrow" not in " ".join(sentences(replace(drawn, differences=many)))
    assert len(said) == 3  # nothing to compare it with but counting


def test_json_goes_there_and_back(found: tuple[Plan, SweepResult], tmp_path: Path) -> None:
    plan, result = found
    write_sweep(tmp_path, plan)
    assert read_sweep(tmp_path) == (plan, None)
    write_sweep(tmp_path, plan, result)
    again, read = read_sweep(tmp_path)
    assert read is not None
    assert again == plan
    assert to_json(again, read) == to_json(plan, result)
    content = json.loads((tmp_path / "sweep.json").read_text())
    assert content["format"] == FORMAT == "progfix-sweep/1"
    best = content["result"]["cells"][0]
    assert best["name"] == "best"
    assert set(best["metrics"]["mae"]["seeds"]) == {"0", "1", "2"}
    assert best["metrics"]["coverage"]["value"] is None  # no intervals were predicted
    assert content["result"]["sentences"] == list(sentences(result))
    assert content["result"]["cells"][-1]["failed"]["2"] == "the loss exploded"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "progfix-sweep/9"}', "null"])
def test_a_damaged_file_is_one_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(InputError, match=r"sweep.json: expected a sweep \(progfix-sweep/1\)"):
        read_sweep(tmp_path)


def test_tables_have_every_cell_and_number(found: tuple[Plan, SweepResult]) -> None:
    result = found[1]
    lines = tables.markdown(result).splitlines()
    assert lines[2].startswith("| best | 0.0")
    assert "±" in lines[2]
    assert any(line.startswith("| second (2 of 3 seeds) |") for line in lines)
    assert any(line.startswith("| broken (0 of 3 seeds) |  |") for line in lines)
    assert any(line.startswith("| frame counting per action |") for line in lines)
    assert r"\begin{tabular}{lrrrrrrr}" in tables.latex(result)
    rows = list(csv.DictReader(StringIO(tables.csv_text(result))))
    best = {r["seed"]: r for r in rows if (r["cell"], r["metric"]) == ("best", "mae")}
    score = result.trained[0].scores["mae"]
    assert float(best["all"]["value"]) == score.pooled.value
    assert [float(best[str(seed)]["value"]) for seed in (0, 1, 2)] == list(score.by_seed.values())
    assert not any(math.isnan(float(r["value"] or 0)) for r in rows)
