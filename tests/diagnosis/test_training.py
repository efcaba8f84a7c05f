"""`untrained-head`: from the optimiser state, from the weights, and not against predictions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix.checkpoints import Checkpoint
from progfix.checkpoints.moments import Moments
from progfix.diagnosis import FINDINGS, Diagnosis, Finding, diagnose
from progfix.heads.build import build_head
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.predictions import Predictions
from progfix.sources import Source, SourceOptions, open_source
from progfix.training.recipe import SEED_RECIPE
from tests.diagnosis.planted import planted

FIXTURES = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures"
HEAD = ("head.gru.weight_ih_l0", "head.fc.2.bias")


def checkpoint(*, head_rms: float | None, moved: bool = False, learned: bool = False) -> Checkpoint:
    """A checkpoint whose head got gradients of this size; None leaves the state out."""
    torch.manual_seed(0)
    head = build_head(HeadSpec(initial_state="learned" if learned else "zero"), 8)
    if moved:
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.mul_(1.2)
    moments = None
    if head_rms is not None:
        moments = {name: Moments(head_rms, 2 * head_rms, 60) for name in HEAD}
        moments["encoder.weight"] = Moments(1e-3, 1e-2, 60)
    return Checkpoint(
        path=Path("best_model.pt"),
        kind="gtcc",
        model=ProgressModel(None, head),
        recipe=SEED_RECIPE,
        epoch=49,
        durations=None,
        data=None,
        moments=moments,
        payload={},
    )


def of(found: Checkpoint, predictions: Predictions | None = None) -> Diagnosis:
    return diagnose(
        Source(
            label="best_model",
            kind="checkpoint",
            path=found.path,
            checkpoint=found,
            chunks=None if predictions is None else lambda: iter([predictions]),
            why_not="no data" if predictions is None else None,
        )
    )


def untrained(diagnosis: Diagnosis) -> Finding | None:
    return next((f for f in diagnosis.findings if f.id == "untrained-head"), None)


def test_gradients_below_the_threshold_are_proof() -> None:
    diagnosis = of(checkpoint(head_rms=0.9e-10))
    finding = untrained(diagnosis)
    assert finding is not None
    assert (finding.severity, finding.role, finding.fix) == ("error", "cause", ("g",))
    assert finding.evidence["head_gradient_rms"] == pytest.approx(0.9e-10)
    assert finding.evidence["other_gradient_rms_median"] == pytest.approx(1e-3)
    assert np.isnan(finding.gain)
    assert diagnosis.verdict.startswith("The head never trained")
    assert untrained(of(checkpoint(head_rms=1.1e-10))) is None


def test_one_tensor_with_gradients_acquits() -> None:
    found = checkpoint(head_rms=1e-13)
    assert found.moments is not None
    moments = {**found.moments, HEAD[0]: Moments(1e-5, 1e-4, 60)}
    assert untrained(of(replace(found, moments=moments))) is None


def test_a_head_without_any_state_got_no_gradient() -> None:
    found = checkpoint(head_rms=1e-3)
    assert found.moments is not None
    only_encoder = {"encoder.weight": found.moments["encoder.weight"]}
    finding = untrained(of(replace(found, moments=only_encoder)))
    assert finding is not None
    assert "none of the head's" in finding.why


def test_a_head_that_trained_before_is_not_said_to_be_at_its_initialisation() -> None:
    finding = untrained(of(checkpoint(head_rms=1e-13, moved=True)))
    assert finding is not None
    assert "No gradient reaches the head" in finding.title
    assert finding.evidence["within_initialisation"] == "no"


def test_weights_within_their_initialisation_are_weaker_evidence() -> None:
    finding = untrained(of(checkpoint(head_rms=None)))
    assert finding is not None
    assert finding.severity == "warning"
    assert "weaker evidence" in finding.why
    assert untrained(of(checkpoint(head_rms=None, moved=True))) is None


def test_a_learned_initial_state_has_to_be_exactly_zero() -> None:
    found = checkpoint(head_rms=None, learned=True)
    assert untrained(of(found)) is not None
    with torch.no_grad():
        found.model.head.get_parameter("h0").add_(1e-3)
    assert untrained(of(found)) is None


@pytest.mark.parametrize("head_rms", [None, 1e-13])
def test_predictions_with_skill_acquit(head_rms: float | None) -> None:
    healthy = planted("noisy", "medium", seed=0)
    assert untrained(of(checkpoint(head_rms=head_rms), healthy)) is None


@pytest.mark.parametrize("head_rms", [None, 1e-13])
def test_it_masks_what_follows_from_it(head_rms: float | None) -> None:
    diagnosis = of(checkpoint(head_rms=head_rms), planted("constant", "medium", seed=0))
    assert [f.id for f in diagnosis.findings if f.role == "cause"] == ["untrained-head"]
    assert diagnosis.findings[0].id == "untrained-head"
    assert len(diagnosis.findings) == 6
    # Trained, it would at least count frames.
    saved = diagnosis.summary.mae - diagnosis.summary.mae_frame_counting
    assert diagnosis.findings[0].gain == pytest.approx(saved)


def test_without_data_the_rest_is_not_checked_and_says_why() -> None:
    diagnosis = of(checkpoint(head_rms=1e-3))
    assert diagnosis.findings == ()
    assert diagnosis.positions == ()
    assert diagnosis.verdict.startswith("The head did train: its gradients reached 1e-03")
    assert {entry.reason for entry in diagnosis.not_checked} == {"no data"}
    unchecked = {check.id for check in FINDINGS} - {"untrained-head"}
    assert {entry.id for entry in diagnosis.not_checked} == unchecked


def fixture(name: str) -> Diagnosis:
    path = FIXTURES / f"{name}.pt"
    if not path.exists():
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return diagnose(open_source(str(path), SourceOptions()))


def test_the_frozen_fixture_is_named_from_the_file_alone() -> None:
    finding = untrained(fixture("gtcc_frozen_head"))
    assert finding is not None
    assert finding.severity == "error"
    largest = finding.evidence["head_gradient_rms"]
    assert isinstance(largest, float)
    assert 1e-13 < largest < 2.4e-12


@pytest.mark.parametrize(
    "name",
    [
        "gtcc_trained_head",
        "gtcc_baseline",
        "gtcc_baseline_wide",
        "gtcc_ab",
        "gtcc_ab_ddp",
        "gtcc_ab_wide",
        "gtcc_frame_count",
    ],
)
def test_fixtures_that_trained_are_not(name: str) -> None:
    diagnosis = fixture(name)
    assert diagnosis.findings == ()
    proven = name == "gtcc_trained_head"
    assert diagnosis.verdict.startswith(
        "The head did train" if proven else "The head looks trained"
    )
    assert all("--data" in entry.reason for entry in diagnosis.not_checked)
