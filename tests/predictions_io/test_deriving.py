"""What a file may leave out, and what it may be called."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from progfix.errors import InputError
from progfix.predictions import Predictions
from progfix.predictions_io import load_predictions, save_predictions
from progfix.predictions_io.assemble import Rows, derive
from progfix.predictions_io.defects import Defects, RowNames
from tests.made_predictions import made_predictions


def _read(tmp_path: Path, text: str) -> Predictions:
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    return load_predictions(path)


def test_targets_alone(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "video,target,prediction\n"
        "x,0.5,.1\nx,1.0,.2\n"  # an action of two frames
        "x,1.0,.3\n"  # one frame
        "x,1.0,.4\n"  # one frame
        "x,0.3333,.5\nx,0.6667,.6\nx,1,.7\n"
        "y,0.5,.8\ny,1,.9\n",
    )
    assert found.segment.tolist() == [0, 0, 1, 2, 3, 3, 3, 0, 0]
    assert found.elapsed.tolist() == [1, 2, 1, 1, 1, 2, 3, 1, 2]
    assert found.duration.tolist() == [2, 2, 1, 1, 3, 3, 3, 2, 2]
    assert found.target.tolist() == [1 / 2, 1, 1, 1, 1 / 3, 2 / 3, 1, 1 / 2, 1]
    assert found.missing == {"task", "action", "segment", "elapsed", "duration"}


def test_targets_of_segments_with_gaps(tmp_path: Path) -> None:
    # The smallest step, .1, is one frame of ten.
    found = _read(tmp_path, "video,target,prediction\nx,.2,0\nx,.3,0\nx,.9,0\n")
    assert found.elapsed.tolist() == [2, 3, 9]
    assert found.duration.tolist() == [10, 10, 10]


def test_a_change_of_action_is_a_new_segment(tmp_path: Path) -> None:
    # The targets rise from .2 to .5, but these are frames of two actions, of 10 and 2 frames.
    found = _read(tmp_path, "video,action,target,pred\nx,a,.1,0\nx,a,.2,0\nx,b,.5,0\nx,b,1,0\n")
    assert found.segment.tolist() == [0, 0, 1, 1]
    assert found.duration.tolist() == [10, 10, 2, 2]


def test_elapsed_and_duration_without_segment(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "video_id,elapsed,duration,pred\nx,1,1,0\nx,1,1,0\nx,1,3,0\nx,3,3,0\nx,2,3,0\ny,1,3,0\n",
    )
    assert found.segment.tolist() == [0, 1, 2, 2, 3, 0]
    assert found.target.tolist() == [1, 1, 1 / 3, 1, 2 / 3, 1 / 3]


def test_elapsed_and_target_give_the_duration(tmp_path: Path) -> None:
    found = _read(tmp_path, "video,elapsed,target,pred\nx,1,.25,0\nx,3,.75,0\nx,1,.5,0\n")
    assert found.duration.tolist() == [4, 4, 2]


def test_duration_and_target_give_elapsed(tmp_path: Path) -> None:
    found = _read(tmp_path, "video,duration,target,pred\nx,4,.25,0\nx,4,.75,0\nx,2,.5,0\n")
    assert found.elapsed.tolist() == [1, 3, 1]
    assert found.segment.tolist() == [0, 0, 1]


def test_segments_with_targets(tmp_path: Path) -> None:
    found = _read(tmp_path, "video,segment,target,pred\nx,4,.5,0\nx,4,1,0\nx,7,1,0\n")
    assert found.segment.tolist() == [4, 4, 7]
    assert found.duration.tolist() == [2, 2, 1]


@pytest.mark.parametrize("dense", [False, True])
def test_lerobot_sidecar(tmp_path: Path, dense: bool) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "index": [0, 1, 2, 3, 4],
        "episode_index": [0, 0, 0, 1, 1],
        "frame_index": [0, 1, 2, 0, 1],
        "progress_sparse": pa.array([0.1, 0.2, 0.3, 0.4, 0.5], pa.float32()),
    }
    if dense:
        columns |= {"progress_dense": [0.0] * 5}
    path = tmp_path / "sarm_progress.parquet"
    parquet.write_table(pa.table(columns), path)
    with pytest.warns(UserWarning, match="progress_dense") if dense else nullcontext():
        found = load_predictions(path)
    assert found.video.decode() == ["0", "0", "0", "1", "1"]
    assert found.segment.tolist() == [0] * 5
    assert found.elapsed.tolist() == [1, 2, 3, 1, 2]
    assert found.duration.tolist() == [3, 3, 3, 2, 2]
    assert found.target.tolist() == [1 / 3, 2 / 3, 1, 1 / 2, 1]
    assert found.prediction == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.prediction[0] == np.float32(0.1)


def test_a_lerobot_episode_with_gaps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected frame_index 0, 1, 2, \.\.\. in every episode"):
        _read(tmp_path, "episode_index,frame_index,progress_sparse\n0,0,.1\n0,2,.2\n")


def test_a_lerobot_episode_of_known_duration_may_have_gaps(tmp_path: Path) -> None:
    found = _read(tmp_path, "episode,frame_index,duration,progress\n0,0,5,.1\n0,2,5,.2\n1,0,3,.3\n")
    assert found.video.decode() == ["0", "0", "1"]
    assert found.elapsed.tolist() == [1, 3, 1]
    assert found.duration.tolist() == [5, 5, 3]
    assert found.target.tolist() == [1 / 5, 3 / 5, 1 / 3]
    assert found.prediction.tolist() == [0.1, 0.2, 0.3]
    assert found.missing == {"task", "action", "segment", "elapsed", "target"}


def test_progress_beside_what_is_predicted_is_a_doubt(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 'progress', 'pred_progress'; call the one"):
        _read(tmp_path, "video,target,progress,pred_progress\nx,1,1,.5\n")
    found = _read(tmp_path, "video,target,progress,prediction\nx,1,1,.5\n")
    assert found.prediction.tolist() == [0.5]


def test_frame_index_is_not_taken_for_elapsed_beside_targets(tmp_path: Path) -> None:
    found = _read(tmp_path, "video,frame_index,target,pred\nx,100,.5,0\nx,101,1,0\n")
    assert found.elapsed.tolist() == [1, 2]


@given(st.integers(0, 10**6), st.sampled_from([3, 4, 8, None]))
def test_targets_alone_give_all_back(seed: int, digits: int | None) -> None:
    table = made_predictions(seed, max_duration=300, videos=3)
    target = table.target if digits is None else np.round(table.target, digits)
    rows = Rows(
        np.arange(len(table)),
        {"video": table.video, "task": table.task, "target": target},
        np.ones(len(table), dtype=np.bool_),
    )
    defects = Defects("f", RowNames())
    found = derive(rows, defects)
    assert not defects
    np.testing.assert_array_equal(found.array("elapsed"), table.elapsed)
    np.testing.assert_array_equal(found.array("duration"), table.duration)
    np.testing.assert_array_equal(found.array("segment"), table.segment)
    np.testing.assert_array_equal(found.array("target"), table.target)


def test_single_precision_targets_are_made_exact(tmp_path: Path) -> None:
    table = made_predictions(1)
    path = tmp_path / "p.npz"
    np.savez(
        path,
        video=np.array(table.video.decode()),
        task=np.array(table.task.decode()),
        segment=table.segment,
        elapsed=table.elapsed,
        duration=table.duration,
        target=table.target.astype(np.float32),
        prediction=table.prediction,
    )
    np.testing.assert_array_equal(load_predictions(path).target, table.target)


def test_reading_a_derived_table_again_changes_nothing(tmp_path: Path) -> None:
    first = _read(tmp_path, "video,target,prediction\nx,.5,.1\nx,1,.2\nx,.25,.3\nx,.5,.4\n")
    save_predictions(tmp_path / "q.csv", [first])
    second = load_predictions(tmp_path / "q.csv")
    np.testing.assert_array_equal(first.duration, second.duration)
    assert second.missing == {"task", "action"}
