"""What a recipe and its data predict before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from progfix.baselines import action_frames
from progfix.data.dataset import Video
from progfix.diagnosis.asking import Sample, take_sample
from progfix.diagnosis.by_recipe import orderless, starved, unseen
from progfix.diagnosis.carried import blind
from progfix.diagnosis.clock import ClockSums
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.data import data_findings
from progfix.diagnosis.embedding_probes import probe_embeddings
from progfix.diagnosis.input_probes import future_probe
from progfix.diagnosis.measured import Interval
from progfix.diagnosis.model import SEVERITIES, Finding, NotChecked
from progfix.diagnosis.response import contradiction, leak
from progfix.diagnosis.step_audit import audit_setup
from progfix.diagnosis.thresholds import THRESHOLDS as T
from progfix.sources.probing import probing_of_model
from progfix.training.prepare import Prepared

__all__ = ["foresee"]


def foresee(prepared: Prepared) -> tuple[tuple[Finding, ...], tuple[NotChecked, ...]]:
    """Look for what will go wrong whatever the head learns.

    Each finding is a cause of its own: none of them shows in answers yet.

    Args:
        prepared: The run, its model as it begins.

    Returns:
        Findings, worst first, and what could not be looked for.

    Raises:
        InputError: If the data cannot be read any more.
    """
    outcomes = list(_outcomes(prepared))
    of_data, unread = data_findings(prepared.data, CurveSums())
    found = [*(o for o in outcomes if isinstance(o, Finding)), *of_data]
    worst_first = sorted(found, key=lambda f: SEVERITIES.index(f.severity))
    missing = (o for o in outcomes if isinstance(o, NotChecked))
    return tuple(worst_first), (*missing, *unread)


def _outcomes(prepared: Prepared) -> Iterator[Finding | NotChecked | None]:
    recipe = prepared.options.recipe
    audit = audit_setup(prepared.setup)
    yield NotChecked("starved-head", audit) if isinstance(audit, str) else starved(audit)
    sample = take_sample(probing_of_model(prepared.setup.model, prepared.data.split("val")))
    clock = _clock(prepared.setup.train)
    if prepared.setup.model.encoder is not None:
        yield _sees_future(prepared, sample)
    yield _blind(prepared, sample, clock)
    yield contradiction(recipe.head, clock)
    yield orderless(recipe)
    yield unseen(recipe)


def _sees_future(prepared: Prepared, sample: Sample) -> Finding | NotChecked | None:
    """Judge the encoder alone: what an untrained head makes of it says nothing."""
    future = future_probe(sample)
    found = leak(None if future is None else replace(future, change=Interval()))
    if isinstance(found, Finding) and prepared.options.recipe.method.trains_encoder:
        return replace(found, advice="Train it with --causal, which is the default.")
    return found


def _blind(prepared: Prepared, sample: Sample, clock: ClockSums) -> Finding | NotChecked | None:
    name = "duration-blind-embeddings"
    if prepared.options.recipe.method.trains_encoder and not prepared.setup.model.raw:
        return NotChecked(name, "the encoder is yet to be trained")
    if len(sample.segments) < T.clock_segments:
        few = f"{len(sample.segments)} validation segments are too few"
        return NotChecked(name, f"{few}; it needs {T.clock_segments}")
    probe = probe_embeddings(sample, prepared.data)
    return NotChecked(name, probe) if isinstance(probe, str) else blind(probe, clock)


def _clock(videos: Iterable[Video]) -> ClockSums:
    clock = ClockSums()
    for video in videos:
        frames = action_frames(video)
        clock.update(frames.with_prediction(frames.target))
    return clock
