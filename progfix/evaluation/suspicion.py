"""Results that should not be believed before they have been looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from progfix.evaluation.estimates import Evaluation
from progfix.evaluation.scores import METRICS

__all__ = ["suspicions", "unit_hint"]

_PERFECT = 1e-6
_FLAT = 1e-9
_NARROW = 0.05

_PERCENT = (10, 100.5)
_FAR = 0.5
_SYMMETRIC = 1.05

_BASELINE_TITLES = {
    "constant": "answering 0.5",
    "frame_counting": "counting frames",
    "frame_counting_per_action": "counting frames per action",
}


def suspicions(evaluations: Mapping[str, Evaluation], judged: Collection[str]) -> Iterator[str]:
    """Yield one sentence for each reason to doubt the results.

    Args:
        evaluations: By label of the source.
        judged: Labels of the sources that are no baselines.
    """
    if judged:
        yield from _beaten(evaluations, judged)
    first, *others = evaluations.values()
    same = [name for name in METRICS if first[name].value == first[name].value]
    if others and all(other[name].value == first[name].value for other in others for name in same):
        yield "all sources have exactly the same scores: are they different files?"
    for label in sorted(judged):
        evaluation = evaluations[label]
        if evaluation["prediction_std"].value < _FLAT:
            yield f"{label} predicts one value for every frame"
        elif evaluation["spread"].value < _NARROW:
            share = f"{evaluation['spread'].value:.1%}"
            yield (
                f"{label}: its answers vary {share} as much as the truth, so that its "
                "rank correlations are of differences that nobody will see"
            )
        if evaluation["mae"].value < _PERFECT:
            yield f"{label} makes no error: does its prediction column hold the target?"
        hint = unit_hint(*(evaluation[f"prediction_p{p}"].value for p in ("05", "95")))
        if hint is not None:
            yield f"{label}: {hint}"


def unit_hint(low: float, high: float) -> str | None:
    """Say what predictions look like that are no progress in [0, 1], and what to do.

    Args:
        low: What 5 % of the predictions do not exceed.
        high: What 95 % do not exceed.

    Returns:
        None where both are within .5 of [0, 1], or NaN.
    """
    between = f"nine of ten predictions lie from {low:.3g} to {high:.3g}"
    off = low < -_FAR or high > 1 + _FAR
    if off and f"{low:.3g}" == f"{high:.3g}":
        none = "does it stand for frames without one?"
        return f"nine of ten predictions are {low:.3g}, where progress is 0 to 1: {none}"
    if low >= 0 and _PERCENT[0] < high <= _PERCENT[1]:
        return f"{between}: if they are percentages, divide them by 100; progress is 0 to 1"
    if -_SYMMETRIC <= low < -_FAR and high <= _SYMMETRIC:
        return f"{between}; progress is 0 to 1: if they go from -1 to 1, add 1 and halve them"
    if low >= 0 and high > _PERCENT[1]:
        return f"{between}; progress is 0 to 1: if they count frames, divide by the duration"
    if off:
        return f"{between}; progress is 0 to 1: if they are logits, give their sigmoid"
    return None


def _beaten(evaluations: Mapping[str, Evaluation], judged: Collection[str]) -> Iterator[str]:
    for name, title in _BASELINE_TITLES.items():
        # A baseline that is not defined (NaN) beats nothing.
        if all(
            evaluations[label].baselines[name]["mae"].value < evaluations[label]["mae"].value
            for label in judged
        ):
            who = "every source" if len(judged) > 1 else next(iter(judged))
            yield f"{title} has a lower MAE than {who}"
            return
