"""From a source to its diagnosis, in one pass over its predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from progfix.diagnosis.by_recipe import STARVED_HEAD, UNSEEN_START
from progfix.diagnosis.calibration import MISCALIBRATED
from progfix.diagnosis.carried import DURATION_BLIND, HEAD_LOSES_PROGRESS
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.data import data_findings
from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.fault import KNOWN, find_fault
from progfix.diagnosis.ladder import ladder
from progfix.diagnosis.measured import Interval, Probes
from progfix.diagnosis.model import Diagnosis, Finding, NotChecked, Position, Skill, Summary
from progfix.diagnosis.probing import run_probes
from progfix.diagnosis.ranking import ranked
from progfix.diagnosis.remedy import fix_command, fix_notes, what_is_left
from progfix.diagnosis.repairs import RepairSums
from progfix.diagnosis.response import (
    FUTURE_LEAK,
    IGNORES_EMBEDDINGS,
    ORDER_BLIND,
    POSITION_CONTRADICTION,
)
from progfix.diagnosis.scale import OTHER_SCALE, WRONG_SCALE, OffScale, ScaleSums
from progfix.diagnosis.shape import (
    BACKWARDS,
    COLLAPSED_RANGE,
    DECEPTIVE_MIDDLE,
    EARLY_BIAS,
    LATE_SATURATION,
    NON_MONOTONE,
)
from progfix.diagnosis.skill import NO_SKILL, SAME_CURVE
from progfix.diagnosis.tasks import LOST_TASK, errors_by_task
from progfix.diagnosis.training import UNTRAINED_HEAD
from progfix.diagnosis.verdict import notices, verdict
from progfix.evaluation import Evaluation, Evaluator
from progfix.predictions import Predictions
from progfix.sources import Given, Source, source_of

__all__ = ["FINDINGS", "diagnose"]

FINDINGS: tuple[Check, ...] = (
    WRONG_SCALE,
    UNTRAINED_HEAD,
    STARVED_HEAD,
    FUTURE_LEAK,
    DURATION_BLIND,
    POSITION_CONTRADICTION,
    IGNORES_EMBEDDINGS,
    ORDER_BLIND,
    UNSEEN_START,
    LOST_TASK,
    COLLAPSED_RANGE,
    BACKWARDS,
    NO_SKILL,
    SAME_CURVE,
    EARLY_BIAS,
    LATE_SATURATION,
    NON_MONOTONE,
    MISCALIBRATED,
    HEAD_LOSES_PROGRESS,
    DECEPTIVE_MIDDLE,
)
"""All checks, in the order in which equal findings are reported."""

_RESAMPLES = 300
_ENDS = ("value", "low", "high")


def diagnose(
    source: Given,
    *,
    bins: int = 10,
    observe: Callable[[Predictions], None] | None = None,
) -> Diagnosis:
    """Say what is wrong with a source of predictions, why, and what to do about it.

    Args:
        source: An opened source (`progfix.sources.open_source`), or what is opened so,
            or predictions, or a table in memory.
        bins: Parts of an action that errors are reported for.
        observe: Called with each chunk, for showing progress.

    Returns:
        The diagnosis; checks that could not run are in its `not_checked`.

    Raises:
        InputError: If a prediction is not finite, or the source's data cannot be read.
        ValueError: If there is no bin, or it is no source.
    """
    source = source_of(source)
    evidence, positions = _collect(source, bins, observe)
    outcomes = list(_outcomes(evidence))
    of_data, unread = (
        ((), ()) if source.data is None else data_findings(source.data, evidence.curves)
    )
    findings = ranked([*(o for o in outcomes if isinstance(o, Finding)), *of_data])
    return Diagnosis(
        source=source.label,
        verdict=verdict(evidence, findings),
        fault=find_fault(evidence, findings) if source.kind != "baseline" else KNOWN,
        summary=evidence.summary,
        skill=evidence.skill,
        positions=positions,
        findings=what_is_left(source, findings),
        oracles=evidence.oracles,
        ladder=ladder(evidence),
        probes=evidence.probes,
        not_checked=(*(o for o in outcomes if isinstance(o, NotChecked)), *unread),
        notices=(*source.notices, *notices(evidence), *fix_notes(source, findings)),
        fix_command=fix_command(source, findings),
    )


def _outcomes(evidence: Evidence) -> Iterator[Finding | NotChecked | None]:
    for check in FINDINGS:
        if evidence.off_scale is None:
            yield check.run(evidence)
        elif check is WRONG_SCALE:
            yield check.find(evidence)
        else:
            yield NotChecked(check.id, OTHER_SCALE)


def _collect(
    source: Source, bins: int, observe: Callable[[Predictions], None] | None
) -> tuple[Evidence, tuple[Position, ...]]:
    if source.chunks is None:
        reason = source.why_not or "the source has no predictions"
        return _without_predictions(source, reason), ()
    evaluator = Evaluator(counting=source.counting, bins=bins)
    curves, repairs, scales = CurveSums(), RepairSums(), ScaleSums()
    for chunk in source.chunks():
        evaluator.update(chunk)
        curves.update(chunk)
        repairs.update(chunk)
        scales.update(chunk)
        if observe is not None:
            observe(chunk)
    if curves.frames == 0:
        reason = "the source has no frames of actions"
        return _without_predictions(source, reason), ()
    evaluation = evaluator.compute(bootstrap=_RESAMPLES)
    missing = evaluation.sums.missing
    if evaluation.sums.actions == ("",):
        missing |= {"action"}
    summary = _summary(evaluation, curves, with_actions="action" not in missing)
    low, high = summary.prediction_low, summary.prediction_high
    off_scale = scales.judge(low, high, summary.mae_constant)
    if off_scale is not None:
        return _on_another_scale(source, summary, missing, off_scale), ()
    swapped = {"frame_counting": summary.mae_frame_counting}
    evidence = Evidence(
        summary=summary,
        skill=Skill(
            evaluation["skill_constant"].value,
            evaluation["skill_frame_counting"].value,
            1 - summary.mae / summary.mae_frame_counting_per_action
            if summary.mae_frame_counting_per_action > 0
            else math.nan,
            evaluation.fitted_on,
        ),
        skill_constant_high=evaluation["skill_constant"].high,
        skill_counting_high=evaluation["skill_frame_counting"].high,
        rank_with_time=evaluation["spearman"].value,
        rank_with_time_high=evaluation["spearman"].high,
        curves=curves,
        oracles={k: v for k, v in (repairs.mae() | swapped).items() if not math.isnan(v)},
        coverage=Interval(*(getattr(evaluation["coverage"], end) for end in _ENDS)),
        checkpoint=source.checkpoint,
        probes=run_probes(source),
        missing=missing,
        module=source.kind == "model",
        segments_in_data=_segments_in_data(source),
        tasks=errors_by_task(evaluation.sums),
    )
    positions = tuple(
        Position(part.low, part.high, part.mae.value, part.bias.value, part.count)
        for part in evaluation.positions
    )
    return evidence, positions


def _without_predictions(source: Source, reason: str) -> Evidence:
    not_run = dict.fromkeys(("inputs", "embeddings", "step"), reason)
    probes = Probes(not_run=not_run)
    return Evidence(checkpoint=source.checkpoint, probes=probes, no_predictions=reason)


def _segments_in_data(source: Source) -> int:
    """Return what another split would add: nothing to a run, which was trained on its data."""
    if source.data is None or source.kind not in ("checkpoint", "model"):
        return 0
    return sum(not segment.censored for video in source.data for segment in video.segments)


def _on_another_scale(
    source: Source, summary: Summary, missing: frozenset[str], off_scale: OffScale
) -> Evidence:
    """Return what is left without errors: their unit is not that of progress."""
    return Evidence(
        summary=replace(
            summary,
            mae=math.nan,
            mae_constant=math.nan,
            mae_frame_counting=math.nan,
            mae_frame_counting_per_action=math.nan,
            spread=math.nan,
        ),
        checkpoint=source.checkpoint,
        probes=Probes(not_run=dict.fromkeys(("inputs", "embeddings", "step"), OTHER_SCALE)),
        missing=missing,
        off_scale=off_scale,
    )


def _summary(evaluation: Evaluation, curves: CurveSums, *, with_actions: bool) -> Summary:
    baselines = evaluation.baselines
    per_action = baselines["frame_counting_per_action"]["mae"].value
    return Summary(
        videos=len(evaluation.sums.videos),
        segments=curves.segments,
        frames=curves.frames,
        mae=evaluation["mae"].value,
        mae_constant=baselines["constant"]["mae"].value,
        mae_frame_counting=baselines["frame_counting"]["mae"].value,
        mae_frame_counting_per_action=per_action if with_actions else math.nan,
        prediction_low=evaluation["prediction_p05"].value,
        prediction_high=evaluation["prediction_p95"].value,
        target_low=curves.target_quantile(0.05),
        target_high=curves.target_quantile(0.95),
        spread=evaluation["spread"].value,
        first_frame_median=evaluation["first_frame_median"].value,
        first_frame_target=curves.first_target_median(),
        last_frame_median=evaluation["last_frame_median"].value,
    )
