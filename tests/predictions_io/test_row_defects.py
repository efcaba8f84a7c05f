"""Rows that are wrong: all of them reported at once, by their line."""

from pathlib import Path

import pytest

from progfix.errors import InputError
from progfix.predictions_io import defects, read_predictions, videos

HEADER = "video,segment,elapsed,duration,prediction\n"


def _errors(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        list(read_predictions(path))
    return [str(problem) for problem in caught.value.problems]


def _csv_errors(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    return [line.removeprefix(str(path)).lstrip(", ") for line in _errors(path)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "x,0,1,2,nan\n",
            "line 2: expected finite numbers in column 'prediction', found prediction nan in",
        ),
        (
            "x,0,1,2,inf\n",
            "line 2: expected finite numbers in column 'prediction', found prediction inf",
        ),
        ("x,0,1,2,\n", "line 2: expected a number in column 'prediction', found ''"),
        ("x,0,1.5,2,1\n", "line 2: expected an integer in column 'elapsed', found '1.5'"),
        ("x,0,1,9999999999999999999999,1\n", "line 2: expected an integer in column 'duration'"),
        ("x,0,3,2,1\n", "line 2: expected elapsed <= duration, found elapsed 3"),
        ("x,0,0,2,1\n", "line 2: expected elapsed of at least 1, found elapsed 0"),
        ("x,0,1,0,1\n", "line 2: expected duration of at least 1, found duration 0"),
        ("x,0,2,3,1\nx,0,1,3,1\n", "line 3: expected rising elapsed in a segment, found elapsed 1"),
        (
            "x,0,2,3,1\nx,0,2,3,1\n",
            "line 3: expected each frame of a segment once, found elapsed 2",
        ),
        ("x,0,1,3,1\nx,0,2,4,1\n", "line 3: expected one duration per segment, found duration 4"),
        (
            "x,0,1,2,1\nx,1,1,2,1\nx,0,2,2,1\n",
            "line 4: expected the rows of a segment together, found segment 0 once more",
        ),
        (
            "x,0,1,1,1\ny,0,1,1,1\nx,1,1,1,1\n",
            "line 4: expected the rows of a video together, found video 'x' once more",
        ),
        ("x\0y,0,1,1,1\n", "line 2: expected text without NUL in column 'video', found"),
        ("x,0,1,1,2e9\n", "line 2: expected numbers from -1e+09 to 1e+09 in column 'prediction'"),
        (
            "x,0,1,10000001,1\n",
            "line 2: expected actions of at most 10,000,000 frames, found duration 10000001",
        ),
        ("x,0,1,2\n", "line 2: expected 5 fields, as in the header, found 4 fields"),
        ("x,0,1,2,1,7\n", "line 2: expected 5 fields, as in the header, found 6 fields"),
    ],
)
def test_rows_that_are_wrong(tmp_path: Path, rows: str, expected: str) -> None:
    found = _csv_errors(tmp_path, HEADER + rows)
    assert len(found) == 1, found
    assert found[0].startswith(expected)


@pytest.mark.parametrize("target", ["0", "-0.5", "1.01"])
def test_targets_outside(tmp_path: Path, target: str) -> None:
    found = _csv_errors(tmp_path, f"video,target,pred\nx,{target},0\nx,1,0\n")
    assert found[0].startswith("line 2: expected targets in (0, 1]")
    assert "(i + 1) / L" in found[0]


@pytest.mark.parametrize(
    ("targets", "fix"),
    [
        (["0", ".5", "1"], "do not count from 0, as i / L and i / (L - 1) do: use (i + 1) / L"),
        (["0", "1", "2"], "frame numbers go into a column 'elapsed', from 1, beside 'duration'"),
        (["33.3", "66.7", "100"], "divide percentages by 100, and use (i + 1) / L"),
        (["-.5", "0", "1"], "use (i + 1) / L"),
        ([".5", "1", "1.5"], "use (i + 1) / L"),
    ],
)
def test_targets_outside_are_told_by_what_they_look_like(
    tmp_path: Path, targets: list[str], fix: str
) -> None:
    rows = "".join(f"x,{target},0\n" for target in targets)
    (found,) = _csv_errors(tmp_path, "video,target,pred\n" + rows)
    assert f"; {fix}" in found


@pytest.mark.parametrize("empty", ["nan", "inf", ""])
def test_a_missing_target_is_no_target_outside(tmp_path: Path, empty: str) -> None:
    (found,) = _csv_errors(tmp_path, f"video,gt,pred\nx,{empty},0\nx,1,0\n")
    assert "number" in found
    assert "in column 'gt'" in found
    assert found.endswith("fill it, or leave the row out")


def test_rounded_targets_are_no_duplicate_rows(tmp_path: Path) -> None:
    # Two decimals of 45 frames: .02 .04 .07 ... are the multiples of no 1/L.
    rows = "".join(f"x,{(i + 1) / 45:.2f},0\n" for i in range(45))
    (found,) = _csv_errors(tmp_path, "video,target,pred\n" + rows)
    assert "give the columns segment, elapsed and duration" in found
    # Where each fits by itself, but two are one frame.
    (found,) = _csv_errors(tmp_path, "video,target,pred\nx,.2,0\nx,.3,0\nx,.3,0\n")
    assert "targets that do not tell frames apart need the columns elapsed" in found


SIDECAR = "episode_index,frame_index,progress_sparse,progress_dense\n"


def test_what_a_sidecar_lacks_is_told_in_its_own_names(tmp_path: Path) -> None:
    full = "and add a column 'duration', the frames of the whole episode"
    for empty in ("", "nan"):
        (found,) = _csv_errors(tmp_path, SIDECAR + f"0,0,{empty},.1\n0,1,.5,.2\n")
        assert "in column 'progress_sparse'" in found
        assert f"{full}; to judge 'progress_dense' instead, call it 'prediction'" in found
    (found,) = _csv_errors(tmp_path, SIDECAR + "0,0,.1,0\n1,0,.1,0\n0,1,.1,0\n1,1,.1,0\n")
    assert "the rows of a video together" in found
    assert "; sort the rows by episode_index, frame_index; two videos of one name need" in found
    (found,) = _csv_errors(tmp_path, SIDECAR + "0,0,.1,0\n0,2,.1,0\n")
    assert found.endswith("add a column 'duration', the frames of the whole episode")


def test_frames_beyond_an_episode(tmp_path: Path) -> None:
    text = "episode_index,frame_index,duration,pred\n0,-1,2,0\n0,1,2,0\n1,2,2,0\n"
    (found,) = _csv_errors(tmp_path, text)
    assert found.startswith("lines 2, 4: expected frame_index from 0 to duration - 1, found -1")


def test_targets_that_are_no_progress(tmp_path: Path) -> None:
    # i / (L - 1) with the first frame left out: .25 .5 .75 1 is (i + 1) / 4 and is fine;
    # .3 alone says nothing about the duration; .30 .37 .44 steps that are no 1/L.
    assert _csv_errors(tmp_path, "video,target,pred\nx,.3,0\ny,1,0\n")[0].startswith(
        "line 2: expected targets (i + 1) / L for the frames i = 0 .. L - 1 of an action, found 0.3"
    )
    assert (
        "expected targets (i + 1) / L"
        in _csv_errors(tmp_path, "video,target,pred\nx,.3,0\nx,.37,0\nx,.5,0\n")[0]
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("columns", ["video,target,pred", "video,elapsed,target,pred"])
def test_absurdly_small_targets_end_in_a_message(tmp_path: Path, columns: str) -> None:
    elapsed = ["1,", "2,"] if "elapsed" in columns else ["", ""]
    text = f"{columns}\nx,{elapsed[0]}5e-324,0\nx,{elapsed[1]}1e-323,0\n"
    assert "expected targets (i + 1) / L" in _csv_errors(tmp_path, text)[0]


def test_a_target_that_contradicts_elapsed_and_duration(tmp_path: Path) -> None:
    found = _csv_errors(tmp_path, "video,elapsed,duration,target,pred\nx,1,4,.25,0\nx,2,4,.9,0\n")
    assert found[0].startswith("line 3: expected target = elapsed / duration, found target 0.9")


def test_one_action_per_segment(tmp_path: Path) -> None:
    text = "video,segment,action,elapsed,duration,pred\nx,0,a,1,2,0\nx,0,b,2,2,0\n"
    assert _csv_errors(tmp_path, text)[0].startswith(
        "line 3: expected one action per segment, found action 'b'"
    )


def test_intervals(tmp_path: Path) -> None:
    head = "video,target,pred,lower,upper\n"
    assert _csv_errors(tmp_path, head + "x,1,0,.5,.4\n")[0].startswith(
        "line 2: expected lower <= upper, found lower 0.5"
    )
    assert "finite numbers in column 'upper'" in _csv_errors(tmp_path, head + "x,1,0,.5,nan\n")[0]
    assert (
        "both 'lower' and 'upper'" in _csv_errors(tmp_path, "video,target,pred,lower\nx,1,0,0\n")[0]
    )


def test_all_defects_are_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("progfix.predictions_io.csv_file._RECORDS", 3)
    monkeypatch.setattr("progfix.predictions_io.videos.BLOCK_ROWS", 3)
    good = "".join(f"g{i},0,1,1,.5\n" for i in range(8))
    text = HEADER + good + "x,0,1,2,nan\n" + "y,0,4,2,.5\n" + "z,0,1,2\n" + good
    found = _csv_errors(tmp_path, text)
    assert len(found) == 4
    assert any(line.startswith("line 10: expected finite") for line in found)
    assert any(line.startswith("line 11: expected elapsed <= duration") for line in found)
    assert any(line.startswith("line 12: expected 5 fields") for line in found)
    again = next(line for line in found if "rows of a video together" in line)
    assert again.startswith("lines 13, 14, 15, 16, 17, 18, 19, 20: expected")


def test_many_rows_are_counted_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"v{i},0,1,1,nan\n" for i in range(100))
    found = _csv_errors(tmp_path, HEADER + rows)
    assert found[0].startswith("lines 2, 3, 4, 5, 6, 7, 8, 9 and 92 more: expected finite numbers")


def test_blank_lines_are_no_rows_but_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(HEADER + "\nx,0,1,1,.5\n\n")
    assert sum(map(len, read_predictions(path))) == 1
    found = _csv_errors(tmp_path, HEADER + "\nx,0,1,1,nan\n")
    assert found[0].startswith("line 3: expected finite")


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    found = _csv_errors(tmp_path, "name,elapsed\nx,1\n")
    assert len(found) == 3
    assert "expected a column 'video', found the columns 'name', 'elapsed'" in found[0]
    assert "expected a column 'prediction'" in found[1]
    assert "either a column 'target' or the columns 'elapsed' and 'duration'" in found[2]


def test_a_column_twice(tmp_path: Path) -> None:
    found = _csv_errors(tmp_path, "video,target,pred,target\nx,1,1,1\n")
    assert "expected one column 'target', found 2" in found[0]


def test_nothing_is_yielded_after_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("progfix.predictions_io.csv_file._RECORDS", 2)
    monkeypatch.setattr("progfix.predictions_io.videos.BLOCK_ROWS", 2)
    path = tmp_path / "p.csv"
    rows = [f"{video},0,1,1,{'nan' if video == 'e' else 0}" for video in "abcdefghij"]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    chunks = read_predictions(path)
    assert next(chunks).video.decode() == ["a", "b", "c"]
    with pytest.raises(InputError, match="line 6"):
        next(chunks)


def test_a_target_that_means_an_endless_action(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("video,elapsed,target,prediction\nx,1,1e-10,.5\n")
    (error,) = _errors(path)
    assert "expected actions of at most 10,000,000 frames, found duration 10000000000" in error


def test_a_file_that_is_all_defects_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defects, "MOST_DEFECTS", 100)
    monkeypatch.setattr(videos, "BLOCK_ROWS", 2000)
    path = tmp_path / "p.csv"
    path.write_text("video,target,prediction\n" + "".join(f"v{i},1,x\n" for i in range(10_000)))
    stopped = r"2, 3, .* and \d+ more, where reading stopped"
    with pytest.raises(InputError, match=stopped) as caught:
        list(read_predictions(path))
    assert "9992 more" not in str(caught.value)


def test_a_video_that_does_not_end_is_not_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "LONGEST_ACTION", 3000)
    path = tmp_path / "p.csv"
    for count, fine in ((2000, True), (9000, False)):
        path.write_text("video,target,prediction\n" + "v,1,.5\n" * count)
        if fine:
            assert sum(map(len, read_predictions(path))) == count
        else:
            assert "expected videos of at most 3,000 rows, found one of more" in _errors(path)[0]
