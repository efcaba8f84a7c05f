from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from progfix.data.dataset import Dataset
from progfix.diagnosis import Finding
from progfix.diagnosis.remedy import fix_command, fix_letters, fix_notes, what_is_left
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.solutions import apply
from progfix.sources import Source
from progfix.training.history import EpochRow, write_history
from tests.diagnosis.test_training import checkpoint


def fix_note(source: Source, findings: list[Finding]) -> str | None:
    return next(fix_notes(source, findings), None)


def finding(name: str, *fix: str, symptom: bool = False) -> Finding:
    found = Finding(name, "error", "title", "why", {}, fix)
    return replace(found, role="symptom") if symptom else found


FALLING = finding("non-monotone", "d")
FLAT = finding("collapsed-range", "f", "g", "s")
UNTRAINED = finding("untrained-head", "g")


@pytest.mark.parametrize(
    ("findings", "trained_with", "expected"),
    [
        ([], "ab", ""),
        ([FLAT], "", "fghsv"),
        ([FLAT, finding("late-saturation", "d", symptom=True)], "", "fghsv"),
        ([UNTRAINED], "", "fghsv"),
        # d conflicts with h: what cures the finding stays.
        ([FALLING], "fgs", "dfgsv"),
        # d conflicts with a: what cures the finding stays.
        ([FALLING], "ab", "bdfgsv"),
        ([finding("late-saturation", "h", "s"), FALLING], "", "fghsv"),
        # s makes c do nothing.
        ([FLAT], "c", "fghsv"),
    ],
)
def test_letters(findings: list[Finding], trained_with: str, expected: str) -> None:
    assert fix_letters(findings, trained_with, HeadSpec()) == expected


def test_letters_fit_the_head() -> None:
    assert fix_letters([finding("early-bias", "b", "s")], "", HeadSpec(kind="pooled")) == "fghsv"


def test_command_of_a_checkpoint_names_file_and_data() -> None:
    data = Dataset((), origin="my data.h5")
    source = Source(
        "x", "checkpoint", path=Path("a b.pt"), checkpoint=checkpoint(head_rms=1e-13), data=data
    )
    command = fix_command(source, [UNTRAINED])
    assert command == "progfix train --init 'a b.pt' --data 'my data.h5' --solution gsv"
    assert fix_command(replace(source, data=None), [UNTRAINED]) == (
        "progfix train --init 'a b.pt' --data DATA --solution gsv"
    )
    ours = replace(source, checkpoint=replace(checkpoint(head_rms=1e-13), kind="progfix"))
    # Its head reads the features themselves: there is no encoder that --init would keep.
    assert fix_command(ours, [UNTRAINED]) == "progfix train --data 'my data.h5' --solution fghsv"
    found = checkpoint(head_rms=1e-13)
    model = ProgressModel(nn.Identity(), found.model.head)
    ours = replace(source, checkpoint=replace(found, kind="progfix", model=model))
    assert fix_command(ours, [UNTRAINED]) == (
        "progfix train --init 'a b.pt' --data 'my data.h5' --solution fghsv"
    )


def test_command_takes_along_how_the_data_was_opened() -> None:
    options: dict[str, object] = {
        "splits": "my splits.json",
        "fps": "1",
        "skip_tasks": ("a", "b"),
        "resplit": 3,
    }
    data = Dataset((), origin="labels.json", options=options)
    source = Source(
        "x", "checkpoint", path=Path("a.pt"), checkpoint=checkpoint(head_rms=1e-13), data=data
    )
    assert fix_command(source, [UNTRAINED]) == (
        "progfix train --init a.pt --data labels.json --splits 'my splits.json' --fps 1 "
        "--skip-tasks a,b --resplit 3 --solution gsv"
    )


def test_command_of_a_run_repeats_it_with_other_letters() -> None:
    found = checkpoint(head_rms=1.0)
    found = replace(found, recipe=apply("gs"))
    source = Source("x", "run", path=Path("runs/gs-1"), checkpoint=found)
    assert fix_command(source, [FALLING]) == "progfix train --config runs/gs-1 --solution dfgsv"


def test_command_of_another_model_trains_anew() -> None:
    source = Source("net", "model", data=Dataset((), origin="d.h5"))
    assert fix_command(source, [FLAT]) == "progfix train --data d.h5 --solution fghsv"


def test_predictions_have_placeholders_and_baselines_no_command() -> None:
    source = Source("x", "predictions")
    assert fix_command(source, [FALLING]) == (
        "progfix train --init CHECKPOINT --data DATA --solution dfgsv"
    )
    assert fix_command(replace(source, kind="baseline"), [FALLING]) is None
    assert fix_command(source, []) is None


def test_letters_that_their_code_cannot_load_are_named() -> None:
    theirs = Source("x", "checkpoint", path=Path("a.pt"), checkpoint=checkpoint(head_rms=1e-13))
    note = fix_note(theirs, [UNTRAINED])
    assert note is not None
    assert note.startswith("gsv gives a head that the GTCC code base can load; fghsv is better")
    # h cannot be expressed in their code, and nothing else was asked for.
    assert fix_command(theirs, [finding("non-monotone", "h")]) == (
        "progfix train --init a.pt --data DATA --solution fghsv"
    )
    note = fix_note(theirs, [finding("non-monotone", "h")])
    assert note is not None
    assert note.startswith(
        "a head of the GTCC code base cannot hold f and h: --solution fghsv makes"
    )
    assert "`progfix export`" in note
    # What their code can load is there already, and did not cure it.
    repaired = replace(theirs, checkpoint=replace(checkpoint(head_rms=1.0), recipe=apply("gsv")))
    assert fix_command(repaired, [finding("same-curve", "g", "h", "s")]) == (
        "progfix train --init a.pt --data DATA --solution fghsv"
    )
    assert str(fix_note(repaired, [FLAT])).startswith("a head of the GTCC code base cannot hold f")
    ours = replace(theirs, checkpoint=replace(checkpoint(head_rms=1e-13), kind="progfix"))
    assert fix_note(ours, [UNTRAINED]) is None


def test_of_a_table_the_command_is_not_for_a_checkpoint_of_any_kind() -> None:
    table = Source("x", "predictions")
    assert str(fix_note(table, [UNTRAINED])).startswith("CHECKPOINT is one of progfix or of the")
    assert fix_note(table, []) is None


def test_a_recipe_that_has_all_letters_is_not_repeated() -> None:
    found = replace(checkpoint(head_rms=1.0), kind="progfix", recipe=apply("fghsv"))
    source = Source("x", "run", path=Path("runs/fghsv-1"), checkpoint=found)
    assert fix_command(source, [FLAT]) is None
    note = fix_note(source, [FLAT])
    assert note is not None
    assert "all these letters already (fghsv)" in note
    assert fix_note(source, [FALLING]) is None
    assert fix_note(source, []) is None
    # What is left is an encoder, ...
    with_data = replace(source, data=Dataset((), origin="d.h5"))
    assert fix_command(with_data, [FLAT]) == (
        "progfix train --data d.h5 --method gtcc --mcn --solution fghsv"
    )


@pytest.mark.parametrize(("best", "expected"), [(2, "2"), (1, None)])
def test_a_run_whose_last_epoch_is_its_best_is_trained_on(
    best: int, expected: str | None, tmp_path: Path
) -> None:
    rows = [
        EpochRow(epoch, 10 * epoch, 0.2, 0, 1.0, 1.0, 0.2, 0.1, 0.1, epoch <= best, 1.0)
        for epoch in (1, 2)
    ]
    write_history(tmp_path / "history.csv", rows)
    found = replace(checkpoint(head_rms=1.0), kind="progfix", recipe=apply("fghsv"))
    source = Source("x", "run", path=tmp_path, checkpoint=found)
    notes = list(fix_notes(source, [FLAT]))
    if expected is None:
        assert fix_command(source, [FLAT]) is None
        assert len(notes) == 1
    else:
        assert fix_command(source, [FLAT]) == f"progfix train --config {tmp_path} --epochs 4"
        assert notes[1].startswith("the best of the 2 epochs is the last one")


def test_letters_that_bring_a_finding_about_are_left_out() -> None:
    contradiction = replace(finding("position-contradiction", "f", "s"), against=("a",))
    assert "a" in fix_letters([FLAT], "ab", HeadSpec())
    assert "a" not in fix_letters([contradiction], "ab", HeadSpec())
    assert "b" in fix_letters([contradiction], "ab", HeadSpec())


def test_a_finding_advises_no_letter_that_the_recipe_has() -> None:
    recipe = apply("gs")
    source = Source("x", "checkpoint", checkpoint=replace(checkpoint(head_rms=1.0), recipe=recipe))
    collapsed = Finding("collapsed-range", "error", "t", "w", {}, ("f", "g", "s"), advice="Look.")
    (left,) = what_is_left(source, [collapsed])
    assert left.fix == ("f",)
    assert left.advice == "Look. The recipe has g, s already."
    foreign = Source("x", "predictions")
    assert what_is_left(foreign, [collapsed]) == (collapsed,)
