"""What asking the model again has shown, as tables."""

from __future__ import annotations

from progfix.diagnosis.measured import Interval
from progfix.diagnosis.model import Diagnosis
from progfix.diagnosis.text import number
from progfix.report.markup import Markup, element, table

__all__ = ["embeddings", "inputs", "step"]


def _interval(i: Interval) -> str:
    return number(i.value) + (f" ({number(i.low)} to {number(i.high)})" if i.low == i.low else "")


def inputs(d: Diagnosis) -> Markup:
    """Return what the answers do when the input is changed."""
    cells = (
        (p.what, _interval(p.change), _interval(p.mae), _interval(p.mae_change), f"{p.frames:,}")
        for p in d.probes.inputs
    )
    heads = ("instead of the recorded input", "answers move by", "MAE", "change of MAE", "frames")
    words = (
        "What the head does not use can be exchanged without a change. In brackets: 95 % intervals "
        "over videos."
    )
    return Markup(element("p", words) + table("Answers to other inputs", heads, cells))


def embeddings(d: Diagnosis) -> Markup:
    """Return what simple predictors read from the embeddings; empty where none were fitted."""
    e = d.probes.embeddings
    if e is None:
        return Markup("")
    cells = (
        ("MAE of progress, clock alone", number(e.mae_clock)),
        ("MAE of progress, ridge regression", _interval(e.mae_linear)),
        ("MAE of progress, nearest neighbours", _interval(e.mae_neighbours)),
        ("MAE of progress, this head on the same frames", number(e.mae_head)),
        ("duration explained beyond the clock, ridge", _interval(e.duration_linear)),
        ("duration explained beyond the clock, neighbours", _interval(e.duration_neighbours)),
        ("action named rightly, ridge", number(e.action_linear)),
        ("action named rightly, neighbours", number(e.action_neighbours)),
        ("share of the most frequent action", number(e.action_most_frequent)),
    )
    words = (
        f"Simple predictors fitted on other videos ({e.fitted_on} in all, {e.videos} predicted, "
        f"{e.frames:,} frames) from the frame's embedding, the mean so far, and the clock."
    )
    return Markup(
        element("p", words) + table("Probes of the embeddings", ("probe", "value"), cells)
    )


def step(d: Diagnosis) -> Markup:
    """Return what one training step moves; empty where none was taken."""
    taken = d.probes.step
    if taken is None:
        return Markup("")
    parts = [("head", taken.head)] + ([("encoder", taken.encoder)] if taken.encoder else [])
    cells = (
        (
            name,
            *(f"{v:.1e}" for v in (part.gradient, part.applied, part.update, part.weights)),
            f"{part.share:.1e}",
        )
        for name, part in parts
    )
    heads = ("part", "gradient", "after clipping", "update", "weights", "of a free step")
    words = "One step of the recipe on a copy of the model, norms of each part."
    return Markup(element("p", words) + table("What one step moves", heads, cells))
