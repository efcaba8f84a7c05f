"""What a user names, opened: what is blamed where it cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from progfix.data.hdf5_writer import write_hdf5
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from progfix.errors import InputError
from progfix.solutions import apply
from progfix.sources import SourceOptions, open_source
from progfix.training.run import start_run
from progfix.training.run_options import RunOptions

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
        with pytest.raises(InputError, match=r"data\.h5, video .*expected features of size 4 per"):
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
    assert "or predictions in .csv, .npz, .h5, .hdf5, .parquet" in text
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
