"""Several sources, opened on the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from progfix.errors import InputError
from progfix.sources.baseline import PREFIX
from progfix.sources.opening import is_itself, open_source, with_model
from progfix.sources.source import Source, SourceOptions

__all__ = ["distinct", "open_sources"]


def open_sources(texts: Sequence[str], options: SourceOptions) -> list[Source]:
    """Open what the user named, all on the same data.

    Args:
        texts: Sources; with none, the newest run under `runs/`. Where `options.model` is
            called with none of them, it comes first.
        options: How to open them. Without `--data`, baselines, and checkpoints that do not
            say what data they were trained on, are computed on the data of the first source
            that has some.

    Raises:
        InputError: If a source cannot be opened.
    """
    alone = options.model is not None and all(map(is_itself, texts))
    named: list[str | None] = [*([None] if alone or not texts else []), *texts]
    opened: dict[int, Source] = {}
    for baselines in (False, True):
        for place, text in enumerate(named):
            if (text or "").startswith(PREFIX) is baselines:
                known = next((s.data for s in opened.values() if s.data is not None), None)
                opened[place] = open_source(text, options, data=known)
        owner = next((s for s in opened.values() if s.data is not None), None)
        opened = {place: _on_data_of(owner, s, options) for place, s in opened.items()}
    return distinct([opened[place] for place in range(len(named))])


def _on_data_of(owner: Source | None, source: Source, options: SourceOptions) -> Source:
    """Return a checkpoint that names no data, on another source's where it fits."""
    checkpoint = source.checkpoint
    if owner is None or owner.data is None or checkpoint is None or checkpoint.data:
        return source
    if source.data is not None:
        return source
    try:
        judged = with_model(source, checkpoint.model, owner.data, options)
    except InputError:  # that it lacks data is what its user can do something about
        return source
    said = f"{source.label}: judged on the data of {owner.label}, since its file names none"
    return replace(judged, notices=(*source.notices, said))


def distinct(sources: Sequence[Source]) -> list[Source]:
    """Name sources of the same label by their path, and by their place if need be."""
    labels = [source.label for source in sources]
    result = []
    for place, source in enumerate(sources):
        label = source.label
        if labels.count(label) > 1:
            label = str(source.path or label)
            if sum(s.label == source.label and s.path == source.path for s in sources) > 1:
                label = f"{label} ({place + 1})"
        result.append(replace(source, label=label))
    return result
