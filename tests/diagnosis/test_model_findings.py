"""Findings that need more than predictions, at their thresholds; placing, ladder, comparing."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix.data.dataset import ArrayFeatures, Dataset, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.diagnosis import (
    FINDINGS,
    Diagnosis,
    Evidence,
    Finding,
    NotChecked,
    Skill,
    Summary,
    compare_diagnoses,
    diagnose,
)
from progfix.diagnosis.by_recipe import starved_head, unseen, unseen_start
from progfix.diagnosis.calibration import miscalibrated
from progfix.diagnosis.carried import duration_blind_embeddings, head_loses_progress
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.data import data_findings
from progfix.diagnosis.fault import PLACES, find_fault
from progfix.diagnosis.ladder import ladder
from progfix.diagnosis.measured import (
    EmbeddingProbe,
    Interval,
    Probe,
    Probes,
    StepAudit,
    StepPart,
)
from progfix.diagnosis.render_comparison import render_comparison
from progfix.diagnosis.response import future_leak, ignores_embeddings, order_blind
from progfix.diagnosis.skill import same_curve
from progfix.diagnosis.trial import trial_request
from progfix.diagnosis.verdict import verdict
from progfix.errors import InputError
from progfix.predictions import Predictions
from progfix.solutions import apply
from progfix.sources import Source
from progfix.training.recipe import SEED_RECIPE
from tests.diagnosis.planted import frames, planted
from tests.diagnosis.test_training import checkpoint, of


def sums(table: Predictions | None = None) -> CurveSums:
    curves = CurveSums()
    curves.update(planted("noisy", "medium", seed=0) if table is None else table)
    return curves


def probe(name: str, change: float, embeddings: float = math.nan) -> Probe:
    interval = Interval(change, change, change)
    return Probe(name, name, interval, interval, interval, 100, 10, embeddings)


def asked(*probes: Probe, spread: float = 1.0) -> Evidence:
    return Evidence(summary=Summary(spread=spread), curves=sums(), probes=Probes(inputs=probes))


def severity(found: Finding | NotChecked | None) -> str | None:
    assert not isinstance(found, NotChecked)
    return None if found is None else found.severity


@pytest.mark.parametrize(
    ("change", "embeddings", "expected"),
    [
        (0.009, 0.019, None),
        (0.011, 0.0, "warning"),
        (0.0, 0.021, "warning"),
        (0.021, 0.0, "error"),
        (0.0, math.nan, None),
    ],
)
def test_future_leak(change: float, embeddings: float, expected: str | None) -> None:
    assert severity(future_leak(asked(probe("future", change, embeddings)))) == expected


@pytest.mark.parametrize(
    ("noise", "swapped", "expected"), [(0.029, 0.0, "warning"), (0.031, 0.0, None), (0, 0.04, None)]
)
def test_ignores_embeddings(noise: float, swapped: float, expected: str | None) -> None:
    probes = (probe("noise", noise), probe("zeros", 0.01), probe("swapped", swapped))
    assert severity(ignores_embeddings(asked(*probes))) == expected
    # A flat line follows from any input.
    assert ignores_embeddings(asked(*probes, spread=0.2)) is None


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        ((), "Whether it reads the video and makes nothing of it, or does not"),
        ((0.0,), "it counts frames and ignores what the embeddings show"),
        ((0.1,), "It does read the embeddings (others in their place move its answers by .100)"),
    ],
)
def test_what_same_curve_says_of_the_video_is_what_probes_show(
    probes: tuple[float, ...], said: str
) -> None:
    evidence = asked(*(probe("noise", change) for change in probes))
    evidence = replace(evidence, curves=sums(planted("counter", "wide", seed=0)))
    found = same_curve(evidence)
    assert isinstance(found, Finding)
    assert said in found.why
    assert ("head" in found.why) is False


def test_a_clock_is_found_where_durations_are_alike_and_no_letter_mends_it() -> None:
    evidence = asked(probe("noise", 0.0), probe("zeros", 0.0), probe("swapped", 0.0))
    evidence = replace(evidence, curves=sums(planted("counter", "narrow", seed=0)))
    found = ignores_embeddings(evidence)
    assert isinstance(found, Finding)
    assert (found.severity, found.fix) == ("warning", ())
    assert "actions that take longer, stop or fail" in found.advice
    said = verdict(evidence, [found])
    assert said.startswith("It counts time and reads nothing of the video. Where actions take")
    exact = replace(evidence, summary=replace(evidence.summary, mae=0.0))
    assert "takes knowing when the action will end" in verdict(exact, [found])


@pytest.mark.parametrize(
    ("shuffled", "content", "expected"),
    [(0.019, 0.1, "warning"), (0.021, 0.1, None), (0.0, 0.02, None)],
)
def test_order_blind(shuffled: float, content: float, expected: str | None) -> None:
    content_probes = [probe(name, content) for name in ("noise", "zeros", "swapped")]
    assert severity(order_blind(asked(probe("shuffled", shuffled), *content_probes))) == expected


def carried(*, duration: Interval, saved: Interval, linear: float = 0.1) -> EmbeddingProbe:
    nothing = Interval(-1.0, -1.0, -1.0)
    return EmbeddingProbe(
        videos=10,
        fitted_on=20,
        frames=500,
        mae_head=linear + saved.value,
        mae_clock=0.15,
        mae_linear=Interval(linear),
        mae_neighbours=Interval(0.3),
        saved=saved,
        duration_linear=duration,
        duration_neighbours=nothing,
        action_linear=0.5,
        action_neighbours=0.4,
        action_most_frequent=0.2,
    )


def with_embeddings(found: EmbeddingProbe) -> Evidence:
    return Evidence(summary=Summary(spread=1.0), curves=sums(), probes=Probes(embeddings=found))


@pytest.mark.parametrize(
    ("value", "high", "expected"),
    [(0.04, 0.1, "warning"), (0.06, 0.1, None), (0.04, 0.2, None), (-0.5, 0.0, "warning")],
)
def test_duration_blind_embeddings(value: float, high: float, expected: str | None) -> None:
    found = carried(duration=Interval(value, value - 0.1, high), saved=Interval(0, 0, 0))
    assert severity(duration_blind_embeddings(with_embeddings(found))) == expected


@pytest.mark.parametrize(
    ("saved", "low", "expected"),
    [(0.021, 0.001, "warning"), (0.019, 0.01, None), (0.05, -0.01, None)],
)
def test_head_loses_progress(saved: float, low: float, expected: str | None) -> None:
    found = carried(duration=Interval(0.5, 0.4, 0.6), saved=Interval(saved, low, 0.1))
    finding = head_loses_progress(with_embeddings(found))
    assert severity(finding) == expected
    if isinstance(finding, Finding):
        assert finding.gain == saved
        assert "ridge regression on them has MAE .100, the head .121" in finding.title


def test_starved_head_and_its_acquittal() -> None:
    def evidence(share: float, skill: float = 0.0) -> Evidence:
        head = StepPart(0.1, 1e-11, share * 0.01, 10.0, share)
        audit = StepAudit(head, StepPart(1e4, 1e-5, 0.02, 40.0, 0.2))
        return Evidence(skill=Skill(constant=skill), probes=Probes(step=audit))

    found = starved_head(evidence(0.049))
    assert isinstance(found, Finding)
    assert (found.severity, found.fix) == ("error", ("g",))
    assert "0.1" not in found.why
    assert "gradient of 1e-01 is clipped together with the encoder's of 1e+04" in found.why
    assert starved_head(evidence(0.051)) is None
    assert starved_head(evidence(0.001, skill=0.3)) is None
    # Gradients in the optimiser state that a starved head could not have had.
    fed = replace(evidence(0.001), checkpoint=checkpoint(head_rms=1e-5))
    assert starved_head(fed) is None
    assert starved_head(replace(fed, checkpoint=checkpoint(head_rms=1e-13))) is not None
    # Without one, weights that no initialisation draws say the same.
    untouched = checkpoint(head_rms=None)
    assert starved_head(replace(fed, checkpoint=untouched)) is not None
    with torch.no_grad():
        next(untouched.model.head.parameters()).mul_(2)
    assert starved_head(replace(fed, checkpoint=untouched)) is None


def test_what_sampling_never_shows() -> None:
    assert unseen(apply("s")) is None
    seed, late = unseen(SEED_RECIPE), unseen(apply("c"))
    assert seed is not None
    assert late is not None
    assert seed.title == "Training never shows frames 1 to 2 of an action"
    assert "a ten-frame action is .3" in seed.why
    assert late.evidence == {"min_segment_len": 10}
    assert late.against == ("c",)


def test_unseen_start_needs_wrong_answers_there() -> None:
    table = planted("oracle", "short", seed=0, segments=60)
    wrong = table.with_prediction(np.where(table.elapsed < 3, 0.6, table.target))
    found = checkpoint(head_rms=1.0)
    diagnosis = of(found, wrong)
    first = diagnosis.findings[0]
    assert (first.id, first.severity, first.role) == ("unseen-start", "warning", "cause")
    # The first two of 3 to 12 frames: the truth is below .6 but for the second of three.
    early = wrong.elapsed < 3
    assert first.gain == pytest.approx((0.6 - table.target[early]).sum() / len(table))
    assert "c" not in str(diagnosis.fix_command).rpartition(" ")[2]
    assert diagnosis.fault.place == "training"
    assert "unseen-start" not in {f.id for f in of(found, table).findings}
    unknown = unseen_start(Evidence(checkpoint=replace(found, recipe=None)))
    assert isinstance(unknown, NotChecked)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.71, 0.68, 0.74, None),
        (0.69, 0.66, 0.72, "warning"),
        (0.69, 0.55, 0.81, None),
        (0.49, 0.4, 0.6, "error"),
        (0.91, 0.88, 0.94, "warning"),
        (math.nan, math.nan, math.nan, None),
    ],
)
def test_miscalibrated(value: float, low: float, high: float, expected: str | None) -> None:
    assert severity(miscalibrated(Evidence(coverage=Interval(value, low, high)))) == expected


def finding(name: str, level: str = "warning", role: str = "cause") -> Finding:
    return Finding(name, level, "title", "why", {}, role=role)  # type: ignore[arg-type]


def test_every_finding_that_blames_something_is_known() -> None:
    described = {check.id for check in FINDINGS} - set(PLACES)
    assert described == {
        "collapsed-range",
        "backwards",
        "no-skill",
        "same-curve",
        "lost-task",
        "early-bias",
        "late-saturation",
        "non-monotone",
    }


def test_the_fault_is_placed_by_what_decides() -> None:
    open_cause = finding("late-saturation", "error")
    nothing = Evidence(summary=Summary(frames=1))
    assert find_fault(nothing, []).place == "nowhere"
    assert find_fault(Evidence(no_predictions="none"), []).place == "undecided"
    assert find_fault(nothing, [finding("one-frame-actions", "info")]).place == "nowhere"
    # A warning does not decide against an error whose origin is open.
    fault = find_fault(nothing, [open_cause, finding("deceptive-middle")])
    assert (fault.place, fault.decided_by) == ("undecided", None)
    assert "The model with its data (a checkpoint, or --model) would decide" in fault.words
    assert find_fault(nothing, [open_cause, finding("split-leak", "error")]).place == "data"
    # A leak is the encoder's where embeddings move, else the head's.
    for moved, place in ((0.3, "encoder"), (0.0, "head")):
        leak = future_leak(asked(probe("future", 0.1, moved)))
        assert isinstance(leak, Finding)
        assert find_fault(nothing, [leak]).place == place
    duration = Interval(0.5, 0.4, 0.6)
    loses = with_embeddings(carried(duration=duration, saved=Interval(0.1, 0.05, 0.2)))
    assert find_fault(loses, [open_cause]).decided_by == "head-loses-progress"
    # Where that finding is not checked for want of segments, it decides nothing.
    few = find_fault(replace(loses, curves=CurveSums()), [open_cause])
    assert (few.place, few.decided_by) == ("undecided", None)
    assert few.words.endswith("which may be chance.")
    # Seeing the future lowers the error, and explains none.
    leak = finding("future-leak", "error")
    assert find_fault(loses, [leak, open_cause]).decided_by == "head-loses-progress"
    assert find_fault(nothing, [leak, finding("same-curve")]).place == "undecided"
    assert find_fault(nothing, [leak]).decided_by == "future-leak"
    # Nothing but the future makes answers exact.
    exact = replace(nothing, summary=Summary(frames=1, mae=0.0), module=True)
    told = find_fault(exact, [leak, finding("ignores-embeddings")])
    assert (told.decided_by, told.words) == (
        "future-leak",
        "The fault lies in the model (future-leak).",
    )
    poor = Interval(0.0, -0.1, 0.1)
    blind = carried(duration=poor, saved=Interval(0, 0, 0), linear=0.149)
    assert find_fault(with_embeddings(blind), [open_cause]).place == "encoder"
    both = carried(duration=duration, saved=Interval(0, 0, 0))
    assert "does not decide" in find_fault(with_embeddings(both), [open_cause]).words


@pytest.mark.parametrize(
    ("saved", "low", "words"),
    [
        # Well below the head, but its interval holds 0.
        (
            0.105,
            -0.01,
            "errs by .100 and the head by .205 on the 500 frames of 10 videos that were tested, "
            "which may be chance",
        ),
        (0.01, 0.005, "does hardly better (.100 against .110 on the 500 frames of 10 videos that"),
        (0.0, -0.1, "does no better (.100 against .100 on the 500 frames of 10 videos that"),
        (-0.05, -0.1, "does no better (.100 against .050 on the 500 frames of 10 videos that"),
    ],
)
def test_what_leaves_the_fault_open_is_said_as_it_is(saved: float, low: float, words: str) -> None:
    found = carried(duration=Interval(0.5, 0.4, 0.6), saved=Interval(saved, low, 0.2))
    fault = find_fault(with_embeddings(found), [finding("late-saturation", "error")])
    assert (fault.place, fault.decided_by) == ("undecided", None)
    assert words in fault.words
    assert ("may be chance" in fault.words) is (saved > 0.02)


def test_errors_that_place_the_fault_say_what_they_were_measured_on() -> None:
    open_cause = finding("late-saturation", "error")
    loses = carried(duration=Interval(0.5, 0.4, 0.6), saved=Interval(0.1, 0.05, 0.2))
    blind = carried(duration=Interval(0, -0.1, 0.1), saved=Interval(0, 0, 0), linear=0.149)
    for found, place in ((loses, "head"), (blind, "encoder")):
        fault = find_fault(with_embeddings(found), [open_cause])
        assert fault.place == place
        assert "on the 500 frames of 10 videos that were tested" in fault.words


def test_the_ladder_goes_from_nothing_to_right() -> None:
    found = carried(duration=Interval(0.5), saved=Interval(0.04))
    evidence = Evidence(
        summary=Summary(frames=9, mae=0.2, mae_constant=0.25, mae_frame_counting=0.15, spread=1.0),
        oracles={"clip": 0.2, "affine": 0.18, "exact_duration": 0.05, "frame_counting": 0.01},
        probes=Probes(embeddings=found),
    )
    rungs = [(rung.name, rung.mae) for rung in ladder(evidence)]
    assert rungs == [
        ("constant", 0.25),
        ("frame_counting", 0.15),
        ("embedding_probe", 0.1),
        ("head", 0.2),
        ("repaired", 0.05),
        ("perfect", 0.0),
    ]
    assert ladder(evidence)[4].label == "its answers, with the right duration"
    assert ladder(Evidence()) == ()


def damaged(tmp_path: Path) -> Dataset:
    """Ten videos of one action of ten frames and two of one frame."""
    rng = np.random.default_rng(0)
    made = [
        Video(
            f"v{i}",
            "",
            14 + i,
            (Segment(i, i + 9, "a"), Segment(i + 10, i + 10, "b"), Segment(i + 12, i + 12, "b")),
            ArrayFeatures(rng.standard_normal((14 + i, 2)).astype(np.float32)),
            "train" if i < 5 else "test",
        )
        for i in range(10)
    ]
    write_hdf5(tmp_path / "d.h5", made)
    return open_dataset(DataOptions(path=str(tmp_path / "d.h5")))


def test_one_frame_actions_and_their_share_of_the_error(tmp_path: Path) -> None:
    # Answers of 0.5 err by .25 a frame over ten frames and by .5 on each single one: 1 of 3.5.
    table = frames(np.array([10, 1, 1] * 5), segments_per_video=3)
    flat = table.with_prediction(np.full(len(table), 0.5))
    found, missing = data_findings(damaged(tmp_path), sums(flat))
    (first,) = found
    assert (first.id, first.severity) == ("one-frame-actions", "warning")
    assert first.evidence["share_of_error"] == pytest.approx(1 / 3.5)
    assert "and 29 % of the error" in first.title
    assert "--frame-rate" in first.advice
    assert missing == ()


def test_built_in_data_and_no_data_are_not_checked() -> None:
    assert data_findings(open_dataset(DataOptions(path="procedures/1")), sums()) == ((), ())
    assert data_findings(Dataset(()), sums()) == ((), ())


def test_findings_of_data_stand_beside_those_of_the_head(tmp_path: Path) -> None:
    table = planted("constant", "medium", seed=0)
    source = Source("x", "predictions", chunks=lambda: iter([table]), data=damaged(tmp_path))
    diagnosis = diagnose(source)
    assert [(f.id, f.role) for f in diagnosis.findings][:2] == [
        ("collapsed-range", "cause"),
        ("one-frame-actions", "cause"),
    ]


def test_what_could_not_be_looked_for_is_not_gone() -> None:
    def told(*ids: str, unchecked: str = "", frames: int = 1) -> Diagnosis:
        return Diagnosis(
            "x",
            "",
            summary=Summary(frames=frames),
            findings=tuple(map(finding, ids)),
            not_checked=(NotChecked(unchecked, "no model"),) if unchecked else (),
        )

    compared = compare_diagnoses(
        told("early-bias", "no-skill", "starved-head"),
        told("no-skill", "split-leak", unchecked="starved-head"),
    )
    assert (compared.gone, compared.new, compared.kept) == (
        ("early-bias",),
        ("split-leak",),
        ("no-skill",),
    )
    back = compare_diagnoses(compared.after, compared.before)
    assert (back.gone, back.new, back.kept) == (("split-leak",), ("early-bias",), ("no-skill",))
    assert back.unseen_before == ("starved-head",)
    # A checkpoint without its data says nothing of the data either.
    alone = compare_diagnoses(told("untrained-head", frames=0), compared.after)
    assert (alone.new, alone.unseen_before) == (("no-skill",), ("split-leak",))
    assert "starved-head (could not be looked for before)" in "".join(
        line for line, _ in render_comparison(back)
    )


def test_what_is_trained_to_try_letters() -> None:
    found = replace(checkpoint(head_rms=1.0), kind="progfix", recipe=apply("fgs"))
    run = Source("r", "run", path=Path("runs/r"), checkpoint=found)
    request = trial_request(run, "gs", DataOptions(), head_spec=None, device="cpu")
    assert (request.config, request.init, request.solution) == (Path("runs/r"), None, "gs")
    alone = replace(run, kind="checkpoint", path=Path("best_model.pt"))
    request = trial_request(alone, "ab", DataOptions(path="d"), head_spec="none", device="cpu")
    assert (request.config, request.init) == (None, found.path)
    assert (request.data.path, request.head_spec) == ("d", "none")
    with pytest.raises(InputError, match="--try"):
        trial_request(Source("p", "predictions"), "s", DataOptions(), head_spec=None, device="cpu")
