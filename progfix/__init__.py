"""Diagnose and repair action-progress heads on video-alignment embeddings.

    import progfix

    evaluator = progfix.Evaluator()
    evaluator.add(prediction, video="v1")
    print(evaluator.compute()["mae"])

Names are imported when they are used, so that the command line starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from progfix.diagnosis import diagnose
    from progfix.evaluation import Evaluator
    from progfix.predictions import Predictions
    from progfix.predictions_io import PredictionsWriter, load_predictions
    from progfix.sources import open_source
    from progfix.visualisation import visualise

__version__ = "0.1.0"

__all__ = [
    "Evaluator",
    "Predictions",
    "PredictionsWriter",
    "__version__",
    "diagnose",
    "load_predictions",
    "open_source",
    "visualise",
]

_HOMES = {
    "Evaluator": "progfix.evaluation",
    "Predictions": "progfix.predictions",
    "PredictionsWriter": "progfix.predictions_io",
    "diagnose": "progfix.diagnosis",
    "load_predictions": "progfix.predictions_io",
    "open_source": "progfix.sources",
    "visualise": "progfix.visualisation",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'progfix' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
