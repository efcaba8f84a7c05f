"""Every metric once more: plain loops over rows in float64, SciPy and scikit-learn."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error

from progfix.predictions import Predictions

Row = tuple[str, str, str, int, int, int, float, float]


def rows_of(table: Predictions) -> list[Row]:
    """Return (task, video, action, segment, elapsed, duration, target, prediction)."""
    return list(
        zip(
            table.task.decode(),
            table.video.decode(),
            table.action.decode(),
            table.segment.tolist(),
            table.elapsed.tolist(),
            table.duration.tolist(),
            table.target.tolist(),
            table.prediction.tolist(),
            strict=True,
        )
    )


def counting_left_out(rows: list[Row], *, per_action: bool) -> list[float]:
    """Return what counting on all other videos answers."""
    segments = {
        (task, video, segment): (action, duration)
        for task, video, action, segment, _, duration, _, _ in rows
    }
    answers = []
    for task, video, action, _, elapsed, _, _, _ in rows:
        others = [(a, d) for (t, v, _), (a, d) in segments.items() if (t, v) != (task, video)]
        same = [d for a, d in others if a == action]
        durations = same if per_action and same else [d for _, d in others]
        longer = [d for d in durations if d >= elapsed]
        if not durations:
            answers.append(np.nan)
        else:
            answers.append(elapsed / np.median(longer) if longer else 1.0)
    return answers


def expected_metrics(table: Predictions) -> dict[str, float]:
    """Return every metric without an interval of the model."""
    rows = rows_of(table)
    found: dict[str, float] = {}
    answers = {
        "": [row[7] for row in rows],
        "constant": [0.5] * len(rows),
        "frame_counting": counting_left_out(rows, per_action=False),
        "frame_counting_per_action": counting_left_out(rows, per_action=True),
    }
    for name, values in answers.items():
        for metric, value in _errors(rows, values).items():
            found[f"{name}.{metric}" if name else metric] = value
    for name in list(answers)[1:]:
        found[f"skill_{name}"] = 1 - found["mae"] / found[f"{name}.mae"]
        found[f"skill_{name}_video"] = 1 - found["mae_video"] / found[f"{name}.mae_video"]
    found["bias"] = sum(row[7] - row[6] for row in rows) / len(rows)
    return found | _shape(rows)


def _errors(rows: list[Row], values: list[float]) -> dict[str, float]:
    targets = [row[6] for row in rows]
    by_video: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for row, value in zip(rows, values, strict=True):
        by_video[row[0], row[1]].append((row[6], value))
    mae = {key: mean_absolute_error(*zip(*pairs, strict=True)) for key, pairs in by_video.items()}
    mse = {key: mean_squared_error(*zip(*pairs, strict=True)) for key, pairs in by_video.items()}
    by_task: dict[str, list[float]] = defaultdict(list)
    for (task, _), value in mae.items():
        by_task[task].append(value)
    return {
        "mae": mean_absolute_error(targets, values),
        "rmse": mean_squared_error(targets, values) ** 0.5,
        "mae_video": float(np.mean(list(mae.values()))),
        "rmse_video": float(np.mean(np.sqrt(list(mse.values())))),
        "ogpe": float(np.mean([np.mean(errors) for errors in by_task.values()])),
    }


def _shape(rows: list[Row]) -> dict[str, float]:
    segments: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        segments[row[0], row[1], row[3]].append(row)
    ranks: dict[str, list[float]] = {"spearman": [], "kendall": []}
    ends: dict[str, list[float]] = defaultdict(list)
    rises, falls = 0, []
    for segment in segments.values():
        values = [row[7] for row in segment]
        if len(set(values)) > 1:
            time = np.arange(len(values))
            ranks["spearman"].append(spearmanr(values, time).statistic)
            ranks["kendall"].append(kendalltau(values, time).statistic)
        for before, after in itertools.pairwise(values):
            if after < before:
                falls.append(before - after)
            else:
                rises += 1
        for name, row, wanted in (
            ("first", segment[0], 1),
            ("last", segment[-1], segment[-1][5]),
        ):
            if row[4] == wanted:
                ends[name].append(row[7])
                if row[5] >= 40:
                    ends[f"{name}_40"].append(row[7])
    predictions = np.array([row[7] for row in rows])
    targets = np.array([row[6] for row in rows])

    def median(name: str) -> float:
        return float(np.median(ends[name])) if ends[name] else np.nan

    return {
        **{name: float(np.mean(values)) if values else np.nan for name, values in ranks.items()},
        "monotonicity": rises / (rises + len(falls)) if rises + len(falls) else np.nan,
        "fall_size": float(np.mean(falls)) if falls else np.nan,
        "first_frame_median": median("first"),
        "last_frame_median": median("last"),
        "first_frame_median_40": median("first_40"),
        "last_frame_median_40": median("last_40"),
        "prediction_std": float(predictions.std()),
        "target_std": float(targets.std()),
        "spread": float(predictions.std() / targets.std()),
        **{
            f"prediction_p{share:02d}": float(
                np.quantile(
                    np.ceil(np.round(predictions * 200, 7)) / 200,
                    share / 100,
                    method="inverted_cdf",
                )
            )
            for share in (5, 50, 95)
        },
    }
