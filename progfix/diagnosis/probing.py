"""Ask the model again, where there is one: input probes, embeddings, a training step."""

from __future__ import annotations

from progfix.diagnosis.evidence import NO_CHECKPOINT
from progfix.diagnosis.measured import Probes
from progfix.sources import Source

__all__ = ["NO_INPUT", "NO_MODEL", "run_probes"]

NO_MODEL = "needs the model with its data, not just predictions"
NO_INPUT = "a baseline sees no embeddings"
_KINDS = ("inputs", "embeddings", "step")


def run_probes(source: Source) -> Probes:
    """Run whatever the source allows.

    Raises:
        InputError: If its features cannot be read or do not fit the model.
    """
    if source.probing is None:
        why_not = source.why_not or (NO_INPUT if source.kind == "baseline" else NO_MODEL)
        return Probes(not_run=dict.fromkeys(_KINDS, why_not))
    # From here on there is a model, and so torch.
    from progfix.diagnosis.asking import take_sample
    from progfix.diagnosis.embedding_probes import probe_embeddings
    from progfix.diagnosis.input_probes import input_probes
    from progfix.diagnosis.step_audit import audit_checkpoint

    sample = take_sample(source.probing)
    if not sample.segments:
        return Probes(not_run=dict.fromkeys(_KINDS, "the videos have no segment with a known end"))
    not_run: dict[str, str] = {}
    data = source.data if source.data is not None else source.probing.videos
    embeddings = probe_embeddings(sample, data)
    if isinstance(embeddings, str):
        not_run["embeddings"] = embeddings
    known = source.checkpoint
    step = NO_CHECKPOINT if known is None else audit_checkpoint(known, data)
    if isinstance(step, str):
        not_run["step"] = step
    return Probes(
        input_probes(sample.affordable()),
        None if isinstance(embeddings, str) else embeddings,
        None if isinstance(step, str) else step,
        not_run,
    )
