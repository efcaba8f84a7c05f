"""All alignment metrics of one task, nearest neighbours found once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from progfix.metrics.alignment.classification import FRACTIONS, phase_classification
from progfix.metrics.alignment.eae import enclosed_area_error
from progfix.metrics.alignment.kendall import kendalls_tau, wild_tau
from progfix.metrics.alignment.neighbours import PairNeighbours
from progfix.metrics.alignment.progression import phase_progression
from progfix.metrics.alignment.retrieval import KS, average_precision
from progfix.metrics.alignment.variants import DEFINITIONS, SAME, Variant
from progfix.metrics.alignment.video_progress import video_ogpe
from progfix.metrics.alignment.videos import EmbeddedVideo, Score

__all__ = ["alignment_scores"]


def alignment_scores(
    train: Sequence[EmbeddedVideo],
    scored: Sequence[EmbeddedVideo],
    *,
    variant: Variant = "default",
    seed: int = 0,
    metrics: Collection[str] | None = None,
) -> dict[str, Score]:
    """Compute the alignment metrics of one task.

    Args:
        train: Videos on which lines, classifiers and the unit of paths are fitted; without
            any, the metrics that need them are NaN.
        scored: The videos to score; none of them should be in `train`.
        variant: Whose definitions; metrics that its code lacks are left out, those that it
            computes `SAME` as the default are the default.
        seed: Of the draws in "gtcc".
        metrics: Which of them; None for all.

    Returns:
        Scores by name, in the order of `progfix.metrics.alignment.variants.METRICS`.

    Raises:
        InputError: If scikit-learn is not installed.
        ValueError: If embeddings differ in size, or the variant is unknown.
    """
    if variant not in DEFINITIONS:
        raise ValueError(f"expected a variant out of {', '.join(DEFINITIONS)}, found {variant!r}")
    definitions = {
        name: whose
        for name, whose in DEFINITIONS[variant].items()
        if metrics is None or name in metrics
    }

    def own(name: str) -> Variant:
        return "default" if DEFINITIONS[variant][name] == SAME else variant

    pairwise = {
        "kendalls_tau": kendalls_tau, "wild_tau": wild_tau, "eae": enclosed_area_error
    }  # fmt: skip
    wanted = [name for name in pairwise if name in definitions]
    neighbours = (
        PairNeighbours.of(scored) if scored and wanted not in ([], ["kendalls_tau"]) else None
    )
    found: dict[str, Score] = {
        name: pairwise[name](scored, variant=own(name), neighbours=neighbours) for name in wanted
    }
    if any(f"ap_{k}" in definitions for k in KS):
        scores = average_precision(scored, variant=own("ap_5"))
        found |= {f"ap_{k}": score for k, score in zip(KS, scores, strict=True)}
    fitted: dict[str, Callable[[], Score]] = {
        "phase_progression": lambda: phase_progression(
            train, scored, variant=own("phase_progression"), seed=seed
        ),
        "video_ogpe": lambda: video_ogpe(train, scored, variant=own("video_ogpe")),
    }
    found |= {name: compute() for name, compute in fitted.items() if name in definitions}
    for fraction in FRACTIONS:
        name = f"phase_classification_{fraction:.0%}".removesuffix("%")
        if name in definitions:
            found[name] = phase_classification(
                train, scored, fraction, variant=own(name), seed=seed
            )
    return {name: found[name] for name in definitions if name in found}
