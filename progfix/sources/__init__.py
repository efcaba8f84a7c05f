"""What a user points at, opened: a checkpoint, a run, predictions, a baseline or a model.

Whatever it is, a `Source` yields `Predictions` and carries the evidence that came with it.
Torch is imported only where a model is needed, so that predictions files are judged
without it.
"""

from progfix.sources.baseline import evaluated
from progfix.sources.given import Given, source_of, sources_of
from progfix.sources.opening import open_source
from progfix.sources.source import Source, SourceOptions
from progfix.sources.together import open_sources

__all__ = [
    "Given",
    "Source",
    "SourceOptions",
    "evaluated",
    "open_source",
    "open_sources",
    "source_of",
    "sources_of",
]
