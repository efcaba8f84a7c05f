"""`progfix data`, through the command's own entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from progfix.cli.app import app
from progfix.data.open import open_dataset
from progfix.data.options import DataOptions
from tests.data.samples import EGOPROCEL, gtcc_task, needs_shared, ramp, write_features, write_json

ROWS = (("0", 0, 60), ("cut", 60, 240), ("stir", 240, 300))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    tasks = {"tea": gtcc_task({f"S{n:02d}_x": ROWS for n in range(4)})}
    return write_json(tmp_path / "labels.json", tasks)


def test_info_of_the_built_in_data_as_json() -> None:
    result = run("info", "procedures/1:videos=6,tasks=2", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    summary = json.loads(result.stdout)
    assert summary["format"] == "progfix-data-info/1"
    assert [(row["split"], row["videos"]) for row in summary["splits"]] == [
        ("train", 8),
        ("val", 2),
        ("test", 2),
        ("all", 12),
    ]
    data = open_dataset(DataOptions(path="procedures/1:videos=6,tasks=2"))
    everything = summary["splits"][-1]
    durations = [s.duration for v in data for s in v.segments]
    assert everything["durations"] == np.quantile(durations, summary["duration_quantiles"]).tolist()
    assert everything["frames"] == sum(v.num_frames for v in data)
    assert everything["action_frames"] == sum(durations)  # no two actions overlap
    assert summary["feature_shape"] == [128]
    assert [task["task"] for task in summary["tasks"]] == ["procedure-1", "procedure-2"]


def test_info_counts_a_shared_frame_once(tmp_path: Path, labels: Path) -> None:
    summary = json.loads(run("info", labels, "--json").stdout)
    # cut is frames 2 to 8, stir 8 to 10: nine frames of eleven in four videos.
    row = summary["splits"][-1]
    assert (row["action_frames"], row["frames"], row["segments"]) == (36, 44, 8)
    assert any("neighbours in the lists" in notice for notice in summary["notices"])


def test_info_for_people_fits_80_columns() -> None:
    result = run("info", "procedures/1")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    text = " ".join(result.stdout.split())
    for part in ("features 128-d at 4 fps", "train 64 471", "median", "procedure-4 16 4 4"):
        assert part in text
    assert "\x1b" not in result.stdout


@needs_shared
def test_check_lists_the_known_defects_of_the_real_annotations() -> None:
    result = run("check", EGOPROCEL)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for part in (
        "5 tasks whose annotation lists are not one per video",
        "task Sandwich.cmu: 174 lists for 31 handles (views collapse to 31)",
        "task Salad.cmu: 187 lists for 34 handles (views collapse to 34)",
        "task Eggs.cmu: 185 lists for 33 handles (views collapse to 33)",
        "task Brownie.cmu: 188 lists for 34 handles (views collapse to 34)",
        "task Pizza.cmu: 184 lists for 32 handles (views collapse to 33)",
        "fix pass --pairing views --skip-tasks Pizza.cmu",
        "21,560 of 21,560 neighbours in the lists, background included, share a frame",
        "236 of 3,952 actions have one frame (6.0%)",
        "non-finite, constant-features, beyond-features (there are no features)",
        "1 error, 2 notices",
    ):
        assert part in text
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 80


@needs_shared
@pytest.mark.parametrize(
    ("level", "status"), [("never", 0), ("error", 1), ("warning", 1), ("info", 1)]
)
def test_check_ends_with_1_where_it_is_asked_to(level: str, status: int) -> None:
    assert run("check", EGOPROCEL, "--fail-on", level, "--json").exit_code == status
    assert run("check", "procedures/1:videos=3", "--fail-on", level).exit_code == 0


def test_check_ends_with_2_only_if_nothing_can_be_read(tmp_path: Path, labels: Path) -> None:
    assert run("check", tmp_path / "none").exit_code == 2
    (tmp_path / "cut.json").write_text('{"tea": {"handles": [', encoding="utf-8")
    result = run("check", tmp_path / "cut.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no valid JSON" in result.stderr
    write_features(tmp_path / "features", {"S00_x": ramp(3)})
    result = run("check", labels, "--json")
    assert result.exit_code == 0  # what training would refuse is a finding here
    ids = [f["id"] for f in json.loads(result.stdout)["findings"] if f["severity"] == "error"]
    assert ids == ["beyond-features", "missing-features"]
    assert run("info", labels).exit_code == 2


def test_handles_of_no_known_rate_are_said_once_with_their_remedy(tmp_path: Path) -> None:
    tasks = {
        task: {
            "handles": ["one", "two"],
            "hdl_actions": [["1"], ["1"]],
            "hdl_start_times": [[0], [0]],
            "hdl_end_times": [[90], [60]],
        }
        for task in ("tea", "soup")
    }
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    remedy = "pass the frame rate of the annotations with --fps, for example --fps 30"
    assert run("info", path).stderr == (
        f"error: {path}: expected handles of EgoProceL, whose frame rates are known, "
        f"found 4 videos of other names: one, two, one, two; {remedy}\n"
    )
    text = " ".join(run("check", path).stdout.split())
    assert "ends inclusive, no video that could be read error 4 videos whose labels" in text
    assert "- task tea, one - task tea, two - task soup, one - task soup, two why" in text
    assert f"fix {remedy}" in text
    assert "beyond-features (no video could be read)" in text
    assert "no splits" not in text


def test_check_reads_features_unless_told_not_to(tmp_path: Path, labels: Path) -> None:
    bad = ramp(11)
    bad[4, 0] = np.nan
    arrays = {f"S{n:02d}_x": ramp(11, start=n) for n in range(1, 4)}
    write_features(tmp_path / "features", {"S00_x": bad, **arrays})
    report = json.loads(run("check", labels, "--json").stdout)
    (finding,) = [f for f in report["findings"] if f["id"] == "non-finite"]
    assert finding["evidence"]["examples"] == [
        f"{tmp_path / 'features' / 'S00_x.npy'}, video tea S00_x: 1 NaN or infinite values, "
        "the first in frame 4"
    ]
    report = json.loads(run("check", labels, "--no-features", "--json").stdout)
    assert "non-finite" in {entry["id"] for entry in report["not_checked"]}


def test_make_and_convert_keep_what_was_there(tmp_path: Path) -> None:
    made, copy = tmp_path / "made.h5", tmp_path / "copy.h5"
    flags = ("--tasks", 1, "--videos", 4, "--dim", 5, "--seed", 3, "--frame-rate", 2)
    result = run("make", made, *flags)
    assert result.exit_code == 0
    assert "wrote" in result.stdout
    assert run("convert", made, copy, "--json").exit_code == 0
    name = "procedures/1:seed=3,tasks=1,videos=4,fps=2,dim=5"
    sources = [open_dataset(DataOptions(path=str(path))) for path in (name, made, copy)]
    for one, two, three in zip(*sources, strict=True):
        assert one.segments == two.segments == three.segments
        assert (one.split, one.fps) == (two.split, two.fps) == (three.split, three.fps)
        assert np.array_equal(one.read(), two.read())
        assert np.array_equal(two.read(), three.read())


def test_make_gives_real_annotations_features(tmp_path: Path, labels: Path) -> None:
    out = tmp_path / "x.h5"
    result = run("make", out, "--annotations", labels, "--dim", 6, "--visible", 1, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["videos"] == 4
    data = open_dataset(DataOptions(path=str(out)))
    plain = open_dataset(DataOptions(path=str(labels)))
    assert [v.segments for v in data] == [v.segments for v in plain]
    assert (data.feature_shape, data.videos[0].fps) == ((6,), 1.0)
    assert data.videos[0].source == "S00_x, synthetic features"
    refused = run("make", tmp_path / "y.h5", "--annotations", labels, "--videos", 3)
    assert refused.exit_code == 2
    assert "--videos: expected options that annotations leave open" in refused.stderr


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    out = tmp_path / "x.h5"
    out.write_bytes(b"precious")
    small = ("--tasks", 1, "--videos", 3, "--dim", 2)
    result = run("make", out, *small)
    assert (result.exit_code, out.read_bytes()) == (2, b"precious")
    assert "pass --force to replace it" in result.stderr
    assert run("make", out, *small, "--force").exit_code == 0
    assert len(open_dataset(DataOptions(path=str(out)))) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info",), "DATA: expected a value, found none"),
        (("make", "x.h5", "--fps", "30"), "--fps: expected annotations beside it"),
        (("info", "procedures/1", "--ends", "half-open"), "one that would do nothing"),
        (("make", "x.h5", "--visible", "2"), "visible from 0 to 1, found '2.0'"),
        (("make", "/proc/none/x.h5", "--videos", "3"), "a place that can be written"),
        (("convert", "none", "x.h5"), "no such file"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_installed_command_and_its_quick_help() -> None:
    command = [sys.executable, "-c", "from progfix.cli.app import main; main()", "data"]
    made = subprocess.run(
        [*command, "info", "procedures/1", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout)["splits"][0]["videos"] == 64
    code = (
        "import sys; from progfix.cli.app import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['data', 'check', '--help']).exit_code == 0\n"
        "print([m for m in ('torch', 'numpy', 'h5py', 'matplotlib') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
