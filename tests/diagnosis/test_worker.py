import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from progfix.diagnosis import FINDINGS, Diagnosis, diagnose, to_json
from progfix.errors import InputError
from progfix.evaluation import Evaluator
from progfix.frame_counting import FrameCounting
from progfix.predictions import Predictions
from progfix.sources import Source
from tests.diagnosis.planted import KINDS, planted


def by_video(table: Predictions, videos: int = 1) -> Iterator[Predictions]:
    bounds = [*table.video_starts()[::videos], len(table)]
    for first, last in pairwise(bounds):
        yield table.take(slice(int(first), int(last)))


def numbers(diagnosis: Diagnosis) -> object:
    """The JSON with numbers rounded, so that the order of summation does not matter."""
    return json.loads(
        json.dumps(to_json(diagnosis)), parse_float=lambda text: round(float(text), 9)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_change_nothing(kind: str) -> None:
    table = planted(kind, "wide", seed=4)
    whole = diagnose(table)
    source = Source("predictions", "predictions", chunks=lambda: by_video(table))
    assert numbers(diagnose(source)) == numbers(whole)


def test_chunks_are_taken_once_and_seen_by_the_observer() -> None:
    table, seen, opened = planted("noisy", "short", seed=0), [], []

    def chunks() -> Iterator[Predictions]:
        opened.append(1)
        yield table.take(slice(0, 0))
        yield from by_video(table, 4)

    diagnose(Source("x", "predictions", chunks=chunks), observe=lambda c: seen.append(len(c)))
    assert opened == [1]
    assert sum(seen) == len(table)


def test_it_says_what_the_evaluation_says() -> None:
    table = planted("early", "wide", seed=1)
    durations = table.duration[table.segment_starts()]
    counting = FrameCounting.fit({"cut": durations}, fitted_on="these")
    evaluator = Evaluator(counting=counting, bins=7)
    evaluator.update(table)
    expected = evaluator.compute()
    source = Source("x", "predictions", chunks=lambda: iter([table]), counting=counting)
    found = diagnose(source, bins=7)
    assert found.skill.fitted_on == "these"
    assert found.skill.constant == expected["skill_constant"].value
    assert found.skill.frame_counting == expected["skill_frame_counting"].value
    assert found.skill.frame_counting_per_action == pytest.approx(
        expected["skill_frame_counting_per_action"].value
    )
    assert found.summary.mae == expected["mae"].value
    assert [p.count for p in found.positions] == [b.count for b in expected.positions]
    assert found.summary.target_low == pytest.approx(np.quantile(table.target, 0.05), abs=0.006)
    assert found.summary.target_high == pytest.approx(np.quantile(table.target, 0.95), abs=0.006)
    assert found.summary.first_frame_target == np.median(1 / durations)


def test_findings_do_not_depend_on_the_bins_that_are_reported() -> None:
    table = planted("constant", "medium", seed=0)
    assert diagnose(table, bins=1).findings == diagnose(table, bins=37).findings
    with pytest.raises(ValueError, match="at least 1 bin"):
        diagnose(table, bins=0)


def test_answers_that_are_no_numbers_are_refused() -> None:
    table = planted("noisy", "short", seed=0)
    values = table.prediction.copy()
    values[3] = np.nan
    with pytest.raises(InputError, match="finite"):
        diagnose(table.with_prediction(values))


def test_a_source_without_frames_is_not_judged() -> None:
    empty = planted("noisy", "short", seed=0).take(slice(0, 0))
    diagnosis = diagnose(empty)
    assert diagnosis.findings == ()
    assert diagnosis.verdict == "Nothing to judge: the source has no frames of actions."
    assert [entry.id for entry in diagnosis.not_checked] == [check.id for check in FINDINGS]


def test_tables_are_judged_without_torch() -> None:
    script = (
        "import sys\n"
        "from tests.diagnosis.planted import planted\n"
        "from progfix.diagnosis import diagnose\n"
        "diagnose(planted('constant', 'short', seed=0))\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
