import csv
import json
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from progfix.errors import InputError
from progfix.evaluation import METRICS
from progfix.evaluation.contract import to_json
from progfix.evaluation.report import EvalOptions, EvalReport, evaluate
from progfix.evaluation.tables import csv_text, latex, markdown
from progfix.predictions import Predictions
from progfix.predictions_io import load_predictions
from progfix.sources import Source
from tests.made_predictions import cut_by_video, made_predictions


def _source(label: str, table: Predictions, kind: str = "predictions") -> Source:
    return Source(
        label=label,
        kind=kind,  # type: ignore[arg-type]
        chunks=partial(iter, cut_by_video(table)),
    )


@pytest.fixture(scope="module")
def report() -> EvalReport:
    table = made_predictions(1, videos=12)
    better = table.with_prediction(0.8 * table.target + 0.2 * table.prediction)
    return evaluate(
        [_source("plain & simple", table), _source("b_2", better)],
        EvalOptions(bootstrap=50, by=("task", "action", "duration")),
    )


def test_json_is_the_contract(report: EvalReport) -> None:
    found = json.loads(json.dumps(to_json(report), allow_nan=False))
    assert found["format"] == "progfix-eval/1"
    assert list(found["baselines"]) == ["constant", "frame_counting", "frame_counting_per_action"]
    assert found["fitted_on"] == "leave-one-video-out"
    assert found["data"] is None
    for source, label in zip(found["sources"], ("plain & simple", "b_2"), strict=True):
        assert source["source"] == label
        assert set(source["metrics"]) == set(METRICS)
        for value in source["metrics"].values():
            assert set(value) == {"value", "low", "high", "count", "undefined"}
        assert source["metrics"]["coverage"]["value"] is None
        assert len(source["positions"]) == 10
        assert set(source["by"]) == {"task", "action", "duration"}
    comparison = found["comparisons"][0]
    assert (comparison["source"], comparison["reference"]) == ("b_2", "plain & simple")
    assert comparison["differences"]["mae"]["certain"] is True
    assert found["baselines"]["constant"]["mae"]["value"] == pytest.approx(
        report.results[0].evaluation.baselines["constant"]["mae"].value
    )


def test_csv_has_every_number(report: EvalReport) -> None:
    rows = list(csv.DictReader(StringIO(csv_text(report))))
    assert {row["kind"] for row in rows} == {
        *("metric", "baseline", "position", "value", "task", "action", "duration", "difference")
    }
    chosen = [r for r in rows if r["source"] == "b_2" and r["kind"] == "metric"]
    assert {row["metric"] for row in chosen} == set(METRICS)
    mae = next(row for row in chosen if row["metric"] == "mae")
    expected = report.results[1].evaluation["mae"]
    assert float(mae["value"]) == expected.value
    assert (float(mae["low"]), float(mae["high"])) == (expected.low, expected.high)
    assert next(row for row in chosen if row["metric"] == "crps")["value"] == ""


def test_markdown_table(report: EvalReport) -> None:
    lines = markdown(report).splitlines()
    assert lines[0].startswith("| source | MAE | RMSE | OGPE |")
    assert all(line.count("|") == lines[0].count("|") for line in lines[:7])
    mae = report.results[1].evaluation["mae"]
    assert f"| b_2 | {mae.value:.3f} [{mae.low:.3f}, {mae.high:.3f}]* |" in lines[3]
    assert lines[4].startswith("| constant 0.5 | 0.25")
    assert "* differs from plain & simple" in lines[-1]
    assert "fitted on leave-one-video-out" in lines[-1]


def test_latex_table_escapes_what_latex_would_read(report: EvalReport) -> None:
    text = latex(report)
    assert r"plain \& simple & " in text
    assert r"b\_2 & " in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 6
    assert all(row.replace(r"\&", "").count("&") == 7 for row in rows)


def test_a_star_only_where_the_paired_interval_excludes_zero() -> None:
    table = made_predictions(1)
    same = evaluate([_source("a", table), _source("b", table)], EvalOptions(bootstrap=50))
    assert "]*" not in markdown(same)


def test_predictions_are_saved_as_they_stream(tmp_path: Path) -> None:
    table = made_predictions(2)
    path = tmp_path / "saved.h5"
    evaluate([_source("a", table)], EvalOptions(bootstrap=0, save_predictions=path))
    np.testing.assert_array_equal(load_predictions(path).prediction, table.prediction)
    with pytest.raises(InputError, match="--save-predictions: expected one source, found 2"):
        evaluate([_source("a", table), _source("b", table)], EvalOptions(save_predictions=path))


def test_a_source_without_predictions_says_why() -> None:
    checkpoint = Source(label="x", kind="checkpoint", why_not="no data fits")
    with pytest.raises(InputError, match="x: expected predictions to evaluate, found no data fits"):
        evaluate([checkpoint])


def test_a_source_without_rows_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "saved.csv"
    empty = Source(label="x", kind="predictions", chunks=partial(iter, ()))
    with pytest.raises(InputError, match="x: expected frames of action segments, found none"):
        evaluate([empty], EvalOptions(save_predictions=path))
    assert list(tmp_path.iterdir()) == []


def _suspicions(*sources: Source) -> str:
    return "\n".join(evaluate(sources, EvalOptions(bootstrap=0)).suspicions)


def test_the_tool_suspects_its_results() -> None:
    table = made_predictions(3, videos=15)
    bad = table.with_prediction(1 - table.target)
    flat = table.with_prediction(np.full(len(table), 0.3))
    good = table.with_prediction(0.9 * table.target)
    assert "answering 0.5 has a lower MAE than bad" in _suspicions(_source("bad", bad))
    both = _suspicions(_source("bad", bad), _source("flat", flat))
    assert "answering 0.5 has a lower MAE than every source" in both
    assert "flat predicts one value" in both
    assert "exactly the same scores" not in both
    assert _suspicions(_source("good", good)) == ""
    assert _suspicions(_source("bad", bad), _source("good", good)) == ""
    assert "exactly the same scores" in _suspicions(_source("a", good), _source("b", good))
    oracle = table.with_prediction(table.target)
    assert "oracle makes no error" in _suspicions(_source("oracle", oracle))
    assert _suspicions(_source("oracle", oracle, "baseline")) == ""


def test_notices_say_what_was_derived_and_left_out() -> None:
    chunks = cut_by_video(made_predictions(4))
    first, second = Predictions.concat(chunks[:4]), Predictions.concat(chunks[2:])
    found = "\n".join(
        evaluate([_source("a", first), _source("b", second)], EvalOptions(bootstrap=0)).notices
    )
    assert "b and a have 2 videos in common; 5 are left out" in found


def test_progress_is_observed_chunk_by_chunk() -> None:
    table = made_predictions(2)
    seen: list[tuple[str, int]] = []
    evaluate(
        [_source("a", table)],
        EvalOptions(bootstrap=0),
        observe=lambda label, rows: seen.append((label, rows)),
    )
    assert seen == [("a", len(chunk)) for chunk in cut_by_video(table)]
