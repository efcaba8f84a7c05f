import csv
import json
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from progfix.baselines import baseline_predictions
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.evaluation import METRICS, Evaluator
from progfix.evaluation.contract import to_json
from progfix.evaluation.notices import fitted_on, place
from progfix.evaluation.report import EvalOptions, EvalReport, evaluate
from progfix.evaluation.tables import csv_text, latex, markdown
from progfix.frame_counting import fit_counting
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


def test_sources_without_a_common_video_stand_apart() -> None:
    chunks = cut_by_video(made_predictions(4))
    parts = {
        "a": Predictions.concat(chunks[:3]),
        "x": Predictions.concat(chunks[3:]),
        "b": Predictions.concat(chunks[1:3]),
        "y": Predictions.concat(chunks[4:]),
    }
    report = evaluate([_source(n, t) for n, t in parts.items()], EvalOptions(bootstrap=0))
    groups = [[result.label for result in group.results] for group in report.groups]
    assert groups == [["a", "b"], ["x", "y"]]
    assert [r.label for r in report.results] == list(parts)
    pairs = [(c["source"], c["reference"]) for c in to_json(report)["comparisons"]]  # type: ignore[attr-defined]
    assert pairs == [("b", "a"), ("y", "x")]
    assert "x, y: no video in common with a, so not compared with it" in "\n".join(report.notices)
    assert markdown(report).count("| source | MAE |") == latex(report).count(r"\midrule") == 2
    rows = [r for r in csv.DictReader(StringIO(csv_text(report))) if r["kind"] == "difference"]
    assert {(r["source"], r["group"]) for r in rows} == {("b", "a"), ("y", "x")}


@pytest.mark.parametrize(
    ("videos", "said"),
    [(1, "one video, so no intervals"), (4, "intervals from 4 videos are too narrow"), (10, "")],
)
def test_few_videos_are_said_to_be_few(videos: int, said: str) -> None:
    table = made_predictions(4, videos=videos)
    notices = evaluate([_source("a", table)], EvalOptions(bootstrap=20)).notices
    assert [n for n in notices if "interval" in n] == (
        [n for n in notices if said in n] if said else []
    )
    assert any(said in notice for notice in notices) is bool(said)
    without = evaluate([_source("a", table)], EvalOptions(bootstrap=0)).notices
    assert not any("interval" in notice for notice in without)


def test_predictions_beside_data_that_has_none_of_their_videos() -> None:
    data = open_dataset(DataOptions("procedures/1"))
    counting = fit_counting(data)
    strange = made_predictions(4)
    own = Predictions.concat(
        list(baseline_predictions("constant", data.split("test"), counting))[:12]
    )

    def said(table: Predictions) -> tuple[str, str, str]:
        source = replace(_source("p", table), counting=counting, data=data)
        report = evaluate([source], EvalOptions(bootstrap=0))
        result = report.results[0]
        return "\n".join(report.notices), place(result, "test"), fitted_on(result, "test")

    notices, where, fitted = said(strange)
    assert "p: of its 7 videos, none in procedures/1; frame counting was fitted on other" in notices
    assert (where, fitted) == ("", "train split, 471 segments of procedures/1")
    assert said(own) == ("", "procedures/1, test split", "train split, 471 segments")
    notices, where, _ = said(Predictions.concat([own, strange]))
    assert "p: of its 19 videos, 12 only in procedures/1" in notices
    assert where == "procedures/1"


@pytest.mark.parametrize(
    ("factor", "offset", "hint"),
    [
        (100, 0, "if they are percentages, divide them by 100"),
        (0, -1, "predictions are -1, where progress is 0 to 1: does it stand for frames without"),
        (8, -4, "if they are logits, give their sigmoid"),
        (1, 0, None),
        (1.4, -0.2, None),
    ],
)
def test_predictions_in_other_units(factor: float, offset: float, hint: str | None) -> None:
    table = made_predictions(3, videos=15)
    scaled = table.with_prediction(factor * (0.05 + 0.9 * table.target) + offset)
    found = [line for line in _suspicions(_source("p", scaled)).splitlines() if "0 to 1" in line]
    assert len(found) == (hint is not None)
    assert hint is None or hint in found[0]
    evaluator = Evaluator()
    evaluator.update(scaled)
    result = evaluator.compute()
    for name, share in (("prediction_p05", 0.05), ("prediction_p95", 0.95)):
        exact = np.quantile(scaled.prediction, share, method="inverted_cdf")
        assert result[name].value == pytest.approx(exact, abs=0.0051, rel=0.0026)


def test_ranks_of_answers_that_hardly_vary_are_doubted() -> None:
    table = made_predictions(3, videos=15)
    rising = _source("p", table.with_prediction(0.47 + 0.01 * table.target))
    assert "p: its answers vary 1.0% as much as the truth" in _suspicions(rising)
    assert "vary" not in _suspicions(_source("p", table.with_prediction(0.1 * table.target)))


def test_progress_is_observed_chunk_by_chunk() -> None:
    table = made_predictions(2)
    seen: list[tuple[str, int]] = []
    evaluate(
        [_source("a", table)],
        EvalOptions(bootstrap=0),
        observe=lambda label, rows: seen.append((label, rows)),
    )
    assert seen == [("a", len(chunk)) for chunk in cut_by_video(table)]


def test_few_videos_in_common_are_said_to_be_few() -> None:
    table = made_predictions(1, videos=12)
    few = table.take(np.flatnonzero(table.video.codes < 4))
    sources = [_source("whole", table), _source("few", table), _source("part", few)]
    told = [n for n in evaluate(sources, EvalOptions(bootstrap=50)).notices if "too sure" in n]
    assert told == []  # of the four it is said already that they are few
    parts = [
        _source("whole", table),
        _source("shifted", table.take(np.flatnonzero(table.video.codes < 11))),
    ]
    assert not [n for n in evaluate(parts, EvalOptions(bootstrap=50)).notices if "too sure" in n]
    halves = [
        _source("first", made_predictions(1, videos=24).take(np.flatnonzero(codes(24) < 14))),
        _source("last", made_predictions(1, videos=24).take(np.flatnonzero(codes(24) >= 10))),
    ]
    (notice,) = [n for n in evaluate(halves, EvalOptions(bootstrap=50)).notices if "too sure" in n]
    assert notice.startswith("last and first are compared on 4 videos")


def codes(videos: int) -> np.ndarray:
    return made_predictions(1, videos=videos).video.codes
