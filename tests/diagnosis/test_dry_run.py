"""What is said of a run before it starts, against the run itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from progfix.cli.app import app
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.diagnosis import run_cost
from progfix.diagnosis.dry_run import DryRun, dry_run, dry_run_json
from progfix.diagnosis.measured import StepAudit
from progfix.diagnosis.render_dry_run import render_dry_run
from progfix.diagnosis.run_cost import _mean, measure_cost
from progfix.diagnosis.step_audit import audit_setup, audit_step
from progfix.training.assemble import Request, assemble
from progfix.training.prepare import prepare
from progfix.training.run import start_run
from tests.training.tiny import write_tiny

Value = float | int | bool | str | None
FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
BUILT_IN = DataOptions("procedures/1:dim=8,videos=6,tasks=2")
METHOD: dict[str, Value] = {"method.name": "tcc", "method.size": 8, "method.frames": 16}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run_cost, "MOST_STEPS", 4)
    monkeypatch.chdir(tmp_path)


def dry(**request: object) -> DryRun:
    options, _ = assemble(Request(**{"data": BUILT_IN, **request}))  # type: ignore[arg-type]
    return dry_run(options)


def ids(result: DryRun) -> list[str]:
    return [finding.id for finding in result.findings]


@pytest.mark.parametrize(
    ("solution", "expected", "advised"),
    [
        ("fghsv", [], None),
        ("baseline", ["unseen-start"], "fghsv"),
        ("ab", ["position-contradiction", "unseen-start"], "bfghsv"),
        # s is what shows the beginning; c would keep it hidden, and goes.
        ("c", ["unseen-start"], "fghsv"),
    ],
)
def test_the_letters_say_what_will_go_wrong(
    solution: str, expected: list[str], advised: str | None
) -> None:
    result = dry(solution=solution)
    assert ids(result) == expected
    assert result.advised == advised


def test_an_encoder_that_starves_the_head_and_sees_the_future() -> None:
    published = {**METHOD, "method.causal": False, "method.losses": "gtcc"}
    result = dry(solution="baseline", settings=published)
    assert ids(result) == ["starved-head", "future-leak", "unseen-start"]
    starved, leak, _ = result.findings
    assert starved.severity == "error"
    # Both are clipped together at 1e-5, in proportion to 1e6 times as large an encoder's.
    assert starved.evidence["head_gradient_applied"] < 1e-9  # type: ignore[operator]
    assert leak.evidence["change_of_embeddings"] > 0.02  # type: ignore[operator]
    assert "--causal" in leak.advice
    assert [n.id for n in result.not_checked] == ["duration-blind-embeddings"]


def test_own_gradients_and_a_causal_encoder_are_not_reproached() -> None:
    assert ids(dry(solution="gs", settings=METHOD)) == []


def test_the_alignment_takes_part_in_the_step() -> None:
    # A head on raw features sends the encoder no gradient: what it has is the alignment's.
    settings = {**METHOD, "method.features": "raw"}
    options, _ = assemble(Request(solution="baseline", data=BUILT_IN, settings=settings))
    setup = prepare(options).setup
    audit = audit_setup(setup)
    alone = audit_step(setup.model, options.recipe, prepare(options).data, trains_encoder=True)
    assert isinstance(audit, StepAudit)
    assert audit.encoder is not None
    assert audit.encoder.gradient > 0
    assert isinstance(alone, StepAudit)
    assert alone.encoder is not None
    assert alone.encoder.gradient == 0


def test_a_pooled_head_cannot_use_order() -> None:
    assert "order-blind" in ids(dry(solution="gs", head="pooled"))


def test_position_is_no_contradiction_where_durations_are_alike(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny.h5")
    # Segments of 14 to 18 frames: elapsed frames explain nearly all of progress.
    assert "position-contradiction" not in ids(
        dry(solution="ags", data=DataOptions(str(tmp_path / "tiny.h5")))
    )


def test_defects_of_the_data_are_findings(tmp_path: Path) -> None:
    videos = list(open_dataset(DataOptions(str(write_tiny(tmp_path / "tiny.h5")))))
    test = next(v for v in videos if v.split == "test")
    write_hdf5(tmp_path / "leak.h5", [*videos, replace(test, name="copy", split="train")])
    result = dry(solution="gs", data=DataOptions(str(tmp_path / "leak.h5")))
    assert {"split-leak", "duplicate-videos"} & set(ids(result))


def test_what_it_says_of_disk_and_steps_is_what_the_run_takes(tmp_path: Path) -> None:
    for name, settings in (("head", {}), ("joint", METHOD)):
        request = Request(
            solution="gs",
            data=BUILT_IN,
            settings={**settings, "optimisation.epochs": 2},
            folder=tmp_path / name,
        )
        options, _ = assemble(request)
        before = sorted(tmp_path.rglob("*"))
        cost = dry_run(options).cost
        assert sorted(tmp_path.rglob("*")) == before
        run = start_run(options, lambda _event: None)
        taken = sum(file.stat().st_size for file in run.folder.iterdir())
        assert cost.disk == pytest.approx(taken, rel=0.02)
        assert cost.steps_per_epoch * 2 == run.history[-1].steps
        assert cost.epochs == 2
        assert cost.epoch.low <= cost.epoch.value <= cost.epoch.high
        # Two epochs, and what is done once.
        assert cost.total.value >= 2 * cost.epoch.value
        assert cost.memory > 50e6


def test_the_model_is_as_it_was() -> None:
    options, _ = assemble(Request(solution="gs", data=BUILT_IN))
    prepared = prepare(options)
    before = {k: v.clone() for k, v in prepared.setup.model.state_dict().items()}
    measure_cost(prepared, starting=0.0)
    after = prepared.setup.model.state_dict()
    assert all(before[name].equal(after[name]) for name in before)


def test_the_interval_of_the_mean_is_students() -> None:
    # Of 1, 2, 3: deviation 1, t(.975, 2) = 4.3027, so that half is 4.3027 / sqrt(3) = 2.4842.
    mean = _mean([1.0, 2.0, 3.0])
    assert (mean.value, mean.low) == (2.0, 0.0)
    assert mean.high == pytest.approx(4.4842, abs=1e-4)
    # Of 10, 11, 12, 13: deviation 1.29099, t(.975, 3) = 3.18245, half 2.05426.
    assert _mean([10.0, 11.0, 12.0, 13.0]).low == pytest.approx(11.5 - 2.05426, abs=1e-4)


def test_more_steps_are_measured_while_they_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dry(solution="gs").cost.steps == 4
    # However short the run, three are the fewest that say how much they differ.
    data = DataOptions("procedures/1:dim=8,videos=3,tasks=1")
    short: dict[str, Value] = {"optimisation.epochs": 1, "optimisation.batch_videos": 8}
    cost = dry(solution="gs", settings=short, data=data).cost
    assert (cost.steps_per_epoch, cost.steps) == (1, 4)
    monkeypatch.setattr(run_cost, "SECONDS", 0.0)
    assert dry(solution="gs").cost.steps == run_cost.FEWEST_STEPS


@pytest.mark.skipif(not FIXTURES.exists(), reason="the users' checkpoints are not here")
def test_the_head_of_a_users_checkpoint() -> None:
    data = DataOptions("procedures/1:dim=64,videos=6,tasks=2")
    result = dry(init=FIXTURES / "gtcc_frozen_head.pt", solution="baseline", data=data)
    assert ids(result) == ["future-leak", "unseen-start"]
    # Their code loads no head with f or h.
    assert result.advised == "gsv"


def test_the_screen_and_the_json() -> None:
    result = dry(solution="ab")
    lines = [text for text, _ in render_dry_run(result, width=79)]
    assert max(map(len, lines)) <= 79
    text = "\n".join(lines)
    for part in ("Nothing was trained", "time", "memory", "disk", "1. warning: position-"):
        assert part in text
    assert "  --solution bfghsv" in lines
    values = json.loads(json.dumps(dry_run_json(result), allow_nan=False))
    assert values["format"] == "progfix-dry-run/1"
    assert values["cost"]["device_memory"] is None
    assert [f["id"] for f in values["findings"]] == ids(result)


def test_the_command(tmp_path: Path) -> None:
    arguments = ["train", "--dry-run", "--solution", "baseline", "--data", BUILT_IN.path or ""]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    assert [f["id"] for f in json.loads(done.stdout)["findings"]] == ["unseen-start"]
    assert list(tmp_path.iterdir()) == []
    shown = CliRunner().invoke(app, arguments).stdout
    assert "Fix: s (full supervision)." in shown


@pytest.mark.parametrize(
    ("arguments", "name"), [(["--json"], "--json"), (["--dry-run", "--resume"], "--dry-run")]
)
def test_options_that_would_do_nothing_are_refused(arguments: list[str], name: str) -> None:
    done = CliRunner().invoke(app, ["train", *arguments])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {name}: ")
