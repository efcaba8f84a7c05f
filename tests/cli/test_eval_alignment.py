import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from progfix.checkpoints import open_checkpoint
from progfix.cli.eval import Variant
from progfix.data.dataset import ArrayFeatures, Segment, Video
from progfix.data.hdf5_writer import write_hdf5
from progfix.metrics.alignment.measure import alignment_scores
from progfix.metrics.alignment.variants import DEFINITIONS, METRICS, VARIANTS
from progfix.metrics.alignment.videos import EmbeddedVideo
from progfix.predict import embed_video
from tests.checkpoints.made import BASELINE, head_of, payload_of, save, small_encoder
from tests.cli.evaluating import evaluated, run
from tests.metrics.alignment.made import random_videos

TASKS = {"tea": 0, "soup": 40}
SPLITS = ("train", "train", "train", "train", "val", "test", "test", "test")


def made(task: str) -> list[EmbeddedVideo]:
    return random_videos(TASKS[task], len(SPLITS))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.h5"
    videos = []
    for task in TASKS:
        for index, (video, split) in enumerate(zip(made(task), SPLITS, strict=True)):
            segments = tuple(
                Segment(int(s), int(e), f"{task}{a}")
                for s, e, a in zip(video.start, video.end, video.action, strict=True)
            )
            features = ArrayFeatures(video.embeddings.astype(np.float32))
            videos.append(Video(f"{task}{index}", task, len(video), segments, features, split, 1.0))
    write_hdf5(path, videos)
    return path


def alignment(found: Mapping[str, object], source: int = 0) -> dict[str, Any]:
    sources = cast("list[dict[str, Any]]", found["sources"])
    return cast("dict[str, Any]", sources[source]["alignment"])


def single(videos: list[EmbeddedVideo]) -> list[EmbeddedVideo]:
    """As a file holds them: float32."""
    return [
        EmbeddedVideo(v.embeddings.astype(np.float32), v.start, v.end, v.action) for v in videos
    ]


@pytest.mark.parametrize("variant", ["default", "gtcc"])
def test_features_of_data_without_a_model(data: Path, variant: Any) -> None:
    found = evaluated(
        "baseline:constant", "--data", data, "--alignment", "--variant", variant, "--bootstrap", 0
    )
    shown = alignment(found)
    assert (shown["embeddings"], shown["variant"], shown["fitted_on"]) == (
        "features", variant, "train",
    )  # fmt: skip
    assert (shown["train_videos"], shown["videos"]) == (8, 6)
    by_task = {}
    for task in TASKS:
        videos = single(made(task))
        by_task[task] = alignment_scores(videos[:4], videos[5:], variant=variant)
        for name, score in by_task[task].items():
            entry = shown["tasks"][task][name]
            assert entry["value"] == pytest.approx(score.value, abs=1e-12)
            assert (entry["count"], entry["undefined"]) == (score.count, score.undefined)
    for name in DEFINITIONS[variant]:
        values = [by_task[task][name].value for task in TASKS]
        assert shown["metrics"][name]["value"] == pytest.approx(np.nanmean(values), abs=1e-12)
        assert shown["metrics"][name]["count"] == sum(by_task[t][name].count for t in TASKS)


def test_the_encoder_of_a_checkpoint(data: Path, tmp_path: Path) -> None:
    encoder = small_encoder()
    path = save(payload_of(encoder, head_of(BASELINE), {}), tmp_path / "model.pt")
    found = evaluated(path, "baseline:constant", "--data", data, "--alignment", "--bootstrap", 0)
    assert alignment(found)["embeddings"] == "encoder"
    assert alignment(found, 1)["embeddings"] == "features"
    model = open_checkpoint(path).model.eval()
    embedded = []
    for index, made_video in enumerate(single(made("tea"))):
        video = Video(str(index), "tea", len(made_video), (), ArrayFeatures(made_video.embeddings))
        embeddings = embed_video(model, video).detach().numpy()
        embedded.append(
            EmbeddedVideo(embeddings, made_video.start, made_video.end, made_video.action)
        )
    expected = alignment_scores(embedded[:4], embedded[5:])
    for name, score in expected.items():
        entry = alignment(found)["tasks"]["tea"][name]
        assert entry["value"] == pytest.approx(score.value, abs=1e-4), name


def test_the_screen_and_the_csv(data: Path, tmp_path: Path) -> None:
    table = tmp_path / "numbers.csv"
    done = run("eval", "baseline:constant", "--data", data, "--alignment", "--csv", table)
    assert max(map(len, done.stdout.splitlines()[1:])) <= 80  # the first has the path
    for text in ("Kendall", "wild tau", "EAE", "video OGPE", "SVM 10 %", "AP@5", "features of 6"):
        assert text in done.stdout
    with table.open() as file:
        rows = {r["metric"]: r for r in csv.DictReader(file) if r["kind"] == "alignment"}
    assert list(rows) == list(METRICS)
    for name, row in rows.items():
        bounded = name != "phase_progression" and row["value"] != ""
        assert bool(row["low"] and row["high"]) is bounded, name
        if bounded:
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
    assert "95 % interval" in done.stdout.split("Kendall")[-1]
    done = run("eval", "baseline:constant", "--data", data, "--alignment", "--variant", "carl")
    assert "logistic" in done.stdout
    assert "carl, kendalls_tau: every 5th frame" in done.stdout
    assert "EAE" not in done.stdout


def test_tasks_of_one_video_have_nothing_to_compare() -> None:
    data = "procedures/1:tasks=2,videos=3,dim=8"
    lonely = "kendalls_tau, wild_tau, ap_5, ap_10, ap_15, eae compare videos of a task, and each"
    done = run("eval", "baseline:constant", "--data", data, "--alignment", "--bootstrap", "0")
    assert lonely in done.stdout
    assert "choose more with --split all" in done.stdout
    assert "ap_5 undefined" not in done.stdout
    more = ("--split", "all", "--bootstrap", "0")
    done = run("eval", "baseline:constant", "--data", data, "--alignment", *more)
    assert "compare videos" not in done.stdout


def test_videos_that_are_fitted_on_are_not_judged(data: Path) -> None:
    every = evaluated("baseline:constant", "--data", data, "--alignment", "--split", "all")
    assert (alignment(every)["train_videos"], alignment(every)["videos"]) == (8, 8)
    train = evaluated("baseline:constant", "--data", data, "--alignment", "--split", "train")
    assert (alignment(train)["train_videos"], alignment(train)["videos"]) == (0, 8)
    assert alignment(train)["metrics"]["phase_progression"]["value"] is None
    assert alignment(train)["metrics"]["kendalls_tau"]["value"] is not None


def test_predictions_alone_have_no_embeddings(data: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.csv"
    run("eval", "baseline:random", "--data", data, "--save-predictions", saved)
    assert "expected data whose videos can be embedded" in run(
        "eval", saved, "--alignment", status=2
    ).stderr.replace("\n", " ")
    beside = evaluated(saved, "--data", data, "--alignment")
    assert alignment(beside)["embeddings"] == "features"
    assert alignment(evaluated(saved)) is None


def test_bad_usage(data: Path) -> None:
    error = run("eval", "baseline:constant", "--data", data, "--variant", "tcc", status=2).stderr
    assert "--alignment" in error
    run("eval", "baseline:constant", "--data", data, "--alignment", "--variant", "vava", status=2)
    assert [variant.value for variant in Variant] == list(VARIANTS)
