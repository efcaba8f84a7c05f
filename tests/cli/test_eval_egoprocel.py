"""The published bars, from the real annotations."""

from pathlib import Path

import pytest

from tests.cli.evaluating import BASELINES, evaluated, value

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.skipif(not SHARED.exists(), reason="needs the EgoProceL annotations")
@pytest.mark.parametrize(
    ("options", "sizes", "expected"),
    [
        (
            ("--pairing", "views", "--skip-tasks", "Pizza.cmu"),
            (15, 43, 717),
            (0.2563, 0.2143, 0.1742),
        ),
        (
            ("--skip-tasks", "Sandwich.cmu,Salad.cmu,Eggs.cmu,Brownie.cmu,Pizza.cmu"),
            (11, 23, 546),
            (0.2550, 0.2114, 0.1832),
        ),
        (
            ("--pairing", "position", "--fit-on", "train+val"),
            (16, 48, 762),
            (0.2564, 0.2147, 0.1678),
        ),
        (
            ("--pairing", "views", "--skip-tasks", "Pizza.cmu", "--ends", "half-open"),
            (15, 43, 682),
            (0.2639, 0.2406, 0.1954),
        ),
    ],
)
def test_published_bars_on_egoprocel(
    options: tuple[str, ...], sizes: tuple[int, int, int], expected: tuple[float, float, float]
) -> None:
    found = evaluated(
        *BASELINES,
        *("--data", SHARED / "egoprocel.json", "--splits", SHARED / "data_splits.json"),
        *("--bootstrap", 0),
        *options,
    )
    first = found["sources"][0]  # type: ignore[index]
    assert (first["tasks"], first["videos"], first["segments"]) == sizes
    for place, ogpe in enumerate(expected):
        measured = value(found, "sources", place, "metrics", "ogpe", "value")
        assert measured == pytest.approx(ogpe, abs=0.001)
