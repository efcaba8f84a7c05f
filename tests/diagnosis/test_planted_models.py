"""Diseases planted in models, alone and in pairs: the rates that the diagnosis promises."""

from pathlib import Path

import pytest

from tests.benchmarks.planted_diseases import interval, pairs, run, run_healthy
from tests.diagnosis.planting import DISEASES, HEALTHY, compatible, healthy


@pytest.mark.parametrize("name", DISEASES)
def test_the_planted_cause_is_the_top_cause(name: str) -> None:
    found = run((name,), seed=2)
    assert found.right, found.reported


@pytest.mark.parametrize("kind", HEALTHY)
def test_nothing_is_found_in_a_healthy_model(kind: str) -> None:
    diagnosis = HEALTHY[kind](3).diagnose()
    assert diagnosis.findings == ()
    assert diagnosis.not_checked == ()
    assert diagnosis.verdict.startswith("No fault found")
    assert diagnosis.fault.place == "nowhere"


@pytest.mark.slow
def test_the_fault_is_placed(tmp_path: Path) -> None:
    expected = {
        "frozen head": "training",
        "unseen starts": "training",
        "blind embeddings": "encoder",
        "peeking encoder": "encoder",
        "frame counter": "head",
        "prefix position": "head",
        "order-blind": "head",
        "loses progress": "head",
        "copies in two splits": "data",
        # Answers that do not say where they come from: the embeddings decide.
        "constant": "head",
        "saturates": "head",
    }
    for name, place in expected.items():
        fault = DISEASES[name].plant(healthy(4)).diagnose(tmp_path).fault
        assert fault.place == place, (name, fault)
        assert fault.decided_by is None or fault.decided_by in fault.words


def test_pairs_are_told_apart_by_what_hides_what() -> None:
    assert compatible("saturates", "unseen starts")
    assert not compatible("constant", "saturates")
    assert not compatible("frozen head", "peeking encoder")
    assert len(pairs()) >= 100


def test_intervals_of_shares() -> None:
    # Clopper-Pearson: 0 of 10 has the upper end 1 - .025^(1/10) = .3085; 10 of 10 mirrors it.
    assert list(interval(0, 10)) == pytest.approx([0.0, 0.3085], abs=1e-4)
    assert list(interval(10, 10)) == pytest.approx([0.6915, 1.0], abs=1e-4)
    assert list(interval(5, 10)) == pytest.approx([0.1871, 0.8129], abs=1e-4)


@pytest.mark.slow
def test_rates_over_fresh_cases() -> None:
    alone = [run((name,), seed) for name in DISEASES for seed in range(3000, 3004)]
    missed = [(o.planted, o.reported) for o in alone if not o.right]
    assert len(missed) <= 0.05 * len(alone), missed
    both = [run(pair, 3000 + place) for place, pair in enumerate(pairs())]
    missed = [(o.planted, o.reported) for o in both if not o.right]
    assert len(missed) <= 0.10 * len(both), missed
    sound = list(run_healthy(range(3000, 3005)))
    alarms = [o.reported for o in sound if o.errors]
    assert len(alarms) <= 0.05 * len(sound), alarms
