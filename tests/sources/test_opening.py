"""What a user names, opened: what is blamed where it cannot be."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from progfix import runs
from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.diagnosis import diagnose
from progfix.errors import InputError
from progfix.evaluation.report import EvalOptions, evaluate
from progfix.solutions import apply
from progfix.sources import SourceOptions, open_source, open_sources
from progfix.training.run import start_run
from progfix.training.run_options import RunOptions
from progfix.visualisation import visualise

SMALL = "procedures/1:tasks=1,videos=6,dim=4"
OPTIONS = SourceOptions(device="cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run, and the data that it was trained on."""
    folder = tmp_path_factory.mktemp("trained")
    write_hdf5(folder / "data.h5", open_dataset(DataOptions(path=SMALL)))
    recipe = apply("fgs")
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, epochs=1))
    data = DataOptions(path=str(folder / "data.h5"))
    options = RunOptions(recipe, data, folder=folder / "run", device="cpu")
    return start_run(options, lambda _: None).folder, folder / "data.h5"


def test_a_run_is_predicted_on_the_data_it_records(trained: tuple[Path, Path]) -> None:
    source = open_source(str(trained[0]), OPTIONS)
    assert source.chunks is not None
    assert source.why_not is None


def test_a_baseline_beside_a_table_names_no_foreign_data(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("video,target,pred\na,1,.5\n")
    with pytest.raises(InputError) as caught:
        open_sources([str(tmp_path / "p.csv"), "baseline:frame-counting"], OPTIONS)
    assert "add --data with the data set that is judged" in str(caught.value)
    assert "beside predictions alone leave the baseline out" in str(caught.value)


def test_a_run_with_epochs_to_go_says_so(trained: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    assert open_source(str(run), OPTIONS).notices == ()
    config = json.loads((run / runs.CONFIG).read_text())
    config["recipe"]["optimisation"]["epochs"] = 3
    (run / runs.CONFIG).write_text(json.dumps(config))
    source = open_source(str(run), OPTIONS)
    (notice,) = source.notices
    assert notice.startswith(f"{run}: 1 of 3 epochs are done; its best checkpoint so far is judged")
    assert notice in evaluate([source], EvalOptions(bootstrap=0)).notices
    assert notice in diagnose(source).notices
    assert notice in visualise([source], ["positions"]).notices
    # What cannot be told is not said.
    damaged: tuple[object, ...] = ([], {"optimisation": {"epochs": "many"}})
    for recipe in damaged:
        (run / runs.CONFIG).write_text(json.dumps({"format": runs.RUN_FORMAT, "recipe": recipe}))
        assert open_source(str(run), OPTIONS).notices == ()


@pytest.mark.parametrize(
    ("change", "where"),
    [({"split": "nope"}, "--split nope"), ({"device": "foo"}, "--device")],
)
def test_an_option_is_blamed_for_itself_not_the_recorded_data(
    trained: tuple[Path, Path], change: dict[str, str], where: str
) -> None:
    with pytest.raises(InputError) as caught:
        open_source(str(trained[0]), replace(OPTIONS, **change))  # type: ignore[arg-type]
    (problem,) = caught.value.problems
    assert problem.where == where
    assert len(str(problem)) < 200


def test_data_of_another_size_in_its_place_is_named(trained: tuple[Path, Path]) -> None:
    run, data = trained
    before = data.read_bytes()
    try:
        write_hdf5(data, open_dataset(DataOptions(path=SMALL.replace("dim=4", "dim=5"))))
        with pytest.raises(
            InputError, match=r"data\.h5: expected features of size 4 per.*5 in all"
        ):
            open_source(str(run), OPTIONS)
    finally:
        data.write_bytes(before)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("p.npy", b"\x93NUMPY", "found a NumPy array"),
        ("p.txt", b"video,target\n", "found text"),
        ("p.xlsx", b"PK\x05\x06" + bytes(18), "found an empty zip file"),
        ("p", b"", "found an empty file"),
    ],
)
def test_a_file_of_another_kind_is_told_which_would_do(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path / name), OPTIONS)
    text = str(caught.value)
    assert "or predictions in .csv, .tsv, .npz, .h5, .hdf5, .parquet" in text
    assert found in text
    assert "CSV with the columns video, prediction, and target or elapsed and duration" in text


def test_annotations_in_place_of_a_source_are_sent_to_their_option(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(InputError, match="annotations go after --data, splits after --splits"):
        open_source(str(tmp_path / "labels.json"), OPTIONS)


def test_data_that_has_moved_leaves_the_checkpoint(trained: tuple[Path, Path]) -> None:
    run, data = trained
    data.rename(data.with_name("moved.h5"))
    try:
        source = open_source(str(run), OPTIONS)
    finally:
        data.with_name("moved.h5").rename(data)
    assert source.checkpoint is not None
    assert source.chunks is None
    assert source.why_not == (
        f"the data it was trained on cannot be opened ({data}: no such file): "
        "name it with --data PATH"
    )


def test_a_folder_of_runs_or_tables_names_them(trained: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(trained[0], tmp_path / "sweep" / "fgs-seed0")
    (tmp_path / "sweep" / "sweep.csv").touch()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a b.csv").touch()
    for folder, name in (("sweep", "fgs-seed0"), ("tables", "a b.csv")):
        place = tmp_path / folder / name
        with pytest.raises(InputError) as caught:
            open_source(tmp_path / folder, OPTIONS)
        text = str(caught.value)
        assert f"found a folder with {name}; name what is in it" in text
        assert shlex.quote(str(place)) in text


def test_a_checkpoint_without_data_is_judged_on_that_beside_it(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    run = trained[0]
    payload = torch.load(run / "checkpoint.pt", weights_only=True)
    torch.save({**payload, "data": None}, tmp_path / "alone.pt")
    assert open_source(tmp_path / "alone.pt", OPTIONS).chunks is None
    alone, _ = open_sources([str(tmp_path / "alone.pt"), str(run)], OPTIONS)
    assert alone.chunks is not None
    (said,) = alone.notices
    assert said == "alone: judged on the data of run, since its file names none"
    write_hdf5(tmp_path / "wide.h5", open_dataset(DataOptions(path=SMALL.replace("4", "5"))))
    data = DataOptions(path=str(tmp_path / "wide.h5"))
    recipe = apply("fgs")
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, epochs=1))
    options = RunOptions(recipe, data, folder=tmp_path / "wide", device="cpu")
    wide = start_run(options, lambda _: None).folder
    misfit, _ = open_sources([str(tmp_path / "alone.pt"), str(wide)], OPTIONS)
    assert misfit.chunks is None
    assert misfit.why_not is not None


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("frame-counting", "did you mean baseline:frame-counting?"),
        ("baselines:oracle", "did you mean baseline:oracle?"),
        ("nosuch.pt", "check the path"),
    ],
)
def test_a_baseline_without_its_prefix_is_guessed(name: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(name, OPTIONS)
    (problem,) = caught.value.problems
    assert (problem.found, problem.fix) == ("no such file", fix)


def test_annotations_alone_are_one_error_about_the_data(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """No single video is to blame where none has features."""
    path = tmp_path / "a.json"
    lists = {"handles": ["a", "b", "c"], "hdl_actions": [["x"]] * 3}
    times = {"hdl_start_times": [[0]] * 3, "hdl_end_times": [[9]] * 3}
    path.write_text(json.dumps({"tea": lists | times}))
    data = DataOptions(path=str(path), fps="1")
    recipe = apply("gs")
    with pytest.raises(InputError) as asked:
        open_source(str(trained[0]), replace(OPTIONS, data=data))
    with pytest.raises(InputError) as retrained:
        start_run(
            RunOptions(recipe, data, init=trained[0], folder=tmp_path / "run", device="cpu"),
            lambda _: None,
        )
    for caught in (asked, retrained):
        (problem,) = caught.value.problems
        assert (problem.where, problem.found) == (str(path), "annotations without features")
        assert "--feature-dir" in problem.fix


@pytest.mark.parametrize(
    ("columns", "read", "notice"),
    [
        ("Progress_Dense,progress_sparse", [0.2, 0.8], "p.csv: progress_sparse is judged; it "
         "also has Progress_Dense: name the one to judge 'prediction'"),
        ("progress_sparse,prediction", [0.2, 0.8], None),
        ("pred,other", [0.1, 0.9], None),
    ],
)  # fmt: skip
def test_of_several_predictions_it_is_said_which_one_counts(
    tmp_path: Path, columns: str, read: list[float], notice: str | None
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"video,target,{columns}\nx,.5,.1,.2\nx,1,.9,.8\n")
    source = open_source(str(path), OPTIONS)
    assert source.notices == (() if notice is None else (notice,))
    assert source.chunks is not None
    (table,) = source.chunks()
    assert table.prediction.tolist() == read


def test_a_header_at_fault_is_an_error_where_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("video,target\nx,.5\n")
    source = open_source(str(path), OPTIONS)
    assert source.notices == ()
    assert source.chunks is not None
    with pytest.raises(InputError, match="a column 'prediction'"):
        next(iter(source.chunks()))


@pytest.mark.parametrize(
    ("split", "named", "said"),
    [
        ("test", False, None),
        ("train", False, "all of these 4 videos"),
        ("all", False, "4 of these 6 videos"),
        ("test", True, None),
        ("all", True, "4 of these 6 videos"),
    ],
)
def test_a_run_judged_on_what_it_was_trained_on_says_so(
    trained: tuple[Path, Path], split: str, named: bool, said: str | None
) -> None:
    data = DataOptions(path=str(trained[1]) if named else None)
    (*notice,) = open_source(trained[0], replace(OPTIONS, data=data, split=split)).notices
    assert [said in one for one in notice if said is not None] == [True] * (said is not None)
    assert len(notice) == (said is not None)


def test_other_splits_do_not_hide_what_a_run_was_trained_on(trained: tuple[Path, Path]) -> None:
    given = DataOptions(path=str(trained[1]), resplit=3)
    known = {v.name for v in open_dataset(DataOptions(path=str(trained[1]))).split("train")}
    judged = [v.name for v in open_dataset(given).split("test")]
    seen = sum(name in known for name in judged)
    assert seen
    (notice,) = open_source(trained[0], replace(OPTIONS, data=given)).notices
    which = "all" if seen == len(judged) else seen
    assert f"{which} of these {len(judged)} videos are of those it was trained on" in notice


def test_of_other_data_no_video_is_said_to_be_known(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    other = shutil.copy(trained[1], tmp_path / "other.h5")
    data = DataOptions(path=str(other))
    assert open_source(trained[0], replace(OPTIONS, data=data, split="all")).notices == ()
