"""Tables in memory are read as files are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from progfix.errors import InputError
from progfix.predictions_io import load_predictions, read_predictions
from tests.predictions_io.test_round_trip import assert_same

COLUMNS: dict[str, list[Any]] = {
    "video": ["a", "a", "a", "b", "b"],
    "frame_index": [0, 1, 3, 0, 1],
    "duration": [4, 4, 4, 2, 2],
    "prediction": [0.1, 0.2, 0.3, 0.4, 0.5],
    "note": [None, 1, "x", [2], {}],
}


def _pandas(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("pandas").DataFrame(columns)


def _arrow(columns: dict[str, list[Any]]) -> Any:
    return pa.table({name: values for name, values in columns.items() if name != "note"})


def _polars(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns, strict=False)


KINDS: tuple[Callable[[dict[str, list[Any]]], Any], ...] = (dict, _pandas, _arrow, _polars)
each_kind = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)


@each_kind
def test_a_table_in_memory_is_read_as_its_file(
    tmp_path: Path, make: Callable[[dict[str, list[Any]]], Any]
) -> None:
    parquet.write_table(_arrow(COLUMNS), tmp_path / "p.parquet")
    assert_same(load_predictions(make(COLUMNS)), load_predictions(tmp_path / "p.parquet"))


@each_kind
def test_what_is_missing_is_told(make: Callable[[dict[str, list[Any]]], Any]) -> None:
    holes = COLUMNS | {
        "video": ["a", None, "a", "b", "b"],
        "prediction": [0.1, 0.2, None, 0.4, float("nan")],
    }
    with pytest.raises(InputError) as caught:
        load_predictions(make(holes))
    found = [str(problem) for problem in caught.value.problems]
    assert (
        "the table, row 1: expected a value of 'video' in every row, found none in row 1"
        in (found[0])
    )
    assert any("number" in line and "in column 'prediction'" in line for line in found[1:])
    assert any("row 2" in line or "rows 2" in line for line in found[1:])


def test_tables_that_are_none() -> None:
    with pytest.raises(InputError, match="columns of one length, found video 2, target 1"):
        load_predictions({"video": ["a", "a"], "target": [1.0], "pred": [0.5, 0.5]})
    with pytest.raises(InputError, match=r"'target' of type float64 and shape \(1, 1\)"):
        load_predictions({"video": ["a"], "target": [[1.0]], "pred": [0.5]})
    for given in (np.zeros(3), [0.1], None, 7):
        with pytest.raises(
            ValueError, match=f"a table with named columns, found {type(given).__name__}"
        ):
            load_predictions(given)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="expected predictions, a path"):
            next(read_predictions(given))  # type: ignore[arg-type]


def test_a_column_that_is_passed_over_is_told(tmp_path: Path) -> None:
    columns = {"video": ["a"], "target": [1.0], "progress_sparse": [0.2], "progress_dense": [0.3]}
    said = "progress_sparse is judged; it also has progress_dense: name the one to judge"
    with pytest.warns(UserWarning, match=f"^the table: {said}") as caught:
        assert load_predictions(columns).prediction.tolist() == [0.2]
    assert caught[0].filename == __file__
    parquet.write_table(pa.table(columns), tmp_path / "p.parquet")
    with pytest.warns(UserWarning, match=f"^p.parquet: {said}"):
        load_predictions(tmp_path / "p.parquet")
