"""`progfix explain`: everything that has a name can be looked up, in the words of docs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from progfix.data.findings import FINDINGS as OF_DATA
from progfix.diagnosis import FINDINGS
from progfix.evaluation import METRICS
from progfix.explanations import topics
from progfix.metrics.alignment.variants import METRICS as OF_EMBEDDINGS
from progfix.solutions import RECOMMENDED, SOLUTIONS
from progfix.topic_names import SYNONYMS
from tests.cli.entry import progfix

HERE = Path(__file__).parent
PAGES = Path(__file__).resolve().parents[2] / "docs"


def test_everything_that_has_a_name_can_be_explained() -> None:
    known = topics()
    assert {check.id for check in FINDINGS} | set(SOLUTIONS) | set(METRICS) <= set(known)
    assert set(OF_EMBEDDINGS) <= set(known)
    assert set(OF_DATA) <= set(known)
    for topic in known.values():
        text = topic.text()
        assert len(text) > 40, topic.name
        assert "![" not in text
        assert "](" not in text
        assert 3 < len(topic.summary) < 260


def test_a_finding_is_the_page_without_its_picture() -> None:
    out = " ".join(progfix("explain", "early-bias", folder=HERE).stdout.split())
    assert "Actions start too high." in out
    assert "How we know." in out
    assert "What to do." in out
    assert "tests.diagnosis" not in out


def test_letters_say_what_they_change_and_conflict_with() -> None:
    out = progfix("explain", "dv", folder=HERE).stdout
    assert "d: delta" in out
    assert "head.output = increment" in out
    assert "not with h: a head answers increments or a distribution, not both" in " ".join(
        out.split()
    )
    assert "augmentation.time_warp = 0.4" in out


def test_recommended_is_its_letters() -> None:
    out = progfix("explain", "Recommended", folder=HERE).stdout
    lines = [line.strip(" ┃┏━┓┗┛") for line in out.splitlines()]  # rich 13 frames headings
    assert next(filter(None, lines)) == f"recommended: {RECOMMENDED}"
    headings = [f"{letter}: {SOLUTIONS[letter].name}" for letter in RECOMMENDED]
    assert [line for line in lines if line in headings] == headings


def test_baseline_is_what_letters_change_in_it() -> None:
    out = progfix("explain", "baseline", folder=HERE).stdout
    assert "The recipe that fails" in out
    assert "sampling.min_segment_len = 3 (c)" in out
    assert "head.output = progress (d, h)" in out
    assert out == progfix("explain", "none", folder=HERE).stdout


def test_a_metric_is_its_row() -> None:
    out = progfix("explain", "rmse_video", folder=HERE).stdout
    assert "formula: mean over videos of their RMSE" in out
    assert "averaged over: videos" in out
    assert "A: error +.25 0 0 0 B:" in " ".join(out.split())  # what the example is of
    assert "formula: the lowest level" in progfix("explain", "prediction_p95", folder=HERE).stdout


def test_lists() -> None:
    out = progfix("explain", "solutions", folder=HERE).stdout
    assert out.splitlines()[0] == "Letters for `progfix train --solution`"
    assert [line.split()[0] for line in out.splitlines()[1:] if line[:1].isalpha()][
        : len(SOLUTIONS)
    ] == list(SOLUTIONS)
    whole = progfix("explain", folder=HERE).stdout
    for name in ("untrained-head", "rmse_video", "Letters for"):
        assert name in whole
    assert max(map(len, whole.splitlines())) <= 80


@pytest.mark.parametrize(
    ("typed", "heading", "said"),
    [
        ("VOC", "voc", "a constant prediction scores +1.0"),
        ("Leave one video out", "leave-one-video-out", "on the segments of all other videos"),
        ("skill", "skill", "0 is as good as the baseline"),
        ("vs count", "skill_frame_counting", "0 is as good as the baseline"),
        ("/action", "skill_frame_counting_per_action", "0 is as good as the baseline"),
        ("no fall", "monotonicity", "formula:"),
        ("EARLY BIAS", "early-bias", "Actions start too high."),
        ("hazard", "h: hazard", "a distribution over the frames that are left"),
    ],
)
def test_other_names_are_understood(typed: str, heading: str, said: str) -> None:
    out = progfix("explain", *typed.split(), folder=HERE).stdout
    lines = [line.strip(" ┃┏━┓┗┛") for line in out.splitlines()]
    assert next(filter(None, lines)) == heading
    assert said in " ".join(out.split())


def test_synonyms_are_of_topics() -> None:
    assert set(SYNONYMS.values()) <= set(topics())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("earlybias", "early-bias"),
        ("findigns", "findings"),
        ("mea", "mae"),
        ("tau", "one of kendalls_tau, wild_tau"),
        ("untraind", "untrained-head"),
        ("hazrad", "h"),
    ],
)
def test_what_is_misspelt(typed: str, meant: str) -> None:
    done = progfix("explain", typed, folder=HERE, status=2)
    assert f"found '{typed}'; did you mean {meant}?" in " ".join(done.stderr.split())


def test_a_letter_twice_is_no_solution() -> None:
    done = progfix("explain", "aa", folder=HERE, status=2)
    assert done.stderr.startswith("error: TOPIC: expected each letter once, found 'aa'")


@pytest.mark.slow
def test_a_wheel_takes_the_pages_along(tmp_path: Path) -> None:
    root = PAGES.parent
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "-q",
        "-w",
        str(tmp_path),
        str(root),
    ]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for page in ["metrics.md", "solutions.md", "diagnosis/early-bias.md"]:
        assert f"progfix/pages/{page}" in names
    assert wheel.stat().st_size < 1_000_000
