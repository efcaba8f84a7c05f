"""docs/formats.md says what the code does: its examples open, its table is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from progfix.baselines import Baseline, baseline_predictions
from progfix.data.dataset import Segment
from progfix.data.findings import FINDINGS
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.frame_counting import FrameCounting

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def test_the_hdf5_example_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "docs/formats.md", "exec"), {})  # noqa: S102
    (video,) = open_dataset(DataOptions(path="mine.h5"))
    assert (video.name, video.task, video.split, video.fps) == (
        "kitchen 01",
        "make tea",
        "train",
        4,
    )
    assert video.segments == (Segment(12, 80, "boil water"), Segment(95, 240, "pour"))


def test_the_json_example_opens(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(block("json"), encoding="utf-8")
    one, two = open_dataset(DataOptions(path=str(path)))
    # At 24 fps: 310 / 24 = 12.9, 700 / 24 = 29.2; 122 / 24 = 5.1, 480 / 24 = 20.
    assert one.segments == (Segment(12, 29, "7"),)
    assert two.segments == (Segment(5, 20, "7"),)


def test_every_finding_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.MULTILINE)
    assert set(FINDINGS) <= set(rows)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("constant", r"constant 0\.5: (\.\d+)"),
        ("frame-counting", r"frame counting: (\.\d+)"),
        ("frame-counting-per-action", r"given the action: (\.\d+)"),
    ],
)
def test_the_baselines_of_the_built_in_data(name: Baseline, words: str) -> None:
    data = open_dataset(DataOptions(path="procedures/1"))
    counting = FrameCounting.fit(data.split("train").durations())
    total = frames = 0.0
    for table in baseline_predictions(name, data.split("test"), counting):
        total += float(abs(table.prediction - table.target).sum())
        frames += len(table)
    found = re.search(words, TEXT)
    assert found
    assert round(total / frames, 3) == float(found[1])
