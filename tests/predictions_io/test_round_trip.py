import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from progfix.errors import InputError
from progfix.predictions import Category, Predictions, segment_predictions
from progfix.predictions_io import (
    FORMATS,
    PredictionsWriter,
    load_predictions,
    read_predictions,
    save_predictions,
)
from tests.made_predictions import cut_by_video, made_predictions

ENDINGS = list(FORMATS)
COLUMNS = [column.name for column in dataclasses.fields(Predictions) if column.name != "missing"]


def assert_same(found: Predictions, expected: Predictions) -> None:
    """Compare two tables to the last bit."""
    for name in COLUMNS:
        a, b = getattr(found, name), getattr(expected, name)
        if isinstance(b, Category):
            assert a.decode() == b.decode(), name
        elif b is None:
            assert a is None, name
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)
            assert a.dtype == b.dtype


def _with_intervals(table: Predictions) -> Predictions:
    rng = np.random.default_rng(0)
    lower = table.prediction - rng.random(len(table))
    return dataclasses.replace(
        table,
        lower=lower,
        upper=lower + rng.random(len(table)),
        crps=rng.random(len(table)),
        pit=rng.random(len(table)),
    )


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("intervals", [False, True])
def test_what_is_written_is_read(tmp_path: Path, ending: str, intervals: bool) -> None:
    table = made_predictions(1, gaps=True)
    if intervals:
        table = _with_intervals(table)
    path = tmp_path / f"p{ending}"
    save_predictions(path, cut_by_video(table))
    found = load_predictions(path)
    assert_same(found, table)
    assert found.missing == frozenset()


@pytest.mark.parametrize("ending", ENDINGS)
def test_odd_names_and_floats(tmp_path: Path, ending: str) -> None:
    table = Predictions.concat(
        [
            segment_predictions(
                [0.1 + 0.2, 5e-324, -999999999.9999999],
                video='a,"b"\nc %2F é',
                task="ünïcode; | '",
                action=" spaces ",
            ),
            segment_predictions([1 / 3], video="0", task="ünïcode; | '"),
            segment_predictions([2.0], video="0", task="None"),
        ]
    )
    path = tmp_path / f"p{ending}"
    save_predictions(path, [table])
    assert_same(load_predictions(path), table)


@given(st.integers(0, 10**6), st.sampled_from([".csv", ".h5"]))
@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_cut_reads_the_same(tmp_path: Path, seed: int, ending: str) -> None:
    table = made_predictions(seed, gaps=True, digits=2)
    path = tmp_path / f"p{ending}"
    save_predictions(path, cut_by_video(table))
    assert_same(load_predictions(path), table)


@pytest.mark.parametrize("ending", ENDINGS)
def test_chunks_hold_whole_videos(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = made_predictions(2, videos=9)
    path = tmp_path / f"p{ending}"
    save_predictions(path, cut_by_video(table))
    for module in ("table", "videos", "parquet_file"):
        monkeypatch.setattr(f"progfix.predictions_io.{module}.BLOCK_ROWS", 40)
    monkeypatch.setattr("progfix.predictions_io.csv_file._RECORDS", 7)
    chunks = list(read_predictions(path))
    assert len(chunks) > 2
    videos = [set(zip(c.task.decode(), c.video.decode(), strict=True)) for c in chunks]
    assert sum(map(len, videos)) == len(set.union(*videos)) == 9
    assert_same(Predictions.concat(chunks), table)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_task_that_is_not_known_is_missing_again(tmp_path: Path, ending: str) -> None:
    table = dataclasses.replace(
        segment_predictions([0.1, 0.2], video="v"), missing=frozenset({"task", "action", "segment"})
    )
    path = tmp_path / f"p{ending}"
    save_predictions(path, [table])
    assert load_predictions(path).missing == {"task", "action"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_writer_in_a_loop(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "deep" / f"p{ending}"
    with PredictionsWriter(path) as out:
        out.add([0.2, 0.8], video="x", task="t", action="cut")
        out.add(np.array([0.5], dtype=np.float32), video="x", task="t", action="stir")
        out.add([0.1], video="y", elapsed=[2], duration=4)
    found = load_predictions(path)
    assert found.segment.tolist() == [0, 0, 1, 0]
    assert found.target.tolist() == [0.5, 1.0, 1.0, 0.5]
    assert found.action.decode() == ["cut", "cut", "stir", ""]


def test_a_tsv_file_has_tabs_and_may_have_commas_in_its_header(tmp_path: Path) -> None:
    save_predictions(tmp_path / "p.tsv", [made_predictions(0)])
    assert (tmp_path / "p.tsv").read_text().startswith("video\ttask\taction\tsegment\t")
    (tmp_path / "q.tsv").write_text("video\ta, b\ttarget\tpred\nx\t1,5\t1\t.5\n")
    (chunk,) = read_predictions(tmp_path / "q.tsv")
    assert chunk.prediction.tolist() == [0.5]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    save_predictions(path, [segment_predictions([0.1], video="old")])

    def diverge() -> Iterator[Predictions]:
        yield segment_predictions([0.2], video="new")
        raise RuntimeError("training diverged")

    with pytest.raises(RuntimeError, match="training diverged"):
        save_predictions(path, diverge())
    assert load_predictions(path).video.decode() == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_to_write_is_an_error(tmp_path: Path, ending: str) -> None:
    with pytest.raises(InputError, match="expected at least one row of predictions"):
        save_predictions(tmp_path / f"p{ending}", [])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_needs_its_block_and_even_columns(tmp_path: Path) -> None:
    table = made_predictions()
    with pytest.raises(ValueError, match="in a with block"):
        PredictionsWriter(tmp_path / "p.csv").write(table)
    first, second = cut_by_video(table)[:2]
    with pytest.raises(ValueError, match="in every chunk as in the first"):
        save_predictions(tmp_path / "p.csv", [_with_intervals(first), second])


def test_an_unwritable_place_is_an_input_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(InputError, match="expected a place that can be written"):
        save_predictions(blocked / "p.csv", [made_predictions()])


def test_an_unknown_ending_is_refused() -> None:
    with pytest.raises(InputError, match=r"a name that ends in \.csv, .*found ending '\.xlsx'"):
        PredictionsWriter("p.xlsx")


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.parquet"
    save_predictions(path, [made_predictions()])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'progfix\[parquet\]'"):
        list(read_predictions(path))
    with pytest.raises(InputError, match=r"pip install 'progfix\[parquet\]'"):
        save_predictions(path, [made_predictions()])


def test_npz_with_plain_strings_and_integer_videos(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(
        path,
        video=[3, 3, 7],
        target=[0.5, 1.0, 1.0],
        pred=np.array([0.25, 0.5, 1], dtype=np.float32),
    )
    found = load_predictions(path)
    assert found.video.decode() == ["3", "3", "7"]
    assert found.prediction.tolist() == [0.25, 0.5, 1.0]


def test_hdf5_with_plain_strings(tmp_path: Path) -> None:
    path = tmp_path / "p.h5"
    with h5py.File(path, "w") as file:
        file["video"] = ["é", "é", "w"]
        file["action"] = np.array([b"cut", b"cut", b"stir"])
        file["target"] = [0.5, 1.0, 1.0]
        file["prediction"] = np.array([0, 1, 1], dtype=np.int8)
        file["other"] = np.zeros((3, 2))
    found = load_predictions(path)
    assert found.video.decode() == ["é", "é", "w"]
    assert found.action.decode() == ["cut", "cut", "stir"]
    assert found.prediction.tolist() == [0.0, 1.0, 1.0]
