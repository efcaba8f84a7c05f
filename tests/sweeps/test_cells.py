"""Cells: how they are written, crossed and refused."""

from __future__ import annotations

import pytest

from progfix.errors import InputError
from progfix.sweeps.cells import parse_cells


def problems(*solutions: str, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_cells(solutions, **options)  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def test_a_cell_is_letters_and_settings() -> None:
    (cell,) = parse_cells(["SFGH + feature-noise=1.0+normalise=on + head=pooled+epochs=7"])
    assert cell.name == "fghs+feature-noise=1+normalise=on+head=pooled+epochs=7"
    assert (cell.solution, cell.head) == ("fghs", "pooled")
    assert cell.settings == {
        "augmentation.feature_noise": 1.0,
        "head.normalise": True,
        "optimisation.epochs": 7,
    }


def test_names_stay_and_no_letter_is_the_baseline() -> None:
    assert [c.name for c in parse_cells(["recommended", "BASELINE", "a"])] == [
        "recommended",
        "baseline",
        "a",
    ]
    assert parse_cells(["none+lr=0.5"])[0].name == "baseline+lr=0.5"


def test_everything_is_crossed_in_order() -> None:
    cells = parse_cells(
        ["fgs", "f"],
        heads=["gru", "pooled"],
        vary=["dropout=0,0.5"],
        common={"optimisation.epochs": 3, "optimisation.lr": None},
    )
    assert [c.name for c in cells[:4]] == [
        "fgs+head=gru+dropout=0",
        "fgs+head=gru+dropout=0.5",
        "fgs+head=pooled+dropout=0",
        "fgs+head=pooled+dropout=0.5",
    ]
    assert len(cells) == 8
    assert cells[1].settings == {"optimisation.epochs": 3, "head.dropout": 0.5}


def test_values_that_differ_have_names_that_differ() -> None:
    one, other = parse_cells(["f"], vary=["lr=0.10000001,0.1"])
    assert one.name != other.name
    assert one.settings["optimisation.lr"] == 0.10000001


def test_all_problems_are_said_at_once() -> None:
    said = problems("ad", "xy", "f+dropout=2", "f+colour=red", "f+head=tree", "f+normalise=yes")
    assert [text.partition(":")[0] for text in said] == [
        "--solutions ad",
        "--solutions xy",
        "--solutions f+dropout=2",
        "--solutions f+colour=red",
        "--solutions f+head=tree",
        "--solutions f+normalise=yes",
    ]
    assert "a with d" in said[0]
    assert "found x, y" in said[1]
    assert "0.95" in said[2]


@pytest.mark.parametrize(
    ("solutions", "options", "message"),
    [
        (["fgs", "gfs"], {}, "--solutions: expected each cell once, found fgs 2 times"),
        (["baseline", "none"], {}, "found baseline 2 times"),
        (["f+lr=1+lr=2"], {}, "--solutions f+lr=1+lr=2: expected one value of lr, found 2"),
        (["f+lr=1"], {"vary": ["lr=1,2"]}, "expected one value of lr, found 2"),
        (["f+head=gru"], {"heads": ["pooled"]}, "expected one value of head, found 2"),
        (
            ["f+lr=1"],
            {"common": {"optimisation.lr": 2.0}},
            "--solutions f+lr=1: expected one value of lr",
        ),
        (["f"], {"vary": ["lr=1"], "common": {"optimisation.lr": 2.0}}, "found another in --lr"),
        (["f"], {"vary": ["lr"]}, "--vary lr: expected lr to be"),
        (["f"], {"vary": ["lr=1,1"]}, "found f+lr=1 2 times"),
        (["f"], {"heads": ["oak"]}, "--heads: expected a head out of gru, pooled"),
        (["b"], {"heads": ["pooled"]}, "b with the pooled head"),
        ([], {}, "--solutions: expected at least one solution, found none"),
    ],
)
def test_what_cannot_be_is_refused(
    solutions: list[str], options: dict[str, object], message: str
) -> None:
    assert message in "\n".join(problems(*solutions, **options))
