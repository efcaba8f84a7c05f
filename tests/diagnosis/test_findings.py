"""Each finding on predictions whose numbers can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from progfix.data.dataset import Dataset, Segment, Video
from progfix.diagnosis import (
    THRESHOLDS,
    Diagnosis,
    Evidence,
    Finding,
    Skill,
    Summary,
    diagnose,
)
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.shape import late_saturation
from progfix.diagnosis.skill import no_skill
from progfix.diagnosis.verdict import verdict
from progfix.predictions import Predictions
from progfix.sources import Source
from tests.diagnosis.planted import frames, planted

TWENTY_OF_TEN = np.full(20, 10)
"""Twenty segments of ten frames: targets .1, .2, ... 1 in every one of them."""


def diagnosed(values: list[float], durations: np.ndarray = TWENTY_OF_TEN) -> Diagnosis:
    """The diagnosis of segments that all get the same answers."""
    table = frames(durations)
    return diagnose(table.with_prediction(np.tile(values, len(durations))))


def found(diagnosis: Diagnosis, name: str) -> Finding:
    return next(finding for finding in diagnosis.findings if finding.id == name)


def ids(diagnosis: Diagnosis) -> set[str]:
    return {finding.id for finding in diagnosis.findings}


def test_constant_by_hand() -> None:
    # Errors of 0.5 against .1 ... 1: .4 .3 .2 .1 0 .1 .2 .3 .4 .5, mean .25.
    diagnosis = diagnosed([0.5] * 10)
    assert diagnosis.summary.mae == pytest.approx(0.25)
    assert diagnosis.skill.constant == pytest.approx(0)
    assert [p.mae for p in diagnosis.positions] == pytest.approx(
        [0.4, 0.3, 0.2, 0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5]
    )
    assert [p.bias for p in diagnosis.positions[-2:]] == pytest.approx([-0.4, -0.5])
    assert [p.count for p in diagnosis.positions] == [20] * 10
    middle = found(diagnosis, "deceptive-middle").evidence
    # Fifths of two frames each: (.4 + .3) / 2, (0 + .1) / 2, (.4 + .5) / 2.
    assert middle["mae_first_fifth"] == pytest.approx(0.35)
    assert middle["mae_middle_fifth"] == pytest.approx(0.05)
    assert middle["mae_last_fifth"] == pytest.approx(0.45)
    collapsed = found(diagnosis, "collapsed-range")
    assert collapsed.evidence["spread"] == 0
    # No map of a constant beats .25, the MAE of the targets' median.
    assert collapsed.gain == pytest.approx(0, abs=1e-3)
    early = found(diagnosis, "early-bias")
    assert early.evidence["bias_first_tenth"] == pytest.approx(0.4)
    # Without the first frame's .4 of 2.5: .25 - .21.
    assert early.gain == pytest.approx(0.04)
    late = found(diagnosis, "late-saturation")
    assert late.evidence["bias_last_tenth"] == pytest.approx(-0.5)
    assert late.evidence["slope_last_fifth"] == 0
    assert late.gain == pytest.approx(0.05)
    # All segments have the same duration, so that counting frames makes no error at all.
    swap = found(diagnosis, "no-skill")
    assert swap.gain == pytest.approx(0.25)
    assert diagnosis.oracles["frame_counting"] == 0


def test_plateau_by_hand() -> None:
    # min(target, .8): errors .1 and .2 in the last two frames, mean .03.
    diagnosis = diagnosed([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.8, 0.8])
    assert ids(diagnosis) == {"late-saturation"}
    late = found(diagnosis, "late-saturation")
    assert late.evidence["bias_last_tenth"] == pytest.approx(-0.2)
    assert late.evidence["slope_last_fifth"] == pytest.approx(0)
    assert late.gain == pytest.approx(0.02)
    assert late.severity == "warning"
    assert late.fix == ("s",)


def test_a_plateau_too_near_to_one_is_none() -> None:
    values = np.minimum(np.arange(1, 11) / 10, 1 - THRESHOLDS.late + 0.001)
    assert "late-saturation" not in ids(diagnosed(list(values)))


def test_early_answers_by_hand() -> None:
    # .5 and .55 where .1 and .2 are right: bias .4 in the first tenth, MAE .075.
    diagnosis = diagnosed([0.5, 0.55, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert [f.id for f in diagnosis.findings if f.severity != "info"] == ["early-bias"]
    early = found(diagnosis, "early-bias")
    assert early.severity == "error"
    assert early.gain == pytest.approx(0.04)
    assert early.fix == ("f", "h", "s")
    assert diagnosis.summary.first_frame_median == 0.5
    assert diagnosis.summary.first_frame_target == pytest.approx(0.1)


def test_a_first_frame_alone_is_a_warning() -> None:
    # Of 50 frames the first says .5; the first tenth has five frames, their mean bias .096.
    values = np.arange(1, 51) / 50
    values[0] = 0.5
    early = found(diagnosed(list(values), np.full(20, 50)), "early-bias")
    assert early.severity == "warning"
    assert early.evidence["bias_first_tenth"] == pytest.approx(0.096)


def test_a_head_that_runs_ahead_all_the_way_is_not_blamed_for_its_beginning() -> None:
    # Bias .3 in the first seven of ten frames, the middle fifth included.
    ahead = np.minimum(np.arange(1, 11) / 10 + 0.3, 1)
    assert "early-bias" not in ids(diagnosed(list(ahead)))
    # .9 throughout is .4 too much in the middle, and twice that at the beginning.
    assert "early-bias" in ids(diagnosed([0.9] * 10))


def test_falls_by_hand() -> None:
    # After .5 comes .1, .2, ...: below the .5 that was reached lie .4 .3 .2 .1 of ten frames.
    diagnosis = diagnosed([0.1, 0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert "non-monotone" not in ids(diagnosis)
    # .9 first: below it lie .7 .6 .5 .4 .3 .2 .1 0 of ten frames, .28 on average.
    falling = found(diagnosed([0.1, 0.9, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), "non-monotone")
    assert falling.evidence["mean_fall"] == pytest.approx(0.28)
    assert falling.severity == "error"
    assert falling.gain > 0


def test_moderate_falls_are_a_warning() -> None:
    assert (
        found(diagnose(planted("jagged", "medium", seed=0)), "non-monotone").severity == "warning"
    )


def measured(
    table: Predictions, skill: Skill, constant_high: float = np.nan, counting_high: float = np.nan
) -> Evidence:
    """Evidence of a table whose skill is given, with the upper ends of its intervals."""
    curves = CurveSums()
    curves.update(table)
    summary = Summary(frames=len(table), mae=0.2, mae_constant=0.25, spread=0.8)
    return Evidence(
        summary=summary,
        skill=skill,
        skill_constant_high=constant_high,
        skill_counting_high=counting_high,
        curves=curves,
    )


def test_skill_that_is_uncertain_is_not_called_none() -> None:
    table = planted("noisy", "medium", seed=0)
    bad, fair = Skill(0.05, 0.5), Skill(0.5, 0.0)
    for high in (0.24, np.nan):
        assert isinstance(no_skill(measured(table, bad, constant_high=high)), Finding)
    assert no_skill(measured(table, bad, constant_high=0.26)) is None
    for high in (0.19, np.nan):
        assert isinstance(no_skill(measured(table, fair, counting_high=high)), Finding)
    assert no_skill(measured(table, fair, counting_high=0.21)) is None


def test_an_end_missed_by_a_head_that_knows_no_durations_needs_segments_to_tell() -> None:
    ignorant, knowing = Skill(0.5, 0.0, 0.0), Skill(0.7, 0.5, 0.5)
    few, many = planted("plateau", "wide", 0, segments=15), planted("plateau", "wide", 0)
    assert isinstance(late_saturation(measured(few, knowing)), Finding)
    assert late_saturation(measured(few, ignorant)) is None
    assert isinstance(late_saturation(measured(many, ignorant)), Finding)


def test_ignorance_of_the_end_is_no_saturation() -> None:
    # Half the truth and half a clock: at the end it rises as the two do, more than the clock.
    table = planted("halfway", "wide", 0)
    assert late_saturation(measured(table, Skill(0.5, 0.0, 0.0))) is None


def test_a_narrow_range_is_a_warning_and_a_collapsed_one_an_error() -> None:
    targets = np.arange(1, 11) / 10
    for share, severity in ((0.2, "error"), (0.35, "warning")):
        finding = found(diagnosed(list(0.5 + share * (targets - 0.55))), "collapsed-range")
        assert finding.severity == severity
        assert finding.evidence["spread"] == pytest.approx(share)
        # Stretching the line mends it.
        assert finding.gain == pytest.approx(
            np.abs(0.5 + share * (targets - 0.55) - targets).mean(), abs=5e-3
        )
    assert "collapsed-range" not in ids(diagnosed(list(0.5 + 0.5 * (targets - 0.55))))


def test_same_curve_needs_durations_that_differ() -> None:
    reason = {entry.id: entry.reason for entry in diagnosed([0.5] * 10).not_checked}
    assert "same-curve" not in reason  # a collapsed line is the same everywhere anyway
    alike = diagnosed(list(np.arange(1, 11) / 10))
    reason = {entry.id: entry.reason for entry in alike.not_checked}
    assert "durations hardly differ" in reason["same-curve"]
    assert any("durations hardly differ" in notice for notice in alike.notices)


def test_same_curve_of_answers_by_elapsed_alone() -> None:
    table = frames(np.tile([5, 10, 20, 40], 5))
    same = diagnose(table.with_prediction(np.minimum(table.elapsed / 20, 1)))
    finding = found(same, "same-curve")
    assert finding.evidence["response_to_duration"] == pytest.approx(0, abs=1e-9)
    assert finding.evidence["explained_by_elapsed"] == pytest.approx(1)
    # Half the truth moves the answer by half of what duration moves the target.
    half = diagnose(table.with_prediction((table.target + np.minimum(table.elapsed / 20, 1)) / 2))
    assert "same-curve" not in ids(half)


def test_no_better_than_counting_is_a_warning_and_worse_says_so() -> None:
    counter = diagnose(planted("noisy-counter", "medium", seed=3))
    assert found(counter, "no-skill").severity == "warning"
    assert counter.verdict.startswith("Better than a constant (MAE .1")
    assert counter.verdict.endswith("every segment gets the same curve.")
    narrow = diagnose(planted("noisy", "narrow", seed=0))
    assert found(narrow, "no-skill").severity == "info"
    assert narrow.verdict.startswith("77 % better than a constant (MAE .058 against .250), but")
    assert "worse than counting frames (.0" in narrow.verdict
    assert "cannot show whether it sees anything" in narrow.verdict
    assert narrow.fault.place == "undecided"
    early = found(diagnose(planted("early", "medium", seed=3)), "no-skill")
    assert "worse than counting frames" in early.title
    assert early.gain == pytest.approx(
        early.evidence["mae"] - early.evidence["mae_frame_counting"]  # type: ignore[operator]
    )


def test_a_constant_far_off_is_worse_than_a_half() -> None:
    diagnosis = diagnosed([0.9] * 10)
    assert "worse than answering 0.5" in found(diagnosis, "no-skill").title
    assert diagnosis.verdict.startswith("Worse than answering 0.5 every time (MAE .370")


def test_few_segments_are_called_few_and_a_flat_line_flat() -> None:
    three = np.full(3, 10)
    flat = diagnosed([0.5] * 10, three)
    assert [f.id for f in flat.findings] == ["collapsed-range"]
    assert flat.verdict == (
        "Too little to judge: 3 segments. Looks fine by its loss (MAE .250), but answers about "
        ".50 everywhere: no better than a constant."
    )
    # Ten are enough.
    enough = diagnosed([0.5] * 10, np.full(10, 10))
    assert enough.verdict.startswith("Looks fine by its loss (MAE .250)")
    right = list(np.arange(1, 11) / 10 - 0.05)
    assert diagnosed(right, three).verdict == (
        "Too little to judge: 3 segments. 80 % better than a constant (MAE .050 against .250)."
    )
    wrong = [1 - value for value in right]
    assert "No better than a constant (MAE" in diagnosed(wrong, three).verdict


def test_few_segments_of_a_split_name_what_all_splits_have() -> None:
    few = planted("noisy", "medium", seed=0, segments=5)
    segments = tuple(Segment(10 * i, 10 * i + 9, "cut") for i in range(12))
    video = Video("v", "task", 120, segments)
    data = Dataset((video, replace(video, name="w")))
    source = Source("net", "model", chunks=lambda: iter([few]), data=data)
    said = diagnose(source).verdict
    assert said.startswith("Too little to judge: 5 segments (`--split all` has 24: fair to a model")
    # A run was trained on its data: more of it would flatter it.
    for other in (replace(source, kind="run"), replace(source, data=None)):
        assert diagnose(other).verdict.startswith("Too little to judge: 5 segments. ")


def test_a_poor_source_without_a_sure_finding_is_not_called_sound() -> None:
    # Fifteen segments are too few to compare with counting: skill -1 leaves a doubt, no finding.
    few = planted("noisy", "medium", seed=0, segments=15)
    evidence = replace(measured(few, Skill(0.4, -1.0)), segments_in_data=0)
    assert verdict(evidence, []).endswith("which 15 segments cannot tell from chance.")
    sure = planted("noisy", "medium", seed=0)
    evidence = measured(sure, Skill(0.05, np.nan), constant_high=0.3)
    assert "which 0 videos cannot tell from chance" in verdict(evidence, [])
    assert verdict(measured(sure, Skill(0.4, 0.3)), []).startswith("No fault found. ")


def test_seeing_the_future_is_no_reason_to_be_no_better_than_a_clock() -> None:
    evidence = measured(planted("noisy", "medium", seed=0), Skill(0.4, 0.04))
    ranks = [("future-leak", "error"), ("same-curve", "warning"), ("no-skill", "warning")]
    findings = [Finding(name, severity, name, "", {}) for name, severity in ranks]  # type: ignore[arg-type]
    said = verdict(evidence, findings)
    assert "only 4 % better than counting frames" in said
    assert said.endswith(": every segment gets the same curve.")


def test_far_behind_a_clock_is_a_warning_even_where_durations_are_alike() -> None:
    table = planted("oracle", "narrow", seed=0)
    slow = diagnose(table.with_prediction(0.7 * table.target))  # errs by .15 in the mean
    assert found(slow, "no-skill").severity == "warning"
    assert "worse than counting frames" in slow.verdict


def test_rows_without_first_and_last_frames_are_judged_by_the_rest() -> None:
    table = planted("constant", "medium", seed=0)
    inner = table.take((table.elapsed > 1) & (table.elapsed < table.duration))
    diagnosis = diagnose(inner)
    assert np.isnan(diagnosis.summary.first_frame_median)
    assert np.isnan(diagnosis.summary.last_frame_median)
    assert ids(diagnosis) == {
        "collapsed-range",
        "no-skill",
        "early-bias",
        "late-saturation",
        "deceptive-middle",
    }
    assert "unknown" not in repr(diagnosis)


def test_segments_of_one_frame_have_no_range_to_judge() -> None:
    diagnosis = diagnose(frames(np.ones(30, dtype=np.int64)))
    assert diagnosis.findings == ()
    reasons = {entry.id: entry.reason for entry in diagnosis.not_checked}
    assert "targets hardly differ" in reasons["collapsed-range"]
    assert "deceptive-middle" in reasons


def test_answers_out_of_range_are_noticed() -> None:
    table = planted("oracle", "medium", seed=0)
    diagnosis = diagnose(table.with_prediction(table.target * 1.3))
    assert any("predictions leave the range" in notice for notice in diagnosis.notices)


def test_an_oracle_is_suspected() -> None:
    assert "oracle" in diagnose(planted("oracle", "medium", seed=0)).verdict


def test_counting_that_is_no_better_than_a_constant_is_noticed() -> None:
    # Two videos, each all the other has not: frames 1..3 counted on 300 and the reverse.
    table = frames(np.array([300] * 10 + [3] * 200), segments_per_video=10)
    notices = diagnose(table.with_prediction(table.target * 0.9)).notices
    table = frames(np.array([4] * 10 + [400] * 10), segments_per_video=10)
    notices += diagnose(table.with_prediction(table.target * 0.9)).notices
    assert any("no better than a constant" in notice for notice in notices)


def test_missing_actions_leave_counting_per_action_unsaid() -> None:
    table = planted("noisy", "medium", seed=0)
    bare = Predictions(
        table.video,
        table.task,
        action=table.task,
        segment=table.segment,
        elapsed=table.elapsed,
        duration=table.duration,
        target=table.target,
        prediction=table.prediction,
        missing=frozenset({"action"}),
    )
    diagnosis = diagnose(bare)
    assert np.isnan(diagnosis.skill.frame_counting_per_action)
    assert not np.isnan(diagnosis.skill.frame_counting)
    assert any(notice.startswith("action is not in the source") for notice in diagnosis.notices)


def test_answers_that_fall_are_said_to_fall() -> None:
    # 1 - target on sixty segments: rank correlation -1, and turning it round saves all of it.
    table = planted("oracle", "medium", seed=0)
    diagnosis = diagnose(table.with_prediction(1 - table.target))
    first = diagnosis.findings[0]
    assert (first.id, first.severity, first.role) == ("backwards", "error", "cause")
    assert first.evidence["rank_with_time"] == pytest.approx(-1)
    assert first.gain == pytest.approx(diagnosis.summary.mae, abs=0.01)
    assert {f.role for f in diagnosis.findings[1:]} == {"symptom"}
    assert "its answers fall while the action goes on" in diagnosis.verdict
    # A saw that rises on the whole does not run backwards.
    jagged = diagnose(planted("jagged", "medium", seed=0))
    assert "backwards" not in {finding.id for finding in jagged.findings}


def test_answers_in_order_on_a_scale_of_their_own_are_said_to_need_a_map() -> None:
    table = planted("oracle", "medium", seed=0)
    for severity, power in (("warning", 0.5), ("error", 0.2)):
        diagnosis = diagnose(table.with_prediction(table.target**power))
        finding = found(diagnosis, "no-skill")
        assert finding.severity == severity
        after = f"{diagnosis.oracles['isotonic']:.3f}".removeprefix("0")
        assert f"by the best rising map, their MAE would be {after}." in finding.advice
        told = f"recalibrated by the best rising map its MAE would be {after}"
        assert (told in diagnosis.verdict) == (severity == "warning")
    # Noise is no matter of a map.
    noisy = diagnose(planted("noisy-counter", "medium", seed=0))
    assert "rising map" not in found(noisy, "no-skill").advice
    assert "rising map" not in noisy.verdict
