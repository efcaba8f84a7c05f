"""Predictions files, `progfix-predictions/1`: CSV, NPZ, HDF5 and Parquet, by file ending."""

from progfix.predictions_io.columns import ALIASES, COLUMNS, FORMAT
from progfix.predictions_io.formats import FORMATS
from progfix.predictions_io.memory import Columns
from progfix.predictions_io.reading import load_predictions, passed_over, read_predictions
from progfix.predictions_io.writing import PredictionsWriter, save_predictions

__all__ = [
    "ALIASES",
    "COLUMNS",
    "FORMAT",
    "FORMATS",
    "Columns",
    "PredictionsWriter",
    "load_predictions",
    "passed_over",
    "read_predictions",
    "save_predictions",
]
