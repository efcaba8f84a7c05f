import json
from pathlib import Path

import pytest

from progfix.diagnosis import diagnose, to_json, write_json
from progfix.errors import InputError
from progfix.solutions import SOLUTIONS
from progfix.sources import Source
from tests.diagnosis.planted import KINDS, planted

KEYS = ["format", "verdict", "skill", "positions", "findings", "oracles", "not_checked"]


def test_the_keys_of_the_format_come_first_and_in_its_order() -> None:
    found = to_json(diagnose(planted("constant", "medium", seed=0)))
    assert list(found)[: len(KEYS)] == KEYS
    assert found["format"] == "progfix-diagnosis/1"
    assert list(found["skill"]) == [  # type: ignore[call-overload]
        "constant",
        "frame_counting",
        "frame_counting_per_action",
        "fitted_on",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_has_the_fields_of_the_format(kind: str) -> None:
    text = json.dumps(to_json(diagnose(planted(kind, "wide", seed=0))), allow_nan=False)
    found = json.loads(text)
    for position in found["positions"]:
        assert list(position) == ["low", "high", "mae", "bias", "count"]
    for finding in found["findings"]:
        assert {"id", "severity", "title", "evidence", "why", "role", "fix", "gain"} <= set(finding)
        assert finding["severity"] in {"error", "warning", "info"}
        assert finding["role"] in {"cause", "symptom"}
        assert set(finding["fix"]) <= set(SOLUTIONS)
        assert finding["gain"] is None or finding["gain"] >= 0
        assert finding["evidence"]
    for entry in found["not_checked"]:
        assert list(entry) == ["id", "reason"]
    assert all(mae >= 0 for mae in found["oracles"].values())


def test_nan_is_null() -> None:
    nothing = to_json(diagnose(Source("x", "predictions", why_not="nothing given")))
    assert nothing["skill"] == {
        "constant": None,
        "frame_counting": None,
        "frame_counting_per_action": None,
        "fitted_on": None,
    }
    assert nothing["positions"] == []
    empty_bins = to_json(diagnose(planted("noisy", "short", seed=0, segments=1), bins=100))
    positions = empty_bins["positions"]
    assert isinstance(positions, list)
    assert {"low": 0.0, "high": 0.01, "mae": None, "bias": None, "count": 0} in positions


def test_written_file_holds_the_same(tmp_path: Path) -> None:
    diagnosis = diagnose(planted("early", "medium", seed=0))
    path = write_json(diagnosis, tmp_path / "new")
    assert path == tmp_path / "new" / "diagnosis.json"
    assert json.loads(path.read_text()) == json.loads(json.dumps(to_json(diagnosis)))
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken"):
        write_json(diagnose(planted("early", "short", seed=0)), tmp_path / "taken")
